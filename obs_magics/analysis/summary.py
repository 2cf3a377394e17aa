"""What a metrics frame says in numbers: current, average, extremes, trend, and whether something is unusual."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis import robust
from obs_magics.display import histograms
from obs_magics.display.units import format_value, seconds_text, shown_number, times
from obs_magics.model.series import Series, short_names, split_series
from obs_magics.model.summary import SeriesSummary, Summary, Trend

Array = np.ndarray[Any, Any]

_TRENDS: dict[int, Trend] = {-1: "falling", 0: "steady", 1: "rising"}
_COUNTER_ENDINGS = ("_total", "_count", "_sum", "_bucket")
_COUNTER_REASON = "a counter, which only rises: ask for its rate()"
_SHORT_REASON = f"fewer than {robust.ENOUGH} points"
_MOST_EXAMINED = 2000  # series that a summary looks into: 0.3 ms each
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def summarize(frame: pd.DataFrame, *, unit: str = "", limit: int = 5) -> Summary:
    """Say in numbers what a metrics frame holds.

    NaN and infinite values are counted and left out of everything else; native histograms count with their mean. The
    95th percentile is linear between neighbours. How trends and anomalies are found: `analysis.robust`.

    Args:
        frame: A metrics frame.
        unit: UCUM as OpenTelemetry writes it, for the words; empty when unknown.
        limit: How many series to tell of, the anomalous and then the largest first. Of very many series only the
            2,000 largest are looked into; `Summary.unexamined` counts the others.
    """
    frame = _with_means(frame)
    series = split_series(frame)
    names = short_names(series)
    examined = _largest(series, _MOST_EXAMINED)
    summaries = [_summary(series[number], names[number], unit) for number in examined]
    unexamined = len(series) - len(examined)
    flags = {one.anomaly_detected for one in summaries}
    if unexamined:
        flags.discard(False)  # what was not looked at may be unusual
    return Summary(
        unit=unit,
        series=len(series),
        rows=len(frame),
        overall=_overall(frame, series, flags),
        shown=tuple(sorted(summaries, key=_interest)[:limit]),
        unexamined=unexamined,
    )


def series_summaries(frame: pd.DataFrame, *, unit: str = "") -> list[tuple[Series, SeriesSummary]]:
    """Each series of a metrics frame with its summary, in order of first appearance."""
    series = split_series(_with_means(frame))
    names = short_names(series)
    return [(one, _summary(one, name, unit)) for one, name in zip(series, names, strict=True)]


def _with_means(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(value=histograms.mean(frame)) if histograms.has_histograms(frame) else frame


def _largest(series: Sequence[Series], most: int) -> list[int]:
    """Which series reach furthest, in order of appearance; all of them when they are not too many."""
    if len(series) <= most:
        return list(range(len(series)))
    peaks = [float(np.max(one.values, where=np.isfinite(one.values), initial=-np.inf)) for one in series]
    return sorted(np.argsort(-np.asarray(peaks), kind="stable")[:most].tolist())


def _interest(summary: SeriesSummary) -> tuple[bool, float]:
    size = summary.maximum if summary.points > summary.not_numbers else -math.inf
    return not summary.anomaly_detected, -size


def _overall(frame: pd.DataFrame, series: Sequence[Series], flags: set[bool | None]) -> SeriesSummary:
    """All values of all series together; the extremes and the counts of the series, pooled."""
    values = frame["value"].to_numpy(dtype=np.float64)
    finite = values[np.isfinite(values)]
    last = [(one, numbers[-1]) for one in series if len(numbers := np.flatnonzero(np.isfinite(one.values)))]
    ends = [one.timestamps_ns[number] for one, number in last]
    return SeriesSummary(
        name="all series",
        points=len(values),
        current=_mean(np.array([one.values[number] for one, number in last])),
        **_figures(finite),
        trend="unknown",
        anomaly_detected=True if True in flags else False if False in flags else None,
        current_at=_iso(max(ends)) if ends else "",
        not_numbers=len(values) - len(finite),
    )


def _figures(finite: Array) -> dict[str, Any]:
    if not len(finite):
        return dict.fromkeys(("average", "minimum", "maximum", "p95", "median"), math.nan)
    ordered = np.sort(finite)
    return {
        "average": _mean(finite),
        "minimum": float(ordered[0]),
        "maximum": float(ordered[-1]),
        "p95": robust.quantile(ordered, 0.95),
        "median": robust.quantile(ordered, 0.5),
    }


def _mean(values: Array) -> float:
    """The mean; of numbers so large that their sum is not a double, too."""
    if not len(values):
        return math.nan
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(np.sum(values))
    return total / len(values) if math.isfinite(total) else float(np.sum(values / len(values)))


def _summary(series: Series, name: str, unit: str) -> SeriesSummary:
    finite = np.isfinite(series.values)
    values, instants = series.values[finite], series.timestamps_ns[finite]
    enough = len(values) >= robust.ENOUGH
    found = robust.trend(values) if enough else None
    return SeriesSummary(
        name=name,
        points=len(series.values),
        current=float(values[-1]) if len(values) else math.nan,
        current_at=_iso(instants[-1]) if len(values) else "",
        **_figures(values),
        trend=_TRENDS[found.direction] if found else "unknown",
        trend_since=_iso(instants[found.onset]) if found and found.onset is not None else "",
        not_numbers=len(finite) - len(values),
        **_anomaly(series, values, instants, unit),
    )


def _anomaly(series: Series, values: Array, instants: Array, unit: str) -> dict[str, Any]:
    if len(values) < robust.ENOUGH:
        return {"anomaly_detected": None, "anomaly_reason": _SHORT_REASON}
    if _is_counter(series.metric, values):
        return {"anomaly_detected": None, "anomaly_reason": _COUNTER_REASON}
    found = robust.unusual(values)
    if found is None:
        return {"anomaly_detected": False}
    return {
        "anomaly_detected": True,
        "anomaly_reason": _reason(found, values, instants, unit),
        "anomaly_at": _iso(instants[found.start]),
    }


def _is_counter(metric: str, values: Array) -> bool:
    """Whether this is a raw counter: named like one, and never falling except when it starts anew near zero."""
    falls = np.flatnonzero(values[1:] < values[:-1])
    resets = bool(np.all(values[falls + 1] <= 0.5 * values[falls])) and len(falls) <= len(values) // 10
    return metric.endswith(_COUNTER_ENDINGS) and resets and bool(values.min() >= 0)


def _reason(found: robust.Unusual, values: Array, instants: Array, unit: str) -> str:
    """What was seen: "up to 3.3 s for 21 min, 6.9× the usual 460 ms, still going on"."""
    peak = float(values[found.peak])
    up = peak > found.median
    seconds = int(instants[found.end] - instants[found.start]) / 1e9
    if found.kind == "spike":
        head = f"a {'spike' if up else 'drop'} to {format_value(peak, unit)}"
    else:
        head = f"{'up' if up else 'down'} to {format_value(peak, unit)} for {seconds_text(seconds)}"
    usual = f"usual {format_value(found.median, unit)}"
    if up and shown_number(found.median, unit) > 0:
        usual = f"{times(peak, found.median, unit)} the {usual}"
    open_end = ", still going on" if found.end == len(values) - 1 and found.kind == "sustained" else ""
    return f"{head}, {usual}{open_end}"


def _iso(instant_ns: Any) -> str:
    """ISO 8601 in UTC, to the second where that is exact."""
    moment = _EPOCH + timedelta(microseconds=int(instant_ns) // 1000)
    return moment.isoformat().replace("+00:00", "Z")
