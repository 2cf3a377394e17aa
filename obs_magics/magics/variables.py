"""Puts Python variables into a query: `${name}` becomes its value, quoted for the place where it stands.

What stands in the place decides how a value is written:

=====================  ==========================  ===========================  ====================
value                  inside quotes               inside quotes after ``=~``   outside quotes
=====================  ==========================  ===========================  ====================
text                   escaped                     escaped (a pattern stays)    a name or a duration
number                 ``0.5``                     ``0.5``                      ``0.5``
list, Series, set      refused                     ``a|b``, each one literal    ``a, b``: names
timedelta              ``5m``                      ``5m``                       ``5m``
datetime               RFC 3339                    RFC 3339                     seconds since epoch
=====================  ==========================  ===========================  ====================

Outside quotes, right behind ``=``, ``!=``, ``=~`` or ``!~``, the quotes are added. A query that is nothing but
``${name}`` is the text of that variable. ``$${`` is a plain ``${``. Comments, ``$name``, ``${1}`` and ``${__interval}``
stay as typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from numbers import Real
from typing import Any, TypeAlias

from obs_magics.magics.values import Place, kind_of, nanoseconds_of, written
from obs_magics.model.errors import UsageError, did_you_mean
from obs_magics.model.time import format_duration

PATH = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
PLACE = re.compile(r"\$\$\{|\$\{(?:(?P<grafana>__\w+\})|(?P<path>" + PATH + r")\}|(?P<broken>[^\W\d]))")
_GROUPS = r"(?P<quote>[\"'`])|(?P<brace>[{}])|#[^\n]*"
_NEVER = r"(?P<quote>(?!))|(?P<brace>(?!))"
_START = r"(?P<place>\$?\$\{)"
_INSIDE = {
    "": re.compile(rf"{_START}|{_GROUPS}|(?P<end>(?!))"),
    '"': re.compile(rf'\\.|(?P<end>["\n])|{_START}|{_NEVER}', re.DOTALL),
    "'": re.compile(rf"\\.|(?P<end>['\n])|{_START}|{_NEVER}", re.DOTALL),
    "`": re.compile(rf"(?P<end>`)|{_START}|{_NEVER}"),
}
_OPERATOR = re.compile(r"(=~|!~|!=|=)\s*\Z")
# LogQL's line and label filters; ``!=`` and ``=`` also compare numbers there, and need the quotes typed.
_FILTER = re.compile(r"(\|~|!~|=~|\|=)\s*\Z")

Writer: TypeAlias = Callable[[Any, Place, tzinfo], str]


def sole_text(text: str, namespace: Mapping[str, Any]) -> str | None:
    """The value of a body that is nothing but one variable which holds a text: it is the query itself."""
    whole = re.fullmatch(rf"\s*\$\{{({PATH})\}}\s*", text)
    if whole is None or whole[1].startswith("__"):
        return None
    value = lookup(whole[1], namespace)
    return value if isinstance(value, str) else None


def expand(text: str, namespace: Mapping[str, Any], *, zone: tzinfo, write: Writer | None = None) -> str:
    """Replace the Python variables in a query: PromQL, and what quotes like it.

    Args:
        text: The query as typed.
        namespace: Where names are looked up.
        zone: What a naive datetime means.
        write: Writes a value in its place; None as the table above says.

    Raises:
        UsageError: A name is unknown, or its value cannot stand where it is wanted.
    """
    whole = sole_text(text, namespace)
    return "".join(_pieces(text, namespace, zone, write or written)) if whole is None else whole


def expand_option(text: str, namespace: Mapping[str, Any]) -> str:
    """Replace the Python variables in the value of an option: text and numbers as they are, times in ISO 8601."""

    def replace(place: re.Match[str]) -> str:
        if place["path"] is None:
            return untouched(place)
        value = lookup(place["path"], namespace)
        if isinstance(value, timedelta):
            return format_duration(nanoseconds_of(value))
        if isinstance(value, datetime):
            return value.isoformat()
        if isinstance(value, str | Real):
            return str(value)
        raise Place(place["path"], "", "", True).refuse(
            f"is {kind_of(value)}, which an option cannot take", "options take text, numbers, timedelta and datetime"
        )

    return PLACE.sub(replace, text)


def lookup(path: str, namespace: Mapping[str, Any]) -> Any:
    """The value of ``name`` or ``name.attribute``.

    Raises:
        UsageError: There is no such variable or attribute.
    """
    name, *attributes = path.split(".")
    if name not in namespace:
        known = [key for key in namespace if not key.startswith("_")]
        hint = did_you_mean(name, known) or f"set {name} in a cell above; $${{{path}}} is the plain text ${{{path}}}"
        raise UsageError(f"${{{path}}}: there is no Python variable {name}", hint=hint)
    value = namespace[name]
    for attribute in attributes:
        try:
            value = getattr(value, attribute)
        except AttributeError:
            # dir() of the value itself would run foreign code: pandas asks every registered accessor.
            names = {*dir(type(value)), *getattr(value, "__dict__", ())}
            known = sorted(name for name in names if not name.startswith("_"))
            raise UsageError(
                f"${{{path}}}: {kind_of(value)} has no attribute {attribute}", hint=did_you_mean(attribute, known)
            ) from None
    return value


def _pieces(text: str, namespace: Mapping[str, Any], zone: tzinfo, write: Writer) -> Iterator[str]:
    """The query in pieces, variables replaced."""
    scanner = _Scanner(text)
    position = 0
    while found := scanner.next(position):
        yield text[position : found.start()]
        position = found.end()
        place = PLACE.match(text, found.start()) if found["place"] else None
        if place is None:
            scanner.pass_by(found)
            yield found[0]
        elif place["path"] is None:
            position = place.end()
            yield untouched(place)
        else:
            position = place.end()
            yield write(lookup(place["path"], namespace), scanner.place(place), zone)
    yield text[position:]


class _Scanner:
    """Knows at each point of a query whether it is inside quotes, and behind which operator of a selector."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.quote = ""
        self.operator = ""
        self.opened = 0
        self.braces = 0

    def next(self, position: int) -> re.Match[str] | None:
        """The next thing that matters from `position` on."""
        return _INSIDE[self.quote].search(self.text, position)

    def pass_by(self, found: re.Match[str]) -> None:
        """Take note of a quote or a brace."""
        if found["end"]:
            self.quote = ""
        elif found["quote"]:
            self.operator = self._operator_before(found.start())
            self.quote, self.opened = found[0], found.end()
        elif found["brace"]:
            self.braces = max(0, self.braces + (1 if found[0] == "{" else -1))

    def place(self, found: re.Match[str]) -> Place:
        """Where a variable stands."""
        if not self.quote:
            return Place(found["path"], "", self._operator_before(found.start()), False)
        closing = self.text[found.end() : found.end() + 1]
        alone = found.start() == self.opened and closing == self.quote
        return Place(found["path"], self.quote, self.operator, alone)

    def _operator_before(self, position: int) -> str:
        operator = _OPERATOR if self.braces else _FILTER
        found = operator.search(self.text, max(0, position - 80), position)
        return found[1] if found else ""


def untouched(place: re.Match[str]) -> str:
    """What a `PLACE` without a variable of the user's becomes: ``$${`` a plain ``${``, Grafana's variables stay."""
    if place["broken"]:
        raise UsageError(
            f"{place.string[place.start() :][:30]!r} is not a variable",
            hint="${name} and ${name.attribute} are; compute the rest in a cell above, or write $${ for a plain ${",
        )
    return "${" if place[0] == "$${" else place[0]
