"""Values as texts of labels, as Tempo's answers have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from obs_magics.local.traceql.values import BOOL, DURATION, FLOAT, INT, KIND, NIL, STATUS, STRING, Values
from obs_magics.model.spans import KINDS, STATUSES
from obs_magics.model.time import SECOND

_NIL = "nil"
_NUMBERS: Mapping[int, Callable[[int], str]] = {
    INT: str,
    BOOL: lambda flag: "true" if flag else "false",
    DURATION: lambda nanoseconds: f"{number_text(nanoseconds / SECOND)}s",
    STATUS: lambda place: STATUSES[place],
    KIND: lambda place: KINDS[place] if place >= 0 else "unspecified",
}


def texts_of(values: Values) -> list[str]:
    """One text per value; `nil` for none."""
    found = []
    for row, kind in enumerate(values.types.tolist()):
        if kind == STRING:
            found.append(values.strings[int(values.codes[row])].as_py())
        elif kind == FLOAT:
            found.append(number_text(float(values.floats[row])))
        else:
            found.append(_NIL if kind == NIL else _NUMBERS[kind](int(values.numbers[row])))
    return found


def number_text(number: float) -> str:
    """A number in its shortest form, without a fraction of 0."""
    return repr(float(number)).removesuffix(".0")
