"""Log queries with a range: `{app="api"} | json | unwrap took [5m] offset 1h`, in each order that Loki allows."""

from __future__ import annotations

from obs_magics.syntax.logql.cursor import Cursor
from obs_magics.syntax.logql.filters import label_filter
from obs_magics.syntax.logql.stages import LINE_OPERATORS, pipeline, selector
from obs_magics.syntax.logql.tree import Conversion, LogQuery, LogRange, Unwrap

_CONVERSION_KINDS = ("BYTES_CONV", "DURATION_CONV", "DURATION_SECONDS_CONV")


def log_range_of(cursor: Cursor) -> LogRange:
    """``{…} | … [5m] offset 1h``: the range stands behind the pipeline or behind the selector, in brackets or not."""
    if cursor.kind != "(":
        return _open_range(cursor)
    with cursor.deeper():
        at = cursor.advance().start
        if cursor.kind == "(":
            found = log_range_of(cursor)
            cursor.take(")")
            return found
        if cursor.kind != "{":
            raise cursor.unexpected("{ or (")
        query = selector(cursor)
        if cursor.kind == "RANGE":
            found = _after_range(cursor, query, at)
            cursor.take(")")
            return found
        return _half_bracketed(cursor, query, at)


def _half_bracketed(cursor: Cursor, query: LogQuery, at: int) -> LogRange:
    """``({…} | …)[5m]``, or ``({…} | … [5m])``."""
    stages = tuple(pipeline(cursor))
    query = LogQuery(query.matchers, stages, at=query.at)
    unwrap = _unwrap(cursor) if cursor.kind == "|" else None
    if cursor.kind == "RANGE":
        found = _ranged(cursor, query, unwrap, at)
        cursor.take(")")
        return found
    cursor.take(")", expecting="RANGE or ) or |" if unwrap else "")
    if cursor.kind != "RANGE":
        raise cursor.unexpected("RANGE")
    found = _ranged(cursor, query, unwrap, at)
    if stages or unwrap or cursor.kind != "|":
        return found
    return LogRange(query, found.range_ns, found.offset_ns, _unwrap(cursor), at=at)


def _open_range(cursor: Cursor) -> LogRange:
    at = cursor.here.start
    if cursor.kind != "{":
        raise cursor.unexpected("{ or (")
    query = selector(cursor)
    if cursor.kind == "RANGE":
        return _after_range(cursor, query, at)
    query = LogQuery(query.matchers, tuple(pipeline(cursor)), at=query.at)
    unwrap = _unwrap(cursor) if cursor.kind == "|" else None
    if cursor.kind != "RANGE":
        raise cursor.unexpected("RANGE or |" if unwrap else "")
    return _ranged(cursor, query, unwrap, at)


def _after_range(cursor: Cursor, query: LogQuery, at: int) -> LogRange:
    """The range right behind the selector: the pipeline may follow it."""
    found = _ranged(cursor, query, None, at)
    if cursor.kind not in LINE_OPERATORS and cursor.kind != "|":
        return found
    query = LogQuery(query.matchers, tuple(pipeline(cursor)), at=query.at)
    unwrap = _unwrap(cursor) if cursor.kind == "|" else None
    return LogRange(query, found.range_ns, found.offset_ns, unwrap, at=at)


def _ranged(cursor: Cursor, query: LogQuery, unwrap: Unwrap | None, at: int) -> LogRange:
    """The range itself, and its offset."""
    range_ns = cursor.advance().value
    offset_ns = cursor.take("DURATION").value if cursor.accept("offset") else 0
    return LogRange(query, range_ns, offset_ns, unwrap, at=at)


def _unwrap(cursor: Cursor) -> Unwrap:
    """``| unwrap bytes(size) | __error__=""``: behind it, only label filters may stand."""
    at = cursor.advance().start
    cursor.take("unwrap")
    conversion: Conversion = ""
    if cursor.kind in _CONVERSION_KINDS:
        conversion = cursor.advance().value
        cursor.take("(")
        label = cursor.take("IDENTIFIER").value
        cursor.take(")")
    elif cursor.kind == "IDENTIFIER":
        label = cursor.advance().value
    else:
        raise cursor.unexpected("IDENTIFIER or BYTES_CONV or DURATION_CONV or DURATION_SECONDS_CONV")
    filters = []
    while cursor.accept("|"):
        filters.append(label_filter(cursor))
    return Unwrap(label, conversion, tuple(filters), at=at)
