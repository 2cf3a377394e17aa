"""Evidence that a stretch is unusual: means of windows of 1, 2, 4, … cells, each measured against the series itself.

For each length of window and each side the threshold is the larger of a number of spreads and of a multiple of how far
the series strays in a calm block. So a series that bursts every hour has to burst harder, or for longer, to be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from obs_magics.analysis.anomaly import settings
from obs_magics.analysis.anomaly.normal import Normal
from obs_magics.analysis.anomaly.quantiles import row_quantiles, spreads
from obs_magics.model.anomalies import Kind

Array = np.ndarray[Any, Any]

SIDES = (1, -1)
_WHITE = 0.8  # of what white noise would give, a window's spread at least
_SAMPLES = 8  # windows looked at per length, for the spread of their means
_BURST_CELLS = 4  # up to this length a series that mostly stands still is measured in blocks in which it moves
_FEWEST_BURSTS = 8


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch of one series that may be an event.

    Args:
        strength: How many times the threshold of medium sensitivity it reaches.
        first: Its first cell.
        last: Its last cell.
        peak: The cell around which it is most unusual.
        side: 1 above, -1 below, 0 for neither.
        window: Length of the window that shows it best, in cells.
        spreads: How far off it is there, in spreads of such windows.
        kind: What it is, where the search already tells.
    """

    strength: float
    first: int
    last: int
    peak: int
    side: int
    window: int
    spreads: float
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Thresholds of a batch.

    Args:
        windows: Lengths, in cells.
        centres: float64, windows × rows: the usual mean.
        scales: float64, windows × sides × rows: a spread of the means on that side.
        limits: float64, windows × sides × rows: threshold, from the centre.
        best: float64, windows × sides × rows: the furthest mean over its limit.
        most: float64, per row: the largest of those.
    """

    windows: tuple[int, ...]
    centres: Array
    scales: Array
    limits: Array
    best: Array
    most: Array


def window_lengths(longest: int) -> tuple[int, ...]:
    """1, 2, 4, … up to a length."""
    return tuple(1 << power for power in range(max(2, longest).bit_length()))


def sums_of(z: Array) -> Array:
    """Running sums of clipped spreads, from which every window's mean follows; rows × (cells + 1)."""
    sums = np.zeros((z.shape[0], z.shape[1] + 1))
    np.cumsum(np.clip(z, -settings.CLIP, settings.CLIP), axis=1, out=sums[:, 1:])
    return sums


def window_means(z: Array, sums: Array, length: int) -> Array:
    """The mean of every full window, by its first cell; single cells are not clipped."""
    if length == 1:
        return z
    result: Array = (sums[:, length:] - sums[:, :-length]) / length
    return result


def evidence_of(normal: Normal, judged: int, shortest: int = 1) -> Evidence:
    """Thresholds for every window and side, and what comes closest to them.

    Args:
        normal: What is normal.
        judged: The first cell to be judged; what is before it tells how far the series strays, where that is enough.
        shortest: Length of a window, in cells.
    """
    rows, cells = normal.z.shape
    usual = slice(0, judged if 2 * judged >= cells and judged >= settings.FEWEST_POINTS else cells)
    lengths = tuple(one for one in window_lengths(normal.window // 2) if shortest <= one <= cells // 4)
    sums = sums_of(normal.z)
    centres = np.zeros((len(lengths), rows))
    scales, limits, best = (np.ones((len(lengths), 2, rows)) for _ in range(3))
    for number, length in enumerate(lengths):
        means = window_means(normal.z, sums, length)
        if length > 1:
            centres[number], below, above = spreads(means[:, usual][:, :: max(1, length // _SAMPLES)])
            white = _WHITE / np.sqrt(length)
            scales[number] = np.maximum(above, white), np.maximum(below, white)
        active = normal.moves if length <= _BURST_CELLS and normal.still.any() else None
        for place, side in enumerate(SIDES):
            off = (means - centres[number][:, None]) * side
            beyond = _beyond_usual(off[:, usual], None if active is None else active[:, usual], normal.still)
            spread = (settings.SINGLE if length == 1 else settings.SUSTAINED) * scales[number, place]
            limits[number, place] = np.maximum(spread, beyond)
            best[number, place] = off[:, max(0, judged - length + 1) :].max(axis=1) / limits[number, place]
    return Evidence(lengths, centres, scales, limits, best, best.max(axis=(0, 1), initial=0.0))


def _beyond_usual(off: Array, active: Array | None, still: Array) -> Array:
    """How far the means have to go, for it to be further than the series strays anyway."""
    rows, cells = off.shape
    blocks = min(cells, max(settings.FEWEST_BLOCKS, cells // settings.CALM_CELLS))
    size = cells // blocks
    first = cells - blocks * size
    highest = off[:, first:].reshape(rows, blocks, size).max(axis=2)
    if active is not None:
        moved = active[:, first : first + blocks * size].reshape(rows, blocks, size).any(axis=2)
        bursty = still & (moved.sum(axis=1) >= _FEWEST_BURSTS)
        highest = np.where(bursty[:, None] & ~moved, np.nan, highest)
    quiet, calm = row_quantiles(highest, (settings.QUIET_SHARE, settings.CALM_SHARE))
    result: Array = np.minimum(settings.BEYOND_CALM * calm, calm + settings.BEYOND_QUIET * (calm - quiet))
    return result


def candidates_of(normal: Normal, evidence: Evidence, row: int, factor: float) -> list[Candidate]:
    """Stretches of one row beyond `factor` times the thresholds, in every window and on both sides."""
    if evidence.most[row] <= factor:
        return []
    z = normal.z[row : row + 1]
    sums = sums_of(z)
    found = []
    for number, length in enumerate(evidence.windows):
        for place, side in enumerate(SIDES):
            if evidence.best[number, place, row] <= factor:
                continue
            limit = float(evidence.limits[number, place, row])
            scale = float(evidence.scales[number, place, row])
            off = (window_means(z, sums, length)[0] - evidence.centres[number, row]) * side
            for first, last in stretches(off > factor * limit, length // 2):
                top = first + int(np.argmax(off[first : last + 1]))
                found.append(
                    Candidate(
                        strength=float(off[top]) / limit,
                        first=first,
                        last=last + length - 1,
                        peak=top + length // 2,
                        side=side,
                        window=length,
                        spreads=float(off[top]) / scale,
                    )
                )
    return found


def stretches(mask: Array, pause: int) -> list[tuple[int, int]]:
    """Where the mask holds, first and last included; pauses of up to `pause` cells are bridged."""
    places = np.flatnonzero(mask)
    if not len(places):
        return []
    breaks = np.flatnonzero(np.diff(places) > pause + 1)
    firsts = places[np.concatenate([[0], breaks + 1])]
    lasts = places[np.concatenate([breaks, [len(places) - 1]])]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))
