"""What Jaeger's tags tell that OpenTelemetry has fields for: kind, status, and its description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.model.spans import KINDS, STATUSES
from obs_magics.syntax.spans.attributes import Attributes, Codes, Integers

_ERROR = STATUSES.index("error")
_MORE = -1
_MESSAGE = "otel.status_description"
# Tags that become fields, and what their texts mean there, from 1 on; 0 is told by none.
_TOLD: Mapping[str, Mapping[str, int]] = {
    "span.kind": {kind: code + 1 for code, kind in enumerate(KINDS)},
    "error": {"true": 1, "unset": 2},
    "otel.status_code": {status.upper(): code + 1 for code, status in enumerate(STATUSES)},
    _MESSAGE: {},
}


@dataclass(frozen=True, slots=True)
class Told:
    """What tags tell that OpenTelemetry has fields for, and the tags that are left.

    A tag is left where it says more than its field can hold: an `error` that is neither true nor unset, a kind that
    nobody knows.
    """

    status: Codes
    kind: Codes
    message: pa.Array
    tags: Attributes

    @classmethod
    def by(cls, tags: Attributes) -> Told:
        """Look through all tags at once."""
        names = pc.index_in(tags.keys, pa.array(list(_TOLD))).fill_null(-1).to_numpy(zero_copy_only=False)
        places = np.flatnonzero(names >= 0)
        owners = np.searchsorted(tags.offsets, places, side="right") - 1
        texts, names = tags.texts.take(pa.array(places)), names[places]
        fields = {name: np.zeros(len(tags), np.int8) for name in _TOLD}
        gone = np.zeros(len(tags.keys), bool)
        for number, (name, table) in enumerate(_TOLD.items()):
            own = np.flatnonzero(names == number)
            found = _meant(texts.take(pa.array(own)), table)
            fields[name][owners[own]] = found
            gone[places[own[found != _MORE]]] = True
        own = np.flatnonzero(names == list(_TOLD).index(_MESSAGE))
        messages = _spread_texts(texts.take(pa.array(own)), owners[own], len(tags))
        gone[places[own]] = True
        kind, failed, code = (fields[name] for name in ("span.kind", "error", "otel.status_code"))
        status = np.where(code > 0, code - 1, np.where(failed == 1, _ERROR, 0))
        return cls(status.astype(np.int8), np.where(kind > 0, kind - 1, -1).astype(np.int8), messages, tags.only(~gone))


def _meant(texts: pa.Array, table: Mapping[str, int]) -> Codes:
    encoded = texts.dictionary_encode()
    known = np.asarray([table.get(text, _MORE) for text in encoded.dictionary.to_pylist()], np.int8)
    found: Codes = known[encoded.indices.to_numpy(zero_copy_only=False)]
    return found


def _spread_texts(texts: pa.Array, owners: Integers, rows: int) -> pa.Array:
    """One text per span; null where there is none, or an empty one."""
    positions = np.full(rows, -1, np.int64)
    positions[owners] = np.arange(len(owners))
    found = texts.take(pa.array(positions, mask=positions < 0))
    return pc.if_else(pc.equal(found, ""), None, found)
