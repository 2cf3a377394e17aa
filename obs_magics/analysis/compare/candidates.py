"""What is tried of one attribute: each value, having one at all, having none, and thresholds of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from obs_magics.analysis.compare import numbers
from obs_magics.analysis.compare.chance import fisher
from obs_magics.analysis.compare.columns import Coded
from obs_magics.analysis.compare.sides import Sides

Array = np.ndarray[Any, Any]
Test = Literal["=", "≥", "<", "present", "missing"]

TESTS: tuple[Test, ...] = ("=", "≥", "<", "present", "missing")
"""In this order where several tell equally well."""

THRESHOLDS: tuple[Test, ...] = ("≥", "<")

LEAST_EFFECT = 0.05
"""A smaller difference of shares tells nothing to a person, however certain it is."""

_DISTINCT_SHARE, _LEAST_DISTINCT = 0.5, 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """A property of rows that may tell the sides apart.

    Args:
        attribute: Its name.
        test: How a row is tested.
        value: What it is tested against; None where that is nothing.
        said: The value as a person says it.
        counts: Rows that have it: of the selected, of the others.
        shares: Likewise, of the others as they are weighted.
        has: bool, which codes of the attribute have it.
        p_value: By Fisher's exact test, for this alone.
    """

    attribute: str
    test: Test
    value: str | None
    said: str
    counts: tuple[int, int]
    shares: tuple[float, float]
    has: Array
    p_value: float

    @property
    def effect(self) -> float:
        """Difference of the shares, -1 to 1: Youden's J, of the property as a test of who is selected.

        Youden, Index for rating diagnostic tests, Cancer 3 (1950): sensitivity + specificity - 1. Unlike the
        correlation (phi, Cramér's V) it does not depend on how many rows are selected.
        """
        return self.shares[0] - self.shares[1]


@dataclass(frozen=True, slots=True)
class Tried:
    """What was tried of an attribute: how many properties, those that differ enough, and whether its values said much.

    Args:
        tests: How many could have told.
        candidates: Those whose shares differ by `LEAST_EFFECT` at least, in no order.
        unique: Whether its values were not tried because nearly all are distinct.
    """

    tests: int
    candidates: list[Candidate]
    unique: bool


def tried(column: Coded, sides: Sides) -> Tried:
    """Try one attribute."""
    return _Trial.of(column, sides).run()


@dataclass(frozen=True, slots=True)
class _Trial:
    """An attribute and its rows by code: of the selected, of the others, and the weighted share of those.

    The last code is of rows without the attribute.
    """

    column: Coded
    sides: Sides
    mine: Array
    others: Array
    weighted: Array
    all: Array

    @classmethod
    def of(cls, column: Coded, sides: Sides) -> _Trial:
        """Count the rows."""
        mine, others, weighted = sides.counts(column.codes, len(column.values) + 1)
        return cls(column, sides, mine, others, weighted, mine + others)

    def run(self) -> Tried:
        """Try values, presence and thresholds."""
        present = self.all[:-1]
        quantity = numbers.numbers_of(self.column.name, self.column.values, present)
        unique = _nearly_unique(present)
        values = np.empty(0, dtype=np.int64) if unique else self._values()
        found = [self._value(code) for code in values[self._differ(values)].tolist()]
        number = len(values)
        if 0 < self.all[-1] < self.all.sum():
            there = np.arange(len(self.all)) < len(present)
            found += [self._candidate("present", None, there), self._candidate("missing", None, ~there)]
            number += 1
        if quantity is not None:
            thresholds, cuts = self._thresholds(quantity)
            found += thresholds
            number += cuts
        return Tried(number, [one for one in found if _enough(one)], unique and quantity is None)

    def _values(self) -> Array:
        """Codes of values that could differ enough.

        Judged by how many rows there are of each in all, so that what is left out does not depend on the sides.
        """
        least = max(2.0, LEAST_EFFECT * min(self.mine.sum(), self.others.sum()))
        some = (self.all[:-1] >= least) & (self.all[:-1] < self.all.sum())
        return np.flatnonzero(some)

    def _differ(self, codes: Array) -> Array:
        difference = self.mine[codes] / max(self.mine.sum(), 1) - self.weighted[codes]
        return np.asarray(np.abs(difference) >= LEAST_EFFECT)

    def _value(self, code: int) -> Candidate:
        return self._candidate("=", self.column.values[code].as_py(), np.arange(len(self.all)) == code)

    def _candidate(self, test: Test, value: str | None, has: Array, said: str = "") -> Candidate:
        mine, others = int(self.mine[has].sum()), int(self.others[has].sum())
        shares = (mine / max(int(self.mine.sum()), 1), min(float(self.weighted[has].sum()), 1.0))
        units = [round(total) for total in self.sides.units]
        hits = [min(round(share * total), total) for share, total in zip(shares, units, strict=True)]
        p_value = fisher(hits[0], units[0], hits[1], units[1])
        return Candidate(self.column.name, test, value, said or value or "", (mine, others), shares, has, p_value)

    def _thresholds(self, quantity: Array) -> tuple[list[Candidate], int]:
        """The best "at least" and the best "below" of a number, and how many thresholds were tried."""
        padded = np.append(quantity, np.nan)
        numeric = ~np.isnan(padded)
        distinct, places = np.unique(padded[numeric], return_inverse=True)
        mine = np.bincount(places, weights=self.mine[numeric]) / max(self.mine.sum(), 1)
        others = np.bincount(places, weights=self.weighted[numeric])
        limits = numbers.cuts(distinct, mine + others)
        if not len(limits):
            return [], 0
        below = np.searchsorted(distinct, limits)
        under = np.cumsum(mine - others)[below - 1]
        over = float((mine - others).sum()) - under
        found = []
        effects: tuple[tuple[Test, Array], ...] = (("≥", over), ("<", under))
        for test, effect in effects:
            best = int(effect.argmax())
            limit = numbers.threshold(self.column.name, float(distinct[below[best] - 1]), float(limits[best]))
            has = padded >= limit if test == "≥" else padded < limit  # neither for NaN
            said = numbers.number_text(limit, self.column.name)
            found.append(self._candidate(test, numbers.plain_text(limit), has, said))
        return found, len(limits)


def _enough(one: Candidate) -> bool:
    """Whether a property differs enough; of presence and thresholds the opposite is tried, too."""
    return abs(one.effect) >= LEAST_EFFECT and (one.effect > 0 or one.test == "=")


def _nearly_unique(present: Array) -> bool:
    """Whether an attribute is an id: half as many values as rows that have one, or more."""
    distinct = int((present > 0).sum())
    return distinct >= _LEAST_DISTINCT and distinct >= _DISTINCT_SHARE * int(present.sum())
