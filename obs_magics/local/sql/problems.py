"""DuckDB's errors as ours: its words, the place in the query, and what may have been meant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import duckdb

from obs_magics.local.sql.statement import Statement, judge
from obs_magics.model.errors import LimitExceeded, ObsError, QueryError, did_you_mean

_KIND = re.compile(r"\A[A-Z][A-Za-z ]* Error: ")
# How DuckDB marks the place: a line of the query, cut to the width of a screen, and carets below it.
_MARK = re.compile(r"^LINE (?P<line>\d+): (?P<text>[^\n]*)\n(?P<marks> *\^+)", re.MULTILINE)
_ELLIPSIS = "..."


def judged(text: str, where: str) -> Statement:
    """As `judge`, with every error as ours.

    Raises:
        QueryError: There is no statement, several, one that does more than read, or it is no SQL.
    """
    try:
        return judge(text)
    except duckdb.Error as error:
        raise explained(error, text, None, {}, where=where) from None
    except QueryError as error:
        error.where = error.where or where
        raise


def explained(
    error: duckdb.Error, text: str, statement: Statement | None, tables: Mapping[str, Sequence[str]], *, where: str
) -> ObsError:
    """The error for a user.

    Args:
        error: As DuckDB raised it.
        text: The query as typed.
        statement: What it names; None when it could not be parsed.
        tables: What could have been named: columns by table.
        where: Name and address of the source.
    """
    words = str(error)
    if isinstance(error, duckdb.OutOfMemoryException):
        return LimitExceeded(
            f"the query needs more memory than it may have ({_first_line(words)})",
            where=where,
            hint="filter or aggregate earlier, name the columns you need, or sort fewer rows",
        )
    position, length = located(words, text)
    hint = ""
    if isinstance(error, duckdb.CatalogException) and statement is not None:
        unknown = [table for table in statement.tables if not _known(table.name, tables)]
        if unknown:
            return _unknown_table(text, unknown[0].name, unknown[0].position, tables, words=words, where=where)
    if isinstance(error, duckdb.BinderException) and statement is not None and position is not None:
        hint = _column_hint(text[position : position + length], statement, tables)
    return QueryError(
        _message(words, short=bool(hint)),
        query=text,
        position=position,
        length=length,
        words=words,
        where=where,
        hint=hint,
    )


def _unknown_table(
    text: str, name: str, position: int | None, tables: Mapping[str, Sequence[str]], *, words: str, where: str
) -> QueryError:
    """There is neither a table nor a frame of that name."""
    listed = f"there are: {', '.join(sorted(tables))}" if tables else ""
    nothing = "no local source is asked and no frame has that name: connect one with `%obs connect NAME PATH`"
    return QueryError(
        f"there is no table or frame called {name}",
        query=text,
        position=position,
        length=len(name),
        words=words,
        where=where,
        hint=did_you_mean(name, tables) or listed or nothing,
    )


def located(words: str, text: str) -> tuple[int | None, int]:
    """The place that DuckDB marks, as a character offset in `text`, and its length; None when it marks none."""
    mark = _MARK.search(words)
    lines = text.split("\n")
    if mark is None or int(mark["line"]) > len(lines):
        return None, 1
    number = int(mark["line"]) - 1
    shown = mark["text"]
    column = mark["marks"].index("^") - len(f"LINE {number + 1}: ")
    if shown.startswith(_ELLIPSIS) and not lines[number].startswith(_ELLIPSIS):
        shown, column = shown.removeprefix(_ELLIPSIS), column - len(_ELLIPSIS)
    if shown.endswith(_ELLIPSIS) and shown not in lines[number]:
        shown = shown.removesuffix(_ELLIPSIS)
    begins = lines[number].find(shown)
    if begins < 0 or column < 0:
        return None, 1
    return sum(len(line) + 1 for line in lines[:number]) + begins + column, mark["marks"].count("^")


def _message(words: str, *, short: bool) -> str:
    """DuckDB's sentence without its class; with what it suggests, unless we know better."""
    lines = _KIND.sub("", words).split("\n")
    end = next((index for index, line in enumerate(lines) if not line or line.startswith("LINE ")), len(lines))
    said = " ".join(line.strip() for line in lines[: 1 if short or end > 3 else end])
    return said.rstrip(".") if said else "DuckDB refuses the query"


def _first_line(words: str) -> str:
    return _KIND.sub("", words).split("\n", 1)[0]


def _known(name: str, tables: Mapping[str, Sequence[str]]) -> bool:
    return name.lower() in {known.lower() for known in tables}


def _column_hint(marked: str, statement: Statement, tables: Mapping[str, Sequence[str]]) -> str:
    word = marked.rpartition(".")[2].strip('"')
    if not re.fullmatch(r"\w+", word):
        return ""
    named = {table.name.lower() for table in statement.tables}
    columns = {column for name, found in tables.items() if name.lower() in named for column in found}
    return did_you_mean(word, sorted(columns))
