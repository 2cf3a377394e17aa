"""Where the parser stands in the tokens of a query, and how it says what it cannot read there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from obs_magics.model.errors import QueryError
from obs_magics.syntax.logql.hints import hint_for
from obs_magics.syntax.logql.lexer import END, Token, lex

MAX_BYTES = 131_072
# Brackets within brackets, and filters or numbers that operators put together: deeper trees would overflow the stack.
MAX_DEPTH = 60
MAX_TERMS = 100


class Cursor:
    """Reads the tokens of one query from left to right.

    Args:
        text: The query.

    Raises:
        QueryError: The query is longer than Loki takes.
    """

    def __init__(self, text: str) -> None:
        size = len(text.encode("utf-8", "surrogatepass"))
        self.text = text
        self._later: list[tuple[int, int, QueryError]] = []
        self._depth = 0
        self._terms = 0
        self._index = 0
        if size >= MAX_BYTES:
            raise self.invalid(f"input size too long ({size} > {MAX_BYTES})", 0, hint="ask in several queries")
        self._tokens = lex(text)

    @property
    def here(self) -> Token:
        """The token that comes next; the last one is the end."""
        return self._tokens[self._index]

    @property
    def kind(self) -> str:
        """Loki's name for the token that comes next.

        Raises:
            QueryError: The token itself is broken: a string without its end, a duration without a unit.
        """
        token = self.here
        if token.problem:
            raise self._refused(token.problem, token)
        return token.kind

    def next_kind(self) -> str:
        """The kind of the token behind the next one."""
        return self._tokens[min(self._index + 1, len(self._tokens) - 1)].kind

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
            expecting: How Loki lists what may come; the kinds themselves by default, nothing when empty.
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
        return self._refused(f"syntax error: unexpected {self.here.kind}{tail}", self.here)

    def invalid(self, message: str, start: int, end: int | None = None, *, hint: str = "") -> QueryError:
        """The grammar is kept, but what is written makes no sense; Loki gives no place for these."""
        words = f"parse error : {message}"
        length = (end - start) if end is not None else 1
        return QueryError(words, query=self.text, position=start, length=length, words=words, hint=hint)

    def later_invalid(self, error: QueryError, start: int | None = None) -> None:
        """Keeps an error that Loki finds only after the whole text was read, when wrong grammar has had its say.

        Args:
            error: What is wrong.
            start: Where the expression begins that is wrong, when the marked place is another.
        """
        place = start if start is not None else error.position or 0
        self._later.append((place, -len(self._later), error))

    def raise_later(self) -> None:
        """Raises the outermost and first of the errors that were kept."""
        if self._later:
            raise min(self._later, key=lambda item: item[:2])[2]

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level of brackets.

        Raises:
            QueryError: There are too many.
        """
        self._depth += 1
        if self._depth > MAX_DEPTH:
            message = f"more than {MAX_DEPTH} brackets within each other"
            raise self.invalid(message, self.here.start, hint="ask in several queries")
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
            raise self.invalid(message, self.here.start, hint="use a regular expression, or ask in several queries")

    def _refused(self, message: str, token: Token) -> QueryError:
        line, column = _line_and_column(self.text, token)
        words = f"parse error at line {line}, col {column}: {message}" if column else f"parse error : {message}"
        hint = hint_for(self.text, self._tokens, self._index)
        length = max(1, token.end - token.start)
        return QueryError(words, query=self.text, position=token.start, length=length, words=words, hint=hint)


def _line_and_column(text: str, token: Token) -> tuple[int, int]:
    """Both from 1, as Loki gives them: 0 for a line that it has lost, nothing at all for an empty query."""
    if not text:
        return 0, 0
    before = text[: token.start]
    line = 0 if token.lineless else before.count("\n") + 1
    return line, token.start - (before.rfind("\n") + 1) + 1
