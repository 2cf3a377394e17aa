"""Attributes that are numbers: the threshold that tells best, as a round number in the unit that its name says."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from obs_magics.display.units import format_value, scale_for

Array = np.ndarray[Any, Any]

CUTS = 32
_LEAST_NUMBERS = 10  # distinct ones; fewer are names: status codes, versions, priorities
_LEAST_SHARE = 0.95  # of the rows with a value, whose value is a number
_SAMPLE = 64
_MOST_DIGITS = 17
_IDENTIFIER = re.compile(r"(?:^|[._\-/])(?:id|ids|uuid|guid|hash|port)$|[a-z](?:Id|ID|Uuid|UUID)$")
# What a name ends in → the unit of its numbers (UCUM).
_UNITS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"bytes$|(?:payload|body|message|content|response|request|file)[._](?:size|length)$"), "By"),
    (re.compile(r"(?:[._](?:ms|millis|milliseconds)|Ms|Millis)$"), "ms"),
    (re.compile(r"(?:[._](?:us|micros|microseconds)|Micros)$"), "us"),
    (re.compile(r"(?:[._](?:ns|nanos|nanoseconds)|Nanos)$"), "ns"),
    (re.compile(r"(?:[._](?:s|sec|secs|seconds)|Seconds)$"), "s"),
)


def is_identifier(name: str) -> bool:
    """Whether a name says that its numbers are no quantities.

    >>> is_identifier("order.id"), is_identifier("payload.size")
    (True, False)
    """
    return bool(_IDENTIFIER.search(name))


def numbers_of(name: str, values: pa.Array, counts: Array) -> Array | None:
    """The values as float64, NaN where one is no number; None when the attribute is no quantity.

    Args:
        name: Of the attribute.
        values: Distinct texts.
        counts: How many rows have each.
    """
    if len(values) < _LEAST_NUMBERS or is_identifier(name):
        return None
    if np.isnan(_parsed(values[:_SAMPLE])).mean() > 0.5:
        return None
    found = _parsed(values)
    known = ~np.isnan(found)
    enough = counts[known].sum() >= _LEAST_SHARE * counts.sum()
    return found if enough and len(np.unique(found[known])) >= _LEAST_NUMBERS else None


def _parsed(values: pa.Array) -> Array:
    texts = pd.Series(values.to_pandas(), dtype=object)
    found = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    parsed: Array = np.where(np.isfinite(found), found, np.nan)
    return parsed


def cuts(numbers: Array, mass: Array) -> Array:
    """Numbers at which the sides could part: at most `CUTS`, with equal mass between them; never the smallest.

    Args:
        numbers: float64, distinct and rising.
        mass: How much lies at each, however it is scaled.
    """
    below = np.cumsum(mass) - mass
    marks = np.arange(1, CUTS + 1) / (CUTS + 1) * mass.sum()
    places = np.unique(np.searchsorted(below, marks, side="left"))
    chosen: Array = numbers[places[(places > 0) & (places < len(numbers))]]
    return chosen


def threshold(name: str, below: float, number: float) -> float:
    """The number above `below` and up to `number` that is written with the fewest digits in the attribute's unit."""
    divisor = scale_for(number, unit_of(name)).divisor
    scaled = roundest(below / divisor, number / divisor) * divisor
    return scaled if below < scaled <= number else number


def roundest(below: float, number: float) -> float:
    """The number with the fewest digits above `below` and up to `number`.

    >>> roundest(1987654.0, 2000013.0), roundest(0.4, 0.41)
    (2000000.0, 0.41)
    """
    for digits in range(_MOST_DIGITS):
        candidate = _to_digits(number, digits)
        if below < candidate <= number:
            return candidate
    return number


def _to_digits(number: float, digits: int) -> float:
    """Rounded down to one digit and so many more."""
    mantissa, _, exponent = f"{number:.{_MOST_DIGITS}e}".partition("e")
    return float(f"{math.floor(float(mantissa) * 10**digits)}e{int(exponent) - digits}")


def unit_of(name: str) -> str:
    """The unit of an attribute's numbers as far as its name says it; empty for none.

    >>> unit_of("http.request.body.size"), unit_of("retry.delay_ms"), unit_of("batch.size")
    ('By', 'ms', '')
    """
    return next((unit for pattern, unit in _UNITS if pattern.search(name)), "")


def number_text(number: float, name: str) -> str:
    """A threshold as a person says it."""
    unit = unit_of(name)
    if unit:
        return format_value(number, unit)
    return f"{number:,.0f}" if number == round(number) and abs(number) < 1e15 else f"{number:,.6g}"


def plain_text(number: float) -> str:
    """A threshold as text that is read back as the same number."""
    return str(int(number)) if number == round(number) and abs(number) < 1e15 else repr(number)
