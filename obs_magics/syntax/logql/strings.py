r"""LogQL's strings: in double quotes with Go's escapes, or raw in backticks.

Bytes that are no UTF-8 (``"\xff"``) are kept as lone surrogates, as Python's `surrogateescape` does.
"""

from __future__ import annotations

import re

_ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34, "'": 39}
_NAMED = {7: "\\a", 8: "\\b", 12: "\\f", 10: "\\n", 13: "\\r", 9: "\\t", 11: "\\v", 92: "\\\\", 34: '\\"'}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([abfnrtv\\\"']))")
_LAST_BYTE_OF_SURROGATES = 0xDCFF
_SURROGATES = re.compile("[\ud800-\udfff]")


def unquote(text: str) -> str:
    r"""The value of a string literal, given with its quotes.

    Raises:
        ValueError: Not a literal of Go's.

    >>> unquote('"a\\n\\u00e9"') == "a\né", unquote("`a\\n`")
    (True, 'a\\n')
    """
    if len(text) < 2 or text[0] != text[-1] or text[0] not in '"`':
        raise ValueError("invalid syntax")
    body = text[1:-1]
    if text[0] == "`":
        if "`" in body:
            raise ValueError("invalid syntax")
        return body
    if "\n" in body:
        raise ValueError("invalid syntax")
    return body if "\\" not in body else _unescaped(body)


def _unescaped(body: str) -> str:
    parts, place = bytearray(), 0
    while (slash := body.find("\\", place)) >= 0:
        parts += body[place:slash].encode("utf-8", "surrogateescape")
        escape = _ESCAPE.match(body, slash)
        if escape is None or escape[5] == "'":
            raise ValueError("invalid syntax")
        parts += _bytes_of(escape)
        place = escape.end()
    parts += body[place:].encode("utf-8", "surrogateescape")
    return parts.decode("utf-8", "surrogateescape")


def _bytes_of(escape: re.Match[str]) -> bytes:
    if escape[5]:
        return bytes([_ESCAPES[escape[5]]])
    code = int(escape[1] or escape[2] or escape[3] or escape[4], 8 if escape[4] else 16)
    if escape[1] or escape[4]:
        if code > 255:
            raise ValueError("invalid syntax")
        return bytes([code])
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise ValueError("invalid syntax")
    return chr(code).encode()


def quote(text: str) -> str:
    r"""A text as a LogQL string: in backticks when that saves escapes, in double quotes else.

    >>> quote("a"), quote('say "x"'), quote("a`\n")
    ('"a"', '`say "x"`', '"a`\\n"')
    """
    plain = '"' not in text and "\\" not in text
    raw_holds = "`" not in text and all(character.isprintable() for character in text)
    return f"`{text}`" if not plain and raw_holds else go_quote(text)


def go_quote(text: str) -> str:
    r"""A text between double quotes, escaped as Go's `strconv.Quote` does.

    >>> go_quote('a"\n\x00')
    '"a\\"\\n\\x00"'
    """
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    if code in _NAMED:
        return _NAMED[code]
    if character.isprintable():
        return character
    if 0xDC80 <= code <= _LAST_BYTE_OF_SURROGATES:  # a byte that was no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if 0xD800 <= code <= 0xDFFF:  # no text of Go's can hold it
        return "\\ufffd"
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def has_surrogates(text: str) -> re.Match[str] | None:
    """The first character that no UTF-8 can hold."""
    return _SURROGATES.search(text)
