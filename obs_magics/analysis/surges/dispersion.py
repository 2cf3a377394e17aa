"""How much more than by chance the number of lines varies from one stretch of time to the next.

The measure is phi: the variance of a count is ``mean + phi · mean²``, so that `1 / phi` is the negative binomial's
shape. It depends on how long a stretch is (a busy minute is averaged out over an hour), and is taken at the width that
is asked about: from all patterns together, and from the pattern itself outside of the stretch in question.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

BINS = 256
_SCALES = 6  # 1, 2, 4 … 32 bins a block, so that 8 blocks are left of the coarsest
_LEAST_MEAN = 2.0  # lines a block: below, phi cannot be told from chance
_PRIOR = 0.1  # when no pattern is frequent enough to tell
_LEAST_PHI = 0.01
_TRIMMED = 0.1
_EVENT = 0.3  # of the time: what an event may take
_EVENTS = 2  # in one pattern
_UNEVEN = 4.0  # times the phi of the rest, from which a stretch is an event: in even noise it is half


@dataclass(frozen=True, slots=True)
class Pooled:
    """The usual phi by width of the stretch, over all patterns.

    Args:
        log_widths: Natural logarithms of seconds, ascending.
        phi: At each.
    """

    log_widths: Array
    phi: Array

    def at(self, seconds: Any) -> Any:
        """How uneven stretches of that many seconds are; the nearest known one beyond the ends."""
        return np.interp(np.log(seconds), self.log_widths, self.phi)


def excess(counts: Array, expected: Array) -> Any:
    """The phi of counts by the method of moments, along the last axis; below 0 when they vary less than by chance.

    Args:
        counts: Lines in each block.
        expected: In proportion to the mean of each block, brought to the sum of the counts; 0 where one is left out.
    """
    sums = (part.sum(axis=-1) for part in (counts, counts**2, counts * expected, expected, expected**2))
    return _phi(*sums)


def _phi(lines: Any, squares: Any, products: Any, load: Any, load_squares: Any) -> Any:
    """`excess` from sums over blocks: of x, x², x·e, e and e², for counts x and expectations e."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = lines / load
        residual = squares - 2 * rate * products + rate**2 * load_squares
        return np.nan_to_num((residual - lines) / (rate**2 * load_squares), nan=0.0, posinf=0.0, neginf=0.0)


def pool(counts: Array, load: Array, width: float) -> Pooled:
    """The usual phi at each scale, over patterns; each by the better of two explanations: steady, or by traffic.

    A mean weighted by how well a pattern can tell, without the upper tenth: single patterns' phi is skewed, so that a
    median would be too low. Where a pattern is even but for one or two stretches, these are events and left out.

    Args:
        counts: Patterns × bins.
        load: Likewise, how busy the pattern's service was.
        width: Of a bin, in seconds.
    """
    scales = [(_blocks(counts, 1 << scale), _blocks(load, 1 << scale)) for scale in range(_SCALES)]
    steady = np.array([_but_for_events(blocks, np.ones(blocks.shape)) for blocks, _ in scales])
    busy = np.array([_but_for_events(blocks, own) for blocks, own in scales])
    phi = np.where(steady.sum(axis=0) <= busy.sum(axis=0), steady, busy)
    widths, values = [], []
    for scale, (blocks, _) in enumerate(scales):
        mean = blocks.mean(axis=1)
        if (mean >= _LEAST_MEAN).any():
            widths.append(math.log(width * (1 << scale)))
            values.append(max(_trimmed_mean(phi[scale], _information(mean)), _LEAST_PHI))
    return Pooled(np.asarray(widths or [0.0]), np.asarray(values or [_PRIOR]))


def _but_for_events(counts: Array, load: Array) -> Array:
    """The phi of each pattern; where leaving out blocks in a row leaves but a part of it, that part; so once more."""
    many = math.ceil(_EVENT * counts.shape[1])
    counts, load = counts.astype(np.float64), load.astype(np.float64)
    whole = excess(counts, load)
    for _ in range(_EVENTS):
        parts = (counts, counts**2, counts * load, load, load**2)
        left = _phi(*(part.sum(axis=1, keepdims=True) - _running(part, many) for part in parts))
        start = left.argmin(axis=1)
        rest = left[np.arange(len(left)), start]
        chance = math.sqrt(2 / counts.shape[1]) / np.maximum(counts.mean(axis=1), 1e-9)  # of phi, by Poisson's law
        event = (np.maximum(rest, 0.0) + chance) * _UNEVEN < whole
        place = np.arange(counts.shape[1])
        out = event[:, None] & (place >= start[:, None]) & (place < start[:, None] + many)
        counts, load = np.where(out, 0.0, counts), np.where(out, 0.0, load)
        whole = np.where(event, rest, whole)
    return np.asarray(whole)


def _running(cells: Array, many: int) -> Array:
    """Sums of so many cells in a row, along each row."""
    sums = np.cumsum(cells, axis=1)
    return np.asarray(sums[:, many - 1 :] - np.pad(sums[:, :-many], ((0, 0), (1, 0))))


def _information(mean: Array) -> Array:
    """How much one pattern's phi is worth: the inverse of its variance, for `mean` lines a block."""
    return np.where(mean >= _LEAST_MEAN, (1 / np.maximum(mean, _LEAST_MEAN) + _PRIOR) ** -2.0, 0.0)


def _trimmed_mean(values: Array, weights: Array) -> float:
    """The weighted mean of all but the upper `_TRIMMED` of the weight."""
    order = np.argsort(values, kind="stable")
    above = np.cumsum(weights[order]) / weights.sum() - (1 - _TRIMMED)
    kept = np.maximum(weights[order] - np.maximum(above, 0.0) * weights.sum(), 0.0)
    return float((values[order] * kept).sum() / kept.sum())


def _blocks(cells: Array, size: int) -> Array:
    whole = cells.shape[1] // size * size
    return np.asarray(cells[:, :whole].reshape(len(cells), -1, size).sum(axis=2))
