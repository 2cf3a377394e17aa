"""TraceQL as coloured pieces, finished or not: for highlighting, completion, and telling what stands where."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from obs_magics.syntax.logql.highlight import Piece
from obs_magics.syntax.traceql.lexer import END, END_OF_NAME, Token, lex
from obs_magics.syntax.traceql.words import (
    AGGREGATES,
    INTRINSIC_SCOPES,
    LIMITS,
    METRICS,
    SCOPES,
    SECOND_STAGES,
    SHORT,
    STATICS,
)

_COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_KINDS: Mapping[str, str] = {
    **dict.fromkeys(SHORT, "intrinsic"),
    **dict.fromkeys((name for names in INTRINSIC_SCOPES.values() for name in names), "intrinsic"),
    **dict.fromkeys((f"{scope}:" for scope in INTRINSIC_SCOPES), "intrinsic"),
    **dict.fromkeys((f"{scope}." for scope in SCOPES), "scope"),
    **dict.fromkeys(STATICS, "value"),
    **dict.fromkeys(AGGREGATES | METRICS | SECOND_STAGES, "function"),
    **dict.fromkeys(("by", "select", "coalesce"), "stage"),
    ".": "scope",
    "with": "keyword",
    "nil": "value",
    "{": "brace",
    "}": "brace",
    "(": "bracket",
    ")": "bracket",
    ",": "punctuation",
    "|": "pipe",
    "STRING": "string",
    "INTEGER": "number",
    "FLOAT": "number",
    "DURATION": "duration",
    END: "comment",  # one that is not closed
}


def tokens(text: str) -> list[Piece]:
    """The pieces of a query in order, white space left out; a text that is no TraceQL, or not yet, has pieces as well.

    Kinds: brace, bracket, punctuation, pipe, operator, scope (``span.``), attribute (what follows it), intrinsic, value
    (``error``, ``server``, ``true``), string, number, duration, function, stage, keyword, comment, name (of a hint; or
    one that means nothing), odd.

    >>> [(piece.kind, piece.start) for piece in tokens("{ span.a = ")]
    [('brace', 0), ('scope', 2), ('attribute', 7), ('operator', 9)]
    """
    return list(_pieces(text))


def _pieces(text: str) -> Iterator[Piece]:
    place, behind_scope = 0, False
    for token in lex(text):
        for comment in _COMMENT.finditer(text, place, token.start):
            yield Piece("comment", comment.start(), comment.end())
        if token.end > token.start:
            yield Piece(
                "attribute" if behind_scope and token.kind == "IDENTIFIER" else _kind(text, token), *_ends(token)
            )
        behind_scope = _KINDS.get(token.kind) == "scope" and token.kind != END_OF_NAME
        place = token.end


def _ends(token: Token) -> tuple[int, int]:
    return token.start, token.end


def _kind(text: str, token: Token) -> str:
    if token.kind == "IDENTIFIER":
        first = text[token.start]
        is_word = first == "_" or first.isalpha()
        return "value" if token.value in LIMITS else "name" if is_word else "odd"
    return _KINDS.get(token.kind, "operator")
