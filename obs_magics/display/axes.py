"""The axes of charts over time, their numbers as Vega expressions, and rows of numbers for a specification."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from obs_magics.display.clock import TimeAxis
from obs_magics.display.downsample import Array
from obs_magics.display.units import Scale, digits_apart

ROOM = 0.04  # of the value axis, above and below the lines
SUBTITLE_LENGTH = 110
MAX_SUBTITLE_LINES = 8
QUIET_VALUES: dict[str, Any] = {"title": None, "domain": False, "ticks": False, "labelPadding": 6}

_Spec = dict[str, Any]


def head(title: str, sentences: Sequence[str], spoken: str) -> _Spec:
    """Title, subtitle of at most eight lines, and the text alternative."""
    lines = [line for one in sentences for line in textwrap.wrap(one, SUBTITLE_LENGTH, break_on_hyphens=False)]
    if len(lines) > MAX_SUBTITLE_LINES:
        lines = [*lines[: MAX_SUBTITLE_LINES - 1], "…"]
    return {"title": {"text": title, **({"subtitle": lines} if lines else {})}, "description": spoken}


def time_encoding(axis: TimeAxis, *, domain: tuple[int, int] | None = None, labels: bool = True) -> _Spec:
    """Times on a UTC scale, labelled as the zone's clock.

    Args:
        axis: How times are moved and labelled.
        domain: Where the axis starts and ends, in milliseconds since the epoch; None for where the data do.
        labels: Whether the axis has labels and a title: in a column of charts only the last one needs them.
    """
    bounds = {} if domain is None else {"domain": [edge + axis.shift_ms for edge in domain]}
    shown: _Spec = {"title": axis.title, "labelExpr": axis.label(), "titlePadding": 8}
    return {
        "field": "x",
        "type": "temporal",
        "scale": {"type": "utc", **bounds},
        "axis": {
            **(shown if labels else {"title": None, "labels": False, "ticks": False}),
            "grid": False,
            "tickCount": 8,
            "labelOverlap": "greedy",
            "labelSeparation": 8,
        },
    }


def value_domain(low: float, high: float) -> tuple[float, float]:
    """Where the value axis starts and ends: at zero, unless that would press the lines flat."""
    if low == high:
        return (0.0, 1.0) if low == 0 else (min(low, 0.0), max(high, 0.0))
    return (0.0 if 0 <= low < 0.6 * high else low), (0.0 if 0 >= high > 0.6 * low else high)


def with_room(start: float, end: float, *, above: float = 0.0) -> tuple[float, float]:
    """A little more than the domain, but at zero: a line along the edge would be cut in half.

    Args:
        start: The lower end.
        end: The upper end.
        above: A share of the axis that stays free at its top, for letters.
    """
    room = ROOM * (end - start)
    top = end + room if end or above else end
    return start - room if start else start, start + (top - start) / (1 - above)


def value_encoding(scale: Scale, start: float, end: float, *, ticks: int = 5, above: float = 0.0) -> _Spec:
    """Values in the unit of `scale`, from `start` to `end` with a little room."""
    return {
        "field": "y",
        "type": "quantitative",
        "scale": {
            "domain": [edge / scale.divisor for edge in with_room(start, end, above=above)],
            "zero": False,
            "nice": False,
        },
        "axis": {
            **QUIET_VALUES,
            "labelExpr": f"{number('datum.value', digits_apart(start, end))} + {quoted(scale.suffix)}",
            "tickCount": ticks,
        },
    }


def number(value: str, digits: int) -> str:
    """A Vega expression for a number with at most so many significant digits; those before the point are all kept."""
    whole = f"',.{max(0, digits - 3)}~f'"
    pattern = f"abs({value}) < 1e15 && abs({value}) >= 100 ? {whole} : ',.{digits}~g'"
    return f"replace(format({value}, {pattern}), 'e+', 'e')"


def quoted(text: str) -> str:
    """A string literal of Vega's expression language."""
    escaped = "".join(char if char.isalnum() or char in " %/°.-" else f"\\u{ord(char):04x}" for char in text)
    return f"'{escaped}'"


def short_numbers(values: Array) -> list[float | int | None]:
    """Six significant digits, more where a series varies little around a large value; None for NaN."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return [None] * len(values)
    span, largest = float(finite.max() - finite.min()), float(np.abs(finite).max())
    steady = 11.0 if span == 0 else math.log10(largest or span) - math.log10(span)
    digits = 6 if largest <= span else min(17, 6 + math.ceil(steady))
    return [short_number(value, digits) if math.isfinite(value) else None for value in values.tolist()]


def short_number(value: float, digits: int) -> float | int:
    """A number with so many significant digits, whole where it is whole."""
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
