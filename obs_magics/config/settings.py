"""The configuration as a whole: one model per section of the file, with defaults and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SerializeAsAny, model_validator

from obs_magics.config.measures import Measures
from obs_magics.config.platform import PlatformSettings
from obs_magics.config.types import COMMA_SEPARATED, DURATION, FROZEN, THAWED, Channel, Duration, Strict, Text, between

Sensitivity = Literal["low", "medium", "high"]
Severity = Literal["low", "medium", "high", "critical"]
ExportFormat = Literal["json", "csv", "parquet"]


def _named(value: Any) -> Any:
    """A plain name stands for a metric without thresholds."""
    return {"name": value} if isinstance(value, str) else value


class WatchedMetric(Strict):
    """A metric to look after: `threshold` in its own unit, `change_threshold` in percent."""

    name: Text
    threshold: float | None = None
    change_threshold: Annotated[float, Field(gt=0)] | None = None
    alert_channel: Channel | None = None


class ThresholdRule(Strict):
    """A limit that is an anomaly when it is passed, whatever is usual.

    Args:
        metric: A measure (`error_rate`) or the name of a metric, or a pattern with `*`.
        above: The value must not be greater, in its own unit.
        below: … not be less.
        for_: How long it has to last; `for` in the file.
        severity: Of the anomaly.
        service: For which services: a name, or a pattern with `*`.
    """

    metric: Text
    above: float | None = None
    below: float | None = None
    for_: Annotated[Duration, DURATION, between("0s", "366d")] = Field(default=Duration.of("0s"), alias="for")
    severity: Severity = "high"
    service: Text = "*"

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("needs above or below")
        return self


class AnomalyDetection(Strict):
    """How anomalies are looked for, and who hears of them."""

    enabled: bool = True
    sensitivity: Sensitivity = "medium"
    baseline_window: Annotated[Duration, DURATION, between("1h", "366d")] = Duration.of("7d")
    notification_channel: Channel | None = None
    metrics: Annotated[tuple[Annotated[WatchedMetric, BeforeValidator(_named)], ...], COMMA_SEPARATED] = ()
    thresholds: tuple[ThresholdRule, ...] = ()


class Dashboards(Strict):
    """Where generated dashboards go."""

    auto_generate: bool = False
    output_platform: Text | None = None
    folder: Text = "Generated"
    refresh_interval: Annotated[Duration, DURATION, between("1s", "1d")] = Duration.of("30s")


class Query(Strict):
    """Limits of what a person asks."""

    default_time_range: Annotated[Duration, DURATION, between("1s", "10y")] = Duration.of("1h")
    max_time_range: Annotated[Duration, DURATION, between("1s", "10y")] = Duration.of("7d")
    max_data_points: Annotated[int, Field(ge=10, le=1_000_000)] = 1000
    cache_ttl: Annotated[Duration, DURATION, between("0s", "366d")] = Duration.of("60s")

    @property
    def default_time_range_ns(self) -> int:
        """`default_time_range` in nanoseconds."""
        return int(self.default_time_range)

    @property
    def max_time_range_ns(self) -> int:
        """`max_time_range` in nanoseconds."""
        return int(self.max_time_range)

    @model_validator(mode="after")
    def _default_fits(self) -> Self:
        if self.default_time_range > self.max_time_range:
            text = f"default_time_range ({self.default_time_range}) is longer than max_time_range"
            raise ValueError(f"{text} ({self.max_time_range})")
        return self


class Correlation(Strict):
    """How far back from an anomaly its causes are looked for."""

    deployment_window: Annotated[Duration, DURATION, between("1s", "30d")] = Duration.of("2h")
    config_change_window: Annotated[Duration, DURATION, between("1s", "30d")] = Duration.of("1h")
    alert_window: Annotated[Duration, DURATION, between("1s", "30d")] = Duration.of("30m")


class Export(Strict):
    """What may be written out, and how long it is kept."""

    enabled: bool = True
    formats: Annotated[tuple[ExportFormat, ...], COMMA_SEPARATED] = ("json", "csv")
    retention: Annotated[Duration, DURATION, between("1h", "100y")] = Duration.of("30d")


class Settings(Strict):
    """Everything under ``observability:``."""

    enabled: bool = True
    platforms: Annotated[Mapping[str, SerializeAsAny[PlatformSettings]], FROZEN, THAWED] = Field(
        default_factory=dict, validate_default=True
    )
    anomaly_detection: AnomalyDetection = AnomalyDetection()
    dashboards: Dashboards = Dashboards()
    query: Query = Query()
    correlation: Correlation = Correlation()
    export: Export = Export()
    measures: Measures = Field(default_factory=dict, validate_default=True)
