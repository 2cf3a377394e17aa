"""Anomalies of counts: what chance would not make of few lines or requests, and bursts of what seldom comes.

A count of one where there was none is far off in spreads of the noise, and says nothing: counts are judged by the
Poisson distribution. And where errors come only in a burst, what is normal is that there are none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.model.anomalies import Anomaly, Severity, anomalies_frame
from obs_magics.model.series import Series, short_names, split_series

Array = np.ndarray[Any, Any]

RARE = 1e-4
_COUNTS = frozenset({"lines", "requests", "errors"})
_BAD_LEVELS = frozenset({"warn", "error", "fatal"})
_FEWEST = 5  # of a burst
_TIMES = 3.0  # as many as elsewhere, at least: a plateau that ends is no burst
_MOST_SHARE = 0.5  # of the time, that a burst takes: what lasts longer is the state of things
_SEVERITIES: tuple[tuple[float, Severity], ...] = ((20.0, "critical"), (10.0, "high"), (5.0, "medium"), (0.0, "low"))
_METHOD = "burst of counts (temporal scan statistic)"


def telling(events: pd.DataFrame, counted: pd.DataFrame, *, since_ns: int | None = None) -> pd.DataFrame:
    """The anomalies of counts that chance would not make and that are not for the better, and bursts.

    Kept are events whose sum a Poisson distribution with the mean of the rest of the series gives less than once in
    10,000 times; that errors stop is no anomaly. Of errors and grave lines in which nothing was found, the stretch
    with the largest likelihood ratio (Kulldorff 1997, one dimension) is told, when chance, over all stretches there
    are, would make it less than once in 10,000 times.

    Args:
        events: An anomalies frame, found in `counted`.
        counted: As `analysis.counted` gives it.
        since_ns: From when on bursts are told; None for all.
    """
    series = split_series(counted)
    by_name = dict(zip(short_names(series), series, strict=True))
    starts, ends = (pd.DatetimeIndex(events[name]).as_unit("ns").asi8 for name in ("start", "end"))
    names = events["series"].astype(str).tolist()
    keep = [_tells(by_name[name], int(a), int(b)) for name, a, b in zip(names, starts, ends, strict=True)]
    kept = events[np.array(keep, dtype=bool)].reset_index(drop=True)
    told = set(kept["series"].astype(str))
    quiet = [(name, one) for name, one in by_name.items() if name not in told and _is_bad(one)]
    bursts = [burst for name, one in quiet if (burst := _burst(name, one, since_ns)) is not None]
    return _with(kept, bursts)


def _is_bad(series: Series) -> bool:
    """Whether more of it is bad, and fewer are not."""
    return series.metric == "errors" or (series.metric == "lines" and series.labels.get("level") in _BAD_LEVELS)


def _tells(series: Series, start_ns: int, end_ns: int) -> bool:
    """Whether an event of a count is rare by chance, and bad."""
    if series.metric not in _COUNTS:
        return True
    inside = (series.timestamps_ns >= start_ns) & (series.timestamps_ns <= end_ns)
    outside = series.values[~inside]
    observed, length = float(series.values[inside].sum()), int(inside.sum())
    mean = length * float(outside.mean()) if len(outside) else 0.0
    if observed > mean:
        return _chance(observed, mean, length, len(outside)) < RARE
    from scipy.stats import poisson

    return not _is_bad(series) and bool(poisson.cdf(observed, mean) < RARE)


def _chance(observed: float, mean: float, inside: int, outside: int) -> float:
    """How likely so many or more are; what never came elsewhere might have come once there."""
    from scipy.stats import poisson

    return float(poisson.sf(observed - 1, max(mean, inside / max(outside, 1))))


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch of a series: half-open places, how many came in it, and how many were to be expected."""

    start: int
    end: int
    observed: float
    expected: float


def _burst(name: str, series: Series, since_ns: int | None) -> Anomaly | None:
    found = _densest(series.values)
    if found is None:
        return None
    count, length = len(series.values), found.end - found.start
    tests = count * count * _MOST_SHARE
    if found.observed < _TIMES * found.expected:
        return None
    if _chance(found.observed, found.expected, length, count - length) * tests >= RARE:
        return None
    start_ns, end_ns = int(series.timestamps_ns[found.start]), int(series.timestamps_ns[found.end - 1])
    if since_ns is not None and end_ns < since_ns:
        return None
    excess = (found.observed - found.expected) / math.sqrt(found.expected + 1)
    usual = found.expected / length
    return Anomaly(
        series=name,
        metric=series.metric,
        labels=series.labels,
        start_ns=start_ns,
        end_ns=end_ns,
        kind="spike",
        value=float(series.values[found.start : found.end].max()),
        expected_low=0.0,
        expected_high=usual + 3 * math.sqrt(usual),
        score=excess,
        severity=next(word for least, word in _SEVERITIES if excess >= least),
        detection_method=_METHOD,
        ongoing=found.end == count,
    )


def _densest(values: Array) -> _Window | None:
    """The stretch of at most half of the time with the largest likelihood ratio against the rest."""
    count = len(values)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    total = float(sums[-1])
    most = int(count * _MOST_SHARE)
    if total < _FEWEST or most < 1:
        return None
    starts = np.arange(count)
    best: tuple[float, _Window] | None = None
    for length in range(1, most + 1):
        inside = sums[starts[: count - length + 1] + length] - sums[starts[: count - length + 1]]
        place = int(np.argmax(inside))  # of one length the fullest has the largest ratio
        observed = float(inside[place])
        ratio = _ratio(observed, total, length / count)
        if observed >= _FEWEST and (best is None or ratio > best[0]):
            rest = (total - observed) / (count - length)
            best = ratio, _Window(place, place + length, observed, rest * length)
    return None if best is None or best[0] <= 0 else best[1]


def _ratio(observed: float, total: float, share: float) -> float:
    """Kulldorff's log likelihood ratio of a stretch with this share of the time; 0 where it holds no more than that."""
    expected = total * share
    if observed <= expected:
        return 0.0
    rest = total - observed
    return observed * math.log(observed / expected) + (rest * math.log(rest / (total - expected)) if rest else 0.0)


def _with(events: pd.DataFrame, bursts: Sequence[Anomaly]) -> pd.DataFrame:
    """The events and the bursts in order of start."""
    if not bursts:
        return events
    whole = pd.concat([_plain(events), _plain(anomalies_frame(bursts))], ignore_index=True)
    found = anomalies_frame(bursts)
    whole = whole.astype({name: found[name].dtype for name in ("kind", "severity")})
    whole = whole.astype(dict.fromkeys(("metric", "service", *_labels(found), *_labels(events)), "category"))
    return whole.sort_values(["start", "series"], kind="stable").reset_index(drop=True)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Categories as texts, so that frames with unlike ones can be joined."""
    return frame.astype({str(name): "str" for name in frame.columns if frame[name].dtype == "category"})


def _labels(frame: pd.DataFrame) -> list[str]:
    names = [str(name) for name in frame.columns]
    return names[names.index("ongoing") + 1 :]
