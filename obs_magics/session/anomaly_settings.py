"""What can be said of an examination for anomalies: by the configuration, and beside a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from obs_magics.config.settings import AnomalyDetection, ThresholdRule, WatchedMetric
from obs_magics.language.measures import DEFAULT_SCAN, find_measure
from obs_magics.model.anomalies import SENSITIVITIES, Sensitivity
from obs_magics.model.errors import UsageError, did_you_mean
from obs_magics.session.plan import MetricsOptions

if TYPE_CHECKING:
    from obs_magics.analysis.anomaly import Threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalySettings:
    """What the configuration says of anomalies.

    Args:
        sensitivity: Where a question says none.
        baseline_ns: Where a question says none.
        measures: What a scan of a service looks at.
        rules: Limits that are anomalies when they are passed.
        least_changes: By metric the least change that is told, as a share of what is normal.
    """

    sensitivity: str = "medium"
    baseline_ns: int
    measures: tuple[str, ...] = DEFAULT_SCAN
    rules: tuple[ThresholdRule, ...] = ()
    least_changes: Mapping[str, float] = field(default_factory=dict)

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """The rules as the analysis takes them; a synonym of a measure means the measure."""
        from obs_magics.analysis.anomaly import Threshold

        return tuple(
            Threshold(
                metric=known.name if (known := find_measure(rule.metric)) else rule.metric,
                labels={} if rule.service == "*" else {"service": rule.service},
                above=rule.above,
                below=rule.below,
                for_duration=str(rule.for_),
                severity=rule.severity,
            )
            for rule in self.rules
        )


def anomaly_settings(configured: AnomalyDetection) -> AnomalySettings:
    """From the configuration's section `anomaly_detection`."""
    return AnomalySettings(
        sensitivity=configured.sensitivity,
        baseline_ns=int(configured.baseline_window),
        measures=tuple(one.name for one in configured.metrics) or DEFAULT_SCAN,
        least_changes={
            known.name if (known := find_measure(one.name)) else one.name: one.change_threshold / 100
            for one in configured.metrics
            if one.change_threshold is not None
        },
        rules=(*(_watched(one) for one in configured.metrics if one.threshold is not None), *configured.thresholds),
    )


def _watched(metric: WatchedMetric) -> ThresholdRule:
    """The threshold of a watched metric: the least it may be where less is bad, else the most."""
    known = find_measure(metric.name)
    side = "below" if known is not None and known.direction == "down" else "above"
    return ThresholdRule.model_validate({"metric": metric.name, side: metric.threshold})


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyOptions:
    """What can be said beside the question; see `Session.anomalies`."""

    service: str | None = None
    measures: Sequence[str] = ()
    sensitivity: str | None = None
    baseline: str | None = None
    range: MetricsOptions = field(default_factory=MetricsOptions)


def checked_sensitivity(text: str) -> Sensitivity:
    """The sensitivity that a text names.

    Raises:
        UsageError: It names none.
    """
    for known in SENSITIVITIES:
        if text == known:
            return known
    hint = did_you_mean(text, SENSITIVITIES) or f"it takes {', '.join(SENSITIVITIES)}"
    raise UsageError(f"--sensitivity takes low, medium or high, not {text!r}", hint=hint)
