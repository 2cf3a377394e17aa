"""The two sides of a comparison: their rows, what a row of the others weighs, and how many of them count as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.compare.columns import strata
from obs_magics.model.errors import UsageError

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Sides:
    """How the rows of both frames are counted; the selected ones come first.

    Args:
        selected: How many rows are selected.
        weights: float64, one per row of the rest: its part of all; they sum up to 1.
        units: How many independent ones the rows of either side count for.
    """

    selected: int
    weights: Array
    units: tuple[float, float]

    @classmethod
    def of(cls, selected: pd.DataFrame, rest: pd.DataFrame, weights: Array) -> Sides:
        """Of two frames, with one weight per row of the rest."""
        total = float(weights.sum())
        # Weights make a sample worth fewer: Kish, Survey Sampling (1965), 11.7.
        kish = total * total / float((weights * weights).sum()) if total else 0.0
        alone = _independent(rest) / max(len(rest), 1)
        return cls(len(selected), weights / max(total, 1e-300), (float(_independent(selected)), kish * alone))

    def counts(self, codes: Array, size: int) -> tuple[Array, Array, Array]:
        """How many rows of each code: of the selected, of the rest, and the share of the rest as it is weighted."""
        mine, others = codes[: self.selected], codes[self.selected :]
        return (
            np.bincount(mine, minlength=size),
            np.bincount(others, minlength=size),
            np.bincount(others, weights=self.weights, minlength=size),
        )


def _independent(frame: pd.DataFrame) -> int:
    """Rows of one trace share their pod, their version, their user: they count as one, as far as chance goes."""
    if "trace_id" not in frame.columns:
        return len(frame)
    ids = frame["trace_id"]
    return int(ids.nunique()) + int(ids.isna().sum())


def matched(
    selected: pd.DataFrame, rest: pd.DataFrame, within: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame, Sides, list[str]]:
    """The rows to be compared and how they count, with notes.

    Where `within` names columns the others are weighted to the mix of the selected (direct standardisation): of each
    combination of their values there is as large a share on both sides, so that neither they nor what goes along with
    them tells the sides apart. Rows without a counterpart are left out.

    Raises:
        UsageError: A frame lacks a column of `within`.
    """
    if not within:
        return selected, rest, Sides.of(selected, rest, np.ones(len(rest))), []
    missing = [name for name in within if name not in selected.columns or name not in rest.columns]
    if missing:
        raise UsageError(
            f"cannot compare within {', '.join(missing)}: no such column",
            hint=f"these are there: {', '.join(sorted(map(str, rest.columns)))}",
        )
    mine, others = strata(selected, rest, within)
    size = int(max(mine.max(initial=-1), others.max(initial=-1))) + 1
    many, other_many = np.bincount(mine, minlength=size), np.bincount(others, minlength=size)
    shared = (many > 0) & (other_many > 0)
    kept, other_kept = shared[mine], shared[others]
    weights = (many / np.maximum(other_many, 1))[others[other_kept]]
    lost = int((~kept).sum())
    notes = [f"{lost:,} selected rows have no counterpart of the same {' and '.join(within)}: left out"] if lost else []
    selected, rest = selected[kept], rest[other_kept]
    return selected, rest, Sides.of(selected, rest, weights), notes
