"""Whether a function takes the arguments that it is given, by Go's strict rules about types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from obs_magics.syntax.logql.template.functions import Function
from obs_magics.syntax.logql.template.gotime import GoTime
from obs_magics.syntax.logql.template.values import Int64, type_name

_WANTED: Mapping[str, tuple[type[Any], str]] = {
    "s": (str, "string"),
    "i": (int, "int"),
    "f": (float, "float64"),
    "t": (GoTime, "time.Time"),
}


def wrong_count(function: Function, values: Sequence[Any], name: str) -> str:
    """What Go says about a number of arguments that the function does not take; empty when it does."""
    takes, given = function.takes, len(values)
    if takes.endswith("*"):
        least = len(takes) - 2
        return f"wrong number of args for {name}: want at least {least} got {given}" if given < least else ""
    return f"wrong number of args for {name}: want {len(takes)} got {given}" if given != len(takes) else ""


def wrong_type(function: Function, values: Sequence[Any]) -> str:
    """What Go says about the first argument of a wrong type; empty when there is none."""
    takes = function.takes
    for place, value in enumerate(values):
        letter = takes[min(place, len(takes.rstrip("*")) - 1)]
        if letter == "a":
            continue
        kind, wanted = _WANTED[letter]
        if letter == "f" and isinstance(value, int) and not isinstance(value, bool):
            continue
        if not isinstance(value, kind) or (letter == "i" and isinstance(value, bool | Int64)):
            if value is None:
                return f"invalid value; expected {wanted}"
            return f"wrong type for value; expected {wanted}; got {type_name(value)}"
    return ""
