"""Completion inside SQL: tables and frames where a table stands, their columns and SQL's words elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from obs_magics.magics.names import Names, ranked
from obs_magics.magics.query_completion import Found, python_names

if TYPE_CHECKING:
    from obs_magics.magics.context import Context

WORDS = (
    "AND", "AS", "ASC", "ASOF", "BETWEEN", "BY", "CASE", "CAST", "DESC", "DESCRIBE", "DISTINCT", "ELSE", "END",
    "EXPLAIN", "FROM", "GROUP", "HAVING", "ILIKE", "IN", "INTERVAL", "IS", "JOIN", "LEFT", "LIKE", "LIMIT", "NOT",
    "NULL", "ON", "OR", "ORDER", "OVER", "PARTITION", "PIVOT", "QUALIFY", "SELECT", "SHOW", "SUMMARIZE", "TABLES",
    "THEN", "UNION", "UNPIVOT", "USING", "VALUES", "WHEN", "WHERE", "WINDOW", "WITH",
)  # fmt: skip
_SKIPPED = re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^']|'')*'", re.DOTALL)
_OPEN = re.compile(r"(?:'[^']*|--[^\n]*|/\*(?:(?!\*/).)*)\Z", re.DOTALL)
_VARIABLE = re.compile(r"(?<!\$)\$\{(?P<typed>[^}\n]*)\Z")
_TYPED = re.compile(r'(?:(?P<table>\w+)"?\.)?"?(?P<typed>\w*)\Z')
_TABLE_PLACE = re.compile(
    r"\b(?:FROM|JOIN|DESCRIBE|SUMMARIZE)\s+(?:\"?\w+\"?(?:\s+(?:AS\s+)?\w+)?\s*,\s*)*\Z", re.IGNORECASE
)
_NAME = re.compile(r"\w+")


class SqlCompleter:
    """Completes in an SQL statement, as `QueryCompleter` does in PromQL.

    Args:
        context: The shell and its session.
        names: Where the tables are kept.
        source: The source's name; None is the default one.
    """

    def __init__(self, context: Context, names: Names, source: str | None) -> None:
        self._context = context
        self._names = names
        self._source = source

    def complete(self, query: str, position: int) -> Found:
        """What fits at `position` in a statement, finished or not."""
        if variable := _VARIABLE.search(query, 0, position):
            return Found(variable["typed"], python_names(self._context, variable["typed"]), "variable")
        before = _SKIPPED.sub("''", query[:position])
        cursor = _TYPED.search(before)
        if cursor is None or _OPEN.search(before):
            return Found("")
        typed = cursor["typed"]
        tables = self._tables()
        if cursor["table"] in tables:
            return Found(typed, ranked(sorted(tables[cursor["table"]]), typed), "column")
        if _TABLE_PLACE.search(before, 0, cursor.start()):
            return Found(typed, ranked(sorted(tables), typed), "table")
        named = {word.lower() for word in _NAME.findall(_SKIPPED.sub("''", query))}
        columns = {column for name, found in tables.items() if name.lower() in named for column in found}
        words = [word for word in WORDS if typed and word.startswith(typed.upper()) and not cursor["table"]]
        return Found(typed, [*ranked(sorted(columns), typed), *words], "column")

    def _tables(self) -> Mapping[str, Sequence[str]]:
        """Columns by table and frame."""
        from obs_magics.magics.sql import notebook_frames

        key = (self._source or self._context.default_source, "tables")
        flat = self._names.get(key, self._fetch)
        tables: dict[str, list[str]] = {}
        for entry in flat:
            table, _, column = entry.partition("\x00")
            tables.setdefault(table, []).append(column)
        frames = {name: list(map(str, frame.columns)) for name, frame in notebook_frames(self._context).items()}
        return {**tables, **frames}

    def _fetch(self) -> list[str]:
        """Tables and columns as `Names` keeps them: one text each."""
        found = self._context.session.tables(self._source)
        return [f"{table}\x00{column}" for table, columns in found.items() for column in columns]
