"""Judges SQL before it runs, by DuckDB's own parser: one statement that only reads, and what it names.

The kind of a statement is not enough: to the parser, ``WITH x AS (COPY … TO …) SELECT 1`` is a SELECT, and ``EXPLAIN
ANALYZE INSERT …`` an EXPLAIN. So the syntax tree is walked, and what is not known to read is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import duckdb
import msgspec

from obs_magics.local.sql import levels
from obs_magics.model.errors import QueryError

# The nodes of a syntax tree that are queries: https://github.com/duckdb/duckdb (QueryNodeType); the others write.
_READS = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
# Table functions that make rows or look into the catalog. Not here: those that read files, run SQL given as text, take
# pointers, or change settings.
TABLE_FUNCTIONS = frozenset(
    {
        "duckdb_columns", "duckdb_functions", "duckdb_keywords", "duckdb_tables", "duckdb_types", "duckdb_views",
        "generate_series", "json_each", "json_tree", "pg_timezone_names", "pragma_table_info", "range", "repeat",
        "repeat_row", "summary", "unnest",
    }
)  # fmt: skip
CLOCK_FUNCTIONS = frozenset(
    {"now", "get_current_timestamp", "transaction_timestamp", "current_timestamp", "today", "current_date"}
    | {"get_current_time", "current_localtimestamp", "localtimestamp", "current_localtime", "age"}
)
_NOWHERE = 2**64 - 1
_EXPLAIN = re.compile(
    r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*EXPLAIN\b(?:\s+ANALYZE\b|\s*\(\s*(?:ANALYZE|FORMAT)\b[^()]*\))*",
    re.IGNORECASE | re.DOTALL,
)
_ALLOWED = "SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE and EXPLAIN can be run"
_HINTS = {
    "MULTI": "PIVOT needs its columns named here: PIVOT … ON column IN ('a', 'b') USING …",
    "": f"only what reads is run here: {_ALLOWED}",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A table as a statement names it, and where: character offset from 0, None when unknown."""

    name: str
    position: int | None


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that only reads.

    Args:
        text: As typed.
        tables: Names without a schema before them, each once; those of its own WITH are left out.
        functions: Names of the functions it calls, in lower case.
        ranked: As it is run: words that are compared with `<`, `>` or BETWEEN and are levels have the levels' type.
        no_levels: Words that are so compared with a column called `level` and are none.
    """

    text: str
    tables: tuple[Named, ...]
    functions: frozenset[str]
    ranked: str
    no_levels: tuple[str, ...] = ()


def judge(text: str) -> Statement:
    """The statement in `text`.

    Raises:
        QueryError: There is none, or several, or one that does more than read, or it is no SQL. DuckDB's own syntax
            errors come as `duckdb.Error`.
    """
    offset = _query_offset(text)
    tree = _tree(text, offset)
    tables: dict[str, Named] = {}
    functions: set[str] = set()
    own: set[str] = set()
    for node in _nodes(tree):
        kind = node.get("type")
        if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _READS:
            raise _refused(text, kind.partition("_")[0])
        if kind == "TABLE_FUNCTION":
            _check_function(text, offset, node)
        if kind == "BASE_TABLE" and not node.get("schema_name") and not node.get("catalog_name"):
            name = str(node["table_name"])
            tables.setdefault(name.lower(), Named(name, _position(text, offset, node)))
        if "function_name" in node:
            functions.add(str(node["function_name"]).lower())
        if "cte_map" in node:
            own.update(str(entry["key"]).lower() for entry in node["cte_map"]["map"])
    named = tuple(table for key, table in tables.items() if key not in own)
    words, no_levels = levels.compared(_nodes(tree))
    return Statement(text, named, frozenset(functions), _ranked(text, offset, words), tuple(no_levels))


def _ranked(text: str, offset: int, words: list[levels.Node]) -> str:
    ends = {_offset(text, offset, node["query_location"] + node["query_location_length"]) for node in words}
    for end in sorted(ends, reverse=True):
        text = text[:end] + levels.CAST + text[end:]
    return text


def _query_offset(text: str) -> int:
    """Where the query begins: behind EXPLAIN when there is one, else at the start."""
    statements = _parser().cursor().extract_statements(text)
    if not statements:
        raise QueryError("there is no query", query=text, hint="write for example: SELECT * FROM metrics LIMIT 10")
    if len(statements) > 1:
        raise QueryError(
            f"{len(statements)} statements in one cell, and one is run at a time",
            query=text,
            hint="put each in a cell of its own, or join them with WITH",
        )
    kind = statements[0].type.name
    if kind == "EXPLAIN" and (explain := _EXPLAIN.match(text)):
        return explain.end()
    if kind != "SELECT":
        raise _refused(text, kind)
    return 0


def _tree(text: str, offset: int) -> Any:
    query = text[offset:]
    (serialized,) = _parser().cursor().execute("SELECT json_serialize_sql(?)", [query]).fetchall()[0]
    tree = msgspec.json.decode(serialized)
    if tree["error"]:  # it parsed, so what cannot be written as a tree is no query
        raise _refused(text, next((one.type.name for one in _parser().cursor().extract_statements(query)), "EXPLAIN"))
    return tree


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting.extend(reversed(item.values()))  # the first one typed comes first
        elif isinstance(item, list):
            waiting.extend(reversed(item))


def _check_function(text: str, offset: int, node: dict[str, Any]) -> None:
    name = str(node["function"]["function_name"]).lower()
    if name not in TABLE_FUNCTIONS:
        raise QueryError(
            f"{name}() cannot be used here: SQL reads the tables of the source and frames of the notebook, no files",
            query=text,
            position=_position(text, offset, node),
            length=len(name),
            hint="open a file with `%obs connect NAME PATH`, or read it into a frame and name that",
        )


def _position(text: str, offset: int, node: dict[str, Any]) -> int | None:
    """DuckDB counts bytes from where its text begins; we count characters of ours."""
    at = node.get("query_location", _NOWHERE)
    return None if at == _NOWHERE else _offset(text, offset, at)


def _offset(text: str, offset: int, at: int) -> int:
    return offset + len(text[offset:].encode()[:at].decode(errors="ignore"))


def _refused(text: str, kind: str) -> QueryError:
    what = "this statement does" if kind == "MULTI" else f"{kind.replace('_', ' ')} does"
    return QueryError(f"{what} more than read", query=text, hint=_HINTS.get(kind, _HINTS[""]))


@lru_cache(maxsize=1)
def _parser() -> duckdb.DuckDBPyConnection:
    """A database with nothing in it, asked only to parse."""
    return duckdb.connect(config={"enable_external_access": False, "threads": 1})
