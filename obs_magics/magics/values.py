"""A Python value as it is written in its place in a query: the table stands in `variables`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from numbers import Integral, Real
from typing import Any

from obs_magics.magics.promql_words import DOUBLE, in_pattern, in_quotes
from obs_magics.model.errors import UsageError
from obs_magics.model.time import SECOND, format_duration

_WORD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*|(?:[0-9]+(?:ms|[smhdwy]))+")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a variable stands: the quote around it (or none), the matching operator before, and whether it is alone."""

    path: str
    quote: str
    operator: str
    alone: bool

    @property
    def is_pattern(self) -> bool:
        """Whether a regular expression is wanted."""
        return self.operator in {"=~", "!~", "|~"}

    def refuse(self, why: str, hint: str) -> UsageError:
        """An error that names the variable."""
        return UsageError(f"${{{self.path}}} {why}", hint=hint)


def written(value: Any, place: Place, zone: tzinfo) -> str:
    """A value as it is written in its place."""
    value = plain(value)
    if isinstance(value, list):
        return _many(value, place)
    if isinstance(value, str):
        return _text(value, place)
    return _text_or_quoted(_scalar(value, place, zone), place)


def plain(value: Any) -> Any:
    """Containers as lists without duplicates, numpy's and pandas' scalars as Python's, patterns as their text."""
    if isinstance(value, re.Pattern):
        return value.pattern
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if isinstance(value, list | tuple):
        return _distinct(map(plain, value))
    if not isinstance(value, str | datetime | timedelta) and callable(tolist := getattr(value, "tolist", None)):
        listed = tolist()  # numpy arrays and scalars, pandas Series and Index
        return _distinct(listed) if isinstance(listed, list) else listed
    return value


def _distinct(values: Iterable[Any]) -> list[Any]:
    """Each value once; as they are where some cannot be told apart, and are refused later."""
    given = list(values)
    try:
        return list(dict.fromkeys(given))
    except TypeError:
        return given


def _scalar(value: Any, place: Place, zone: tzinfo) -> str:
    inside = bool(place.quote) or bool(place.operator)
    if isinstance(value, bool):
        return str(value).lower() if inside else str(int(value))
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return _float(float(value))
    if isinstance(value, timedelta):
        return _duration(value, place)
    if isinstance(value, datetime) and value == value:  # noqa: PLR0124 - pandas' NaT is a datetime, and not equal to itself
        when = value if value.tzinfo else value.replace(tzinfo=zone)
        return when.isoformat() if inside else f"{when.timestamp():.3f}"
    raise place.refuse(f"is {kind_of(value)}", _WAYS_OUT.get(type(value).__name__, _WAYS_OUT[""]))


_WAYS_OUT = {
    "DataFrame": "take a column of it: ${frame.service}",
    "NoneType": "it was never given a value",
    "": "text, numbers, lists of text, timedelta and datetime can stand in a query",
}


def _float(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return repr(value)


def _duration(value: timedelta, place: Place) -> str:
    nanoseconds = nanoseconds_of(value)
    if nanoseconds <= 0 or nanoseconds % (SECOND // 1000):
        raise place.refuse(f"is {value}, which no query can say", "durations are whole milliseconds above 0")
    return format_duration(nanoseconds)


def nanoseconds_of(value: timedelta) -> int:
    """Its length in nanoseconds."""
    return (value.days * 86_400 + value.seconds) * SECOND + value.microseconds * 1000


def _text(value: str, place: Place) -> str:
    if place.quote or place.operator:
        return _text_or_quoted(value, place)
    if not _WORD.fullmatch(value):
        raise place.refuse(
            f"is {value[:40]!r}, and only a name or a duration can stand outside quotes",
            'write {label="${name}"}; a whole query in a variable stands alone in the cell',
        )
    return value


def _text_or_quoted(value: str, place: Place) -> str:
    """Escaped inside quotes; behind an operator without quotes these are added; as it is elsewhere."""
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise place.refuse("holds characters that no query can carry", "remove NUL and lone surrogates from it")
    if place.quote == "`":
        if "`" in value:
            raise place.refuse("holds a backtick, which cannot stand inside backticks", "use double quotes there")
        return value
    if place.quote:
        return in_quotes(value, place.quote)
    return f'"{in_quotes(value, DOUBLE)}"' if place.operator else value


def _many(values: list[Any], place: Place) -> str:
    if not values:
        raise place.refuse("is empty, and matches nothing", "leave the filter out, or give it values")
    if not all(isinstance(value, str | Integral) for value in values):
        raise place.refuse("holds more than text and whole numbers", "make it a list of text")
    texts = [str(value) for value in values]
    if place.is_pattern:
        alternatives = "|".join(map(in_pattern, texts))
        grouped = alternatives if place.alone or not place.quote else f"(?:{alternatives})"
        return _text_or_quoted(grouped, place)
    if place.quote or place.operator:
        raise place.refuse(f"is {kind_of(values)}, and = takes one value", 'a list goes behind =~: {job=~"${jobs}"}')
    wrong = next((text for text in texts if not _LABEL.fullmatch(text)), None)
    if wrong is not None:
        raise place.refuse(f"holds {wrong!r}, which is not a label name", "outside quotes a list names labels")
    return ", ".join(texts)


def kind_of(value: Any) -> str:
    """What a value is, for messages: ``a list``, ``None``."""
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
