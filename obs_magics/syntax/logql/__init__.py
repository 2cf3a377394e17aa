"""LogQL: the grammar, its tree, and the templates of `line_format`."""

from obs_magics.syntax.logql.highlight import Piece, string_at, tokens
from obs_magics.syntax.logql.parser import parse
from obs_magics.syntax.logql.printer import write
from obs_magics.syntax.logql.strings import quote, unquote
from obs_magics.syntax.logql.walk import add_stage, is_metric, log_query_of, log_ranges, map_queries, selectors

__all__ = [
    "Piece",
    "add_stage",
    "is_metric",
    "log_query_of",
    "log_ranges",
    "map_queries",
    "parse",
    "quote",
    "selectors",
    "string_at",
    "tokens",
    "unquote",
    "write",
]
