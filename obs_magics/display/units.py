"""Numbers with their unit, as a person says them: 234 ms, 1.2 GiB, 12.3 %.

Units are UCUM as OpenTelemetry writes them (s, By, 1, %, {request}/s). Bytes count in powers of 1024 (IEC), everything
else in powers of 1000 (SI), durations in the units of a clock.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

DIGITS = 3
_PREFIX_DIGITS = 6

_SI = ((1e-9, "n"), (1e-6, "µ"), (1e-3, "m"), (1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T"), (1e15, "P"))
_COUNT = ((1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T"), (1e15, "P"))
_IEC = tuple((1024.0**power, prefix) for power, prefix in enumerate(("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")))
_CLOCK = ((1e-9, " ns"), (1e-6, " µs"), (1e-3, " ms"), (1.0, " s"), (60.0, " min"), (3600.0, " h"), (86400.0, " d"))
_MINUTE = 4  # its place among them
_LONGEST = 1e12  # seconds that are still told in days and hours

# Unit → (what it is a multiple of, how many).
_SAME_AS: dict[str, tuple[str, float]] = {
    "ns": ("s", 1e-9),
    "us": ("s", 1e-6),
    "µs": ("s", 1e-6),
    "ms": ("s", 1e-3),
    "min": ("s", 60.0),
    "h": ("s", 3600.0),
    "d": ("s", 86400.0),
    "kBy": ("By", 1e3),
    "MBy": ("By", 1e6),
    "GBy": ("By", 1e9),
    "KiBy": ("By", 2.0**10),
    "MiBy": ("By", 2.0**20),
    "GiBy": ("By", 2.0**30),
    "TiBy": ("By", 2.0**40),
}
_SHOWN = {"Cel": "°C", "By": "B", "m": "m", "Ohm": "Ω"}
_PREFIXED = frozenset({"Hz", "V", "A", "W", "J", "g", "m", "Pa", "bit", "Ohm"})
_PERCENT = {"1": 100.0, "%": 1.0}


@dataclass(frozen=True, slots=True)
class Scale:
    """How numbers of one size are written: divided by `divisor`, then followed by `suffix` (with its space)."""

    divisor: float
    suffix: str


def scale_for(value: float, unit: str) -> Scale:
    """The scale on which `value` (in `unit`) reads best, so that most numbers lie between 1 and 1000."""
    base, _, per = unit.partition("/")
    base, factor = _SAME_AS.get(base, (base, 1.0))
    tail = f"/{_noun(per)}" if per else ""
    if base in _PERCENT and not per:
        return Scale(1 / _PERCENT[base], " %")
    steps = _steps(base, rate=bool(per))
    if abs(value) * factor >= 1e6 * steps[-1][0]:  # past the last prefix a power of ten says more: 1e300, not 1e285 P
        steps = tuple(step for step in steps if step[0] == 1.0)
    divisor, suffix = steps[_step(abs(value) * factor, steps)]
    return Scale(divisor / factor, f"{suffix}{tail}" if suffix or not tail else f" {tail}")


def _steps(base: str, *, rate: bool) -> tuple[tuple[float, str], ...]:
    if base == "s" and not rate:
        return _CLOCK
    if base in {"", "1"} or base.startswith("{"):
        noun = _noun(base) if base.startswith("{") else ""
        return tuple((divisor, f"{prefix}{' ' if noun else ''}{noun}") for divisor, prefix in _COUNT)
    shown = _SHOWN.get(base, base)
    if base == "By":
        return tuple((divisor, f" {prefix}{shown}") for divisor, prefix in _IEC)
    if base in _PREFIXED:
        return tuple((divisor, f" {prefix}{shown}") for divisor, prefix in _SI)
    return ((1.0, f" {shown}"),)


def _noun(text: str) -> str:
    return text.replace("{", "").replace("}", "")


def _step(size: float, steps: tuple[tuple[float, str], ...]) -> int:
    if size == 0 or not math.isfinite(size):
        return next(number for number, (divisor, _) in enumerate(steps) if divisor == 1.0)
    number = max(0, bisect_right([divisor for divisor, _ in steps], size * (1 + 1e-12)) - 1)
    following = steps[min(number + 1, len(steps) - 1)]
    # 999.7 ms would be written "1,000 ms": the next step says "1 s".
    rounds_up = _as_shown(size / steps[number][0]) * steps[number][0] >= following[0]
    return min(number + 1, len(steps) - 1) if rounds_up else number


def round_digits(value: float, digits: int = DIGITS) -> float:
    """Rounded to significant digits, half to even as Python's formatting does."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else value


def _as_shown(scaled: float) -> float:
    return float(round(scaled)) if 10**DIGITS <= abs(scaled) < 1e15 else round_digits(scaled)


def plain(value: float, digits: int = DIGITS) -> str:
    """A number with at most `digits` significant digits (all digits before the point are kept), no trailing zeros.

    >>> plain(1234.56), plain(0.5), plain(1e-7), plain(2.5e21)
    ('1,235', '0.5', '1e-7', '2.5e21')
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if size and (size >= 1e15 or size < 1e-4):
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{_trim(mantissa)}e{int(exponent)}".replace("-", "−", 1 if value < 0 else 0)
    before = len(str(int(size)))
    zeros = 0 if size >= 1 or not size else -math.floor(math.log10(size)) - 1
    places = max(0, digits - before) if size >= 1 else digits + zeros
    text = _trim(f"{value:,.{places}f}")
    return text.replace("-", "−") if text.strip("-0.,") else "0"


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_value(value: float, unit: str = "", *, digits: int = DIGITS) -> str:
    """A value in `unit` with `digits` significant digits.

    >>> format_value(0.2344, "s"), format_value(1288490188.8, "By"), format_value(0.123, "1")
    ('234 ms', '1.2 GiB', '12.3 %')
    """
    value = float(value)
    if not math.isfinite(value):
        return plain(value)
    # With many digits a prefix is in the way: 1,700,000,049 and not 1.700000049G.
    scale = scale_for(value, unit) if digits <= _PREFIX_DIGITS else scale_for(1.0, unit)
    scaled = value / scale.divisor
    return f"{plain(scaled, digits)}{scale.suffix}" if math.isfinite(scaled) else plain(value)


def scale_between(low: float, high: float, unit: str) -> Scale:
    """The scale for all numbers between `low` and `high`, so that they can be compared."""
    wide = digits_apart(low, high) <= _PREFIX_DIGITS
    return scale_for(max(abs(low), abs(high)) if wide else 1.0, unit)


def digits_apart(low: float, high: float) -> int:
    """Significant digits that tell numbers in a range apart: three, more in a narrow band far from zero."""
    largest, span = max(abs(low), abs(high)), high - low
    if math.isinf(span) or not 0 < largest < span * 1e12:
        return DIGITS
    return min(15, DIGITS + max(0, math.ceil(math.log10(largest / span) - 1.3)))


def shown_number(value: float, unit: str = "") -> float:
    """The number that `format_value` shows, in `unit` again: what a reader recounts with."""
    scale = scale_for(value, unit)
    return _as_shown(value / scale.divisor) * scale.divisor


def times(value: float, other: float, unit: str = "") -> str:
    """How many times `other` goes into `value`, from the numbers as shown, to two significant digits: "5.6×"."""
    first, second = shown_number(value, unit), shown_number(other, unit)
    return f"{plain(round_digits(first / second, 2))}×" if second else ""


def seconds_text(seconds: float) -> str:
    """A duration as a person says it: below a minute as a number, from there on in two units of the clock.

    >>> seconds_text(0.5), seconds_text(90), seconds_text(300), seconds_text(6420), seconds_text(201_600)
    ('500 ms', '1 min 30 s', '5 min', '1 h 47 min', '2 d 8 h')
    """
    if not _CLOCK[_MINUTE][0] <= abs(seconds) < _LONGEST:
        return format_value(seconds, "s")
    least = _CLOCK[bisect_right([size for size, _ in _CLOCK], abs(seconds)) - 2][0]
    rest, parts = round(abs(seconds) / least) * least, []
    for size, suffix in reversed(_CLOCK[_MINUTE - 1 :]):
        number, rest = divmod(rest, size)
        parts += [f"{number:,.0f}{suffix}"] if number else []
    return f"{'−' if seconds < 0 else ''}{' '.join(parts)}"


def count_text(number: int, noun: str, plural: str = "") -> str:
    """A count with its noun: "1 series", "1,000 points".

    >>> count_text(1, "point"), count_text(1000, "point"), count_text(1, "series", "series")
    ('1 point', '1,000 points', '1 series')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
