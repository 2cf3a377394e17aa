"""Windows over sorted samples, for many series and steps at once: what every range function works on.

A window is a slice of the flat sample arrays. Functions that must add up in the very order in which Prometheus does
(else the last digits differ, and after cancellation all of them) go through the windows by rank: the first sample of
every window, the second sample of every window, and so on, each with a few numpy calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from obs_magics.local.promql.data import Array


@dataclass(frozen=True)
class Windows:
    """The non-empty windows of some series at all steps, flattened: W windows over N samples.

    Args:
        times_ms: int64 [N], ascending within a series.
        values: float64 [N], without stale markers.
        series_starts: int64, indices at which a series starts.
        lo: int64 [W], index of each window's first sample.
        hi: int64 [W], index behind each window's last sample; `hi > lo`.
        step: int64 [W], the step that each window belongs to.
        end_ms: int64 [W], where each window ends in time.
        range_ms: How long each window is.
        eval_ms: int64 [W], the evaluation time of each window (its end, but for offset and @).
        version: 2 or 3.
    """

    times_ms: Array
    values: Array
    series_starts: Array
    lo: Array
    hi: Array
    step: Array
    end_ms: Array
    range_ms: int
    eval_ms: Array
    version: int

    def __len__(self) -> int:
        return len(self.lo)

    @cached_property
    def count(self) -> Array:
        """int64 [W], samples in each window."""
        count: Array = self.hi - self.lo
        return count

    def where(self, keep: Array) -> Windows:
        """Only the windows for which `keep` (bool [W]) is true."""
        if keep.all():
            return self
        picked = {name: getattr(self, name)[keep] for name in ("lo", "hi", "step", "end_ms", "eval_ms")}
        return Windows(
            self.times_ms, self.values, self.series_starts, range_ms=self.range_ms, version=self.version, **picked
        )

    @cached_property
    def order(self) -> Array:
        """int64 [W], the windows from the fullest to the emptiest, so that those with a rank k stand in front."""
        return np.argsort(-self.count, kind="stable")

    def ranks(self) -> Iterator[tuple[int, Array]]:
        """For each rank: how many windows (in `order`) have such a sample, and the samples' indices."""
        lo, count = self.lo[self.order], self.count[self.order]
        rising = count[::-1]
        for rank in range(int(count[0]) if len(count) else 0):
            active = len(count) - int(np.searchsorted(rising, rank, side="right"))
            yield active, lo[:active] + rank

    def unordered(self, result: Array) -> Array:
        """A result per window in `order`, as a result per window in their own order."""
        back = np.empty_like(result)
        back[self.order] = result
        return back

    def marks(self, is_mark: Callable[[Array, Array], Array]) -> Marks:
        """Where a sample and the one before it in the same series fulfil `is_mark(current, previous)`."""
        flags = np.zeros(len(self.values), dtype=bool)
        flags[1:] = is_mark(self.values[1:], self.values[:-1])
        flags[self.series_starts] = False
        places = np.flatnonzero(flags)
        upto = np.cumsum(flags)
        first = upto[self.lo]
        return Marks(places, first, upto[self.hi - 1] - first)


@dataclass(frozen=True, slots=True)
class Marks:
    """Marked samples: all their `places`; and for each window where in `places` its own begin, and how many."""

    places: Array
    first: Array
    count: Array


def kahan_add(added: Array, total: Array, compensation: Array) -> None:
    """Neumaier's sum as Prometheus does it (util/kahansum in its source); changes `total` and `compensation`."""
    new = total + added
    swapped = np.abs(total) < np.abs(added)
    bigger, smaller = np.where(swapped, added, total), np.where(swapped, total, added)
    compensation += (bigger - new) + smaller
    compensation[np.isinf(new)] = 0.0
    total[:] = new
