"""The rows of an anomalies frame as a reader takes them: numbered, the most severe first, in units and clock times."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from obs_magics.display import severity as severities
from obs_magics.display import times
from obs_magics.display.bands import MAX_BANDS, Band
from obs_magics.display.clock import MS
from obs_magics.display.units import format_value, plain, round_digits, scale_between, shown_number
from obs_magics.display.units import times as ratio
from obs_magics.display.visible import short
from obs_magics.model.series import ABSENT, selector

NAME_LENGTH = 80
_MINUTE = 60.0
_MINUTES, _HOURS, _DAYS = 90, 60, 48  # from how many seconds, minutes and hours on it is said in the next unit
_LEAST_SHARE = 0.001
_MUCH = 1.05  # times the edge of the normal range: less is not worth saying as a factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One anomaly.

    Args:
        number: By which pictures and report name it; 1 is the most severe.
        row: Its place in the frame, from 0.
        series: The short name of the series.
        metric: The metric or measure; empty when unknown.
        service: Empty when unknown.
        start_ns: The first unusual instant.
        end_ns: The last one.
        kind: One of `model.anomalies.KINDS`.
        severity: One of `model.anomalies.SEVERITIES`.
        value: The most unusual value; NaN where the series was silent.
        low: The lower edge of what would have been normal; infinite or NaN where there is none.
        high: The upper edge.
        score: How far off, in spreads of the noise.
        method: How it was found, in words.
        ongoing: Whether the series ends with it.
        unit: UCUM as OpenTelemetry writes it.
        better: Whether it went the good way.
    """

    number: int
    row: int
    series: str
    metric: str
    service: str
    start_ns: int
    end_ns: int
    kind: str
    severity: str
    value: float
    low: float
    high: float
    score: float
    method: str
    ongoing: bool
    unit: str
    better: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Metric and series: names of series are unique within a metric alone."""
        return self.metric, self.series

    @property
    def what(self) -> str:
        """Metric and series: "latency_p99 of payment-api"."""
        if self.metric and self.service and self._says_no_more():
            return short(f"{self.metric} of {self.service}", NAME_LENGTH)
        parts = [self.metric] if self.metric and self.metric not in self.series else []
        parts += [plain_name(self.series)]
        if self.service and self.service not in self.series:
            parts.append(f"of {self.service}")
        return short(" ".join(parts), NAME_LENGTH)

    def _says_no_more(self) -> bool:
        """Whether the name of the series is but metric and service again."""
        return self.series in {
            self.service,
            self.metric,
            selector({"metric": self.metric, "service": self.service}),
        }

    @property
    def marked(self) -> str:
        """Severity as icon and word, and the kind: "▲ high spike"; what went the good way says so."""
        better = " for the better" if self.better else ""
        return f"{severities.mark(self.severity)} {severities.kind_word(self.kind)}{better}"

    def against_normal(self) -> str:
        """The value and what would have been normal: "2.31 s, normal 360–450 ms, 5.1×"."""
        value = "no values" if math.isnan(self.value) else format_value(self.value, self.unit)
        normal = range_text(self.low, self.high, self.unit)
        return ", ".join(part for part in (value, f"normal {normal}" if normal else "", self.factor()) if part)

    def factor(self) -> str:
        """How far from the nearer edge of the normal range: "5.1×", "72 % below"; empty where that says nothing."""
        if self.value > self.high and _shown_positive(self.high, self.unit) and self.value > _MUCH * self.high:
            return ratio(self.value, self.high, self.unit)
        if self.value < self.low and self.value >= 0 and _shown_positive(self.low, self.unit):
            return f"{plain(round_digits(100 * (1 - self.value / self.low), 2))} % below"
        return ""

    def stretch(self, zone: str, *, day: bool) -> str:
        """From when to when: "since 14:15", "14:15–14:50"."""
        if self.ongoing:
            return f"since {times.clock(self.start_ns, zone, day=day)}"
        return times.stretch(self.start_ns, self.end_ns, zone, day=day)

    def ago(self, now_ns: int) -> str:
        """How long ago it began: "28 min ago"; empty where it lies ahead of now."""
        seconds = (now_ns - self.start_ns) / 1e9
        return f"{length_text(seconds)} ago" if seconds >= 1 else ""

    def said(self, zone: str, *, day: bool) -> str:
        """In one line: "▲ high spike: latency_p99 payment-api 2.31 s, normal 360–450 ms, 5.1×, since 14:15"."""
        return f"{self.marked}: {self.what} {self.against_normal()}, {self.stretch(zone, day=day)}"


def bands_in(found: Sequence[Found], start_ms: int, end_ms: int, zone: str, *, named: bool = False) -> tuple[Band, ...]:
    """The stretches of anomalies that lie in a picture, at most forty, by number.

    Args:
        found: In the order in which the report tells of them.
        start_ms: Where the picture begins.
        end_ms: Where it ends.
        zone: In which times are said.
        named: Whether the series is said as well.
    """
    day = times.several_days(start_ms * MS, end_ms * MS, zone)
    inside = [one for one in found if one.end_ns // MS >= start_ms and one.start_ns // MS <= end_ms]
    return tuple(
        Band(
            one.number,
            max(one.start_ns // MS, start_ms),
            min(one.end_ns // MS, end_ms),
            one.severity,
            f"{one.number} {one.marked} {f'{one.what} ' if named else ''}{one.stretch(zone, day=day)}",
        )
        for one in inside[:MAX_BANDS]
    )


def plain_name(name: str) -> str:
    """A short name without the labels that the series lacks.

    >>> plain_name("latency_p99 · payment-api · (none)")
    'latency_p99 · payment-api'
    """
    kept = [part for part in name.split(" · ") if part != ABSENT]
    return short(" · ".join(kept) or name, NAME_LENGTH)


def _shown_positive(value: float, unit: str) -> bool:
    """Whether a number is finite and is not shown as zero."""
    return math.isfinite(value) and shown_number(value, unit) > 0


def length_text(seconds: float) -> str:
    """A length of time as people say it, to the minute where it is long.

    >>> length_text(75), length_text(2100), length_text(4560), length_text(7200), length_text(200_000)
    ('75 s', '35 min', '1 h 16 min', '2 h', '2.3 d')
    """
    if seconds < _MINUTES and seconds != _MINUTE:
        return f"{plain(round_digits(seconds, 2))} s"
    minutes = round(seconds / 60)
    if minutes < _HOURS:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours >= _DAYS:
        return f"{plain(round_digits(seconds / 86400, 2))} d"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def range_text(low: float, high: float, unit: str) -> str:
    """A range on one scale: "360–450 ms", "up to 450 ms", "at least 3/s"; empty where there is none."""
    if not math.isfinite(low) and not math.isfinite(high):
        return ""
    if not math.isfinite(low):
        return f"up to {format_value(high, unit)}"
    if not math.isfinite(high):
        return f"at least {format_value(low, unit)}"
    scale = scale_between(low, high, unit)
    if 0 < abs(low) < _LEAST_SHARE * abs(high):  # on one scale the lower edge would be all zeros
        return f"{format_value(low, unit)} to {format_value(high, unit)}"
    first, last = (plain(edge / scale.divisor) for edge in (low, high))
    if first == last:
        return f"{last}{scale.suffix}"
    between = " to " if "−" in first + last or "e" in first + last else "–"
    return f"{first}{between}{last}{scale.suffix}"


def found_in(anomalies: pd.DataFrame | None, unit: str | Mapping[str, str] = "") -> list[Found]:
    """The rows of an anomalies frame (see `model.anomalies`), the most severe first, then those furthest off.

    Args:
        anomalies: None or empty for nothing unusual. It may have the columns `unit` (string) and `improvement` (bool).
        unit: Of all series, or of each by its metric or its short name; what the frame says of its own comes first.
    """
    if anomalies is None or anomalies.empty:
        return []
    rows = list(enumerate(anomalies.to_dict("records")))
    rows.sort(key=lambda one: _order(one[1]))
    return [_found(number, row, values, unit) for number, (row, values) in enumerate(rows, 1)]


def _order(values: Mapping[Any, Any]) -> tuple[int, float, int, str]:
    severity = str(values["severity"])
    place = severities.SEVEREST_FIRST.index(severity) if severity in severities.SEVEREST_FIRST else 9
    score = float(values["score"])
    return place, 0.0 if math.isnan(score) else -score, pd.Timestamp(values["start"]).value, str(values["series"])


def _found(number: int, row: int, values: Mapping[Any, Any], unit: str | Mapping[str, str]) -> Found:
    metric, service = (_text(values[name]) for name in ("metric", "service"))
    series = str(values["series"])
    given = unit if isinstance(unit, str) else unit.get(series, unit.get(metric, ""))
    own = values.get("unit")
    return Found(
        number=number,
        row=row,
        series=series,
        metric=metric,
        service=service,
        start_ns=_nanoseconds(values["start"]),
        end_ns=_nanoseconds(values["end"]),
        kind=str(values["kind"]),
        severity=str(values["severity"]),
        value=float(values["value"]),
        low=float(values["expected_low"]),
        high=float(values["expected_high"]),
        score=float(values["score"]),
        method=str(values["detection_method"]),
        ongoing=bool(values["ongoing"]),
        unit=own if isinstance(own, str) and own else given,
        better=bool(values.get("improvement", False)),
    )


def _nanoseconds(value: Any) -> int:
    return int(pd.Timestamp(value).as_unit("ns").value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
