"""Values of attributes as text, one way for each of OpenTelemetry's types."""

from __future__ import annotations

import json
from typing import Any

from obs_magics.syntax.spans.attributes import VALUE_TYPES

STRING, INT, DOUBLE, BOOL, BYTES, ARRAY, KVLIST, EMPTY = range(len(VALUE_TYPES))
_NOT_FINITE = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}


def plain(value: Any) -> tuple[int, str]:
    """Type and text of a value as JSON has it.

    >>> plain(True), plain(12), plain([1, "a"])
    ((3, 'true'), (1, '12'), (5, '[1,"a"]'))
    """
    if value is None:
        return EMPTY, ""
    for kind, code, write in _PLAIN:
        if isinstance(value, kind):
            return code, write(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def json_text(value: Any) -> str:
    """A value as JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def int_text(value: int | str) -> str | None:
    """A 64-bit integer, which JSON holds as a number or as a text; None for what is none.

    >>> int_text("+9007199254740993"), int_text("x")
    ('9007199254740993', None)
    """
    try:
        return str(int(value))
    except (ValueError, OverflowError):
        return None


def double_text(value: float | str) -> str | None:
    """A double, which JSON holds as a number or as a text (`NaN`, `Infinity`); None for what is none."""
    try:
        return repr(value if type(value) is float else float(_NOT_FINITE.get(str(value), value)))
    except (ValueError, OverflowError):
        return None


def bool_text(value: bool) -> str:
    """`true` or `false`."""
    return "true" if value else "false"


# A bool is an int too, so it stands first.
_PLAIN: tuple[tuple[type, int, Any], ...] = (
    (str, STRING, str),
    (bool, BOOL, bool_text),
    (int, INT, str),
    (float, DOUBLE, repr),
    (list, ARRAY, json_text),
    (dict, KVLIST, json_text),
)
