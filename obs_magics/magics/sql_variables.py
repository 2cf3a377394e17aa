"""Puts Python variables into SQL: `${name}` becomes a literal, or text inside the quotes that stand around it.

=====================  ===============================  ==================
value                  outside quotes                   inside ``'…'``
=====================  ===============================  ==================
text                   ``'it''s'``                      ``it''s``
number, truth          ``0.5``, ``TRUE``                ``0.5``, ``true``
None                   ``NULL``                         refused
list, Series, set      ``('a', 'b')``                   refused
datetime, date         ``TIMESTAMPTZ '…'``, ``DATE …``  ISO 8601
timedelta              ``INTERVAL '…'``                 refused
=====================  ===============================  ==================

Inside ``"…"`` a text names a table or column. A cell that is nothing but ``${name}`` is the statement in that variable.
``$${`` is a plain ``${``; comments stay as typed. A frame is named without ``${}``: ``FROM frame``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

from obs_magics.magics.values import kind_of, nanoseconds_of, plain
from obs_magics.magics.variables import PLACE, lookup, sole_text, untouched
from obs_magics.model.errors import UsageError

_START = r"(?P<place>\$?\$\{)"
_INSIDE = {
    "": re.compile(rf"{_START}|(?P<quote>\b[eE]'|['\"])|--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL),
    "'": re.compile(rf"{_START}|(?P<quote>')"),
    '"': re.compile(rf'{_START}|(?P<quote>")'),
    "e'": re.compile(rf"\\.|{_START}|(?P<quote>')", re.DOTALL),
}
_QUOTE = "'"
_NOT_FINITE = {"NaN": "'NaN'::DOUBLE", "inf": "'Infinity'::DOUBLE", "-inf": "'-Infinity'::DOUBLE"}
_WAYS_OUT = {
    "DataFrame": "a frame is named as it is, without ${}: FROM {path}",
    "": "text, numbers, None, lists, date, datetime and timedelta can stand in SQL",
}


def expand_sql(text: str, namespace: Mapping[str, Any], *, zone: tzinfo) -> str:
    """Replace the Python variables in an SQL statement.

    Args:
        text: The statement as typed.
        namespace: Where names are looked up.
        zone: What a naive datetime means.

    Raises:
        UsageError: A name is unknown, or its value cannot stand where it is wanted.
    """
    whole = sole_text(text, namespace)
    return "".join(_pieces(text, namespace, zone)) if whole is None else whole


def _pieces(text: str, namespace: Mapping[str, Any], zone: tzinfo) -> Iterator[str]:
    quote, position = "", 0
    while found := _INSIDE[quote].search(text, position):
        yield text[position : found.start()]
        position = found.end()
        place = PLACE.match(text, found.start()) if found["place"] else None
        if place is None:
            quote = ("" if quote else found["quote"].lower()) if found["quote"] else quote
            yield found[0]
            continue
        position = place.end()
        if place["path"] is None:
            yield untouched(place)
        else:
            yield _written(lookup(place["path"], namespace), place, quote, zone)
    yield text[position:]


def _written(value: Any, place: re.Match[str], quote: str, zone: tzinfo) -> str:
    value = plain(value)
    if quote:
        return _inside(value, place["path"], quote, zone)
    if not isinstance(value, list):
        return _literal(value, place["path"], zone)
    if not value:
        raise _refused(place["path"], "is empty, and IN () is no SQL", "leave the filter out, or give it values")
    listed = ", ".join(_literal(item, place["path"], zone) for item in value)
    in_brackets = place.string[: place.start()].rstrip()[-1:] == "(" and place.string[place.end() :].lstrip()[:1] == ")"
    return listed if in_brackets else f"({listed})"


def _literal(value: Any, path: str, zone: tzinfo) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return f"'{_text(value, path, _QUOTE)}'"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, timedelta) and value == value:  # noqa: PLR0124 - pandas' NaT is not equal to itself
        return f"INTERVAL '{nanoseconds_of(value) // 1000} microseconds'"
    if isinstance(value, date):
        kind = "TIMESTAMPTZ" if isinstance(value, datetime) else "DATE"
        return f"{kind} '{_scalar(value, path, zone)}'"
    return _scalar(value, path, zone)


def _inside(value: Any, path: str, quote: str, zone: tzinfo) -> str:
    if isinstance(value, str):
        return _text(value, path, quote)
    if isinstance(value, list):
        raise _refused(path, "is a list, and quotes hold one value", "write IN ${…} without quotes around it")
    if quote == '"':
        raise _refused(path, f"is {kind_of(value)}, no name", "double quotes hold the name of a table or column")
    return _scalar(value, path, zone)


def _text(value: str, path: str, quote: str) -> str:
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise _refused(path, "holds characters that no query can carry", "remove NUL and lone surrogates from it")
    escaped = value.replace("\\", "\\\\") if quote == "e'" else value
    return escaped.replace(quote[-1], quote[-1] * 2)


def _scalar(value: Any, path: str, zone: tzinfo) -> str:
    """A value as SQL writes it where nothing has to be added."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Real):
        number = float(value)
        return repr(number) if math.isfinite(number) else _NOT_FINITE["NaN" if math.isnan(number) else repr(number)]
    if isinstance(value, datetime) and value == value:  # noqa: PLR0124 - as above
        return (value if value.tzinfo else value.replace(tzinfo=zone)).isoformat(timespec="microseconds")
    if isinstance(value, date) and value == value:  # noqa: PLR0124
        return value.isoformat()
    way_out = _WAYS_OUT.get(type(value).__name__, _WAYS_OUT[""])
    raise _refused(path, f"is {kind_of(value)}", way_out.replace("{path}", path))


def _refused(path: str, why: str, hint: str) -> UsageError:
    return UsageError(f"${{{path}}} {why}", hint=hint)
