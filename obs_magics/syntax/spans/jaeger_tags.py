"""Jaeger's tags: ``{"key": "…", "type": "int64", "value": 12}``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from obs_magics.model.errors import BadAnswer
from obs_magics.syntax.spans import pairs, values
from obs_magics.syntax.spans.attributes import Attributes
from obs_magics.syntax.spans.documents import mended

NO_TAGS = msgspec.Raw()


class _Tag(msgspec.Struct, gc=False):
    key: str | None = ""
    type: str | None = None
    value: Any = None


_TAGS = msgspec.json.Decoder(list[_Tag] | None)


def read_tags(owners: Sequence[msgspec.Raw]) -> Attributes:
    """The tags of several spans, processes or logs, each a JSON list, or empty.

    Raises:
        BadAnswer: Something is no tag.
    """
    try:
        return pairs.read_pairs(owners, _LAYOUT, bytes.decode)
    except pairs.Unusual:
        pass
    given = [_decoded(raw) for raw in owners]
    flat = [tag for tags in given for tag in tags]
    typed = [_typed(tag) for tag in flat]
    codes = np.asarray([code for code, _ in typed], np.int8)
    return Attributes.of([len(tags) for tags in given], [tag.key or "" for tag in flat], codes, [t for _, t in typed])


def _decoded(raw: msgspec.Raw) -> list[_Tag]:
    try:
        return (_TAGS.decode(raw) or []) if len(raw) else []
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return _TAGS.decode(mended(bytes(raw))) or []
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswer(f"a tag is no key, type and value: {error}") from None


def _typed(tag: _Tag) -> tuple[int, str]:
    """Type and text; a value that is none of the type it claims to be keeps the one that it has."""
    known = _KNOWN.get(tag.type or "")
    if known is None or tag.value is None or isinstance(tag.value, list | dict):
        return values.plain(tag.value)
    code, write = known
    text = write(tag.value)
    return values.plain(tag.value) if text is None else (code, text)


def _integer(value: Any) -> str | None:
    """An int64, which is a text where JavaScript could not hold it."""
    return None if isinstance(value, bool | float) and value != int(value) else values.int_text(value)


def _boolean(value: Any) -> str | None:
    text = str(value).lower()
    return text if text in ("true", "false") else None


def _string(value: Any) -> str:
    return values.plain(value)[1]


_KNOWN: dict[str, tuple[int, Callable[[Any], str | None]]] = {
    "string": (values.STRING, _string),
    "int64": (values.INT, _integer),
    "float64": (values.DOUBLE, values.double_text),
    "bool": (values.BOOL, _boolean),
    "binary": (values.BYTES, _string),
}
_LAYOUT = pairs.Layout(
    before_type=b'","type":"',
    before_value=b'","value":',
    tail=1,
    types={name.encode(): code for name, (code, _) in _KNOWN.items()},
)
