"""A template as texts and actions, and an action as tokens; the rules are those of Go's `text/template/parse`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from obs_magics.model.errors import QueryError

_SPACE = " \t\r\n"
_TRIM_BEFORE = re.compile(r"\{\{-[ \t\r\n]")
_TRIM_AFTER = re.compile(r"[ \t\r\n]-\}\}")
_COMMENT_BEGINS = re.compile(r"[ \t\r\n]*/\*")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<string>"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`)
    | (?P<char>'(?:[^'\\\n]|\\[^\n])+')
    | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]+)?
          |(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?)[\w.]*)
    | (?P<field>\.[^\W\d]\w*)
    | (?P<variable>\$\w*)
    | (?P<word>[^\W\d]\w*)
    | (?P<sign>:=|[=|(),.])
    """,
    re.VERBOSE,
)
KEYWORDS = frozenset("break block continue define else end if nil range template with".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Piece:
    """A text as it stands (`is_action` false), or what stands between two pairs of braces."""

    text: str
    start: int
    is_action: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """A token of an action: its kind (a keyword or a sign is its own), its text, where it starts in the template.

    ``glued`` says that no space stands before it: ``$x.a`` is one value, ``$x .a`` are two.
    """

    kind: str
    text: str
    start: int
    glued: bool = False


def refused(template: str, name: str, start: int, message: str, length: int = 1) -> QueryError:
    """An error in Go's words, with the place in the template."""
    line = template[:start].count("\n") + 1
    words = f"template: {name}:{line}: {message}"
    hint = "a template is text with {{ .label }}, {{ function .label }}, {{ if … }}…{{ end }}"
    return QueryError(words, query=template, position=start, length=length, words=words, hint=hint)


def pieces(template: str, name: str) -> Iterator[Piece]:
    """The texts and actions of a template, with the white space trimmed that ``{{-`` and ``-}}`` take away."""
    place, trim_left = 0, False
    while True:
        opening = template.find("{{", place)
        text = template[place:] if opening < 0 else template[place:opening]
        start = place
        if trim_left:
            start += len(text) - len(text.lstrip(_SPACE))
            text = text.lstrip(_SPACE)
        if opening < 0:
            if text:
                yield Piece(text, start)
            return
        trims_before = _TRIM_BEFORE.match(template, opening) is not None
        if trims_before:
            text = text.rstrip(_SPACE)
        if text:
            yield Piece(text, start)
        inside = opening + (3 if trims_before else 2)
        closing = _closing(template, name, opening, inside)
        end = closing
        trim_left = closing > inside and _TRIM_AFTER.match(template, closing - 2) is not None
        if trim_left:
            end = closing - 2
        action = template[inside:end]
        if not _is_comment(template, name, action, inside):
            yield Piece(action, inside, is_action=True)
        place = closing + 2


def _closing(template: str, name: str, opening: int, inside: int) -> int:
    """Where the action that begins at `inside` is closed; braces in its strings do not count."""
    place = inside
    if _COMMENT_BEGINS.match(template, inside):
        end = template.find("*/", inside)
        if end < 0:
            raise refused(template, name, opening, "unclosed comment", 2)
        place = end + 2
    while place < len(template):
        if template.startswith("}}", place):
            return place
        match = _TOKEN.match(template, place)
        if match is not None:
            place = match.end()
        elif template[place] == "-" and template.startswith("}}", place + 1):
            place += 1
        else:
            raise _bad_character(template, name, place)
    raise refused(template, name, opening, "unclosed action", 2)


def _bad_character(template: str, name: str, place: int) -> QueryError:
    character = template[place]
    if character in "\"'":
        what = "character constant" if character == "'" else "quoted string"
        return refused(template, name, place, f"unterminated {what}")
    if character == "`":
        return refused(template, name, place, "unterminated raw quoted string")
    message = f"unexpected bad character U+{ord(character):04X} {character!r} in command"
    if character in "}{":
        message = f"unexpected {character!r} in operand".replace("'", '"')
    return refused(template, name, place, message)


def _is_comment(template: str, name: str, action: str, start: int) -> bool:
    stripped = action.strip(_SPACE)
    if not stripped.startswith("/*"):
        return False
    if _COMMENT.fullmatch(stripped) is None:
        raise refused(template, name, start, "comment ends before closing delimiter", 2)
    return True


def tokens(template: str, name: str, piece: Piece) -> list[Token]:
    """The tokens of an action, without white space; the last one is the end."""
    found: list[Token] = []
    place, end, glued = piece.start, piece.start + len(piece.text), False
    while place < end:
        match = _TOKEN.match(template, place, end)
        if match is None:
            raise _bad_character(template, name, place)
        kind = str(match.lastgroup)
        if kind != "space":
            text = match[0]
            own = text if kind == "sign" or (kind == "word" and text in KEYWORDS) else kind
            found.append(Token(own, text, place, glued))
        glued = kind != "space"
        place = match.end()
    return [*found, Token("end of action", "", end)]
