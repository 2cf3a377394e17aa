"""LogQL as coloured pieces, finished or not: for highlighting, completion, and telling what stands inside a string."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from obs_magics.syntax.logql.lexer import END, Token, lex
from obs_magics.syntax.logql.words import RESERVED, SHOWN, STAGES

_COMMENT = re.compile(r"\#[^\n]*|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_KINDS: Mapping[str, str] = {
    **dict.fromkeys(("{", "}"), "brace"),
    **dict.fromkeys(("(", ")"), "bracket"),
    **dict.fromkeys((",", "."), "punctuation"),
    **dict.fromkeys(SHOWN.values(), "function"),
    **dict.fromkeys(RESERVED - STAGES, "keyword"),
    **dict.fromkeys(STAGES, "stage"),
    **dict.fromkeys(("label_replace", "variants", "ip"), "function"),
    "|": "pipe",
    "STRING": "string",
    "IDENTIFIER": "label",
    "NUMBER": "number",
    "DURATION": "duration",
    "BYTES": "bytes",
    "RANGE": "range",
    "FUNCTION_FLAG": "flag",
}


class Piece(NamedTuple):
    """A piece of a query.

    Attributes:
        kind: brace, bracket, punctuation, pipe, operator, label, string, number, duration, bytes, range, function,
            keyword, stage, flag, comment, or odd for what is none of these.
        start: Where it begins, in characters from 0.
        end: The place behind it.
    """

    kind: str
    start: int
    end: int


def tokens(text: str) -> list[Piece]:
    """The pieces of a query in order, white space left out; a text that is no LogQL, or not yet, has pieces as well.

    A string that is not closed goes to the end of its line (in backticks: of the text), a range to the end of the text.

    >>> [(piece.kind, piece.start) for piece in tokens('{a="b')]
    [('brace', 0), ('label', 1), ('operator', 2), ('string', 3)]
    """
    return list(_pieces(text))


def string_at(text: str, place: int) -> Piece | None:
    """The string that a place stands in, between its quotes; None outside of strings.

    >>> string_at('{a="b"}', 4), string_at('{a="b"}', 3)
    (Piece(kind='string', start=3, end=6), None)
    """
    inside = (piece for piece in tokens(text) if piece.kind == "string" and piece.start < place)
    return next((piece for piece in inside if place < piece.end or (place == piece.end and is_open(text, piece))), None)


def is_open(text: str, piece: Piece) -> bool:
    """Whether a string still lacks its closing quote."""
    last = next(token for token in lex(text) if token.start == piece.start)
    return last.problem == "literal not terminated"


def _pieces(text: str) -> Iterator[Piece]:
    place = 0
    for token in lex(text):
        for comment in _COMMENT.finditer(text, place, token.start):
            yield Piece("comment", comment.start(), comment.end())
        if token.end > token.start:
            yield Piece(_kind(text, token), token.start, token.end)
        place = token.end


def _kind(text: str, token: Token) -> str:
    if token.kind == END:
        return "comment"  # one that is not closed
    if token.kind == "IDENTIFIER":
        first = text[token.start]
        return "label" if first == "_" or first.isalpha() else "odd"
    return _KINDS.get(token.kind, "operator")
