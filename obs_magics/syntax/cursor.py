"""What the parsers of LogQL and TraceQL have in common: where they stand in the tokens of a query, and its bounds.

Both grammars come from yacc, and so do the words of their errors: "syntax error: unexpected X, expecting Y".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, Generic, Protocol, TypeVar

from obs_magics.model.errors import QueryError

MAX_BYTES = 131_072
# Brackets within brackets, and operands that operators put together: deeper trees would overflow the stack.
MAX_DEPTH = 60


class AnyToken(Protocol):
    """A token of either language."""

    @property
    def kind(self) -> str:
        """What the grammar calls it."""

    @property
    def problem(self) -> str:
        """What is broken in it; empty when nothing is."""

    @property
    def lineless(self) -> bool:
        """Whether the server's own lexer has lost its line."""


T = TypeVar("T", bound=AnyToken)


class TokenCursor(ABC, Generic[T]):
    """Reads tokens from left to right.

    Args:
        text: The query.
        tokens: Those of the query; the last one is the end.
    """

    max_terms: ClassVar[int]

    def __init__(self, text: str, tokens: Sequence[T]) -> None:
        self.text = text
        self._tokens = tokens
        self._depth = 0
        self._terms = 0
        self._index = 0

    @abstractmethod
    def refused(self, message: str, token: T) -> QueryError:
        """The error for a token, in the words of the server."""

    @abstractmethod
    def too_much(self, message: str, hint: str) -> QueryError:
        """The error for a query that is larger than can be read, at the next token."""

    @property
    def here(self) -> T:
        """The token that comes next; the last one is the end."""
        return self._tokens[self._index]

    @property
    def kind(self) -> str:
        """The server's name for the token that comes next.

        Raises:
            QueryError: The token itself is broken: a string without its end, a number out of range.
        """
        token = self.here
        if token.problem:
            raise self.refused(token.problem, token)
        return token.kind

    def advance(self) -> T:
        """Takes the next token."""
        token = self.here
        self._index = min(self._index + 1, len(self._tokens) - 1)
        return token

    def take(self, *kinds: str, expecting: str | None = None) -> T:
        """Takes the next token, which has to be one of these kinds.

        Args:
            kinds: What may come.
            expecting: How the server lists what may come; the kinds themselves by default, nothing when empty.
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

    def unexpected(self, expecting: str = "") -> QueryError:
        """The next token cannot stand here."""
        tail = f", expecting {expecting}" if expecting else ""
        return self.refused(f"syntax error: unexpected {self.here.kind}{tail}", self.here)

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level of brackets or signs.

        Raises:
            QueryError: There are too many.
        """
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.too_much(f"more than {MAX_DEPTH} brackets within each other", "ask in several queries")
        yield
        self._depth -= 1

    def one_more_term(self) -> None:
        """Another operand of an operator.

        Raises:
            QueryError: There are too many in this query.
        """
        self._terms += 1
        if self._terms > self.max_terms:
            hint = "use a regular expression, or ask in several queries"
            raise self.too_much(f"more than {self.max_terms} operators in one query", hint)


def line_and_column(text: str, token: AnyToken, place: int) -> tuple[int, int]:
    """Both from 1, as the servers give them: 0 for a line that they have lost, nothing at all for an empty query."""
    if not text:
        return 0, 0
    line = 0 if token.lineless else text.count("\n", 0, place) + 1
    return line, place - (text.rfind("\n", 0, place) + 1) + 1
