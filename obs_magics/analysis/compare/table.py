"""The comparison: every attribute of both frames tried, what chance could make left out, the same rows told once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.compare import groups
from obs_magics.analysis.compare.candidates import TESTS, THRESHOLDS, Candidate, tried
from obs_magics.analysis.compare.chance import corrected
from obs_magics.analysis.compare.columns import coded
from obs_magics.analysis.compare.numbers import unit_of
from obs_magics.analysis.compare.sentences import property_text, row_sentence
from obs_magics.analysis.compare.sides import Sides, matched
from obs_magics.display.units import count_text
from obs_magics.model.errors import UsageError
from obs_magics.model.frames import STRING_DTYPE
from obs_magics.model.series import clip

Array = np.ndarray[Any, Any]

CHANCE = 0.01
"""Of what is said to tell, so much may be chance: the rate of false discoveries."""

COMPARE_COLUMNS = (
    "attribute", "test", "value", "unit", "selected_share", "rest_share", "selected_count", "rest_count", "lift",
    "effect", "p_value", "rank", "same_as", "sentence",
)  # fmt: skip
TEST_DTYPE = pd.CategoricalDtype(pd.Index(list(TESTS), dtype=STRING_DTYPE))

_RUNNERS_UP = 2
_LACKING = 0.5
_NAMED, _NAME_LENGTH = 5, 60
_FEW = 10
_PERHAPS = 0.2


@dataclass(frozen=True, slots=True)
class _Attribute:
    """An attribute that tells: what it tells by, the best first, and the rows that the best one singles out."""

    best: Candidate
    others: tuple[Candidate, ...]
    rows: Array
    place: int
    same: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """What tells, the best first; attributes whose values are nearly all distinct; where nothing tells, what may."""

    attributes: list[_Attribute]
    unique: list[str]
    nearest: Candidate | None


def compare(
    selected: pd.DataFrame,
    rest: pd.DataFrame,
    *,
    ignore: Collection[str] = (),
    within: Sequence[str] = (),
    limit: int = 20,
) -> pd.DataFrame:
    """What tells the selected rows from the rest; see `docs/compare.md`.

    >>> compare(frame[mask], frame[~mask])  # doctest: +SKIP

    Args:
        selected: Rows of a spans, logs or metrics frame, or of another one whose columns are attributes.
        rest: The rows they are held against, of the same kind.
        ignore: Attributes that are not looked at: those by which the rows were selected (`DEFINING`).
        within: Columns by whose values the others are weighted to the mix of the selected, so that these columns and
            what goes along with them tell nothing.
        limit: At most so many rows.

    Returns:
        One row per attribute that tells, the best first; below it up to two more of its values. `attribute` · `test`
        (=, ≥, <, present, missing) · `value` (text; missing for the last two) · `unit` (of a threshold, UCUM, as far as
        the attribute's name says it; else empty) · `selected_share`, `rest_share` (of rows that have it; with `within`
        the latter is weighted) · `selected_count`, `rest_count` · `lift` (one share over the other, infinite when no
        other row has it) · `effect` (their difference, -1 to 1) · `p_value` (corrected for everything that was tried) ·
        `rank` (1 for the best of its attribute) · `same_as` (others that single out the same rows) · `sentence`.
        `attrs["notes"]` says what is uncertain, and what was not looked at and why.

    Raises:
        UsageError: `limit` is below 1, or a frame lacks a column of `within`.
    """
    if limit < 1:
        raise UsageError(f"cannot show {limit} rows", hint="give a limit of at least 1")
    selected, rest, sides, notes = matched(selected, rest, within)
    ignored = {ignore} if isinstance(ignore, str) else set(ignore)
    found = _telling(selected, rest, sides, ignored | set(within))
    rows = [row for one in _merged(found.attributes, len(selected)) for row in _rows(one)]
    table = _frame(rows[:limit])
    table.attrs["notes"] = (*notes, *_notes(found, sides, len(rows) - limit))
    return table


def _telling(selected: pd.DataFrame, rest: pd.DataFrame, sides: Sides, ignore: Collection[str]) -> _Found:
    """Try all attributes."""
    if not len(selected) or not len(rest):
        return _Found([], [], None)
    number = 0
    unique: list[str] = []
    candidates: list[tuple[Candidate, Array, int]] = []
    for place, column in enumerate(coded(selected, rest, ignore)):
        result = tried(column, sides)
        number += result.tests
        unique += [column.name] if result.unique else []
        candidates += [(one, column.codes, place) for one in result.candidates]
    p_values = corrected(np.array([one.p_value for one, _, _ in candidates]), number)
    by_place: dict[int, tuple[Array, list[Candidate]]] = {}
    uncertain: list[Candidate] = []
    for (one, codes, place), p_value in zip(candidates, p_values.tolist(), strict=True):
        judged = replace(one, p_value=p_value)
        if p_value <= CHANCE:
            by_place.setdefault(place, (codes, []))[1].append(judged)
        elif p_value <= _PERHAPS:
            uncertain.append(judged)
    found = [_attribute(codes, sorted(tell, key=_order), place) for place, (codes, tell) in by_place.items()]
    found.sort(key=lambda one: (*_order(one.best)[:2], one.place))
    nearest = min(uncertain, key=lambda one: (one.p_value, *_order(one), one.attribute), default=None)
    return _Found(found, unique, None if found else nearest)


def _order(one: Candidate) -> tuple[float, int, str]:
    """The largest effect first, what the selected lack at half its size; of equal ones, as rounding leaves them, tests.

    A person looks for what slow spans have; "none has kind=client" only says that they are any of the other kinds.
    """
    weight = 1.0 if one.effect > 0 else _LACKING
    return -round(abs(one.effect) * weight, 6), TESTS.index(one.test), one.value or ""


def _attribute(codes: Array, tell: list[Candidate], place: int) -> _Attribute:
    best, *others = tell
    more = [one for one in others if one.test == best.test == "=" and one.effect > 0 and best.effect > 0]
    rows = (best.has if best.effect > 0 else ~best.has)[codes]
    return _Attribute(best, tuple(more[:_RUNNERS_UP]), rows, place)


def _merged(found: list[_Attribute], selected: int) -> list[_Attribute]:
    """Attributes that single out the same rows under the best of them."""
    heads = groups.same_rows([one.rows for one in found], selected)
    names: dict[int, list[str]] = {}
    for place, (head, one) in enumerate(zip(heads, found, strict=True)):
        opposite = (one.best.effect > 0) != (found[head].best.effect > 0)
        same = [] if head == place else [property_text(one.best, opposite=opposite)]
        names.setdefault(head, []).extend(same)
    return [replace(found[head], same=tuple(same)) for head, same in names.items()]


def _rows(one: _Attribute) -> list[dict[str, Any]]:
    ranked = [(one.best, one.same), *((other, ()) for other in one.others)]
    return [
        {
            "attribute": candidate.attribute,
            "test": candidate.test,
            "value": candidate.value,
            "unit": unit_of(candidate.attribute) if candidate.test in THRESHOLDS else "",
            "selected_share": candidate.shares[0],
            "rest_share": candidate.shares[1],
            "selected_count": candidate.counts[0],
            "rest_count": candidate.counts[1],
            "lift": candidate.shares[0] / candidate.shares[1] if candidate.shares[1] else np.inf,
            "effect": candidate.effect,
            "p_value": candidate.p_value,
            "rank": rank,
            "same_as": ", ".join(same) or None,
            "sentence": row_sentence(candidate, same),
        }
        for rank, (candidate, same) in enumerate(ranked, start=1)
    ]


_DTYPES: dict[str, Any] = {
    **dict.fromkeys(("attribute", "value", "unit", "same_as", "sentence"), STRING_DTYPE),
    **dict.fromkeys(("selected_share", "rest_share", "lift", "effect", "p_value"), np.float64),
    **dict.fromkeys(("selected_count", "rest_count", "rank"), np.int64),
    "test": TEST_DTYPE,
}


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=_DTYPES[name]) for name in COMPARE_COLUMNS})


def _notes(found: _Found, sides: Sides, cut: int) -> list[str]:
    """What is uncertain, what was not looked at, what was left out."""
    told = []
    if found.nearest:
        chance = f"which may be chance (p {found.nearest.p_value:.2g})"
        told.append(f"the nearest to telling: {row_sentence(found.nearest)}, {chance}")
    unique = found.unique
    if unique:
        named = ", ".join(clip(name, _NAME_LENGTH) for name in unique[:_NAMED])
        more = f" and {len(unique) - _NAMED:,} more" if len(unique) > _NAMED else ""
        told.append(f"not looked at, nearly every row has a value of its own: {named}{more}")
    few = min(round(units) for units in sides.units)
    if few < _FEW:
        told.append(f"one side has only {count_text(few, 'independent row')}: only what nearly all have could be told")
    return [*told, f"and {count_text(cut, 'more row')}"] if cut > 0 else told
