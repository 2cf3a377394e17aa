"""The call graph: which service calls which, how often, how long it takes, how often it fails, what the way costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.spans.attributes import arrow, attribute_table
from obs_magics.analysis.spans.bottlenecks import entries, quantiles
from obs_magics.analysis.spans.errors import failing
from obs_magics.analysis.spans.times import bounds, durations, self_time
from obs_magics.analysis.spans.tree import SpanTree, span_tree
from obs_magics.model.frames import STRING_DTYPE
from obs_magics.model.spans import DURATION_DTYPE, KINDS, LINKS_TYPE

Array = np.ndarray[Any, Any]

_CLIENT, _SERVER, _PRODUCER, _CONSUMER = (KINDS.index(kind) for kind in ("client", "server", "producer", "consumer"))
_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}

# What a call without a span of the callee is named after, by the kind of edge; OpenTelemetry's names, now and before.
_PEER = ("peer.service", "service.peer.name")
_DATABASE = ("db.system.name", "db.system")
_MESSAGING = ("messaging.system",)
_ADDRESS = ("server.address", "net.peer.name", "http.host", "peer.hostname", "network.peer.address", "net.peer.ip")
_NAMED_AFTER: Mapping[str, tuple[str, ...]] = {
    "database": (*_PEER, *_DATABASE),
    "messaging": (*_PEER, "messaging.destination.name", "messaging.destination", *_MESSAGING),
    "external": (*_PEER, *_ADDRESS, "rpc.service"),
}


@dataclass(frozen=True, slots=True)
class _Calls:
    """Calls end to end: names of both sides, the kind of edge, and the rows of both sides' spans, -1 for none."""

    caller: Array
    callee: Array
    kind: Array
    client: Array
    server: Array

    @classmethod
    def joined(cls, parts: Sequence[_Calls]) -> _Calls:
        """All of them."""
        names = ("caller", "callee", "kind", "client", "server")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def call_graph(frame: pd.DataFrame, *, tree: SpanTree | None = None) -> pd.DataFrame:
    """Who calls whom, in order of the names.

    A call is a span whose parent belongs to another service, a server below a client, a consumer that is linked to a
    producer; and a client or producer below which nobody answers, which is named after `peer.service`, the database,
    the queue or the address it speaks to.

    Args:
        frame: A spans frame.
        tree: Its tree, where somebody has it.

    Returns:
        `caller` · `callee` · `kind` (service, database, messaging, external) · `calls` · `rate` (calls per second over
        the time from the first start to the last end in the frame) · `errors` (calls of which either side failed) ·
        `error_share` · `p50`, `p95`, `p99` (timedeltas: the caller's span where there is one, else the callee's) ·
        `network` (timedelta: the median of the caller's minus the callee's duration; missing where one has no span, and
        for messages).
    """
    tree = span_tree(frame) if tree is None else tree
    services = _names(frame)
    answered = _answered(frame, tree, services)
    linked = _linked(frame, tree, services)
    heard = np.concatenate([answered.client, linked.client])
    calls = _Calls.joined([answered, linked, _unanswered(frame, tree, services, heard)])
    return _edges(frame, calls)


def services(frame: pd.DataFrame, *, tree: SpanTree | None = None) -> pd.DataFrame:
    """The services and how they answer, in order of their names.

    Returns:
        `service` · `calls` (spans that enter it) · `rate` (of those per second, as in `call_graph`) · `errors` ·
        `error_share` · `p50`, `p95`, `p99` (timedeltas) · `self_time` (timedelta, of all its spans) · `spans`.
    """
    tree = span_tree(frame) if tree is None else tree
    used = frame["service"].cat.remove_unused_categories()
    names, order = np.unique(used.cat.categories.to_numpy(dtype=object), return_inverse=True)
    codes = np.append(order, len(names))[used.cat.codes.to_numpy()]  # the last is for spans without a service
    rows = np.flatnonzero(entries(frame, tree) & (codes < len(names)))
    own = np.zeros(len(names) + 1, dtype=np.int64)
    np.add.at(own, codes, self_time(frame, tree=tree).to_numpy().view(np.int64))
    table = _rates(frame, codes[rows], durations(frame)[rows], failing(frame)[rows], len(names))
    table.insert(0, "service", pd.Series(names, dtype=STRING_DTYPE))
    table["self_time"] = own[:-1].view(DURATION_DTYPE)
    table["spans"] = np.bincount(codes, minlength=len(names) + 1)[:-1].astype(np.int64)
    return table


def seconds(frame: pd.DataFrame) -> float:
    """From the first start to the last end; missing when that is no time."""
    start, end = bounds(frame)
    span = (int(end.max()) - int(start.min())) / 1e9 if len(start) else 0.0
    return span or float("nan")


def _names(frame: pd.DataFrame) -> Array:
    known = frame["service"].cat.categories.to_numpy(dtype=object)
    return np.append(known, "")[frame["service"].cat.codes.to_numpy()]


def _answered(frame: pd.DataFrame, tree: SpanTree, names: Array) -> _Calls:
    """Calls of which both sides are in one trace."""
    kinds = frame["kind"].cat.codes.to_numpy()
    child = np.flatnonzero(tree.parent >= 0)
    parent = tree.parent[child]
    pair = np.isin(kinds[parent], [_CLIENT, _PRODUCER]) & np.isin(kinds[child], [_SERVER, _CONSUMER])
    called = (names[child] != names[parent]) & (names[child] != "") & (names[parent] != "") | pair
    child, parent = child[called], parent[called]
    message = (kinds[child] == _CONSUMER) | (kinds[parent] == _PRODUCER)
    client = np.where(np.isin(kinds[parent], [_CLIENT, _PRODUCER]), parent, -1)
    return _Calls(names[parent], names[child], _kind(message, "messaging", "service"), client, child)


def _linked(frame: pd.DataFrame, tree: SpanTree, names: Array) -> _Calls:
    """Messages: consumers without a parent, and the producers that they are linked to."""
    nobody = np.empty(0, dtype=np.int64)
    if "links" not in frame.columns:
        return _Calls(names[:0], names[:0], names[:0], nobody, nobody)
    links = arrow(frame["links"], LINKS_TYPE)
    sender = _keys(frame["trace_id"], frame["span_id"])
    flat = links.flatten()
    wanted = pc.binary_join_element_wise(flat.field("trace_id"), flat.field("span_id"), "/").cast(pa.large_string())
    client = pc.fill_null(pc.index_in(wanted, value_set=sender), -1).to_numpy().astype(np.int64)
    server = pc.list_parent_indices(links).to_numpy()
    kinds = frame["kind"].cat.codes.to_numpy()
    fits = (client >= 0) & (kinds[server] == _CONSUMER) & (tree.parent[server] < 0)
    client, server = client[fits], server[fits]
    kind = np.full(len(client), "messaging", dtype=object)
    return _Calls(names[client], names[server], kind, client, server)


def _keys(trace: pd.Series[Any], span: pd.Series[Any]) -> pa.Array:
    return pc.binary_join_element_wise(arrow(trace), arrow(span), pa.scalar("/", pa.large_string()))


def _unanswered(frame: pd.DataFrame, tree: SpanTree, names: Array, heard: Array) -> _Calls:
    """Clients and producers below which no other service has a span, named after what they speak to."""
    kinds = frame["kind"].cat.codes.to_numpy()
    alone = np.isin(kinds, [_CLIENT, _PRODUCER]) & (names != "")
    alone[heard[heard >= 0]] = False
    rows = np.flatnonzero(alone)
    at = frame.iloc[rows]
    found = attribute_table(at, sorted({name for group in _NAMED_AFTER.values() for name in group}))
    database = found[list(_DATABASE)].notna().any(axis=1).to_numpy()
    message = (kinds[rows] == _PRODUCER) | found[list(_MESSAGING)].notna().any(axis=1).to_numpy()
    kind = np.where(database, "database", np.where(message, "messaging", "external")).astype(object)
    callee = np.full(len(rows), "", dtype=object)
    for group, sources in _NAMED_AFTER.items():
        here = kind == group
        callee[here] = _first(found[list(sources)])[here]
    callee, ours = _our_own(callee, kind, set(names))
    kind[ours] = "service"
    named = callee != ""
    rows, callee, kind = rows[named], callee[named], kind[named]
    return _Calls(names[rows], callee, kind, rows, np.full(len(rows), -1))


def _first(columns: pd.DataFrame) -> Array:
    texts = columns.astype(object)
    filled = texts.bfill(axis=1).iloc[:, 0] if len(texts) else texts.iloc[:, 0]
    return np.asarray(filled.where(filled.notna(), ""), dtype=object)


def _our_own(callee: Array, kind: Array, known: set[str]) -> tuple[Array, Array]:
    """Names where an address is that of a service with spans (`cart` of `cart.shop.svc`), and which those are."""
    renamed = {name: name.partition(".")[0].partition(":")[0] for name in set(callee) if name}
    renamed = {name: short for name, short in renamed.items() if short in known}
    ours = np.array([name in renamed for name in callee], dtype=bool) & (kind == "external")
    return np.asarray([renamed[name] if own else name for name, own in zip(callee, ours, strict=True)], object), ours


def _kind(mask: Array, yes: str, no: str) -> Array:
    return np.where(mask, yes, no).astype(object)


def _edges(frame: pd.DataFrame, calls: _Calls) -> pd.DataFrame:
    """One row per caller, callee and kind."""
    data = pd.DataFrame({"caller": calls.caller, "callee": calls.callee, "kind": calls.kind}, dtype=STRING_DTYPE)
    grouped = data.groupby(["caller", "callee", "kind"], sort=True)
    codes, number = grouped.ngroup().to_numpy(), grouped.ngroups
    lasted, failed = durations(frame), failing(frame)
    shown = np.where(calls.client >= 0, calls.client, calls.server)
    both = (calls.client >= 0) & (calls.server >= 0) & (calls.kind != "messaging")
    bad = failed[shown] | (failed[calls.server] & (calls.server >= 0)) if len(failed) else np.empty(0, bool)
    table = _rates(frame, codes, lasted[shown], bad, number)
    gaps = lasted[calls.client[both]] - lasted[calls.server[both]]
    table["network"] = quantiles(codes[both], np.maximum(gaps, 0), 0.5, number)
    keys = data.iloc[_firsts(codes, number)].reset_index(drop=True)
    return pd.concat([keys, table], axis=1)


def _firsts(codes: Array, number: int) -> Array:
    first = np.zeros(number, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return first


def _rates(frame: pd.DataFrame, codes: Array, lasted: Array, failed: Array, number: int) -> pd.DataFrame:
    """Calls, rate, errors and quantiles of the duration of each group."""
    calls = np.bincount(codes, minlength=number).astype(np.int64)
    errors = np.bincount(codes[failed], minlength=number).astype(np.int64)
    columns: dict[str, Any] = {
        "calls": calls,
        "rate": calls / seconds(frame),
        "errors": errors,
        "error_share": errors / np.maximum(calls, 1),
    }
    columns |= {name: quantiles(codes, lasted, share, number) for name, share in _QUANTILES.items()}
    return pd.DataFrame(columns)
