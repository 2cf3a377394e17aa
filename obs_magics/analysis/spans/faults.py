"""Habits that cost time: the same call over and over, very many calls at once, calls repeated after they failed.

Each table has a row per kind of call with the trace to look at and the span whose children to look at in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.spans.errors import failing
from obs_magics.analysis.spans.queries import query_template, what_is_done
from obs_magics.analysis.spans.times import bounds
from obs_magics.analysis.spans.tree import SpanTree, span_tree
from obs_magics.model.frames import STRING_DTYPE
from obs_magics.model.spans import DURATION_DTYPE, KINDS

Array = np.ndarray[Any, Any]

N_PLUS_ONE = 5  # calls of one template from one parent; as Sentry's detector counts them
FAN_OUT = 20  # children of one span
_REMOTE = [KINDS.index(kind) for kind in ("client", "producer")]


def n_plus_one(frame: pd.DataFrame, *, at_least: int = N_PLUS_ONE, tree: SpanTree | None = None) -> pd.DataFrame:
    """The same query or call over and over from one parent, one after the other: one for each row of what came before.

    Args:
        frame: A spans frame.
        at_least: Calls of one template from one parent. Those that run all at once are no such loop.
        tree: The frame's tree, where somebody has it.

    Returns:
        `service` (who calls) · `parent` (its operation) · `what` (query template or operation) · `count` (the most
        calls from one parent) · `traces` (in which it happens) · `time` (timedelta, of all those calls) · `trace_id`,
        `parent_id` (where there are most). Most time first.
    """
    tree = span_tree(frame) if tree is None else tree
    start, end = bounds(frame)
    queries = query_template(frame)
    remote = np.isin(frame["kind"].cat.codes.to_numpy(), _REMOTE) | queries.notna().to_numpy()
    rows = np.flatnonzero((tree.parent >= 0) & remote)
    calls = pd.DataFrame(
        {
            "by": tree.parent[rows],
            "what": what_is_done(frame, queries)[rows],
            "start": start[rows],
            "end": end[rows],
            "time": end[rows] - start[rows],
        }
    )
    grouped = calls.groupby(["by", "what"], sort=True)
    found = grouped.agg(count=("time", "size"), time=("time", "sum"), start=("start", "min"), end=("end", "max"))
    found = found.reset_index()
    in_turn = found["time"] <= 1.5 * (found["end"] - found["start"])  # else they run beside each other
    return _by_caller(frame, tree, found[(found["count"] >= at_least) & in_turn])


def fan_out(frame: pd.DataFrame, *, at_least: int = FAN_OUT, tree: SpanTree | None = None) -> pd.DataFrame:
    """Spans with very many children.

    Returns:
        `service`, `operation` (of the span) · `count` (its most children) · `parallel` (how many of those ran at once)
        · `traces` · `trace_id`, `parent_id` (where there are most). Most children first.
    """
    tree = span_tree(frame) if tree is None else tree
    wide = np.flatnonzero(tree.children_count >= at_least)
    found = pd.DataFrame({"by": wide, "what": "", "count": tree.children_count[wide], "time": 0})
    table = _by_caller(frame, tree, found, "count").rename(columns={"parent": "operation"})
    at = dict(
        zip(zip(frame["trace_id"].iloc[wide], frame["span_id"].iloc[wide], strict=True), wide.tolist(), strict=True)
    )
    rows = [at[key] for key in zip(table["trace_id"], table["parent_id"], strict=True)]
    table["parallel"] = np.array([_at_once(frame, tree.children_of(row)) for row in rows], dtype=np.int64)
    return table[["service", "operation", "count", "parallel", "traces", "trace_id", "parent_id"]]


def retries(frame: pd.DataFrame, *, tree: SpanTree | None = None) -> pd.DataFrame:
    """Calls that were repeated by the same parent after they failed.

    Returns:
        `service` (who calls) · `parent` (its operation) · `what` (query template or operation) · `count` (repetitions
        in all) · `most` (of one call) · `succeeded` (share of the repeated calls of which the last one did not fail) ·
        `traces` · `time` (timedelta, of the calls that failed and were repeated) · `trace_id`, `parent_id` (where there
        are most). Most repetitions first.
    """
    tree = span_tree(frame) if tree is None else tree
    start, end = bounds(frame)
    rows = np.flatnonzero(tree.parent >= 0)
    done = pd.factorize(what_is_done(frame)[rows])[0]
    order = np.lexsort((rows, start[rows], done, tree.parent[rows]))
    rows, done = rows[order], done[order]
    parent, failed = tree.parent[rows], failing(frame)[rows]
    again = np.zeros(len(rows), dtype=bool)
    again[1:] = (
        (parent[1:] == parent[:-1]) & (done[1:] == done[:-1]) & failed[:-1] & (start[rows[1:]] >= end[rows[:-1]])
    )
    before = np.append(again[1:], False)
    calls = pd.DataFrame(
        {
            "by": parent,
            "done": done,
            "count": again.astype(np.int64),
            "time": np.where(before, (end - start)[rows], 0),
            "good": again & ~before & ~failed,
            "ended": again & ~before,
            "row": rows,
        }
    )
    grouped = calls[again | before].groupby(["by", "done"], sort=True)
    found = grouped.agg(
        count=("count", "sum"), time=("time", "sum"), good=("good", "sum"), ended=("ended", "sum"), row=("row", "first")
    )
    found = found.reset_index()
    found["what"] = what_is_done(frame)[found["row"].to_numpy(dtype=np.int64)]
    return _repeated(frame, tree, found)


def _repeated(frame: pd.DataFrame, tree: SpanTree, found: pd.DataFrame) -> pd.DataFrame:
    """The table of retries: one row per caller and call."""
    table = _by_caller(frame, tree, found, "count")
    keys = ["service", "parent", "what"]
    named = found.assign(**_caller_names(frame, found["by"].to_numpy(dtype=np.int64)))
    sums = named.groupby(keys, sort=True)[["count", "good", "ended"]].sum()
    at = pd.MultiIndex.from_frame(table[keys])
    table["most"] = table["count"]
    table["count"] = sums["count"].reindex(at).to_numpy(dtype=np.int64)
    table["succeeded"] = (sums["good"] / sums["ended"]).reindex(at).to_numpy(dtype=np.float64)
    table = table.sort_values("count", ascending=False, kind="stable", ignore_index=True)
    return table[[*keys, "count", "most", "succeeded", "traces", "time", "trace_id", "parent_id"]]


def _by_caller(frame: pd.DataFrame, tree: SpanTree, found: pd.DataFrame, first: str = "time") -> pd.DataFrame:
    """Groups of siblings, by service, operation of the parent and what is called; that with the most stands for all.

    Args:
        frame: The spans.
        tree: Their tree.
        found: `by` (row of the parent), `what`, `count`, `time` (ns).
        first: What the table is in order of, most first.
    """
    by = found["by"].to_numpy(dtype=np.int64)
    named = found.assign(**_caller_names(frame, by), trace=tree.trace[by])
    named = named.sort_values(["count", "by"], ascending=[False, True], kind="stable")
    grouped = named.groupby(["service", "parent", "what"], sort=True)
    table = grouped.agg(
        count=("count", "max"), traces=("trace", "nunique"), time=("time", "sum"), row=("by", "first")
    ).reset_index()
    table = table.sort_values(first, ascending=False, kind="stable", ignore_index=True)
    row = table.pop("row").to_numpy(dtype=np.int64)
    table["time"] = table["time"].to_numpy(dtype=np.int64).view(DURATION_DTYPE)
    ids = {"trace_id": frame["trace_id"].array.take(row), "parent_id": frame["span_id"].array.take(row)}
    texts = dict.fromkeys(("service", "parent", "what"), STRING_DTYPE)
    return table.astype({**texts, "count": np.int64, "traces": np.int64}).assign(**ids)


def _caller_names(frame: pd.DataFrame, rows: Array) -> dict[str, Any]:
    at = frame[["service", "operation"]].iloc[rows].astype(STRING_DTYPE).fillna("")
    return {"service": at["service"].to_numpy(dtype=object), "parent": at["operation"].to_numpy(dtype=object)}


def _at_once(frame: pd.DataFrame, rows: Array) -> int:
    """How many of some spans ran at the same time, at most; one that ends as another begins does not count."""
    at = frame.iloc[rows]
    start, end = bounds(at)
    long = start < end
    times = np.concatenate([start[long], end[long]])
    change = np.concatenate([np.ones(int(long.sum())), -np.ones(int(long.sum()))])
    return int(np.cumsum(change[np.lexsort((change, times))]).max(initial=1))
