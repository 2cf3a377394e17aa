"""Where the parser stands in the tokens of a query, and how it says what it cannot read there."""

from __future__ import annotations

from obs_magics.model.errors import QueryError
from obs_magics.syntax.cursor import MAX_BYTES, TokenCursor, line_and_column
from obs_magics.syntax.logql.hints import hint_for
from obs_magics.syntax.logql.lexer import Token, lex

MAX_TERMS = 100


class Cursor(TokenCursor[Token]):
    """Reads the tokens of one query from left to right.

    Args:
        text: The query.

    Raises:
        QueryError: The query is longer than Loki takes.
    """

    max_terms = MAX_TERMS

    def __init__(self, text: str) -> None:
        size = len(text.encode("utf-8", "surrogatepass"))
        super().__init__(text, lex(text) if size < MAX_BYTES else ())
        self._later: list[tuple[int, int, QueryError]] = []
        if size >= MAX_BYTES:
            raise self.invalid(f"input size too long ({size} > {MAX_BYTES})", 0, hint="ask in several queries")

    def next_kind(self) -> str:
        """The kind of the token behind the next one."""
        return self._tokens[min(self._index + 1, len(self._tokens) - 1)].kind

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

    def refused(self, message: str, token: Token) -> QueryError:
        """The error for a token, in Loki's words."""
        line, column = line_and_column(self.text, token, token.start)
        words = f"parse error at line {line}, col {column}: {message}" if column else f"parse error : {message}"
        hint = hint_for(self.text, self._tokens, self._index)
        length = max(1, token.end - token.start)
        return QueryError(words, query=self.text, position=token.start, length=length, words=words, hint=hint)

    def too_much(self, message: str, hint: str) -> QueryError:
        """The error for a query that is larger than can be read."""
        return self.invalid(message, self.here.start, hint=hint)
