"""TraceQL: the grammar, its tree, and a validator that rejects what Tempo rejects."""

from obs_magics.syntax.logql.highlight import Piece
from obs_magics.syntax.logql.strings import quote, unquote
from obs_magics.syntax.traceql.conditions import combined, conditions_query
from obs_magics.syntax.traceql.highlight import tokens
from obs_magics.syntax.traceql.parser import parse
from obs_magics.syntax.traceql.printer import write
from obs_magics.syntax.traceql.walk import is_metrics

__all__ = ["Piece", "combined", "conditions_query", "is_metrics", "parse", "quote", "tokens", "unquote", "write"]
