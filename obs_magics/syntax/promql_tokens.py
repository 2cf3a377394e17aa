"""PromQL as a list of tokens with their places, because the parser's own errors say nothing of places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|\#[^\n]*)
    | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)
    | (?P<number>(?:\d+(?:ms|[smhdwy]))+|0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    | (?P<sign>==|!=|=~|!~|<=|>=|[-+*/%^=<>(){}\[\],:@])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
OPENING = {")": "(", "]": "[", "}": "{"}
CLOSING = {opening: closing for closing, opening in OPENING.items()}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query: kind (``string``, ``number``, ``name``, ``sign``, ``odd``), text, and where it starts.

    ``odd`` is a character that no token starts with, such as a quote that is never closed.
    """

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The place behind its last character."""
        return self.start + len(self.text)


def tokens_of(text: str) -> list[Token]:
    """The tokens of a query, without white space and comments. Never fails."""
    return list(_scan(text))


def _scan(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            yield Token("odd", text[position], position)
            position += 1
            continue
        if match.lastgroup != "space":
            yield Token(str(match.lastgroup), match[0], position)
        position = match.end()


def find_call(tokens: list[Token], name: str) -> Token | None:
    """The first place where `name` stands as a function or an aggregation; any place where it stands, else."""
    named = [index for index, token in enumerate(tokens) if token.text == name]
    for index in named:
        if index + 1 < len(tokens) and tokens[index + 1].text in {"(", "by", "without"}:
            return tokens[index]
    return tokens[named[0]] if named else None


def unbalanced(tokens: list[Token]) -> tuple[Token, str] | None:
    """The first bracket without its partner, and what is wrong with it; None when all have one."""
    open_ones: list[Token] = []
    for token in tokens:
        if token.kind == "odd":
            what = "the quote is not closed" if token.text in "\"'`" else f"unexpected character {token.text!r}"
            return token, what
        if token.text in CLOSING:
            open_ones.append(token)
        elif token.text in OPENING:
            if not open_ones or open_ones[-1].text != OPENING[token.text]:
                return token, f"unexpected {token.text!r}"
            open_ones.pop()
    return (open_ones[-1], f"{open_ones[-1].text!r} is not closed") if open_ones else None
