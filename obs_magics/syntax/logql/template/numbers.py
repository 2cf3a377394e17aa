"""Functions of templates on numbers, and comparisons.

Texts are taken as numbers where they are ones, and as 0 where they are none, as sprig does; integers are those of
64 bits and wrap around.
"""

from __future__ import annotations

import decimal
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from obs_magics.syntax.logql.numbers import go_float
from obs_magics.syntax.logql.template.gotime import GoTime
from obs_magics.syntax.logql.template.values import Int64, TemplateError

_BITS = 64
_DIVISION_DIGITS = 16
_CONTEXT = decimal.Context(prec=400, Emax=10**6, Emin=-(10**6), rounding=decimal.ROUND_HALF_UP, traps=[])


def _wrapped(value: int) -> Int64:
    half = 1 << (_BITS - 1)
    return Int64((value + half) % (1 << _BITS) - half)


def to_int(value: Any) -> int:
    """As a whole number: 0 for what is none."""
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else 0
    if isinstance(value, str):
        return _int_of(value)
    return 0


def _int_of(text: str) -> int:
    """Decimal, octal (``010``), hexadecimal; ``3.0`` counts as whole."""
    whole, point, rest = text.partition(".")
    plain = whole if point and not rest.strip("0") and rest else text
    digits = plain.lstrip("+-")
    try:
        is_octal = len(digits) > 1 and digits[0] == "0" and digits.isdecimal()
        value = int(plain, 8 if is_octal else 0) if plain.isascii() and not plain[:1].isspace() else 0
    except ValueError:
        return 0
    return value if -(1 << 63) <= value < 1 << 63 else 0


def to_float(value: Any) -> float:
    """As a float: 0 for what is none."""
    if isinstance(value, bool | int | float):
        return float(value)
    if not isinstance(value, str):
        return 0.0
    special = value.lower().lstrip("+-")
    if special in {"inf", "infinity", "nan"}:
        return float(value)
    is_number = value == value.strip() and value.isascii()
    return (go_float(value) if is_number else None) or 0.0


def add(*values: Any) -> Int64:
    """The sum."""
    return _wrapped(sum(map(to_int, values)))


def sub(left: Any, right: Any) -> Int64:
    """The difference."""
    return _wrapped(to_int(left) - to_int(right))


def mul(*values: Any) -> Int64:
    """The product."""
    return _wrapped(math.prod(map(to_int, values)))


def div(left: Any, right: Any) -> Int64:
    """The quotient, cut towards 0."""
    above, below = _divisible(left, right)
    return _wrapped(abs(above) // abs(below) * (1 if (above < 0) == (below < 0) else -1))


def mod(left: Any, right: Any) -> Int64:
    """The remainder, with the sign of the left side."""
    above, below = _divisible(left, right)
    return _wrapped(int(math.copysign(1, above)) * (abs(above) % abs(below)))


def _divisible(left: Any, right: Any) -> tuple[int, int]:
    below = to_int(right)
    if below == 0:
        raise TemplateError("runtime error: integer divide by zero")
    return to_int(left), below


def of_floats(action: Callable[[decimal.Decimal, decimal.Decimal], decimal.Decimal]) -> Callable[..., float]:
    """A function that goes through floats from left to right, in decimal arithmetic."""

    def calculated(*values: Any) -> float:
        floats = [to_float(value) for value in values]
        if not all(map(math.isfinite, floats)):
            raise TemplateError("Cannot create a Decimal from a number that is not finite")
        result = decimal.Decimal(repr(floats[0])) if floats else decimal.Decimal(0)
        for value in floats[1:]:
            result = action(result, decimal.Decimal(repr(value)))
        return float(result)

    return calculated


def divided(left: decimal.Decimal, right: decimal.Decimal) -> decimal.Decimal:
    """A quotient of sixteen digits behind the point."""
    if not right:
        raise TemplateError("decimal division by 0")
    quotient = _CONTEXT.divide(left, right)
    return quotient.quantize(decimal.Decimal(1).scaleb(-_DIVISION_DIGITS), context=_CONTEXT)


addf = of_floats(_CONTEXT.add)
subf = of_floats(_CONTEXT.subtract)
mulf = of_floats(_CONTEXT.multiply)
divf = of_floats(divided)


def largest(*values: Any) -> Int64:
    """The largest whole number."""
    return Int64(max(map(to_int, values)))


def smallest(*values: Any) -> Int64:
    """The smallest whole number."""
    return Int64(min(map(to_int, values)))


def largest_float(*values: Any) -> float:
    """The largest number."""
    return max(map(to_float, values))


def smallest_float(*values: Any) -> float:
    """The smallest number."""
    return min(map(to_float, values))


def ceil(value: Any) -> float:
    """Rounded up."""
    number = to_float(value)
    return float(math.ceil(number)) if math.isfinite(number) else number


def floor(value: Any) -> float:
    """Rounded down."""
    number = to_float(value)
    return float(math.floor(number)) if math.isfinite(number) else number


def rounded(value: Any, places: int, *rounds_up_from: float) -> float:
    """Rounded to so many places; up from .5, or from the fraction given."""
    try:
        power = math.pow(10.0, places)
        digit = power * to_float(value)
        fraction, _ = math.modf(digit)
        whole = math.ceil(digit) if fraction >= (rounds_up_from[0] if rounds_up_from else 0.5) else math.floor(digit)
        return whole / power
    except (OverflowError, ValueError, ZeroDivisionError):
        return float("nan")


# Comparisons


def _basic_kind(value: Any) -> str:
    kinds = ((bool, "bool"), (int, "int"), (float, "float"), (str, "string"), (type(None), "nil"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "other")


def equal(first: Any, *others: Any) -> bool:
    """Whether the first is one of the others."""
    if not others:
        raise TemplateError("missing argument for comparison")
    return any(_same(first, other) for other in others)


def _same(left: Any, right: Any) -> bool:
    kinds = {_basic_kind(left), _basic_kind(right)}
    if len(kinds) > 1 and "nil" not in kinds:
        raise TemplateError("incompatible types for comparison")
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        raise TemplateError("non-comparable type")
    if isinstance(left, GoTime) and isinstance(right, GoTime):
        return left.ns == right.ns
    return bool(len(kinds) == 1 and left == right)


def different(left: Any, right: Any) -> bool:
    """Whether two values differ."""
    return not _same(left, right)


def ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """A comparison by size, of two numbers of one kind or two texts."""

    def compared(left: Any, right: Any) -> bool:
        kinds = (_basic_kind(left), _basic_kind(right))
        if kinds[0] != kinds[1]:
            raise TemplateError("incompatible types for comparison")
        if kinds[0] not in {"int", "float", "string"}:
            raise TemplateError("invalid type for comparison")
        return compare(left, right)

    return compared


less, at_most = ordered(operator.lt), ordered(operator.le)
greater, at_least = ordered(operator.gt), ordered(operator.ge)


# Parts of a whole


def length(value: Any) -> int:
    """How many bytes or elements there are."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, list | dict):
        return len(value)
    raise TemplateError("len of nil pointer" if value is None else f"len of type {_basic_kind(value)}")


def index(value: Any, *places: Any) -> Any:
    """The element at a place; with several places, the element of the element."""
    for place in places:
        value = _element(value, place)
    return value


def _element(value: Any, place: Any) -> Any:
    if isinstance(value, dict):
        if not isinstance(place, str):
            raise TemplateError("value has type int; should be string")
        return value.get(place)
    elements: Sequence[Any] | None = value if isinstance(value, list) else _raw(value)
    if elements is None:
        raise TemplateError(_no_elements("index", value))
    if isinstance(place, bool) or not isinstance(place, int):
        raise TemplateError(f"cannot index slice/array with type {_basic_kind(place)}")
    if not 0 <= place < len(elements):
        raise TemplateError(f"index out of range: {place}")
    return elements[place]


def _no_elements(action: str, value: Any) -> str:
    return f"{action} of untyped nil" if value is None else f"can't {action} item of type {_basic_kind(value)}"


def _raw(value: Any) -> bytes | None:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else None


def part(value: Any, *ends: Any) -> Any:
    """The elements from one place to another."""
    elements = value if isinstance(value, list) else _raw(value)
    if elements is None:
        raise TemplateError(_no_elements("slice", value))
    if len(ends) > 2:
        raise TemplateError(f"too many slice indexes: {len(ends)}")
    bounds = [0, len(elements)]
    for place, end in enumerate(ends):
        if isinstance(end, bool) or not isinstance(end, int):
            raise TemplateError(f"cannot index slice/array with type {_basic_kind(end)}")
        if not 0 <= end <= len(elements):
            raise TemplateError(f"index out of range: {end}")
        bounds[place] = end
    if bounds[0] > bounds[1]:
        raise TemplateError(f"invalid slice index: {bounds[0]} > {bounds[1]}")
    found = elements[bounds[0] : bounds[1]]
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found
