"""Spans that came twice: kept once when they say the same, and kept apart, with a note, when they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.model.spans import EVENTS_TYPE, LINKS_TYPE
from obs_magics.syntax.spans.attributes import Attributes, Integers, concatenated, merged
from obs_magics.syntax.spans.columns import SpanColumns
from obs_magics.syntax.spans.lists import empty_lists

_COMPARED = ("parent_id", "service", "operation", "status_message", "links", "events")


def folded(columns: SpanColumns) -> SpanColumns:
    """Each span once; spans with one id and different content are all kept, and counted in a note."""
    ids = pc.binary_join_element_wise(columns.trace_id, columns.span_id, "")
    encoded = ids.dictionary_encode()
    if len(encoded.dictionary) == len(columns):
        return columns
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(np.bincount(codes)[codes] > 1)
    seen: dict[int, set[Any]] = {}
    twice: list[int] = []
    for row, code, content in zip(rows.tolist(), codes[rows].tolist(), _contents(columns, rows), strict=True):
        known = seen.setdefault(code, set())
        if content in known:
            twice.append(row)
        known.add(content)
    notes = list(columns.notes)
    differing = sum(len(known) > 1 for known in seen.values())
    if differing:
        what = "1 span id stands" if differing == 1 else f"{differing:,} span ids stand"
        notes.append(f"{what} for several spans of one trace that differ; all of them are kept")
    kept = columns.taken(np.delete(np.arange(len(columns)), twice)) if twice else columns
    return replace(kept, notes=tuple(notes))


def joined(parts: Sequence[SpanColumns]) -> SpanColumns:
    """Spans of several bodies as one; a span that came twice is kept once."""
    if len(parts) == 1:
        return parts[0]
    texts = ("trace_id", "span_id", "parent_id", "service", "operation", "status_message")
    numbers: dict[str, type[np.signedinteger[Any]]] = {
        "kind": np.int8,
        "start_ns": np.int64,
        "duration_ns": np.int64,
        "status": np.int8,
    }
    changes: dict[str, Any] = {name: _strung([getattr(part, name) for part in parts]) for name in texts}
    changes |= {name: _numbers([getattr(part, name) for part in parts], kind) for name, kind in numbers.items()}
    for name, lender in (("resources", "resource_of"), ("scopes", "scope_of")):
        before = np.cumsum([0, *(len(getattr(part, name)) for part in parts)])
        shifted = [getattr(part, lender) + start for part, start in zip(parts, before, strict=False)]
        changes[lender] = _numbers(shifted, np.int32)
    return folded(
        SpanColumns(
            attributes=concatenated([part.attributes for part in parts]),
            resources=concatenated([part.resources for part in parts]),
            scopes=concatenated([part.scopes for part in parts]),
            links=_optional([part.links for part in parts], parts, LINKS_TYPE),
            events=_optional([part.events for part in parts], parts, EVENTS_TYPE),
            notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
            **changes,
        )
    )


def _contents(columns: SpanColumns, rows: Integers) -> list[tuple[Any, ...]]:
    """All that these spans say, in a form that can be compared; the order of attributes does not count."""
    some = columns.taken(rows)
    lent = [(some.scopes, some.scope_of), (some.resources, some.resource_of)]
    fields: list[Sequence[Any]] = [
        [repr(value) for value in column.to_pylist()]
        for name in _COMPARED
        if (column := getattr(some, name)) is not None
    ]
    fields += [getattr(some, name).tolist() for name in ("kind", "start_ns", "duration_ns", "status")]
    fields.append([tuple(sorted(items)) for items in merged(some.attributes, lent).to_pylist()])
    fields.append(_types(some.attributes))
    return list(zip(*fields, strict=True))


def _types(attributes: Attributes) -> list[bytes]:
    """The types of each owner's attributes, in order of their keys."""
    keys = attributes.keys.dictionary_encode()
    rank = np.asarray(pc.rank(keys.dictionary), dtype=np.int64) if len(keys) else np.empty(0, np.int64)
    codes = rank[keys.indices.to_numpy(zero_copy_only=False)] if len(keys) else rank
    types = attributes.types[np.lexsort((codes, attributes.owners()))]
    return [part.tobytes() for part in np.split(types, attributes.offsets[1:-1])] if len(attributes) else []


def _strung(arrays: Sequence[pa.Array]) -> pa.Array:
    return pa.concat_arrays(arrays) if arrays else pa.array([], pa.string())


def _numbers(arrays: Sequence[Any], kind: type[np.signedinteger[Any]]) -> Any:
    return np.concatenate([np.empty(0, kind), *arrays]).astype(kind, copy=False)


def _optional(columns: Sequence[pa.Array | None], parts: Sequence[SpanColumns], kind: pa.DataType) -> pa.Array | None:
    if all(column is None for column in columns):
        return None
    filled = [
        empty_lists(len(part), kind) if column is None else column for column, part in zip(columns, parts, strict=True)
    ]
    return pa.concat_arrays(filled)
