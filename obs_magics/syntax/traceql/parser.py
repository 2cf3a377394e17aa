"""TraceQL as Tempo reads it: text in, tree out, or an error with its place and the way out."""

from __future__ import annotations

from dataclasses import replace

from obs_magics.syntax.traceql.checks import Checker
from obs_magics.syntax.traceql.cursor import Cursor
from obs_magics.syntax.traceql.lexer import END
from obs_magics.syntax.traceql.metrics import hints
from obs_magics.syntax.traceql.pipelines import query
from obs_magics.syntax.traceql.tree import Pipeline


def parse(text: str) -> Pipeline:
    """Reads a query.

    Args:
        text: TraceQL, as a Tempo of version 3 takes it.

    Raises:
        QueryError: Tempo would refuse it; holds the place, Tempo's words where it has some, and a way out.

    >>> parse("{ status = error } | rate()").metrics.function
    'rate'
    """
    cursor = Cursor(text)
    tree = replace(query(cursor), hints=hints(cursor))
    cursor.take(END, expecting="")
    Checker(cursor).pipeline(tree)
    return tree
