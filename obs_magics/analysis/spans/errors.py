"""Error origins: of all spans that fail in a trace, the one that the others fail because of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.patterns import mine
from obs_magics.analysis.spans.attributes import arrow, attribute, first_attribute
from obs_magics.analysis.spans.tree import SpanTree, span_tree
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE
from obs_magics.model.spans import EVENTS_TYPE, STATUSES

Array = np.ndarray[Any, Any]

_ERROR = STATUSES.index("error")
_CODES = {"HTTP": ("http.response.status_code", "http.status_code"), "gRPC": ("rpc.grpc.status_code",)}
_EXCEPTION = ("exception.message", "error.message", "exception.type", "error.type")


def failing(frame: pd.DataFrame) -> Array:
    """Whether each span failed."""
    return np.asarray(frame["status"].cat.codes.to_numpy() == _ERROR)


def origin_rows(frame: pd.DataFrame, tree: SpanTree) -> Array:
    """The rows of failing spans that the failure of their traces comes from: one for each failing trace.

    Of the failing spans without a failing child, the one whose failure went up furthest, span by span; of several the
    deepest, then the first. What failed and was caught on the way matters less than what did not.
    """
    failed = failing(frame)
    caused = np.where(failed & failed[tree.parent] & (tree.parent >= 0), tree.parent, -1)
    leaves = failed & (np.bincount(caused[caused >= 0], minlength=len(frame)) == 0)
    reached = tree.depth[replace(tree, parent=caused).root]
    rows = np.flatnonzero(leaves)
    order = rows[np.lexsort((rows, -tree.depth[rows], reached[rows], tree.trace[rows]))]
    return order[np.unique(tree.trace[order], return_index=True)[1]]


def error_origins(frame: pd.DataFrame, *, tree: SpanTree | None = None) -> pd.DataFrame:
    """Where failing traces fail first, most frequent first.

    Args:
        frame: A spans frame.
        tree: Its tree, where somebody has it.

    Returns:
        `service` · `operation` · `message` (values that differ as `<*>`; empty when the spans say nothing) · `traces`
        (that fail there; each failing trace counts once) · `share` (of all failing traces) · `first`, `last` (start of
        the first and the last such span) · `example` (the first of those traces) · `span_id` (of the span in it).
    """
    tree = span_tree(frame) if tree is None else tree
    rows = origin_rows(frame, tree)
    at = frame.iloc[rows]
    said = pd.DataFrame(
        {
            "service": at["service"].astype(STRING_DTYPE).to_numpy(dtype=object, na_value=""),
            "operation": at["operation"].astype(STRING_DTYPE).to_numpy(dtype=object, na_value=""),
            "message": error_messages(at),
            "start": at["start"].to_numpy(dtype="datetime64[ns]").view(np.int64),
            "row": rows,
        }
    ).sort_values(["start", "row"], kind="stable")
    grouped = said.groupby(["service", "operation", "message"], sort=True)
    table = grouped.agg(traces=("row", "size"), first=("start", "min"), last=("start", "max"), row=("row", "first"))
    table = table.sort_values("traces", ascending=False, kind="stable").reset_index()
    example = table.pop("row").to_numpy(dtype=np.int64)
    table.insert(4, "share", table["traces"] / max(len(rows), 1))
    for name in ("first", "last"):
        table[name] = pd.DatetimeIndex(table[name].to_numpy(dtype=np.int64), dtype=TIMESTAMP_DTYPE)
    texts = dict.fromkeys(("service", "operation", "message"), STRING_DTYPE)
    ids = {"example": frame["trace_id"].array.take(example), "span_id": frame["span_id"].array.take(example)}
    return table.astype({**texts, "traces": np.int64}).assign(**ids)


def error_messages(spans: pd.DataFrame) -> Array:
    """What failing spans say: the status, else the exception, else the code; empty for nothing.

    Values are `<*>` where they differ from span to span; what is always the same is said as it is.
    """
    candidates = [
        arrow(spans["status_message"]),
        _of_events(spans),
        arrow(first_attribute(spans, _EXCEPTION)),
        *(_coded(spans, label, names) for label, names in _CODES.items()),
    ]
    nothing = pa.scalar("", pa.large_string())
    texts = pc.coalesce(*(pc.if_else(pc.equal(one, ""), None, one) for one in candidates), nothing)
    mined = mine(pa.chunked_array([texts]))
    said = pd.Series(texts.to_pylist(), dtype=object)
    differ = said.groupby(mined.assignment).transform("nunique") > 1
    return (
        np.where(differ, np.asarray(mined.templates, dtype=object)[mined.assignment], said)
        if len(said)
        else np.empty(0, object)
    )


def _coded(spans: pd.DataFrame, label: str, names: tuple[str, ...]) -> pa.Array:
    codes = arrow(first_attribute(spans, names))
    return pc.binary_join_element_wise(pa.scalar(label, pa.large_string()), codes, pa.scalar(" ", pa.large_string()))


def _of_events(spans: pd.DataFrame) -> pa.Array:
    """The message of each span's first exception event."""
    if "events" not in spans.columns:
        return pa.nulls(len(spans), pa.large_string())
    events = arrow(spans["events"], EVENTS_TYPE)
    flat, parents = events.flatten(), pc.list_parent_indices(events).to_numpy()
    inner = pd.DataFrame(
        {"attributes": pd.Series(flat.field("attributes"), dtype=pd.ArrowDtype(flat.field("attributes").type))}
    )
    texts = arrow(attribute(inner, "exception.message"))
    places = np.flatnonzero(texts.is_valid().to_numpy(zero_copy_only=False))[::-1]
    chosen = np.full(len(spans), -1, dtype=np.int64)
    chosen[parents[places]] = places
    return texts.take(pa.array(chosen, mask=chosen < 0))
