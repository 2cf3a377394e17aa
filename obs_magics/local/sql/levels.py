"""Levels in SQL: a type in which they rank (trace < debug < info < warn < error < fatal), and comparisons that use it.

DuckDB orders an ENUM by rank, but compares it with a quoted word as text, by which `info` comes behind `error`. So the
word of an ordering comparison gets the type too, where it stands; against a column of texts nothing changes by that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from obs_magics.local.database import identifier, quoted
from obs_magics.model.logs import LEVELS

LEVEL = "level"
CREATE_TYPE = f"CREATE TYPE {LEVEL} AS ENUM ({', '.join(map(quoted, LEVELS))})"
CAST = f"::{LEVEL}"
_ORDERING = frozenset(
    {"COMPARE_LESSTHAN", "COMPARE_LESSTHANOREQUALTO", "COMPARE_GREATERTHAN", "COMPARE_GREATERTHANOREQUALTO"}
    | {"COMPARE_BETWEEN", "COMPARE_NOT_BETWEEN"}
)
_SIDES = ("left", "right", "input", "lower", "upper")

Node = Mapping[str, Any]


def as_level(name: str) -> str:
    """SQL that reads a column of words as levels."""
    return f"{identifier(name)}{CAST}"


def holds_levels(name: str, values: pa.Array | pa.ChunkedArray) -> bool:
    """Whether a column is called `level` and holds levels, and no other word."""
    words = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if name.lower() != LEVEL or not (pa.types.is_string(words) or pa.types.is_large_string(words)):
        return False
    found = set(values.unique().to_pylist()) - {None}
    return bool(found) and found <= set(LEVELS)


def compared(nodes: Iterator[Node]) -> tuple[list[Node], list[str]]:
    """The words in ordering comparisons that are levels, and those beside a column called `level` that are none."""
    levels: list[Node] = []
    others: list[str] = []
    for node in nodes:
        if node.get("type") not in _ORDERING:
            continue
        sides = [node[side] for side in _SIDES if side in node]
        words = [(side, text) for side in sides if (text := _word(side)) is not None]
        levels += [side for side, text in words if text in LEVELS]
        if any(_is_level_column(side) for side in sides):
            others += [text for _, text in words if text not in LEVELS]
    return levels, others


def _word(node: Node) -> str | None:
    """A quoted word, written as it stands."""
    literal = node.get("literal")
    if node.get("type") != "VALUE_CONSTANT" or not isinstance(literal, dict) or literal.get("kind") != "STRING":
        return None
    return str(literal.get("text"))


def _is_level_column(node: Node) -> bool:
    names = node.get("column_names") or [""]
    return node.get("type") == "COLUMN_REF" and str(names[-1]).lower() == LEVEL
