"""Where a series changes its level or its slope: with a p-value, and the stretch of time in which it happened.

Robust to outliers (single points are cut to what their neighbours allow, blocks count with their medians) and to
autocorrelation (the noise counts with its long-run variance); deterministic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, Any]
Shape = Literal["level", "slope"]

ENOUGH = 12  # points below which nothing is said
_BLOCKS = 160  # at most: a change is looked for between them, and then point by point
_FEWEST = 5  # points of a segment
_FEWEST_SLOPED = 8  # blocks of a segment that rises or falls
_MAD_TO_SIGMA = 1.4826
_CUT = 4.0  # spreads that a point may lie off the median of the five around it
_STILL = 1e-6  # of the range: the least noise that is believed in
_MOST_CORRELATED = 0.97
_KEPT = 0.8  # of the differences, without the largest: a step stands in k of those over k points
_KEPT_SQUARE = 0.4377  # mean square of the inner 80 % of a normal distribution
_BENDS = np.linspace(-0.9, 0.9, 19)  # of the drift, from end to end -1 to 1
_EXPLAINED = 0.9  # of the variance, by a drift that is believed in
_SURE = 0.95  # of the posterior that the interval holds
_LEAST_SIZE = 1.0  # spreads of the points' noise: a smaller change is none, however sure
_INF = math.inf


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """A change, between index `index - 1` and `index`.

    Args:
        index: The first point of what came after.
        shape: `level`, a step; `slope`, a bend.
        before: The level before (of a bend: the slope, in units per point).
        after: The level, or slope, after.
        size: How large the step is, in spreads of the points' noise; of a bend, what it makes over its segment.
        p_value: Of no change there, corrected for the search over all places.
        low: With `high` the stretch (indices, both included) in which it happened, at 95 %.
        high: See `low`.
    """

    index: int
    shape: Shape
    before: float
    after: float
    size: float
    p_value: float
    low: int
    high: int

    @property
    def confidence(self) -> float:
        """1 - p."""
        return 1.0 - self.p_value

    @property
    def direction(self) -> int:
        """1 for up, -1 for down."""
        return 1 if self.after > self.before else -1


def change_points(
    values: Array, *, alpha: float = 0.01, shapes: Sequence[Shape] = ("level", "slope"), most: int = 12
) -> tuple[ChangePoint, ...]:
    """Find where a series of finite values changes, in order of time.

    Optimal partitioning (Jackson et al. 2005) of the medians of up to 160 blocks into constant or straight segments,
    with a penalty of 2 ln(n) long-run variances per parameter; a boundary stays when its likelihood ratio is
    significant at `alpha` after Bonferroni's correction for all places, and the change is at least one spread of the
    noise. The long-run variance follows from the noise and its lag-1 correlation, both from differences, which a few
    steps cannot disturb (Chakar et al. 2017): r = V2 / V1 - 1, for robust variances Vk of differences over k blocks.
    The place is then found among all points (least absolute deviations), and its interval is the highest 95 % of the
    posterior over places.

    Args:
        values: float64; NaN and infinite ones are not allowed (leave them out first).
        alpha: The largest p-value that counts.
        shapes: What is looked for.
        most: How many at most, the surest.

    Returns:
        Nothing for fewer than 12 points.
    """
    if len(values) < ENOUGH or float(np.min(values)) == float(np.max(values)):
        return ()
    scale = float(np.max(np.abs(values)))
    series = _Series.of(values / scale)
    bounds = _significant(series, _partition(series, "slope" in shapes), alpha, "slope" in shapes)
    found = [_change(series, left, at, right, "slope" in shapes) for left, at, right in bounds]
    kept = [one for one in found if one.shape in shapes and one.size >= _LEAST_SIZE]
    surest = sorted(kept, key=lambda one: (one.p_value, -one.size, one.index))[:most]
    return tuple(_scaled(one, scale) for one in sorted(surest, key=lambda one: one.index))


def onset(values: Array, *, about: int | None = None, alpha: float = 0.01) -> ChangePoint | None:
    """Where a series left what it was: the surest change of level, or the one nearest to a place.

    Args:
        values: float64, finite.
        about: Where something was seen; None for nowhere in particular.
        alpha: The largest p-value that counts.

    Returns:
        None when the level does not change.
    """
    found = change_points(values, alpha=alpha, shapes=("level",))
    if not found:
        return None
    if about is None:
        return min(found, key=lambda one: (one.p_value, -one.size, one.index))
    return min(found, key=lambda one: (abs(one.index - about), -one.size))


def _scaled(one: ChangePoint, scale: float) -> ChangePoint:
    return ChangePoint(
        one.index, one.shape, one.before * scale, one.after * scale, one.size, one.p_value, one.low, one.high
    )


@dataclass(frozen=True, slots=True)
class _Series:
    """A series as it is searched: its points, its blocks, and what noise they have."""

    points: Array
    blocks: Array
    width: int  # points of a block
    noise: float  # sigma of a point
    long_run: float  # variance that a mean of n blocks has n times

    @staticmethod
    def of(values: Array) -> _Series:
        spread = float(np.max(values) - np.min(values))
        steps = np.diff(values)
        jitter = _MAD_TO_SIGMA * float(np.median(np.abs(steps))) or math.sqrt(float(np.mean(steps * steps)))
        points = _cut(values, max(jitter / math.sqrt(2), _STILL * spread))
        width = math.ceil(len(points) / _BLOCKS)
        blocks = _medians(points, width)
        sigma, correlation = _autoregression(blocks - _drift(blocks))
        sigma = max(sigma, _STILL * spread)
        noise, _ = _autoregression(points)
        long_run = sigma**2 * (1 + correlation) / (1 - correlation)
        return _Series(points, blocks, width, max(noise, _STILL * spread), long_run)


def _cut(values: Array, sigma: float) -> Array:
    """Values no further than a few sigma from the median of the five around each."""
    padded = np.concatenate([values[1::-1], values, values[:-3:-1]])
    around = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    return np.clip(values, around - _CUT * sigma, around + _CUT * sigma)


def _medians(points: Array, width: int) -> Array:
    """Medians of blocks, the last one shorter."""
    if width == 1:
        return points
    whole = len(points) // width * width
    blocks = np.median(points[:whole].reshape(-1, width), axis=1)
    return np.append(blocks, np.median(points[whole:])) if whole < len(points) else blocks


def _autoregression(values: Array) -> tuple[float, float]:
    """Sigma and lag-1 correlation of the noise (as if it were a first-order autoregression), from differences.

    For differences over k points V_2k / V_k - 1 = r^k: the median of r from k = 1, 2 and 4.
    """
    squares = {lag: _trimmed_square(values[lag:] - values[:-lag]) for lag in (1, 2, 4, 8) if lag < len(values)}
    if squares[1] == 0:  # mostly still: what moves at all is the noise, until a step proves to be more
        return math.sqrt(float(np.mean(np.diff(values) ** 2)) / 2), 0.0
    pairs = [(lag, squares[lag], squares[2 * lag]) for lag in (1, 2, 4) if 2 * lag in squares]
    powers = [max(double / max(single, 1e-300) - 1, 0.0) ** (1 / lag) for lag, single, double in pairs]
    correlation = min(float(np.median(powers)), _MOST_CORRELATED)
    return math.sqrt(squares[1] / 2 / (1 - correlation)), correlation


def _drift(blocks: Array) -> Array:
    """The line with one bend, or the step, that explains nearly all; else nothing.

    A steep slope must not pass for noise with a long memory, and a random walk not for a slope.
    """
    bases = _bent_lines(len(blocks))
    fitted = np.einsum("bpk,bk->bp", bases, np.einsum("bpk,p->bk", bases, blocks))
    errors = ((blocks - fitted) ** 2).sum(axis=1)
    best = int(np.argmin(errors))
    explained = 1 - float(errors[best]) / max(float(((blocks - blocks.mean()) ** 2).sum()), 1e-300)
    return np.asarray(fitted[best]) if explained >= _EXPLAINED else np.zeros(len(blocks))


@lru_cache(maxsize=32)
def _bent_lines(count: int) -> Array:
    """Orthonormal bases (shapes × points × 3) of lines with a bend, and of two levels, at each of some places."""
    place = np.linspace(-1.0, 1.0, count)
    ones = np.ones(count)
    bases = []
    for bend in _BENDS.tolist():
        bases.append(np.linalg.qr(np.stack([ones, place, np.maximum(0.0, place - bend)], axis=1))[0])
        level, _ = np.linalg.qr(np.stack([ones, (place >= bend) * 1.0], axis=1))
        bases.append(np.concatenate([level, np.zeros((count, 1))], axis=1))
    return np.stack(bases)


def _trimmed_square(steps: Array) -> float:
    """Mean square without the largest fifth, as of a normal distribution without them."""
    squares = np.sort(steps * steps)
    return float(np.mean(squares[: max(1, int(_KEPT * len(squares)))])) / _KEPT_SQUARE


# ── segments ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=16)
def _lengths(count: int) -> tuple[Array, Array]:
    """Lengths of blocks[i:j], and Sxx of their places; infinite where j <= i."""
    length = np.arange(count + 1)[None, :] - np.arange(count + 1)[:, None]
    size = np.where(length > 0, length, np.inf).astype(np.float64)
    return size, np.where(length > 1, size * (size * size - 1) / 12, np.inf)


def _costs(blocks: Array) -> tuple[Array, Array]:
    """Squared errors of blocks[i:j] about their mean, and about their line; matrices with one more row than blocks."""
    count = len(blocks)
    centred = blocks - float(np.median(blocks))
    place = np.arange(count, dtype=np.float64)
    sums = [np.concatenate([[0.0], np.cumsum(one)]) for one in (centred, centred * centred, centred * place)]
    first, second, cross = (one[None, :] - one[:, None] for one in sums)
    size, across = _lengths(count)
    level = np.maximum(second - first * first / size, 0.0)
    middle = _place_sums(count) / size
    slanted = cross - first * middle
    return level, np.maximum(level - slanted * slanted / across, 0.0)


@lru_cache(maxsize=16)
def _place_sums(count: int) -> Array:
    """Sums of the places of blocks[i:j]."""
    sums = np.concatenate([[0.0], np.cumsum(np.arange(count, dtype=np.float64))])
    return np.asarray(sums[None, :] - sums[:, None])


def _partition(series: _Series, slopes: bool) -> list[int]:
    """Boundaries of the best segments, in blocks."""
    count = len(series.blocks)
    level, line = _costs(series.blocks)
    unit = 2 * math.log(count) * series.long_run
    size, _ = _lengths(count)
    cost = np.minimum(level, np.where(size >= _FEWEST_SLOPED, line + unit, _INF)) if slopes else level
    least = max(2, math.ceil(_FEWEST / series.width))
    cost = np.where((size >= least) & np.isfinite(size), cost, _INF)
    best = np.full(count + 1, _INF)
    best[0] = -2 * unit
    came = np.zeros(count + 1, np.int64)
    for end in range(least, count + 1):
        ways = best[:end] + cost[:end, end]
        came[end] = int(np.argmin(ways))
        best[end] = ways[came[end]] + 2 * unit
    bounds, end = [], count
    while end > 0:
        end = int(came[end])
        bounds.append(end)
    return bounds[-2::-1]


def _significant(series: _Series, bounds: list[int], alpha: float, slopes: bool) -> list[tuple[int, int, int]]:
    """Boundaries that stay, each with its neighbours, all in blocks: the least sure one goes until all are sure."""
    bounds = list(bounds)
    count = len(series.blocks)
    while bounds:
        edges = [0, *bounds, count]
        places = list(zip(edges[:-2], edges[1:-1], edges[2:], strict=True))
        sure = [_p_value(series, left, at, right, slopes) for left, at, right in places]
        worst = int(np.argmax(sure))
        if sure[worst] <= alpha:
            return places
        bounds.pop(worst)
    return []


def _errors(values: Array, line: bool) -> float:
    """Squared errors about the mean, or about the line."""
    centred = values - values.mean()
    error = float(centred @ centred)
    if line:
        place = np.arange(len(values)) - (len(values) - 1) / 2
        error -= float(place @ centred) ** 2 / float(place @ place)
    return max(error, 0.0)


def _p_value(series: _Series, left: int, at: int, right: int, slopes: bool) -> float:
    """Of a straight or constant stretch without a change, whichever fits better, corrected for the places searched."""
    blocks = series.blocks
    unit = 2 * math.log(len(blocks)) * series.long_run

    def best(part: Array) -> float:
        sloped = slopes and len(part) >= _FEWEST_SLOPED
        return min(_errors(part, False), _errors(part, True) + unit if sloped else _INF)

    whole = best(blocks[left:right])
    parts = best(blocks[left:at]) + best(blocks[at:right])
    gain = max(whole - parts, 0.0) / series.long_run
    return min(1.0, len(blocks) * math.erfc(math.sqrt(gain / 2)))


# ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _change(series: _Series, left: int, at: int, right: int, slopes: bool) -> ChangePoint:
    p_value = _p_value(series, left, at, right, slopes)
    start, end = left * series.width, min(right * series.width, len(series.points))
    middle = at * series.width
    before, after = series.points[start:middle], series.points[middle:end]
    bend = slopes and min(at - left, right - at) >= _FEWEST_SLOPED and _is_bend(series, before, after)
    lines = [_line(part, bend) for part in (before, after)]
    first = np.arange(start, end) - start
    expected = [
        level + slope * (first - offset) for (level, slope), offset in zip(lines, (0, len(before)), strict=True)
    ]
    place, low, high = _place(series, start, end, middle, expected)
    if bend:
        size = abs(lines[1][1] - lines[0][1]) * min(len(before), len(after)) / series.noise
        return ChangePoint(place, "slope", lines[0][1], lines[1][1], size, p_value, low, high)
    levels = [float(np.median(series.points[start:place])), float(np.median(series.points[place:end]))]
    return ChangePoint(
        place, "level", levels[0], levels[1], abs(levels[1] - levels[0]) / series.noise, p_value, low, high
    )


def _is_bend(series: _Series, before: Array, after: Array) -> bool:
    """Whether the two sides meet, at different slopes: else it is a step."""
    (first, slope), (second, other) = _line(before, True), _line(after, True)
    gap = abs(first + slope * len(before) - second)
    made = abs(other - slope) * min(len(before), len(after))
    return made > 2 * gap and made > 3 * series.noise


def _line(values: Array, slanted: bool) -> tuple[float, float]:
    """Level at the first point and slope: medians, the slope from the medians of the outer thirds."""
    if not slanted:
        return float(np.median(values)), 0.0
    third = len(values) // 3
    slope = (float(np.median(values[-third:])) - float(np.median(values[:third]))) / (len(values) - third)
    return float(np.median(values - slope * np.arange(len(values)))), slope


def _place(series: _Series, start: int, end: int, middle: int, expected: Sequence[Array]) -> tuple[int, int, int]:
    """The best place among the points near a boundary of blocks, and the interval of the posterior."""
    points = series.points[start:end]
    errors = [np.abs(points - one) for one in expected]
    totals = np.concatenate([[0.0], np.cumsum(errors[0] - errors[1])])
    reach = max(3 * series.width, _FEWEST)
    near = np.arange(max(1, middle - start - reach), min(len(points), middle - start + reach + 1))
    place = int(near[np.argmin(totals[near])])
    inflation = series.long_run * series.width / series.noise**2 if series.noise else 1.0
    worse = (totals[near] - totals[place]) / (series.noise * max(1.0, math.sqrt(max(inflation, 0.0))))
    weights = np.exp(-worse)
    order = np.argsort(-weights, kind="stable")
    held = order[: int(np.searchsorted(np.cumsum(weights[order]), _SURE * weights.sum())) + 1]
    return start + place, start + int(near[held].min()), start + int(near[held].max())
