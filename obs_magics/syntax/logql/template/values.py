"""Values of a template as Go has them: what they are called, whether they count as true, how they print.

Strings are `str`, integers `int` (`Int64` where Go has an int64, which is another type to it), floats `float`;
times are `GoTime`; what JSON gives are lists and dicts; nil is None.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from obs_magics.syntax.logql.template.gotime import GoTime

_FIRST_WITH_EXPONENT = 6  # 1e6; Go's strconv, format g with the shortest digits


class TemplateError(Exception):
    """A template could not be filled in for a line; the text is what Loki puts into ``__error_details__``."""


class Int64(int):
    """An int64 of Go's: it prints and compares as an int, but no function that wants an int takes it."""


def type_name(value: Any) -> str:
    """What Go calls the type of a value."""
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "nil")


_TYPES: tuple[tuple[type[Any], str], ...] = (
    (bool, "bool"),
    (str, "string"),
    (Int64, "int64"),
    (int, "int"),
    (float, "float64"),
    (GoTime, "time.Time"),
    (list, "[]interface {}"),
    (Mapping, "map[string]interface {}"),
)


def is_true(value: Any) -> bool:
    """Whether `if` goes into its first branch: not for what is empty, zero, or nil."""
    return isinstance(value, GoTime) or bool(value)


def printed(value: Any) -> str:
    """A value as an action prints it."""
    return "<no value>" if value is None else inside(value)


def inside(value: Any) -> str:
    """A value as ``%v`` shows it; nil is ``<nil>``."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return go_float_text(value)
    if isinstance(value, list):
        return f"[{' '.join(map(inside, value))}]"
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{key}:{inside(value[key])}' for key in sorted(value))}]"
    return "<nil>" if value is None else str(value)


def go_float_text(value: float) -> str:
    """A float as ``%v`` shows it: the shortest digits, with an exponent below 1e-4 and from 1e6 on.

    >>> go_float_text(1.0), go_float_text(1234567.0), go_float_text(0.00001), go_float_text(float("inf"))
    ('1', '1.234567e+06', '1e-05', '+Inf')
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    minus, text = "-" if sign else "", "".join(map(str, digits))
    point = len(text) + int(exponent)  # how many digits stand before the decimal point
    if value and not -4 <= point - 1 < _FIRST_WITH_EXPONENT:
        tail = f".{text[1:]}" if len(text) > 1 else ""
        return f"{minus}{text[0]}{tail}e{'-' if point < 1 else '+'}{abs(point - 1):02d}"
    if point <= 0:
        return f"{minus}0.{'0' * -point}{text}"
    return f"{minus}{text.ljust(point, '0')[:point]}{'.' if point < len(text) else ''}{text[point:]}"
