"""Where the parser stands in the tokens of a query, and how it says what it cannot read there."""

from __future__ import annotations

from typing import Any, TypeVar

from obs_magics.model.errors import QueryError
from obs_magics.syntax.cursor import MAX_BYTES, TokenCursor, line_and_column
from obs_magics.syntax.traceql.hints import hint_for
from obs_magics.syntax.traceql.lexer import Token, lex

MAX_TERMS = 200

Node = TypeVar("Node")


def refused(text: str, message: str, start: int, length: int, hint: str) -> QueryError:
    """The error for a query that Tempo would not take; `words` is the whole of Tempo's answer."""
    words = f"invalid TraceQL query: {message}"
    return QueryError(message, query=text, position=start, length=max(1, length), words=words, hint=hint)


class Cursor(TokenCursor[Token]):
    """Reads the tokens of one query from left to right.

    Args:
        text: The query.

    Raises:
        QueryError: The query is longer than Tempo takes.
    """

    max_terms = MAX_TERMS

    def __init__(self, text: str) -> None:
        size = len(text.encode("utf-8", "surrogatepass"))
        if size > MAX_BYTES:
            raise refused(text, f"query is too long ({size} > {MAX_BYTES} bytes)", 0, 1, "ask in several queries")
        super().__init__(text, lex(text))
        self._ends: dict[int, tuple[int, int]] = {}

    def noted(self, node: Node, start: int) -> Node:
        """Remembers where a node stands: from `start` to the last token taken."""
        self._ends[id(node)] = (start, self._tokens[max(0, self._index - 1)].end)
        return node

    def span(self, node: Any) -> tuple[int, int]:
        """Where a node that was noted begins and ends."""
        return self._ends[id(node)]

    def unknown_name(self, token: Token) -> QueryError:
        """A name that is neither an attribute nor an intrinsic nor a value."""
        return self.refused(f"unknown identifier: {token.value}", token)

    def refused(self, message: str, token: Token) -> QueryError:
        """The error for a token, in Tempo's words."""
        line, column = line_and_column(self.text, token, token.mark)
        where = f"parse error at line {line}, col {column}" if line or column else "parse error "
        hint = hint_for(self.text, self._tokens, self._tokens.index(token))
        return refused(self.text, f"{where}: {message}", token.start, token.end - token.start, hint)

    def too_much(self, message: str, hint: str) -> QueryError:
        """The error for a query that is larger than can be read."""
        return refused(self.text, message, self.here.start, 1, hint)
