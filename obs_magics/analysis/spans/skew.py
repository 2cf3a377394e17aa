"""Clock skew: spans of hosts whose clocks differ, moved to where their callers say they were.

The correction is that of Jaeger's adjuster (`CorrectClockSkew` in jaeger, adjuster/clockskew.go): a span from another
host than its parent is put into the middle of it, as if the way there took as long as the way back, and whatever hangs
below it on the same host moves along; a span that lasted longer than its parent is only kept from beginning before
it. What is narrower here is when: Jaeger moves every span that sticks out, also one that merely outlasts its caller.
Here the clocks must be the only explanation: it begins before its parent does, or it lies after the parent's end by
more than the parent lasted. Producers and consumers are let be: they may well begin when their parent is long over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from obs_magics.analysis.spans.attributes import arrow, first_attribute
from obs_magics.analysis.spans.times import bounds
from obs_magics.analysis.spans.tree import SpanTree, span_tree
from obs_magics.model.frames import TIMESTAMP_DTYPE
from obs_magics.model.spans import EVENTS_TYPE, KINDS

Array = np.ndarray[Any, Any]

_HOST_NAMES = ("host.id", "host.ip", "host.name", "k8s.node.name", "hostname", "ip")
_LEAST_NS = 1_000_000  # below the resolution of some clocks, nothing is said
_MOST_NAMED = 3
_ASYNCHRONOUS = [KINDS.index("producer"), KINDS.index("consumer")]


@dataclass(frozen=True, slots=True)
class _Told:
    """What spans say of themselves: by which clock, of which kind, and from when to when in nanoseconds."""

    host: Array
    kind: Array
    start: Array
    end: Array

    def at(self, rows: Array, moved: Array | int = 0) -> _Told:
        """Some of them, moved by so many nanoseconds."""
        return _Told(self.host[rows], self.kind[rows], self.start[rows] + moved, self.end[rows] + moved)


def corrected(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Move spans whose hosts' clocks differ from their callers'.

    Args:
        frame: A spans frame.

    Returns:
        The frame itself and no notes when all is well. Else a new one, in its own order again, with moved starts (and
        events) and a column `start_raw` with the times as they came; and a sentence for each service that was moved.
    """
    tree = span_tree(frame)
    told = _Told(_hosts(frame), frame["kind"].cat.codes.to_numpy(), *bounds(frame))
    child = np.flatnonzero(tree.parent >= 0)
    odd = child[_suspect(told.at(child), told.at(tree.parent[child]))]
    if not len(odd):
        return frame, ()
    moved = _moved_by(tree, told, odd)
    return _with_starts(frame, tree, told.start + moved, moved), _notes(frame, moved)


def _hosts(frame: pd.DataFrame) -> Array:
    """A number for each span's clock: that of its host, else of its service; -1 where both are unknown."""
    host, service = first_attribute(frame, _HOST_NAMES), frame["service"].astype(object)
    return pd.factorize(np.asarray(host.astype(object).where(host.notna(), service), dtype=object))[0]


def _suspect(own: _Told, above: _Told) -> Array:
    """Spans whose times contradict their parents', if both are told by the clocks given."""
    elsewhere = (own.host != above.host) & ~np.isin(own.kind, _ASYNCHRONOUS)
    lasted = above.end - above.start
    before = own.start < above.start - _LEAST_NS
    after = (own.start > above.end) & (own.end - above.end > np.maximum(lasted, _LEAST_NS))
    return np.asarray(elsewhere & (before | (after & (own.end - own.start <= lasted))))


def _moved_by(tree: SpanTree, told: _Told, odd: Array) -> Array:
    """Nanoseconds by which each span has to be moved, generation by generation in the traces that need it."""
    rows = np.flatnonzero(np.isin(tree.trace, tree.trace[odd]) & (tree.parent >= 0))
    rows = rows[np.argsort(tree.depth[rows], kind="stable")]
    moved = np.zeros(len(told.start), dtype=np.int64)
    for generation in np.split(rows, np.flatnonzero(np.diff(tree.depth[rows])) + 1):
        parent = tree.parent[generation]
        own, above = told.at(generation), told.at(parent, moved[parent])
        slack = (above.end - above.start) - (own.end - own.start)
        into = above.start + np.maximum(slack, 0) // 2 - own.start
        alone = np.where(_suspect(own, above), into, 0)
        moved[generation] = np.where(own.host == above.host, moved[parent], alone)
    return moved


def _with_starts(frame: pd.DataFrame, tree: SpanTree, start: Array, moved: Array) -> pd.DataFrame:
    """The frame with other starts, in its own order again."""
    changed = frame.assign(start=pd.DatetimeIndex(start, dtype=TIMESTAMP_DTYPE), start_raw=frame["start"].array)
    if "events" in frame.columns:
        changed["events"] = _moved_events(frame["events"], moved)
    first = np.full(len(tree.trace_ids), np.iinfo(np.int64).max)
    np.minimum.at(first, tree.trace, start)
    order = np.lexsort((np.arange(len(start)), start, tree.trace, first[tree.trace]))
    return changed.take(order).reset_index(drop=True)


def _moved_events(events: pd.Series[Any], moved: Array) -> pd.Series[Any]:
    whole = arrow(events, EVENTS_TYPE)
    flat, counts = whole.flatten(), np.nan_to_num(whole.value_lengths().to_numpy(zero_copy_only=False)).astype(np.int64)
    instants = flat.field("timestamp").cast(pa.int64()).to_numpy(zero_copy_only=False)
    later = pa.array(instants + np.repeat(moved, counts)).cast(pa.timestamp("ns", tz="UTC"))
    struct = pa.StructArray.from_arrays(
        [later, flat.field("name"), flat.field("attributes")], fields=list(EVENTS_TYPE.value_type)
    )
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
    return pd.Series(
        pa.ListArray.from_arrays(offsets, struct).cast(EVENTS_TYPE), dtype=events.dtype, index=events.index
    )


def _notes(frame: pd.DataFrame, moved: Array) -> tuple[str, ...]:
    """Who was moved, and by how much: the median."""
    rows = np.flatnonzero(moved)
    services = frame["service"].astype(object).where(frame["service"].notna(), "an unknown service").to_numpy()[rows]
    named = []
    for service in sorted(set(services)):
        by = moved[rows[services == service]]
        named.append((len(by), service, float(np.median(by)) / 1e6))
    named.sort(key=lambda one: (-one[0], one[1]))
    return (*_sentences(named[:_MOST_NAMED]), *_rest(named[_MOST_NAMED:]))


def _sentences(named: Sequence[tuple[int, str, float]]) -> list[str]:
    return [
        f"clock skew: {count} span{'' if count == 1 else 's'} of {service} moved {'later' if ms > 0 else 'earlier'} by"
        f" {abs(ms):.3g} ms to fit their callers; times as they came are in start_raw"
        for count, service, ms in named
    ]


def _rest(named: Sequence[tuple[int, str, float]]) -> list[str]:
    return [f"clock skew: spans of {len(named)} more services moved"] if named else []
