"""Timeouts: calls that again and again last a round number of seconds, because somebody gave up waiting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.spans.errors import failing
from obs_magics.analysis.spans.times import durations
from obs_magics.analysis.spans.tree import SpanTree, span_tree
from obs_magics.model.frames import STRING_DTYPE
from obs_magics.model.spans import DURATION_DTYPE

Array = np.ndarray[Any, Any]

ROUND_SECONDS = (1, 2, 5, 10, 15, 20, 30, 60)
_EARLY, _LATE = 0.001, 0.02  # of a round duration: how near to it a timeout ends
_SIDE = 0.2  # likewise: how far the durations on either side go that it is compared with
_FEWEST = 3
_MOST_FAIL = 0.5
_DENSER = 5.0
_COLUMNS = ["row", "timeout", "count", "errors", "traces"]


def timeouts(frame: pd.DataFrame, *, tree: SpanTree | None = None) -> pd.DataFrame:
    """Calls that end just after a round number of seconds, most of them first.

    Spans of one service and operation that last 1, 2, 5, 10, 15, 20, 30 or 60 s and at most 2 % more: at least three,
    of which most fail, or which lie five times as dense there as on either side. Where a span and its child both end
    so, the child is the one that is told.

    Args:
        frame: A spans frame.
        tree: Its tree, where somebody has it.

    Returns:
        `service` · `operation` · `timeout` (timedelta) · `count` · `errors` · `traces` · `trace_id`, `span_id`,
        `parent_id` (of the first one; `parent_id` missing for a root).
    """
    tree = span_tree(frame) if tree is None else tree
    named = frame[["service", "operation"]].astype(STRING_DTYPE).fillna("")
    groups = named.groupby(["service", "operation"], sort=True).ngroup().to_numpy()
    found = pd.concat([_clusters(frame, tree, groups, round_one) for round_one in ROUND_SECONDS], ignore_index=True)
    found = found.sort_values(["count", "timeout", "row"], ascending=[False, False, True], ignore_index=True)
    rows = found.pop("row").to_numpy(dtype=np.int64)
    found["timeout"] = (found["timeout"].to_numpy(dtype=np.int64) * 1_000_000_000).view(DURATION_DTYPE)
    ids = frame[["trace_id", "span_id", "parent_id"]].iloc[rows].reset_index(drop=True)
    return pd.concat([named.iloc[rows].reset_index(drop=True), found, ids], axis=1)


def _clusters(frame: pd.DataFrame, tree: SpanTree, groups: Array, round_one: int) -> pd.DataFrame:
    """The first row, the number, the errors and the traces of each group's spans near one round duration."""
    lasted = durations(frame) / (round_one * 1e9)
    near = (lasted >= 1 - _EARLY) & (lasted <= 1 + _LATE)
    parents = tree.parent[near & (tree.parent >= 0)]
    near[parents] = False
    rows = np.flatnonzero(near)
    number = int(groups.max(initial=-1)) + 1
    count = np.bincount(groups[rows], minlength=number)
    errors = np.bincount(groups[rows[failing(frame)[rows]]], minlength=number)
    around = np.bincount(groups[np.abs(lasted - 1) <= _SIDE], minlength=number) - count
    usual = np.maximum(around, 1) * (_EARLY + _LATE) / (2 * _SIDE - _EARLY - _LATE)
    stands_out = (errors > _MOST_FAIL * count) | (count >= _FEWEST + _DENSER * usual)
    chosen = np.flatnonzero((count >= _FEWEST) & stands_out)
    pairs = np.unique(np.stack([groups[rows], tree.trace[rows]]), axis=1)[0]
    first = np.full(number, -1)
    first[groups[rows[::-1]]] = rows[::-1]
    columns = [first[chosen], np.full(len(chosen), round_one), count[chosen], errors[chosen]]
    return pd.DataFrame(np.stack([*columns, np.bincount(pairs, minlength=number)[chosen]], axis=1), columns=_COLUMNS)
