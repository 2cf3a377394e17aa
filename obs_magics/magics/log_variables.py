"""Puts Python variables into a question about logs: LogQL, LogsQL, or plain words.

LogQL quotes like PromQL (`magics.variables`). A variable alone may hold a whole question. In plain words it is its
text, in quotes where it could be mistaken for LogQL, and a list is its parts with `or` between them. In LogsQL a text
outside quotes is put into quotes, and a list becomes ``in("a","b")``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from numbers import Real
from typing import Any

from obs_magics.magics.promql_words import DOUBLE, in_quotes
from obs_magics.magics.values import Place, kind_of, plain, written
from obs_magics.magics.variables import PLACE, expand, expand_option, lookup
from obs_magics.model.errors import UsageError
from obs_magics.model.sources import LogLanguage


def expand_logs(text: str, namespace: Mapping[str, Any], *, zone: tzinfo, language: LogLanguage) -> str:
    """Replace the Python variables in a question about logs.

    Raises:
        UsageError: A name is unknown, or its value cannot stand where it is wanted.
    """
    if language == "logsql":
        return expand(text, namespace, zone=zone, write=_logsql)
    if "{" not in PLACE.sub("", text):
        if PLACE.fullmatch(text.strip()):
            return expand_option(text, namespace)  # a whole question in a variable
        return PLACE.sub(lambda place: _in_words(place, namespace), text)
    return expand(text, namespace, zone=zone)


def _in_words(place: re.Match[str], namespace: Mapping[str, Any]) -> str:
    if place["path"] is None:
        return expand_option(place[0], namespace)
    value = plain(lookup(place["path"], namespace))
    values = value if isinstance(value, list) else [value]
    if not values:
        raise Place(place["path"], "", "", True).refuse("is an empty list", "put something into it: it means no line")
    told = []
    for one in values:
        if not isinstance(one, str | Real | datetime | timedelta):
            how = "is" if one is value else "holds"
            raise Place(place["path"], "", "", True).refuse(
                f"{how} {kind_of(one)}, which is no word", "text, numbers, timedelta, datetime and lists of them are"
            )
        told.append(expand_option("${one}", {"one": one}) if not isinstance(one, str) else _phrase(one))
    return " or ".join(told)


def _phrase(text: str) -> str:
    """A text as plain words take it."""
    if not set(text) & set("{}[]\"'`"):
        return text
    mark = next((mark for mark in "\"'`" if mark not in text), None)
    if mark is None:
        raise UsageError(f"{text!r} has quotation marks of every kind", hint='write LogQL: {app="x"} |= "${name}"')
    return f"{mark}{text}{mark}"


def _logsql(value: Any, place: Place, zone: tzinfo) -> str:
    value = plain(value)
    if isinstance(value, list) and not place.quote:
        return f"in({','.join(_quoted(str(one)) for one in value)})"
    if isinstance(value, str) and not place.quote:
        return _quoted(value)
    return written(value, place, zone)


def _quoted(text: str) -> str:
    return f'"{in_quotes(text, DOUBLE)}"'
