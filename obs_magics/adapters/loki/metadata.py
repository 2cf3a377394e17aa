"""What an entry has beside its line: structured metadata, and what the query's parsers found in the line.

Objects of a known shape are cut where their values are; the others Arrow's JSON reader reads, as JSON lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from obs_magics.adapters.loki import bits, texts
from obs_magics.adapters.loki.shapes import SECTIONS, Shape, fit, shape_of
from obs_magics.adapters.loki.texts import Unusual

Integers: TypeAlias = npt.NDArray[np.int64]
Bytes: TypeAlias = npt.NDArray[np.uint8]
Flags: TypeAlias = npt.NDArray[np.bool_]
Columns: TypeAlias = dict[str, pa.Array]
# By name: which rows have a value, and where the value of each row begins and ends, in turns.
Places: TypeAlias = dict[str, tuple[Flags, Integers]]
_BLOCK = 1 << 22  # bytes that Arrow reads at a time; no object is larger
_MOST_SHAPES = 32  # with more of them, to look for the right one takes longer than to read the objects
_QUOTE, _BACKSLASH = b'"\\'
_LINE_END = ord("\n")


def columns(
    body: bytes, begins: Integers, ends: Integers, order: Integers, *, ascii_only: bool
) -> Mapping[str, pa.Array]:
    """Columns from the JSON objects between these places.

    Args:
        body: The whole body.
        begins: Where the objects begin; ascending.
        ends: Where they end.
        order: Which row each column's value belongs to, as in `texts.blocks`; -1 for a row without an object.
        ascii_only: Of the whole body: what is cut out of it is UTF-8 without a look.

    Raises:
        Unusual: They are not what Loki sends.
    """
    missing = order < 0
    shapes: list[Shape] = []
    blocks = texts.blocks(body, begins, ends + 1, order[~missing])  # with room for the end of a line
    found = _together([_columns(block, bounds, shapes) for block, bounds in blocks])
    if not ascii_only:
        for column in found.values():
            texts.check(column)
    if missing.any():
        index = pa.array(np.cumsum(~missing) - 1, mask=missing)
        found = {name: column.take(index) for name, column in found.items()}
    return found


def _columns(block: Bytes, bounds: Integers, shapes: list[Shape]) -> tuple[int, Columns]:
    """How many objects lie end to end, and their columns; shapes that are new are added to those known."""
    rows = len(bounds) - 1
    lines = block if block.flags.writeable else block.copy()  # Arrow shares what it did not have to copy
    lines[bounds[1:] - 1] = _LINE_END
    places, left = _by_shape(lines, bounds, shapes)
    others = np.flatnonzero(left)
    found: Columns = {}
    for name, (present, around) in places.items():
        found[name] = texts.strings(lines, around).take(pa.array(2 * np.arange(rows), mask=~present))
    if len(others):
        found = _with_others(found, texts.strings(lines, bounds), others)
    return rows, found


def _by_shape(lines: Bytes, bounds: Integers, shapes: list[Shape]) -> tuple[Places, Flags]:
    """Where the values of each name are, and which objects have no shape."""
    escapes = np.flatnonzero(lines == _BACKSLASH)
    quotes = lines == _QUOTE
    marks, first = np.flatnonzero(quotes), bits.counted(bits.packed(quotes), bounds)
    counts, size = np.diff(first), len(bounds) - 1
    plain, left = np.ones(size, bool), np.ones(size, bool)
    plain[np.searchsorted(bounds, escapes, side="right") - 1] = False
    places: Places = {}
    for at in range(_MOST_SHAPES):
        wanted = left & plain
        if not wanted.any():
            break
        if at == len(shapes):
            row = int(np.argmax(wanted))
            new = shape_of(lines[bounds[row] : bounds[row + 1]].tobytes())
            if new is None:
                break
            shapes.append(new)
        shape = shapes[at]
        alike = np.flatnonzero(wanted & (counts == shape.marks))
        fits, begins, ends = fit(shape, lines, (bounds[alike], bounds[alike + 1]), marks, first[alike])
        own = alike[fits]
        left[own] = False
        for name, begin, end in zip(shape.names, begins, ends, strict=True):
            # A row without the name has an empty place, so that all places ascend.
            present, around = places.setdefault(name, (np.zeros(size, bool), np.repeat(bounds[:-1], 2)))
            present[own], around[2 * own], around[2 * own + 1] = True, begin, end
    return places, left


def _with_others(found: Columns, lines: pa.Array, rows: Integers) -> Columns:
    """The columns with what Arrow reads in those rows that have no shape."""
    data, bounds = texts.buffers(lines.take(pa.array(rows)))
    if np.diff(bounds).max() >= _BLOCK:
        raise Unusual
    places = np.arange(len(lines))
    places[rows] = len(lines) + np.arange(len(rows))
    both = _together([(len(lines), found), (len(rows), _read(pa.py_buffer(data)))])
    return {name: column.take(pa.array(places)) for name, column in both.items()}


def _together(parts: Sequence[tuple[int, Columns]]) -> Columns:
    """Columns of several blocks of so many rows each, one below the other."""
    kind = pa.large_string()
    names = dict.fromkeys(name for _, part in parts for name in part)
    return {
        name: pa.concat_arrays(
            [part[name].cast(kind) if name in part else pa.nulls(rows, kind) for rows, part in parts]
        )
        for name in names
    }


def _read(lines: pa.Buffer) -> Columns:
    """Read twice when Arrow took a text for a time: the first reading tells the names."""
    try:
        table = _table(lines, None)
        kinds = {field.name: field.type for field in table.schema}
        if not kinds.keys() <= set(SECTIONS) or not all(pa.types.is_struct(kind) for kind in kinds.values()):
            raise Unusual
        if not all(field.type == pa.string() for kind in kinds.values() for field in kind):
            schema = pa.schema(
                [(name, pa.struct([(field.name, pa.string()) for field in kind])) for name, kind in kinds.items()]
            )
            table = _table(lines, schema)
    except pa.ArrowInvalid:
        raise Unusual from None
    found: Columns = {}
    for section in kinds:
        column = table.column(section).combine_chunks()
        for field, values in zip(column.type, column.flatten(), strict=True):
            found[field.name] = pc.coalesce(found[field.name], values) if field.name in found else values
    return found


def _table(lines: pa.Buffer, schema: pa.Schema | None) -> pa.Table:
    return pj.read_json(
        pa.BufferReader(lines),
        read_options=pj.ReadOptions(block_size=_BLOCK),
        parse_options=pj.ParseOptions(explicit_schema=schema),
    )


def columns_of(extras: Sequence[Mapping[str, Mapping[str, str]] | None]) -> Mapping[str, pa.Array]:
    """Columns from objects that have been decoded already, one a row."""
    found: dict[str, list[str | None]] = {}
    if not any(extras):
        return {}
    for row, extra in enumerate(extras):
        for section in SECTIONS:
            for name, value in ((extra or {}).get(section) or {}).items():
                column = found.setdefault(name, [None] * len(extras))
                if column[row] is None:
                    column[row] = value
    return {name: texts.array(values) for name, values in found.items()}
