"""The spans frame: one row per span, trace by trace. See DESIGN section 3.

A spans frame has `trace_id` · `span_id` · `parent_id` (strings: lower-case hex of 32, 16 and 16 digits; the parent is
missing for a root) · `service` · `operation` · `kind` (categories) · `start` (datetime64[ns, UTC]) · `duration`
(timedelta64[ns]) · `status` (category: unset, ok, error) · `status_message` (string) · `attributes` (Arrow map of
string to string: the span's own, then those of its resource) · `links` (Arrow list of trace and span ids) and `events`
(Arrow list of time, name, attributes), which are there only when there are any. Traces stand in order of their first
span, the spans of a trace in order of start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import pyarrow as pa

from obs_magics.model.errors import BadAnswer
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE
from obs_magics.model.logs import text_column

Array = np.ndarray[Any, Any]
Kind = Literal["internal", "server", "client", "producer", "consumer"]
Status = Literal["unset", "ok", "error"]

KINDS: tuple[Kind, ...] = get_args(Kind)
STATUSES: tuple[Status, ...] = get_args(Status)
KIND_DTYPE = pd.CategoricalDtype(pd.Index(list(KINDS), dtype=STRING_DTYPE))
STATUS_DTYPE = pd.CategoricalDtype(pd.Index(list(STATUSES), dtype=STRING_DTYPE))
DURATION_DTYPE = np.dtype("timedelta64[ns]")
ATTRIBUTES_TYPE = pa.map_(pa.string(), pa.string())
LINKS_TYPE = pa.list_(pa.struct([("trace_id", pa.string()), ("span_id", pa.string())]))
EVENTS_TYPE = pa.list_(
    pa.struct([("timestamp", pa.timestamp("ns", tz="UTC")), ("name", pa.string()), ("attributes", ATTRIBUTES_TYPE)])
)
SPAN_COLUMNS = (
    "trace_id", "span_id", "parent_id", "service", "operation", "kind", "start", "duration", "status",
    "status_message", "attributes",
)  # fmt: skip
TRACE_ID_DIGITS, SPAN_ID_DIGITS = 32, 16


def spans_frame(
    *,
    trace_id: pa.Array,
    span_id: pa.Array,
    parent_id: pa.Array,
    service: pd.Categorical,
    operation: pd.Categorical,
    kind_codes: Array,
    start_ns: Array,
    duration_ns: Array,
    status_codes: Array,
    status_message: pa.Array,
    attributes: pa.Array,
    links: pa.Array | None = None,
    events: pa.Array | None = None,
) -> pd.DataFrame:
    """Build a spans frame from columns of one length, in whatever order; the rows are brought into theirs.

    Args:
        trace_id: Strings of 32 hex digits.
        span_id: Strings of 16 hex digits.
        parent_id: Strings of 16 hex digits, null for a root.
        service: Missing where unknown.
        operation: The span's name.
        kind_codes: Positions in `KINDS`, -1 where unknown.
        start_ns: int64 nanoseconds since the epoch.
        duration_ns: int64 nanoseconds.
        status_codes: Positions in `STATUSES`.
        status_message: Strings, null where there is none.
        attributes: `ATTRIBUTES_TYPE`.
        links: `LINKS_TYPE`; None when no span has one.
        events: `EVENTS_TYPE`; None when no span has one.
    """
    data: dict[str, Any] = {
        "trace_id": text_column(trace_id),
        "span_id": text_column(span_id),
        "parent_id": text_column(parent_id),
        "service": service,
        "operation": operation,
        "kind": pd.Categorical.from_codes(kind_codes.astype(np.int8, copy=False), dtype=KIND_DTYPE, validate=False),
        "start": pd.DatetimeIndex(start_ns.astype(np.int64, copy=False), dtype=TIMESTAMP_DTYPE, copy=False),
        "duration": duration_ns.astype(np.int64, copy=False).view(DURATION_DTYPE),
        "status": pd.Categorical.from_codes(
            status_codes.astype(np.int8, copy=False), dtype=STATUS_DTYPE, validate=False
        ),
        "status_message": text_column(status_message),
        "attributes": pd.Series(attributes, dtype=pd.ArrowDtype(ATTRIBUTES_TYPE)),
    }
    optional: Mapping[str, tuple[pa.Array | None, pa.DataType]] = {
        "links": (links, LINKS_TYPE),
        "events": (events, EVENTS_TYPE),
    }
    for name, (values, kind) in optional.items():
        if values is not None:
            data[name] = pd.Series(values, dtype=pd.ArrowDtype(kind))
    if any(len(column) != len(start_ns) for column in data.values()):
        raise ValueError("the columns do not have one length")
    order = _order(trace_id, start_ns)
    frame = pd.DataFrame(data, copy=False)
    return frame if order is None else frame.take(order).reset_index(drop=True)


def _order(trace_id: pa.Array, start_ns: Array) -> Array | None:
    """Rows by first span of the trace, trace, start; None when they stand so already."""
    codes = np.asarray(trace_id.dictionary_encode().indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    if not len(codes):
        return None
    first = np.full(int(codes.max()) + 1, np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(first, codes, start_ns)
    order = np.lexsort((np.arange(len(codes)), start_ns, codes, first[codes]))
    return None if (order[1:] > order[:-1]).all() else order


def empty_spans() -> pd.DataFrame:
    """A spans frame with no rows and the right dtypes."""
    nothing, none = pa.array([], pa.string()), np.empty(0, np.int64)
    empty = pd.Categorical.from_codes([], categories=pd.Index([], dtype=STRING_DTYPE))
    return spans_frame(
        trace_id=nothing,
        span_id=nothing,
        parent_id=nothing,
        service=empty,
        operation=empty,
        kind_codes=none,
        start_ns=none,
        duration_ns=none,
        status_codes=none,
        status_message=nothing,
        attributes=pa.array([], ATTRIBUTES_TYPE),
    )


def check_spans(frame: pd.DataFrame) -> None:
    """Raise `BadAnswer` when a frame is not a spans frame; for adapters' tests and outside adapters."""
    expected: dict[str, Any] = {
        **dict.fromkeys(("trace_id", "span_id", "parent_id", "status_message"), STRING_DTYPE),
        "kind": KIND_DTYPE,
        "start": TIMESTAMP_DTYPE,
        "duration": DURATION_DTYPE,
        "status": STATUS_DTYPE,
        "attributes": pd.ArrowDtype(ATTRIBUTES_TYPE),
    }
    missing = [name for name in SPAN_COLUMNS if name not in frame.columns]
    if missing:
        raise BadAnswer(f"a spans frame needs the columns {', '.join(missing)}", hint="build it with spans_frame()")
    wrong = [
        f"{name} is {frame[name].dtype}, not {dtype}" for name, dtype in expected.items() if frame[name].dtype != dtype
    ]
    wrong += [
        f"{name} is {frame[name].dtype}, not category"
        for name in ("service", "operation")
        if not isinstance(frame[name].dtype, pd.CategoricalDtype)
    ]
    for name, digits in (("trace_id", TRACE_ID_DIGITS), ("span_id", SPAN_ID_DIGITS)):
        if not frame[name].str.fullmatch(f"[0-9a-f]{{{digits}}}").all():
            wrong.append(f"{name} is not {digits} lower-case hex digits everywhere")
    if wrong:
        raise BadAnswer("; ".join(wrong), hint="build it with spans_frame()")
