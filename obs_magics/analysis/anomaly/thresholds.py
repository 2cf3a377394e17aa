"""Threshold rules of a configuration: fixed bounds that some series must not cross for longer than a while."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import numpy as np

from obs_magics.analysis.anomaly.tracks import Track, Tracks
from obs_magics.analysis.anomaly.windows import stretches
from obs_magics.model.anomalies import SEVERITIES, Anomaly, Severity
from obs_magics.model.durations import format_duration, parse_duration
from obs_magics.model.errors import ConfigError, did_you_mean
from obs_magics.model.series import Series

_WHERE = "a threshold rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A bound for the series that match.

    >>> Threshold(metric="*_cpu_*", labels={"service": "payment-*"}, above=0.9, for_duration="5m", severity="high")
    ... # doctest: +SKIP

    Args:
        metric: Shell-style pattern of the metric's name (`*`, `?`, `[abc]`); `*` for any.
        labels: Shell-style patterns of labels; a series without the label does not match.
        above: Values above this are an event; None for no upper bound. In the unit of the series.
        below: Values below this are an event; None for no lower bound.
        for_duration: How long, from the first point beyond to the last, before it counts: `5m`; `0s` for at once.
        severity: Of the event.

    Raises:
        ConfigError: Neither bound is given, a bound is not a number, the severity is none of `SEVERITIES`.
        UsageError: `for_duration` is no duration.
    """

    metric: str = "*"
    labels: Mapping[str, str] = field(default_factory=dict)
    above: float | None = None
    below: float | None = None
    for_duration: str = "0s"
    severity: Severity = "high"

    def __post_init__(self) -> None:
        if self.above is None and self.below is None:
            raise ConfigError("no bound is given", where=_WHERE, hint="give above, below, or both")
        if any(bound is not None and not math.isfinite(bound) for bound in (self.above, self.below)):
            raise ConfigError("a bound must be a finite number", where=_WHERE)
        if self.severity not in SEVERITIES:
            hint = did_you_mean(str(self.severity), SEVERITIES) or f"one of {', '.join(SEVERITIES)}"
            raise ConfigError(f"unknown severity '{self.severity}'", where=_WHERE, hint=hint)
        parse_duration(self.for_duration)

    def matches(self, series: Series) -> bool:
        """Whether the rule is about this series."""
        return fnmatchcase(series.metric, self.metric) and all(
            name in series.labels and fnmatchcase(series.labels[name], pattern) for name, pattern in self.labels.items()
        )


def crossings(rules: Sequence[Threshold], tracks: Tracks, track: Track, since_ns: int | None) -> Iterator[Anomaly]:
    """Where a series crosses the bounds of the rules that are about it."""
    for rule in rules:
        if rule.matches(tracks.series[track.number]):
            for side, bound in ((1, rule.above), (-1, rule.below)):
                for first, last in _beyond(rule, bound, side, track):
                    if since_ns is None or track.times_ns[last] >= since_ns:
                        yield _anomaly(rule, side, tracks, track, (first, last))


def _beyond(rule: Threshold, bound: float | None, side: int, track: Track) -> Iterator[tuple[int, int]]:
    """The first and the last point of each stretch that is beyond a bound for long enough."""
    if bound is None:
        return
    wait = parse_duration(rule.for_duration)
    for first, last in stretches((track.values - bound) * side > 0, 0):
        if track.times_ns[last] - track.times_ns[first] >= wait:
            yield first, last


def _anomaly(rule: Threshold, side: int, tracks: Tracks, track: Track, stretch: tuple[int, int]) -> Anomaly:
    first, last = stretch
    series = tracks.series[track.number]
    bound = (rule.above if side > 0 else rule.below) or 0.0
    peak = first + int(np.argmax(track.values[first : last + 1] * side))
    wait = parse_duration(rule.for_duration)
    held = f" for {format_duration(wait)}" if wait else ""
    of_rate = "rate of a counter, " if track.rate else ""
    return Anomaly(
        series=tracks.names[track.number],
        metric=series.metric,
        labels=series.labels,
        start_ns=int(track.times_ns[first]),
        end_ns=int(track.times_ns[last]),
        kind="threshold",
        value=float(track.values[peak]),
        expected_low=rule.below if rule.below is not None else math.nan,
        expected_high=rule.above if rule.above is not None else math.nan,
        score=abs(float(track.values[peak]) - bound) / (abs(bound) or 1.0),
        severity=rule.severity,
        detection_method=f"{of_rate}threshold: {'above' if side > 0 else 'below'} {bound:g}{held}",
        ongoing=last == len(track.values) - 1,
    )
