"""Where the course of a short frame breaks: a jump to another level that stays, or a straight rise out of a flat level.

In less than three days there is no usual day to compare with, so a change is set against how the series moves in the
rest of the frame: a jump has to be far larger than any other, a rise has to be told from the bend of a daily course.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from obs_magics.analysis.anomaly.normal import Normal
from obs_magics.analysis.anomaly.quantiles import medians
from obs_magics.analysis.anomaly.settings import APART
from obs_magics.analysis.anomaly.windows import Candidate
from obs_magics.model.anomalies import Kind

Array = np.ndarray[Any, Any]

_BLOCKS = 48
_FEWEST_BLOCKS = 12
_BLOCK = 5  # cells, at least
_MEAN_TO_SIGMA = 1.4  # of a normal distribution, from the mean distance to the median of a few
_LEAST_NOISE = 0.35  # of the spread of the row: what wanders slowly is noise too
_REACHES = (3, 6)  # blocks on either side of a jump
_LARGER = 2.0  # times any other jump of the frame
_FEW = 6.0  # blocks: the fewer there are, the less the others say
_JUMP = 2.5  # spreads of the noise
_HALF = 0.5  # of a jump: what comes closer to the old level than that has come back
_SHORTEST = 2  # blocks on either side: what is shorter is a matter of windows
_SWING = 2.0  # times as large the noise has to become
_STILL = 0.02  # of what the noise mostly is: below, it stands still
_RISE = 4.0  # spreads of the noise at the end of a rise
_CLEAN = 3.0  # times what the blocks stray about the line, that it rises
_BETTER = 20.0  # F of the bent line against the smooth courses
_BENDS = 41  # tried, around the block where it bends
_EARLIEST, _LATEST = 0.08, 0.85  # of the frame, for the bend


@dataclass(frozen=True, slots=True)
class Onset:
    """A break of one row.

    Args:
        strength: How many times the threshold of medium sensitivity it reaches.
        first: Block.
        last: Block.
        side: 1 up, -1 down.
        spreads: How far, in spreads of the noise.
        kind: What it is.
    """

    strength: float
    first: int
    last: int
    side: int
    spreads: float
    kind: Kind


@dataclass(frozen=True, slots=True)
class Onsets:
    """Breaks of a batch: per row at most one; cells of a block, and the first cell of the first block."""

    found: dict[int, Onset]
    size: int
    offset: int


def onsets_of(normal: Normal, values: Array, day: float) -> Onsets | None:
    """The break of each row of a short frame; None where it is too short to tell.

    Args:
        normal: What is normal.
        values: float64, rows × cells, without holes.
        day: Cells of a day.
    """
    rows, cells = values.shape
    blocks = min(_BLOCKS, cells // _BLOCK)
    if blocks < _FEWEST_BLOCKS:
        return None
    size = cells // blocks
    offset = cells - blocks * size
    parts = (values - normal.season)[:, offset:].reshape(rows, blocks, size)
    middles = medians(parts)
    sizes = np.abs(parts - middles[..., None]).mean(axis=2)
    usual = (medians(normal.low) + medians(normal.high)) / 2
    noise = np.maximum(_MEAN_TO_SIGMA * medians(sizes), _LEAST_NOISE * usual)  # a shift within a block is seldom
    heights = middles / noise[:, None]
    found = dict(_jumps(heights))
    for row, onset in _jumps(_log_sizes(sizes)):
        if onset.side > 0 and (row not in found or found[row].strength < 1 < onset.strength):
            found[row] = replace(onset, kind="variance")
    for row, onset in _ramps(heights, day / size):
        if row not in found or onset.strength > found[row].strength:
            found[row] = onset
    return Onsets(found, size, offset)


def _log_sizes(sizes: Array) -> Array:
    """How large the noise is in each block, such that a jump of the least size is one of `_SWING` times; 0 if still."""
    usual = medians(sizes)[:, None]
    moving = (sizes > _STILL * usual).all(axis=1) & (usual[:, 0] > 0)
    shares = np.where(moving[:, None], sizes, 1.0) / np.where(moving[:, None], usual, 1.0)
    result: Array = np.log(shares) * (_JUMP / math.log(_SWING))
    return result


# ── jumps ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _jumps(heights: Array) -> list[tuple[int, Onset]]:
    found: dict[int, Onset] = {}
    blocks = heights.shape[1]
    for reach in _REACHES:
        if blocks < 4 * reach:
            continue
        sums = np.concatenate([np.zeros((len(heights), 1)), np.cumsum(heights, axis=1)], axis=1)
        means = (sums[:, reach:] - sums[:, :-reach]) / reach
        jumps = means[:, reach:] - means[:, :-reach]  # the first is at block `reach`
        largest = np.abs(jumps).max(axis=1)
        for row in np.flatnonzero(largest >= 0.6 * _JUMP).tolist():
            onset = _jump(heights[row], jumps[row], reach)
            if onset is not None and (row not in found or onset.strength > found[row].strength):
                found[row] = onset
    return list(found.items())


def _jump(heights: Array, jumps: Array, reach: int) -> Onset | None:
    blocks = len(heights)
    place = int(np.argmax(np.abs(jumps)))
    block, size = place + reach, float(jumps[place])
    side = 1 if size > 0 else -1
    before, after = float(heights[block - reach : block].mean()), float(heights[block : block + reach].mean())
    middle = before + _HALF * (after - before)
    until = _until((heights[block:] - middle) * side > 0)
    since = _until((heights[:block][::-1] - middle) * side < 0)
    first, last = block, block + until - 1
    if since < block and since <= until:  # it jumped back: what lies between was the event
        first, last, side = block - since, block - 1, -side
    if min(until, since) < _SHORTEST:
        return None
    elsewhere = np.abs(jumps).copy()
    for edge in (first, last + 1):
        elsewhere[max(0, edge - 2 * reach + 1) : max(0, edge)] = 0.0
    others = float(elsewhere.max(initial=0.0))
    larger = _LARGER * (1 + _FEW / blocks)
    strength = min(abs(size) / _JUMP, abs(size) / (larger * others) if others > 0 else math.inf)
    return Onset(strength, first, last, side, abs(size), "level_shift")


def _until(there: Array) -> int:
    """How many blocks from the first on, until it is no longer so for some in a row."""
    gone = ~there
    if gone[:1].any():
        return 0
    both = gone[:-1] & gone[1:]
    return int(np.argmax(both)) if both.any() else len(there)


# ── ramps ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _ramps(heights: Array, day: float) -> list[tuple[int, Onset]]:
    blocks = heights.shape[1]
    smooth, bends, bent = _bases(blocks, day)
    total = ((heights - heights.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    explained = np.stack([((heights @ basis) ** 2).sum(axis=1) for basis in smooth]).max(axis=0)
    along = heights @ bent  # rows × bends
    left = total[:, None] - along**2
    best = np.argmin(left, axis=1)
    rest = np.take_along_axis(left, best[:, None], axis=1)[:, 0]
    better = (total - explained - rest) / np.maximum(rest / (blocks - 3), 1e-12)
    found = []
    for row in np.flatnonzero(better > 0.6 * _BETTER).tolist():
        bend = int(bends[best[row]])
        slope = float(along[row, best[row]] / _length(blocks, bend))
        rise = abs(slope) * (blocks - bend)
        line = np.maximum(np.arange(blocks) + 0.5 - bend, 0.0) * slope
        residual = heights[row] - line
        residual = residual - residual.mean()
        stray = float(np.sqrt(np.mean(residual**2)))
        related = float((residual[1:] * residual[:-1]).sum() / max(float((residual**2).sum()), 1e-300))
        related = min(0.95, max(0.0, related + (1 + 3 * related) / blocks))
        inflated = (1 + related) / (1 - related)
        strength = min(
            math.sqrt(float(better[row]) / inflated / _BETTER), rise / _RISE, rise / (2 * _CLEAN * max(stray, 1e-12))
        )
        found.append((row, Onset(strength, bend, blocks - 1, 1 if slope > 0 else -1, rise, "trend_change")))
    return found


@lru_cache(maxsize=64)
def _bases(blocks: int, day: float) -> tuple[tuple[Array, ...], Array, Array]:
    """Orthonormal bases of smooth courses; where a line may bend, and the unit vectors of bent lines, without mean."""
    place = np.arange(blocks) + 0.5
    turn = 2 * np.pi * place / day
    smooth = (
        np.stack([place, place**2], axis=1),
        np.stack([np.sin(turn), np.cos(turn)], axis=1),
    )
    bends = np.arange(max(2, round(_EARLIEST * blocks)), round(_LATEST * blocks) + 1)
    bent = np.maximum(place[:, None] - bends, 0.0)
    return (
        tuple(np.linalg.qr(one - one.mean(axis=0))[0] for one in smooth),
        bends,
        (bent - bent.mean(axis=0)) / np.linalg.norm(bent - bent.mean(axis=0), axis=0),
    )


def _length(blocks: int, bend: int) -> float:
    line = np.maximum(np.arange(blocks) + 0.5 - bend, 0.0)
    return float(np.linalg.norm(line - line.mean()))


def breaks_of(onsets: Onsets, flat: Array, row: int, factor: float, judged: int) -> list[Candidate]:
    """The break of one row as a candidate, its edges sharpened, where it is strong enough.

    Args:
        onsets: Of the batch.
        flat: float64, the cells of the row, without what is seasonal.
        row: Which one.
        factor: On the threshold.
        judged: The first cell that is to be judged: what was so before is normal.
    """
    one = onsets.found.get(row)
    if one is None or one.strength <= factor:
        return []
    first = onsets.offset + one.first * onsets.size
    end = min(len(flat), onsets.offset + (one.last + 1) * onsets.size)
    if one.kind == "trend_change":
        first = _bend(flat, first, onsets.size)
    else:
        told = flat if one.kind == "level_shift" else np.abs(flat - medians(flat[None])[0])
        first, end = (_edge(told, place, onsets.size, side) for place, side in ((first, one.side), (end, -one.side)))
    last = max(first, end - 1)
    if judged and first < judged - onsets.size:
        return []
    # What else jumps tells whether it is an event; how severe it is, its size alone.
    strength = max(one.strength, one.spreads / _JUMP) if one.kind == "level_shift" else one.strength
    return [
        Candidate(
            strength,
            first,
            last,
            first,
            one.side if one.kind != "variance" else 0,
            onsets.size,
            one.spreads,
            one.kind,
        )
    ]


def with_breaks(events: Sequence[Candidate], broken: Sequence[Candidate]) -> list[Candidate]:
    """The events, those in or right beside a break told as that break, as strong as the strongest; strongest first.

    Args:
        events: Not overlapping.
        broken: Of the same row.
    """
    told = list(events)
    for one in broken:
        covered = [other for other in told if other.first <= one.last + APART and other.last >= one.first - APART]
        strongest = max([one.strength, *(other.strength for other in covered)])
        told = [replace(one, strength=strongest), *(other for other in told if other not in covered)]
    return sorted(told, key=lambda one: -one.strength)


def _edge(flat: Array, place: int, size: int, side: int) -> int:
    """The cell near a place from which on values are on the new side: where the sum of deviations turns (Page 1954)."""
    if place >= len(flat) or place <= 0:
        return place
    reach = _REACHES[0] * size
    before, after = flat[max(0, place - reach) : place], flat[place : place + reach]
    half_way = (float(np.median(before)) + float(np.median(after))) / 2
    low = max(0, place - size)
    near = flat[low : place + size]
    return low + int(np.argmin(np.concatenate([[0.0], np.cumsum((near - half_way) * side)])))


def _bend(flat: Array, place: int, size: int) -> int:
    """The cell near a place at which a straight line that bends there fits best."""
    cells = np.arange(len(flat))
    off = flat - flat.mean()
    bends = np.unique(np.linspace(max(1, place - size), min(len(flat) - 3, place + size), _BENDS).astype(np.int64))
    lines = np.maximum(cells[:, None] - bends, 0.0)
    lines -= lines.mean(axis=0)
    return int(bends[np.argmax((off @ lines) ** 2 / (lines**2).sum(axis=0))])
