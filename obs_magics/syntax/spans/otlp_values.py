"""Key-value pairs of OTLP JSON: `{"key": "…", "value": {"stringValue": "…"}}`, with every type of value.

The shapes are those of https://github.com/open-telemetry/opentelemetry-proto (common/v1) in protobuf's JSON: 64-bit
integers may be texts, doubles that are not finite are, bytes are base64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from obs_magics.model.errors import BadAnswer
from obs_magics.syntax.spans import pairs, values
from obs_magics.syntax.spans.attributes import Attributes
from obs_magics.syntax.spans.documents import mended


class AnyValue(msgspec.Struct, gc=False, rename="camel"):
    """A value; the one field that is there tells the type."""

    string_value: str | None = None
    int_value: int | str | float | None = None
    double_value: float | str | None = None
    bool_value: bool | str | None = None
    bytes_value: str | None = None
    array_value: ArrayValue | None = None
    kvlist_value: KeyValueList | None = None


class ArrayValue(msgspec.Struct, gc=False, rename="camel"):
    """A list of values."""

    values: list[AnyValue | None] | None = None


class KeyValue(msgspec.Struct, gc=False, rename="camel"):
    """A pair."""

    key: str | None = ""
    value: AnyValue | None = None


class KeyValueList(msgspec.Struct, gc=False, rename="camel"):
    """A mapping."""

    values: list[KeyValue] | None = None


Pairs = list[KeyValue]
_EMPTY = AnyValue()
_PAIRS = msgspec.json.Decoder(Pairs | None)
_ARRAY = msgspec.json.Decoder(ArrayValue)


def read_pairs(owners: Sequence[msgspec.Raw]) -> Attributes:
    """The pairs of several owners, each a JSON list, or empty.

    Raises:
        BadAnswer: Something is no pair.
    """
    try:
        return pairs.read_pairs(owners, _LAYOUT, _nested)
    except pairs.Unusual:
        pass
    return pairs_of([decode_pairs(raw) for raw in owners])


def decode_pairs(raw: bytes | msgspec.Raw) -> Pairs:
    """A JSON list of pairs, or nothing, as objects.

    Raises:
        BadAnswer: Something is no pair.
    """
    try:
        return (_PAIRS.decode(raw) or []) if len(raw) else []
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return _PAIRS.decode(mended(bytes(raw))) or []
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswer(f"an attribute is no pair of key and value: {error}") from None


def pairs_of(given: Sequence[Pairs]) -> Attributes:
    """The pairs of several owners, whatever their JSON looked like."""
    flat = list(chain.from_iterable(given))
    found = [pair.value or _EMPTY for pair in flat]
    texts: list[Any] = [value.string_value for value in found]
    types = np.zeros(len(flat), np.int8)
    places = [place for place, text in enumerate(texts) if text is None]
    for kind in _KINDS:  # type by type, not value by value: most of the time goes here
        contents = list(map(kind.content, map(found.__getitem__, places)))
        hits = [(place, content) for place, content in zip(places, contents, strict=True) if content is not None]
        if not hits:
            continue
        places = [place for place, content in zip(places, contents, strict=True) if content is None]
        for (place, content), text in zip(hits, kind.texts([content for _, content in hits]), strict=True):
            texts[place] = str(content) if text is None else text
            types[place] = values.STRING if text is None else kind.code
    for place in places:
        texts[place] = ""
    types[places] = values.EMPTY
    return Attributes.of([len(own) for own in given], [pair.key or "" for pair in flat], types, texts)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A type of values that are no text: where its content stands, and how that is written.

    Args:
        content: Gives the content of a value, None where it is of another type.
        code: Position in `VALUE_TYPES`.
        text: Writes one; None for what is none of this type, which is kept as text.
        quick: Writes one that is as it should be, and raises `ValueError` for others; None when there is no such way.
    """

    content: Callable[[AnyValue], Any]
    code: int
    text: Callable[[Any], str | None]
    quick: Callable[[Any], str] | None = None

    def texts(self, contents: Sequence[Any]) -> list[str | None]:
        """Write many."""
        if self.quick is not None:
            try:
                return list(map(self.quick, contents))
            except (ValueError, OverflowError, KeyError):
                pass
        return list(map(self.text, contents))


def _boolean(content: bool | str) -> str | None:
    text = str(content).lower()
    return text if text in ("true", "false") else None


def _array(content: ArrayValue) -> str:
    return values.json_text([_plain(item) for item in content.values or ()])


def _mapping(content: KeyValueList) -> str:
    return values.json_text({pair.key or "": _plain(pair.value) for pair in content.values or ()})


def _nested(text: bytes) -> str:
    """An array, as the bytes of its message; lists of pairs are never read in that way."""
    return _array(_ARRAY.decode(text))


def _plain(value: AnyValue | None) -> Any:
    """A value inside of another one, as JSON would have it without OTLP."""
    if value is None:
        return None
    if value.array_value is not None:
        return [_plain(item) for item in value.array_value.values or ()]
    if value.kvlist_value is not None:
        return {pair.key or "": _plain(pair.value) for pair in value.kvlist_value.values or ()}
    if value.string_value is not None:
        return value.string_value
    for kind in _KINDS:
        content = kind.content(value)
        if content is not None:
            text = kind.text(content)
            bare = text is not None and kind.code != values.BYTES and text not in ("nan", "inf", "-inf")
            return msgspec.json.decode(text or "") if bare else text or str(content)
    return None


_KINDS = (
    _Kind(attrgetter("int_value"), values.INT, values.int_text, lambda content: str(int(content))),
    _Kind(attrgetter("bool_value"), values.BOOL, _boolean, {True: "true", False: "false"}.__getitem__),
    _Kind(attrgetter("double_value"), values.DOUBLE, values.double_text),
    _Kind(attrgetter("bytes_value"), values.BYTES, str),
    _Kind(attrgetter("array_value"), values.ARRAY, _array),
    _Kind(attrgetter("kvlist_value"), values.KVLIST, _mapping),
)
_LAYOUT = pairs.Layout(
    before_type=b'","value":{"',
    before_value=b'":',
    tail=2,
    types={
        b"stringValue": values.STRING,
        b"intValue": values.INT,
        b"doubleValue": values.DOUBLE,
        b"boolValue": values.BOOL,
        b"bytesValue": values.BYTES,
        b"arrayValue": values.ARRAY,
    },
)
