"""Where the parser stands in the tokens of a query, and how it says what it cannot read there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from obs_magics.model.errors import QueryError
from obs_magics.syntax.traceql.hints import hint_for
from obs_magics.syntax.traceql.lexer import END, Token, lex

MAX_BYTES = 131_072
# Brackets within brackets, and operands that operators put together: deeper trees would overflow the stack.
MAX_DEPTH = 60
MAX_TERMS = 200

Node = TypeVar("Node")


def refused(text: str, message: str, start: int, length: int, hint: str) -> QueryError:
    """The error for a query that Tempo would not take; `words` is the whole of Tempo's answer."""
    words = f"invalid TraceQL query: {message}"
    return QueryError(message, query=text, position=start, length=max(1, length), words=words, hint=hint)


class Cursor:
    """Reads the tokens of one query from left to right.

    Args:
        text: The query.

    Raises:
        QueryError: The query is longer than Tempo takes.
    """

    def __init__(self, text: str) -> None:
        size = len(text.encode("utf-8", "surrogatepass"))
        self.text = text
        self._ends: dict[int, tuple[int, int]] = {}
        self._depth = 0
        self._terms = 0
        self._index = 0
        if size > MAX_BYTES:
            raise refused(text, f"query is too long ({size} > {MAX_BYTES} bytes)", 0, 1, "ask in several queries")
        self._tokens = lex(text)

    @property
    def here(self) -> Token:
        """The token that comes next; the last one is the end."""
        return self._tokens[self._index]

    @property
    def kind(self) -> str:
        """Tempo's name for the token that comes next.

        Raises:
            QueryError: The token itself is broken: a string without its end, a number out of range.
        """
        token = self.here
        if token.problem:
            raise self._complaint(token.problem, token)
        return token.kind

    def advance(self) -> Token:
        """Takes the next token."""
        token = self.here
        if token.kind != END:
            self._index += 1
        return token

    def take(self, *kinds: str, expecting: str | None = None) -> Token:
        """Takes the next token, which has to be one of these kinds.

        Args:
            kinds: What may come.
            expecting: How Tempo lists what may come; the kinds themselves by default, nothing when empty.
        """
        if self.kind not in kinds:
            raise self.unexpected(" or ".join(kinds) if expecting is None else expecting)
        return self.advance()

    def accept(self, kind: str) -> bool:
        """Takes the next token when it is of this kind."""
        if self.kind != kind:
            return False
        self.advance()
        return True

    def noted(self, node: Node, start: int) -> Node:
        """Remembers where a node stands: from `start` to the last token taken."""
        self._ends[id(node)] = (start, self._tokens[max(0, self._index - 1)].end)
        return node

    def span(self, node: Any) -> tuple[int, int]:
        """Where a node that was noted begins and ends."""
        return self._ends[id(node)]

    def unexpected(self, expecting: str = "") -> QueryError:
        """The next token cannot stand here."""
        tail = f", expecting {expecting}" if expecting else ""
        return self._complaint(f"syntax error: unexpected {self.here.kind}{tail}", self.here)

    def unknown_name(self, token: Token) -> QueryError:
        """A name that is neither an attribute nor an intrinsic nor a value."""
        return self._complaint(f"unknown identifier: {token.value}", token)

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level of brackets or signs.

        Raises:
            QueryError: There are too many.
        """
        self._depth += 1
        if self._depth > MAX_DEPTH:
            message = f"more than {MAX_DEPTH} brackets within each other"
            raise refused(self.text, message, self.here.start, 1, "ask in several queries")
        yield
        self._depth -= 1

    def one_more_term(self) -> None:
        """Another operand of an operator.

        Raises:
            QueryError: There are too many in this query.
        """
        self._terms += 1
        if self._terms > MAX_TERMS:
            message = f"more than {MAX_TERMS} operators in one query"
            hint = "use a regular expression, or ask in several queries"
            raise refused(self.text, message, self.here.start, 1, hint)

    def _complaint(self, message: str, token: Token) -> QueryError:
        line, column = _line_and_column(self.text, token)
        where = f"parse error at line {line}, col {column}" if line or column else "parse error "
        hint = hint_for(self.text, self._tokens, self._tokens.index(token))
        return refused(self.text, f"{where}: {message}", token.start, token.end - token.start, hint)


def _line_and_column(text: str, token: Token) -> tuple[int, int]:
    """Both from 1, as Tempo gives them: 0 for a line that it has lost, nothing at all for an empty query."""
    if not text:
        return 0, 0
    before = text[: token.mark]
    line = 0 if token.lineless else before.count("\n") + 1
    return line, token.mark - (before.rfind("\n") + 1) + 1
