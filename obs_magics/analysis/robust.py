"""Robust facts of one series: its usual level and spread, whether it has a trend, whether something is unusual.

Everything here rests on medians, so that the very thing that is looked for cannot hide itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, Any]

ENOUGH = 12  # points below which nothing is said of trend or anomaly

_MAD_TO_SIGMA = 1.4826  # of a normal distribution
_QUARTER_TO_SIGMA = 1 / 0.6745  # its 75 % quantile
_TAIL_TO_SIGMA = 1 / 1.6449  # its 95 % quantile
_LEAST_SPREAD = 0.002  # of the level: what moves less than this is taken as still
_BLOCKS = 24
_TREND_Z = 3.29  # two-sided p = 0.001
_TREND_CHANGE = 1.0  # spreads that the end must lie from the start
_ONSET_GAIN = 0.5  # of a straight line's error that a bend or a step must leave at most
_SUSTAINED = 5.0  # spreads, for a run of points
_SPIKE = 12.0  # spreads, for a single point
_STANDS_OUT = 2.0  # times as far off as the next
_ENOUGH_ZEROS = 60  # points of a series that is zero but for one
_RUN_SHARE = 0.03
_PAUSE_SHARE = 0.01
_RUN_FILLED = 0.8  # of a run's points that have to be off
_ONE_STRETCH = 0.6  # of a group that has to stand together
_EARLIER = 0.6  # the part of a series that tells what is usual for the rest of it


@dataclass(frozen=True, slots=True)
class Level:
    """What is usual: the median, and on each side of it two spreads, both as the sigma of a normal distribution.

    `body` is that of the middle half, which a stretch of unusual points cannot enlarge; `tails` that of the twentieths
    too, so that a skewed series (latencies) does not spike all day.
    """

    median: float
    body: tuple[float, float]
    tails: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Unusual:
    """A run of unusual points, from index `start` to `end` (both included), most unusual at `peak`.

    `score` counts spreads; `median` is the usual level that it left.
    """

    kind: Literal["spike", "sustained"]
    start: int
    end: int
    peak: int
    median: float
    score: float


@dataclass(frozen=True, slots=True)
class TrendFound:
    """Direction (-1, 0, 1) and the index at which the trend began, None when it fills the whole series."""

    direction: int
    onset: int | None = None


def level(values: Array) -> Level:
    """Median of finite values, and the spreads below and above it."""
    ordered = np.sort(values)
    median = quantile(ordered, 0.5)
    mad = _MAD_TO_SIGMA * quantile(np.sort(np.abs(ordered - median)), 0.5)
    least = max(mad, _LEAST_SPREAD * abs(median))
    quarters = [abs(quantile(ordered, share) - median) * _QUARTER_TO_SIGMA for share in (0.25, 0.75)]
    twentieths = [abs(quantile(ordered, share) - median) * _TAIL_TO_SIGMA for share in (0.05, 0.95)]
    body = (max(least, quarters[0]), max(least, quarters[1]))
    return Level(median, body, (max(body[0], twentieths[0]), max(body[1], twentieths[1])))


def quantile(ordered: Array, share: float) -> float:
    """A quantile of sorted values, linear between the neighbours: numpy's default, at a tenth of its overhead."""
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    first, second = float(ordered[low]), float(ordered[min(low + 1, len(ordered) - 1)])
    if math.isinf(second - first):
        return first * (1 - (place - low)) + second * (place - low)
    return first + (second - first) * (place - low)


def scores(values: Array, median: float, spreads: tuple[float, float]) -> Array:
    """How many spreads each value lies above (positive) or below the median; infinite off a constant level."""
    away = values - median
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        result = away / np.where(away >= 0, spreads[1], spreads[0])
    return np.where(away == 0, 0.0, result)


# ── anomalies ────────────────────────────────────────────────────────────────────────────────────────────────────────


def unusual(values: Array) -> Unusual | None:
    """The most unusual stretch of a series of finite values; None when nothing is, or with fewer than 12 points.

    Three times: the whole series against its own level (finds what came and went), the later two fifths against the
    level of what was before (finds what came and stayed), and, where the values fall into two groups, the smaller group
    against the larger (finds what came, went, and lasted so long that it widens the spread of the whole). A run of at
    least 3 points and 3 % of the series that is more than 5 spreads off on one side is sustained; what returns for less
    than 1 % of the series does not end it. Of what is shorter, the furthest point is a spike when it is more than 12
    spreads off, tails counted, and twice as far as any other: what comes back again and again is usual.
    """
    count = len(values)
    if count < ENOUGH:
        return None
    values, factor = _tame(values)
    split = int(count * _EARLIER)
    whole = level(values)
    runs = [*_runs(values, whole, 0), *_runs(values, level(values[:split]), split)]
    if (larger := _larger_group(values)) is not None:
        runs += [run for run in _runs(values, larger, 0) if run.start > 0]
    found = max(runs, key=lambda one: (one.end - one.start, one.score, one.end)) if runs else _spike(values, whole)
    return replace(found, median=found.median * factor) if found else None


def _tame(values: Array) -> tuple[Array, float]:
    """The values over a factor that keeps differences of the largest doubles finite."""
    factor = 2.0**64 if float(np.abs(values).max()) > 1e300 else 1.0
    return values / factor, factor


def _larger_group(values: Array) -> Level | None:
    """The level of the larger group, where a split halfway between the 5 % and 95 % quantiles leaves two groups.

    They are two when the smaller one's median is more than 5 spreads of the larger one away. Most of the smaller one
    has to be one stretch with something before it: what comes back again and again is usual.
    """
    ordered = np.sort(values)
    above = values > (quantile(ordered, 0.05) + quantile(ordered, 0.95)) / 2
    few = above if 2 * np.count_nonzero(above) < len(values) else ~above
    if not few.any():
        return None
    usual = level(values[~few])
    away = float(np.median(values[few])) - usual.median
    if abs(away) <= _SUSTAINED * usual.body[int(away > 0)]:
        return None
    start, end = max(_stretches(few, int(_PAUSE_SHARE * len(values))), key=lambda one: one[1] - one[0])
    return usual if start > 0 and np.count_nonzero(few[start:end]) >= _ONE_STRETCH * np.count_nonzero(few) else None


def _runs(values: Array, usual: Level, first: int) -> list[Unusual]:
    off = scores(values, usual.median, usual.body)
    least = max(3, math.ceil(_RUN_SHARE * len(values)))
    pause = int(_PAUSE_SHARE * len(values))
    found = []
    for side in (1.0, -1.0):
        sided = off * side
        beyond = sided > _SUSTAINED
        for start, end in _stretches(beyond, pause):
            most = max(least, _RUN_FILLED * (end - start))  # else rare events in a row would make one run
            if end > first and np.count_nonzero(beyond[start:end]) >= most:
                peak = start + int(np.argmax(sided[start:end]))
                found.append(Unusual("sustained", start, end - 1, peak, usual.median, float(sided[peak])))
    return found


def _stretches(beyond: Array, pause: int) -> list[tuple[int, int]]:
    """Where the mask holds, as half-open ranges; gaps of up to `pause` points are bridged."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], beyond.astype(np.int8), [0]])))
    starts, ends = edges[::2], edges[1::2]
    apart = starts[1:] - ends[:-1] > pause
    firsts = np.concatenate([starts[:1], starts[1:][apart]])
    lasts = np.concatenate([ends[:-1][apart], ends[-1:]])
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _spike(values: Array, usual: Level) -> Unusual | None:
    off = scores(values, usual.median, usual.tails)
    peak = int(np.argmax(np.abs(off)))
    if abs(off[peak]) <= _SPIKE:
        return None
    if math.isinf(off[peak]) and len(values) < _ENOUGH_ZEROS:  # off a constant zero everything is far: a rare event?
        return None
    side = math.copysign(1, off[peak])
    beyond = np.flatnonzero(off * side <= _SUSTAINED)  # the points around that are as usual
    start = int(beyond[beyond < peak].max(initial=-1)) + 1
    end = int(beyond[beyond > peak].min(initial=len(values))) - 1
    others = np.abs(values - usual.median)
    distance = float(others[peak])
    others[start : end + 1] = 0
    if float(others.max()) * _STANDS_OUT > distance:
        return None
    return Unusual("spike", start, end, peak, usual.median, float(abs(off[peak])))


# ── trends ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def trend(values: Array) -> TrendFound:
    """Whether a series of at least 12 finite values rises or falls for good.

    Mann-Kendall's test (Mann 1945, Kendall 1975; ties as in Gilbert 1987, section 16.4.1) on the medians of up to 24
    blocks, at p < 0.001, its variance enlarged by (1 + r) / (1 - r) for the lag-1 correlation r of what a line, a bend
    or a step leaves of them (von Storch 1995); and the last quarter must lie at least one spread of the noise from the
    first, so that a tiny but regular drift of a noisy series is not called a trend.
    """
    values, _ = _tame(values)
    size = math.ceil(len(values) / _BLOCKS)
    starts = np.arange(0, len(values), size)
    blocks = np.array([quantile(np.sort(values[start : start + size]), 0.5) for start in starts.tolist()])
    largest = float(np.abs(blocks).max())
    if not largest or blocks.min() == blocks.max():
        return TrendFound(0)
    blocks = blocks / largest
    fit = _best_fit(blocks)
    quarter = max(1, len(blocks) // 4)
    change = float(np.median(blocks[-quarter:]) - np.median(blocks[:quarter]))
    noise = _noise(values / largest, size)
    significant = abs(_mann_kendall(blocks, fit.residuals)) > _TREND_Z
    if not significant or abs(change) < max(_TREND_CHANGE * noise, _LEAST_SPREAD):
        return TrendFound(0)
    direction = 1 if change > 0 else -1
    return TrendFound(direction, _onset(values, fit.bend * size, direction) if fit.bend else None)


def _noise(values: Array, size: int) -> float:
    """Spread around the blocks' medians: what is left when a trend is taken away."""
    if size < 3:
        steps = np.abs(np.diff(values))
        return float(np.median(steps)) * _MAD_TO_SIGMA / math.sqrt(2)
    whole = values[: len(values) // size * size].reshape(-1, size)
    return float(np.median(np.abs(whole - np.median(whole, axis=1, keepdims=True)))) * _MAD_TO_SIGMA


def _mann_kendall(blocks: Array, residuals: Array) -> float:
    """Z of Mann-Kendall's test, corrected for ties and for serial correlation of the residuals."""
    count = len(blocks)
    rows, columns = _pairs(count)
    total = float(np.sign(blocks[columns] - blocks[rows]).sum())
    ties = np.unique(blocks, return_counts=True)[1]
    variance = (count * (count - 1) * (2 * count + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    power = float(residuals @ residuals)
    correlation = float(residuals[1:] @ residuals[:-1]) / power if power > 1e-24 else 0.0
    # Where the fit leaves next to nothing, what is left says next to nothing of the noise.
    left = power / max(float(((blocks - blocks.mean()) ** 2).sum()), power, 1e-300)
    correlation = min(max(correlation, 0.0), 0.9) * math.sqrt(left)
    variance *= (1 + correlation) / (1 - correlation)
    return 0.0 if variance <= 0 else (total - math.copysign(1, total)) / math.sqrt(variance) if total else 0.0


@lru_cache(maxsize=64)
def _pairs(count: int) -> tuple[Array, Array]:
    return np.triu_indices(count, 1)


@dataclass(frozen=True, slots=True)
class _Fit:
    bend: int  # the block where it bends or steps; 0 for a straight line
    residuals: Array


@lru_cache(maxsize=64)
def _shapes(count: int) -> tuple[Array, list[int]]:
    """Residual projections (shapes × count × count) of a line, and of a bend and a step at each block; the blocks."""
    place = np.arange(count, dtype=np.float64)
    ones = np.ones(count)
    designs, bends = [np.stack([ones, place])], [0]
    for bend in range(2, count - 1):
        designs += [np.stack([ones, np.maximum(0.0, place - bend + 1)]), np.stack([ones, (place >= bend) * 1.0])]
        bends += [bend, bend]
    eye = np.eye(count)
    return np.stack([eye - np.linalg.pinv(design) @ design for design in designs]), bends


def _best_fit(blocks: Array) -> _Fit:
    """A straight line, unless a bend or a step leaves less than half of its error."""
    projections, bends = _shapes(len(blocks))
    residuals = projections @ blocks
    errors = (residuals * residuals).sum(axis=1)
    best = int(np.argmin(errors))
    chosen = best if errors[best] < _ONSET_GAIN * errors[0] else 0
    return _Fit(bends[chosen], residuals[chosen])


def _onset(values: Array, about: int, direction: int) -> int:
    """The first point near index `about` from which three in a row lie two spreads off what was before."""
    size = math.ceil(len(values) / _BLOCKS)
    first = max(about - size, size)
    before = level(values[:first])
    off = scores(values[first : about + 2 * size], before.median, before.tails) * direction > 2
    three = off[:-2] & off[1:-1] & off[2:]
    return first + int(np.argmax(three)) if three.any() else about
