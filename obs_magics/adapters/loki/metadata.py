"""What an entry has beside its line: structured metadata, and what the query's parsers found in the line.

Arrow's JSON reader does the work: the objects are strung together as JSON lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from obs_magics.adapters.loki import texts
from obs_magics.adapters.loki.texts import Unusual

Integers: TypeAlias = npt.NDArray[np.int64]
_BLOCK = 1 << 22  # bytes that one thread reads at a time; no object is larger
SECTIONS = ("structuredMetadata", "parsed")


def columns(body: bytes, begins: Integers, ends: Integers, order: Integers) -> Mapping[str, pa.Array]:
    """Columns from the JSON objects between these places.

    Args:
        body: The whole body.
        begins: Where the objects begin; ascending.
        ends: Where they end.
        order: Which row each column's value belongs to, as in `texts.views`; -1 for a row without an object.

    Raises:
        Unusual: They are not what Loki sends.
    """
    missing = order < 0
    objects = texts.views(body, begins, ends + 1, order[~missing])  # with room for the end of a line
    data, offsets = texts.buffers(objects)
    if np.diff(offsets).max() >= _BLOCK:
        raise Unusual
    lines = data if data.flags.writeable else data.copy()  # a copy of our own already
    lines[offsets[1:] - 1] = ord("\n")
    found = _read(pa.py_buffer(lines))
    if missing.any():
        index = pa.array(np.cumsum(~missing) - 1, mask=missing)
        found = {name: column.take(index) for name, column in found.items()}
    return found


def _read(lines: pa.Buffer) -> dict[str, pa.Array]:
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
    found: dict[str, pa.Array] = {}
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
