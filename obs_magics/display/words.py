"""A summary as sentences: numbers with units, times in the reader's zone, nothing that one could not recount."""

from __future__ import annotations

import math
from datetime import datetime

from obs_magics.display.clock import at, clock_text
from obs_magics.display.units import count_text, digits_apart, format_value, times
from obs_magics.model.summary import SeriesSummary, Summary

_NOTABLE = 1.5  # times the median, or its inverse: what is worth a word
_LATE_SECONDS = 1.0


def sentences(summary: Summary, *, zone: str = "UTC") -> list[str]:
    r"""What a summary says: a sentence without a full stop for all series together, and for each that is shown.

    >>> one = SeriesSummary(
    ...     name="payment-api", points=240, current=2.3, average=0.61, minimum=0.4, maximum=2.4, p95=2.2,
    ...     trend="rising", anomaly_detected=False, median=0.412,
    ... )
    >>> print(*sentences(Summary(unit="s", series=1, rows=240, overall=one, shown=(one,)))[0].split("; "), sep="\n")
    payment-api: now 2.3 s (5.6× its median 412 ms), average 610 ms, min 400 ms, max 2.4 s, p95 2.2 s
    rising
    nothing unusual
    """
    if not summary.series:
        return ["no series"]
    end = summary.overall.current_at
    told = [_of_series(one, summary.unit, zone, end) for one in summary.shown]
    if summary.series > 1:
        told.insert(0, _of_all(summary))
    if summary.series > len(summary.shown):
        told.append(f"and {summary.series - len(summary.shown):,} more; frame.obs.summary() tells of each")
    if summary.unexamined:
        examined = count_text(summary.series - summary.unexamined, "largest series", "largest series")
        told.append(f"trends and anomalies were looked for in the {examined} only")
    return told


def _of_all(summary: Summary) -> str:
    all_of_them = summary.overall
    head = f"{count_text(summary.series, 'series', 'series')}, {count_text(all_of_them.points, 'value')}"
    odd = _not_numbers(all_of_them)
    if math.isnan(all_of_them.average):
        return f"{head}, none of them a number"
    return f"{head}: {_figures(all_of_them, summary.unit)}{odd}"


def _of_series(one: SeriesSummary, unit: str, zone: str, end: str) -> str:
    if math.isnan(one.current):
        return f"{one.name}: {count_text(one.points, 'value')}, none of them a number"
    if one.points - one.not_numbers == 1:
        return f"{one.name}: {format_value(one.current, unit)}{_last_seen(one, zone, end)}{_not_numbers(one)}"
    parts = [f"{_now(one, unit)}{_last_seen(one, zone, end)}, {_figures(one, unit)}{_not_numbers(one)}"]
    parts += [part for part in (_trend(one, zone, end), _anomaly(one, zone, end)) if part]
    return f"{one.name}: {'; '.join(parts)}"


def _now(one: SeriesSummary, unit: str) -> str:
    now = f"now {format_value(one.current, unit, digits=digits_apart(one.minimum, one.maximum))}"
    if one.median > 0 and one.current > 0 and not one.anomaly_detected:
        share = one.current / one.median
        ratio = times(one.current, one.median, unit)
        if ratio and not 1 / _NOTABLE < share < _NOTABLE:
            return f"{now} ({ratio} its median {format_value(one.median, unit)})"
    return now


def _last_seen(one: SeriesSummary, zone: str, end: str) -> str:
    """That a series ended before the others did."""
    if not end or not one.current_at or (_instant(end) - _instant(one.current_at)).total_seconds() < _LATE_SECONDS:
        return ""
    return f" (last number at {_clock(one.current_at, zone, end)})"


def _figures(one: SeriesSummary, unit: str) -> str:
    named = (("average", one.average), ("min", one.minimum), ("max", one.maximum), ("p95", one.p95))
    digits = digits_apart(one.minimum, one.maximum)
    return ", ".join(f"{name} {format_value(value, unit, digits=digits)}" for name, value in named)


def _not_numbers(one: SeriesSummary) -> str:
    if not one.not_numbers:
        return ""
    verb = "is" if one.not_numbers == 1 else "are"
    return f" ({one.not_numbers:,} of {count_text(one.points, 'value')} {verb} NaN or infinite)"


def _trend(one: SeriesSummary, zone: str, end: str) -> str:
    if one.trend == "unknown":
        return ""
    return f"{one.trend} since {_clock(one.trend_since, zone, end)}" if one.trend_since else one.trend


def _anomaly(one: SeriesSummary, zone: str, end: str) -> str:
    if one.anomaly_detected is None:
        return f"anomaly: cannot tell ({one.anomaly_reason})"
    if not one.anomaly_detected:
        return "nothing unusual"
    return f"anomaly at {_clock(one.anomaly_at, zone, end)}: {one.anomaly_reason}"


def _clock(text: str, zone: str, end: str) -> str:
    """The time of day, with the day when it is not that of the frame's end."""
    ms, last = (round(_instant(one).timestamp() * 1000) for one in (text, end or text))
    return clock_text(ms, zone, day=at(ms, zone).date() != at(last, zone).date())


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
