"""Structured bodies among messages: each is mined for its message; the names of its other fields are kept beside it.

Bodies with the same message are one pattern whichever fields they have (optional ones come and go); bodies that have no
message are told apart by their fields.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.patterns.messages import Fields, json_object, logfmt, message_key
from obs_magics.analysis.patterns.words import WILDCARD

Array = np.ndarray[Any, Any]

PLAIN = -1
"""The number of what is no structured body."""

_LOGFMT_HINTS = ("msg=", "message=")


class Bodies:
    """The sets of fields that structured bodies have, numbered in order of appearance."""

    def __init__(self) -> None:
        self.known: list[Fields] = []
        self._numbers: dict[Fields, int] = {}

    def of_json(self, messages: pa.Array) -> tuple[pa.Array, Array]:
        """Messages with the text of JSON objects in place of these, and the number of the fields of each.

        Args:
            messages: Large strings without nulls.
        """
        objects = pc.starts_with(messages, "{")
        places = np.flatnonzero(objects.to_numpy(zero_copy_only=False))
        numbers = np.full(len(messages), PLAIN, np.int64)
        if not len(places):
            return messages, numbers
        encoded = messages.take(pa.array(places)).dictionary_encode()
        texts = encoded.dictionary.to_pylist()
        codes = np.full(len(texts), PLAIN, np.int64)
        for at, text in enumerate(texts):
            decoded = json_object(text)
            if decoded is not None:
                key = message_key(decoded)
                texts[at] = decoded[key].encode("utf-8", "replace").decode() if key else ""
                codes[at] = self._number(decoded, key)
        numbers[places] = codes[encoded.indices.to_numpy()]
        opened = pa.array(texts, pa.large_string()).take(encoded.indices)
        return pc.replace_with_mask(messages, objects, opened), numbers

    def of_logfmt(self, shapes: pa.Array) -> tuple[pa.Array, Array]:
        """The same for shapes of lines of logfmt."""
        hinted = pc.or_(*(pc.match_substring(shapes, hint) for hint in _LOGFMT_HINTS))
        places = np.flatnonzero(hinted.to_numpy(zero_copy_only=False))
        numbers = np.full(len(shapes), PLAIN, np.int64)
        if not len(places):
            return shapes, numbers
        texts = shapes.take(pa.array(places)).to_pylist()
        for at, text in enumerate(texts):
            pairs = logfmt(text)
            if pairs is not None:
                key = message_key(pairs) or ""
                texts[at] = pairs[key]
                numbers[places[at]] = self._number(pairs, key)
        return pc.replace_with_mask(shapes, hinted, pa.array(texts, pa.large_string())), numbers

    def _number(self, fields: dict[str, Any], message: str | None) -> int:
        names = tuple(sorted(name for name in fields if name != message))
        number = self._numbers.setdefault(names, len(self.known))
        if number == len(self.known):
            self.known.append(names)
        return number

    def named(self, templates: list[str], template: Array, numbers: Array) -> tuple[list[str], list[Fields], Array]:
        """Templates with the names of fields behind their messages, these fields, and the template of each message.

        Args:
            templates: Of the texts.
            template: Positions in them, one a message.
            numbers: Of the fields, one a message; `PLAIN` where there are none.
        """
        if not self.known:
            return templates, [()] * len(templates), template
        many = len(self.known) + 1
        pairs, pair_of = np.unique(template * many + numbers + 1, return_inverse=True)
        kinds = [(templates[pair // many], pair % many - 1) for pair in pairs.tolist()]
        fields: dict[_Kind, set[str]] = defaultdict(set)
        for text, number in kinds:
            fields[self._kind(text, number)].update(self.known[number] if number != PLAIN else ())
        found = {kind: _written(kind[0], fields[kind]) for kind in fields}
        texts = sorted(set(found.values()))
        position = {text: at for at, text in enumerate(texts)}
        fields_of = {found[kind]: tuple(sorted(names)) for kind, names in fields.items()}
        pattern = np.array([position[found[self._kind(*kind)]] for kind in kinds], np.int64)
        return texts, [fields_of[text] for text in texts], pattern[pair_of]

    def _kind(self, text: str, number: int) -> _Kind:
        """What is one pattern: a plain text, bodies of one message, bodies of one set of fields without a message."""
        if number == PLAIN:
            return text, None
        return text, () if text else self.known[number]


_Kind = tuple[str, Fields | None]


def _written(text: str, fields: set[str]) -> str:
    return " ".join([*([text] if text else []), *(f"{name}={WILDCARD}" for name in sorted(fields))])
