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


class Incident(Strict):
    """How much `%obs_incident` gathers around an incident.

    Args:
        metrics_before: Metrics from so long before the start.
        logs_before: Error lines from so long before the start.
        traces_before: Traces from so long before the start.
        deployments_before: Deployments and scaling from so long before the start.
        config_changes_before: Changes of configuration, and annotations, from so long before the start.
        flags_before: Feature flags from so long before the start.
        alerts_before: Alerts from so long before the start; those that ring across it as well.
        restarts_before: Restarts from so long before the start.
        after: Everything until so long after the end.
        longest: Where no end is known, everything until so long after the start.
        search: How far back the start is looked for when nobody tells it.
        log_lines: Error lines that are kept; patterns are counted over all.
        traces: Failing traces that are asked for, and as many slow ones.
        neighbours: Callers and callees whose metrics and error lines are asked for, those with most calls first.
        calls: Who calls whom, beside what traces tell: `{checkout-api: [payment-api, inventory-service]}`.
    """

    metrics_before: Annotated[Duration, DURATION, between("1m", "7d")] = Duration.of("30m")
    logs_before: Annotated[Duration, DURATION, between("0s", "7d")] = Duration.of("5m")
    traces_before: Annotated[Duration, DURATION, between("0s", "7d")] = Duration.of("5m")
    deployments_before: Annotated[Duration, DURATION, between("0s", "30d")] = Duration.of("2h")
    config_changes_before: Annotated[Duration, DURATION, between("0s", "30d")] = Duration.of("1h")
    flags_before: Annotated[Duration, DURATION, between("0s", "30d")] = Duration.of("1h")
    alerts_before: Annotated[Duration, DURATION, between("0s", "30d")] = Duration.of("10m")
    restarts_before: Annotated[Duration, DURATION, between("0s", "30d")] = Duration.of("1h")
    after: Annotated[Duration, DURATION, between("0s", "7d")] = Duration.of("10m")
    longest: Annotated[Duration, DURATION, between("1m", "7d")] = Duration.of("2h")
    search: Annotated[Duration, DURATION, between("10m", "7d")] = Duration.of("6h")
    log_lines: Annotated[int, Field(ge=1, le=10_000)] = 100
    traces: Annotated[int, Field(ge=1, le=500)] = 20
    neighbours: Annotated[int, Field(ge=0, le=100)] = 12
    calls: Annotated[Mapping[Text, Annotated[tuple[Text, ...], COMMA_SEPARATED]], FROZEN, THAWED] = Field(
        default_factory=dict, validate_default=True
    )


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
    incident: Incident = Field(default_factory=Incident)
    export: Export = Export()
    measures: Measures = Field(default_factory=dict, validate_default=True)
