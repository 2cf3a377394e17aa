"""Buckets that end at powers of two, and quantiles read from them, as Tempo's `Log2Bucketize` and `Log2Quantile`."""

from __future__ import annotations

import numpy as np

from obs_magics.local.traceql.values import DURATION, Floats, Integers, Values
from obs_magics.model.time import SECOND


def bucket_ends(values: Values) -> Floats:
    """float64: the power of two at or above each number (of nanoseconds for durations, given in seconds).

    NaN for what is no number or less than 2. Tempo leaves floats out; here they have buckets too.
    """
    amounts = values.as_floats()
    with np.errstate(all="ignore"):
        ends = np.exp2(np.ceil(np.log2(amounts)))
    ends = np.where(amounts >= 2, ends, np.nan)
    return np.where(values.types == DURATION, ends / SECOND, ends)


def quantiles(share: float, counts: Integers, ends: Floats) -> Floats:
    """A quantile of each row, 0 where it counts nothing.

    Args:
        share: From 0 to 1.
        counts: int64 [rows, buckets].
        ends: float64, the end of each bucket, ascending.
    """
    if not len(ends):
        return np.zeros(len(counts))
    totals = counts.sum(axis=1)
    wanted = np.maximum(np.ceil(share * totals), 1)  # rounded up, as few spans are the rule
    reached = np.cumsum(counts, axis=1)
    place = (reached >= wanted[:, np.newaxis]).argmax(axis=1)
    rows = np.arange(len(counts))
    before = reached[rows, place] - counts[rows, place]
    part = (wanted - before) / np.maximum(counts[rows, place], 1)
    top = np.log2(ends[place])
    filled = np.where(counts > 0, np.arange(len(ends)), -1)
    lower = np.maximum.accumulate(filled, axis=1)
    previous = np.where(place > 0, lower[rows, np.maximum(place - 1, 0)], -1)
    bottom = np.where(previous >= 0, np.log2(ends[np.maximum(previous, 0)]), top - 1)
    exact = part >= 1
    return np.where(totals == 0, 0.0, np.where(exact, ends[place], np.exp2(bottom + (top - bottom) * part)))
