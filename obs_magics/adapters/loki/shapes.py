"""Metadata objects of one shape: with the same names in the same order, so that only their values differ.

Nearly all objects of an answer have one of a few shapes. What stands around the values is the same in all of a shape;
where the values begin and end, the quotation marks tell. So no object has to be parsed.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Integers: TypeAlias = npt.NDArray[np.int64]
Bytes: TypeAlias = npt.NDArray[np.uint8]
Flags: TypeAlias = npt.NDArray[np.bool_]

SECTIONS = ("structuredMetadata", "parsed")
_TEXT = r'"([^"\\]*)"'
_VALUE = re.compile(f"{_TEXT}:{_TEXT}".encode())
_PLAIN = _TEXT.replace("(", "").replace(")", "")
_VALUES = f"{_PLAIN}:{_PLAIN}(?:,{_PLAIN}:{_PLAIN})*"
_SECTION = rf'"(?:{"|".join(SECTIONS)})":\{{(?:{_VALUES})?\}}'
_OBJECT = re.compile(rf"\{{(?:{_SECTION}(?:,{_SECTION})*)?\}}\n".encode())


@dataclass(frozen=True, slots=True)
class Shape:
    """Objects that differ in their values only, each with a line end behind it.

    Args:
        marks: How many quotation marks are in each.
        names: Of the values.
        opens: Which mark opens each value; the next one closes it.
        around: The bytes before each value, and those behind the last one.
    """

    marks: int
    names: tuple[str, ...]
    opens: tuple[int, ...]
    around: tuple[bytes, ...]


def shape_of(line: bytes) -> Shape | None:
    r"""The shape of an object; None when it has escapes, spaces, a name twice, or values that are no texts.

    >>> shape_of(b'{"structuredMetadata":{"user":"ann"}}' + bytes([10])).around
    (b'{"structuredMetadata":{"user":"', b'"}}\n')
    """
    if not _OBJECT.fullmatch(line):
        return None
    values = list(_VALUE.finditer(line))
    names = {value[1].decode(errors="replace"): None for value in values}
    if len(names) < len(values):
        return None
    cuts = [0, *itertools.chain.from_iterable(value.span(2) for value in values), len(line)]
    return Shape(
        marks=line.count(b'"'),
        names=tuple(names),
        opens=tuple(line.count(b'"', 0, value.start(2)) - 1 for value in values),
        around=tuple(line[begin:end] for begin, end in zip(cuts[::2], cuts[1::2], strict=True)),
    )


def fit(
    shape: Shape, block: Bytes, lines: tuple[Integers, Integers], marks: Integers, first: Integers
) -> tuple[Flags, Integers, Integers]:
    """Where the values of objects are that may have a shape.

    Args:
        shape: The shape.
        block: Bytes in which the objects lie.
        lines: Where each begins and ends; they have as many quotation marks as the shape.
        marks: Where the quotation marks of the block are.
        first: Which of these is the first one of each object.

    Returns:
        Which have the shape; where their values begin, one row for each name; and where they end.
    """
    begins, ends = np.empty((2, len(shape.opens), len(first)), np.int64)
    for row, at in enumerate(shape.opens):
        begins[row], ends[row] = marks[first + at] + 1, marks[first + at + 1]
    fits = np.ones(len(first), bool)
    for text, start, stop in zip(shape.around, [lines[0], *ends], [*begins, lines[1]], strict=True):
        fits &= stop - start == len(text)
        if fits.any():
            fits[fits] = _at(block, start[fits], len(text)) == text
    return fits, begins[:, fits], ends[:, fits]


def _at(block: Bytes, places: Integers, size: int) -> npt.NDArray[np.bytes_]:
    """The bytes from each place on."""
    windows: npt.NDArray[np.bytes_] = np.ndarray((len(block) - size + 1,), dtype=f"S{size}", buffer=block, strides=(1,))
    return windows[places]
