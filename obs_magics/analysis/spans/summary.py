"""What a spans frame says in numbers: how long its traces took, what of, what failed first, what repeats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
import pandas as pd

from obs_magics.analysis.spans import faults
from obs_magics.analysis.spans.bottlenecks import bottlenecks
from obs_magics.analysis.spans.errors import error_origins, failing
from obs_magics.analysis.spans.timeouts import timeouts
from obs_magics.analysis.spans.times import bounds, critical_time
from obs_magics.analysis.spans.tree import SpanTree, span_tree
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE
from obs_magics.model.spans import DURATION_DTYPE
from obs_magics.model.trace_summary import Bottleneck, ErrorOrigin, Fault, FaultKind, SlowStep, TraceSummary

Array = np.ndarray[Any, Any]

_MOST_FAULTS = 4
_MOST_OF_A_KIND = 2
_STEP_SHARE = 0.1  # of the bottleneck's time: a query with less does not tell why it is slow


def trace_table(frame: pd.DataFrame, *, tree: SpanTree | None = None) -> pd.DataFrame:
    """One row per trace, in the frame's order.

    Args:
        frame: A spans frame.
        tree: Its tree, where somebody has it.

    Returns:
        `trace_id` · `service`, `operation` (of its first root) · `start` (datetime) · `duration` (timedelta, from the
        first start to the last end) · `critical` (timedelta, of its critical paths) · `spans` · `services` · `errors`
        (spans that failed) · `roots` (more than one where parents are missing).
    """
    tree = span_tree(frame) if tree is None else tree
    number = len(tree.trace_ids)
    start, end = bounds(frame)
    began, ended = np.full(number, np.iinfo(np.int64).max), np.full(number, np.iinfo(np.int64).min)
    np.minimum.at(began, tree.trace, start)
    np.maximum.at(ended, tree.trace, end)
    spent = np.zeros(number, dtype=np.int64)
    np.add.at(spent, tree.trace, critical_time(frame, tree=tree).to_numpy().view(np.int64))
    at = tree.roots[np.unique(tree.trace[tree.roots], return_index=True)[1]]
    codes = frame["service"].cat.codes.to_numpy().astype(np.int64)
    known = codes >= 0
    pairs = np.unique(tree.trace[known] * (int(codes.max(initial=0)) + 1) + codes[known])
    return pd.DataFrame(
        {
            "trace_id": pd.array(np.asarray(tree.trace_ids, dtype=object), dtype=STRING_DTYPE),
            "service": frame["service"].iloc[at].array,
            "operation": frame["operation"].iloc[at].array,
            "start": pd.DatetimeIndex(began, dtype=TIMESTAMP_DTYPE),
            "duration": (ended - began).view(DURATION_DTYPE),
            "critical": spent.view(DURATION_DTYPE),
            "spans": np.bincount(tree.trace, minlength=number).astype(np.int64),
            "services": np.bincount(pairs // (int(codes.max(initial=0)) + 1), minlength=number).astype(np.int64),
            "errors": np.bincount(tree.trace[failing(frame)], minlength=number).astype(np.int64),
            "roots": np.bincount(tree.trace[tree.roots], minlength=number).astype(np.int64),
        }
    )


def summarize_traces(
    frame: pd.DataFrame, *, start: pd.Timestamp | None = None, tree: SpanTree | None = None
) -> TraceSummary:
    """Say in numbers what a spans frame holds.

    Args:
        frame: A spans frame.
        start: Where the range that was asked for begins, when the frame holds all traces of it that fit: see
            `bottlenecks`.
        tree: The frame's tree, where somebody has it.
    """
    tree = span_tree(frame) if tree is None else tree
    traces = trace_table(frame, tree=tree)
    lasted = traces["duration"].to_numpy().view(np.int64)
    longest = int(np.argmax(lasted)) if len(lasted) else -1
    return TraceSummary(
        traces=len(traces),
        spans=len(frame),
        services=int(frame["service"].nunique()),
        errors=int(traces["errors"].sum()),
        failed=int((traces["errors"] > 0).sum()),
        total=_delta(int(traces["critical"].to_numpy().view(np.int64).sum())),
        median=_delta(_quantile(lasted, 0.5)),
        p95=_delta(_quantile(lasted, 0.95)),
        longest=_delta(int(lasted[longest]) if len(lasted) else 0),
        slowest=tree.trace_ids[longest] if len(lasted) else "",
        bottleneck=_bottleneck(frame, tree, start),
        origin=_origin(frame, tree),
        faults=_faults(frame, tree),
        notes=_notes(tree),
    )


def _quantile(values: Array, share: float) -> int:
    return int(np.quantile(values, share)) if len(values) else 0


def _delta(nanoseconds: int) -> timedelta:
    return timedelta(microseconds=nanoseconds / 1000)


def _bottleneck(frame: pd.DataFrame, tree: SpanTree, start: pd.Timestamp | None) -> Bottleneck | None:
    table = bottlenecks(frame, "service", start=start, tree=tree)
    if not len(table) or not table["critical"].iloc[0].value:
        return None
    top = table.iloc[0]
    service = _text(top["service"])
    step, step_since = _step(frame, tree, service, float(top["share"]), start)
    since = _earlier(_instant(top["since"]), step_since)
    return Bottleneck(
        service=service,
        share=float(top["share"]),
        critical=top["critical"].to_pytimedelta(),
        step=step,
        since=since,
        example=str(top["example"]),
    )


def _step(
    frame: pd.DataFrame, tree: SpanTree, service: str, share: float, start: pd.Timestamp | None
) -> tuple[SlowStep, datetime | None]:
    """The query that takes most of a service's time, unless that is next to nothing of it: then the operation."""
    kind: Literal["query", "operation"] = "query"
    own = _of_service(bottlenecks(frame, "query", start=start, tree=tree), service)
    if not len(own) or own["share"].iloc[0] < _STEP_SHARE * share:
        kind = "operation"
        own = _of_service(bottlenecks(frame, "operation", start=start, tree=tree), service)
    top = own.iloc[0]
    step = SlowStep(
        kind=kind,
        text=_text(top[kind]),
        share=float(top["share"]),
        calls=int(top["calls"]),
        average=top["average"].to_pytimedelta(),
        p95=top["p95"].to_pytimedelta(),
        outside=kind == "operation" and _leaves(frame, tree, service, _text(top[kind])),
    )
    return step, _instant(top["since"])


def _leaves(frame: pd.DataFrame, tree: SpanTree, service: str, operation: str) -> bool:
    """Whether most spans of an operation are calls below which there is nothing."""
    own = ((frame["service"] == service) & (frame["operation"] == operation)).to_numpy(dtype=bool)
    calls = own & frame["kind"].isin(["client", "producer"]).to_numpy(dtype=bool)
    alone = calls.copy()
    alone[tree.parent[tree.parent >= 0]] = False
    return 2 * int(alone.sum()) > int(own.sum())


def _of_service(table: pd.DataFrame, service: str) -> pd.DataFrame:
    return table[table["service"].fillna("") == service]


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    both = [instant for instant in (one, other) if instant is not None]
    return min(both) if both else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _instant(value: Any) -> datetime | None:
    return None if pd.isna(value) else value.to_pydatetime()


def _origin(frame: pd.DataFrame, tree: SpanTree) -> ErrorOrigin | None:
    table = error_origins(frame, tree=tree)
    if not len(table):
        return None
    top = table.iloc[0]
    return ErrorOrigin(
        service=str(top["service"]),
        operation=str(top["operation"]),
        message=str(top["message"]),
        traces=int(top["traces"]),
        share=float(top["share"]),
        example=str(top["example"]),
    )


# Each kind of fault: the table that finds it, and the column that says what is repeated.
_FINDERS: Mapping[FaultKind, tuple[Callable[..., pd.DataFrame], str]] = {
    "timeouts": (timeouts, "operation"),
    "retries": (faults.retries, "what"),
    "n_plus_one": (faults.n_plus_one, "what"),
    "fan_out": (faults.fan_out, "operation"),
}


def _faults(frame: pd.DataFrame, tree: SpanTree) -> tuple[Fault, ...]:
    """The first rows of each kind of fault."""
    found = []
    for kind, (finder, what) in _FINDERS.items():
        for row in finder(frame, tree=tree).head(_MOST_OF_A_KIND).to_dict("records"):
            parent = row["parent_id"]
            found.append(
                Fault(
                    kind=kind,
                    service=str(row["service"]),
                    what=str(row[what]),
                    count=int(row["count"]),
                    traces=int(row["traces"]),
                    trace_id=str(row["trace_id"]),
                    parent_id=_text(parent),
                    timeout=row["timeout"].to_pytimedelta() if "timeout" in row else None,
                )
            )
    return tuple(found[:_MOST_FAULTS])


# What is counted while the trees are made, and how it is said of one and of many.
_NOTES: Mapping[str, tuple[str, str]] = {
    "missing": ("1 span has a parent that is not here: it stands as a root",
                "{} spans have parents that are not here: they stand as roots"),
    "cycles": ("1 span is its own ancestor: it stands as a root",
               "{} spans are their own ancestors: their rings are broken at the first of each"),
    "duplicates": ("1 span has the id of another of its trace", "{} spans have the ids of others of their traces"),
}  # fmt: skip


def _notes(tree: SpanTree) -> tuple[str, ...]:
    counts = {name: int(getattr(tree, name)) for name in _NOTES}
    return tuple(_NOTES[name][count > 1].format(f"{count:,}") for name, count in counts.items() if count)
