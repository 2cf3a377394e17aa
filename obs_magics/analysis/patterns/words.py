"""Second pass, over the words of the shapes: which of them are values, and how much of them.

Every distinct word (what stands between blanks) is looked at once. What counts as a value: numbers and what is glued to
them, paths and URLs, hosts and addresses, booleans, the values of `key=value`. The conventions are those of the
corrected labels of Loghub (Khan et al., "Guidelines for assessing the accuracy of log message template identification
techniques", ICSE 2022): a value takes the whole of `name-12`, `v1.2.3` or `/a/b.log`, but in `core.2275` or
`Server@33557fe4` the name before the dot or the at-sign stays.
"""

from __future__ import annotations

import re

from obs_magics.analysis.patterns.numbers import MARK

WILDCARD = "<*>"
BOOLEANS = frozenset({"true", "false", "True", "False", "TRUE", "FALSE"})
NULLS = frozenset({"null", "nil", "None", "(null)", "NULL"})

_LITERALS = BOOLEANS | NULLS
_VALUE = "\x02"  # already known to be a value, whatever is in it
_KNOWN = frozenset(  # words in spite of their digits
    ("x86_64", "amd64", "arm64", "aarch64", "base64", "win32", "win64", "int32", "int64", "float64")
)
# Keys whose value says who or where: never part of the message.
_IDENTITY = re.compile(
    r"^(?:r?user|user_?name|logname|login|account|r?host|host_?name|email|client|peer|node|pod)=[^\s=<>\"']+$",
    re.IGNORECASE,
)
_GENERIC = "com|net|org|edu|gov|mil|biz"
_INNER = "int|info|local|internal|lan|localdomain|cluster|svc|corp|home|arpa"  # words too: `logger.info` is no host
_COUNTRY = "cn|hk|us|uk|de|fr|jp|kr|tw|ru|br|in|au|ca|nl|it|es|ch|se|no|fi|eu|at|be|dk|cz|sg|nz|tv|io"
# Names that are values wherever they stand; \x01 is MARK.
_NAMES = (
    re.compile(rf"^(?:[\w\x01-]+\.)+(?:{_GENERIC})$|^(?:[\w\x01-]+\.){{2,}}(?:{_INNER}|{_COUNTRY})$"),  # host
    re.compile(r"^[\w.+\x01-]+@[\w\x01-]+(?:\.[\w\x01-]+)+$"),  # mail address
    re.compile(r"^[a-z]\w*(?:\.\w+)+/[\w.$]+$"),  # component of Android: com.example.app/.MainActivity
    re.compile(r"^[\w.~\x01-]+(?:(?:/[\w.~\x01-]+){2,}/?|/[\w.\x01-]*\.[A-Za-z]\w{0,4})$"),  # a/b/c · conf/app.yaml
)

_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://|(?:jar:)?file:/)[^\s\"'<>,;()\[\]{}|]+")
_WINDOWS = re.compile(r"\b[A-Za-z]:\\[^\s\"'<>,;|]*")
_PATH = re.compile(
    r"(^|[=:,(\"'\[{|@])"
    r"(?:\.{1,2}|~)?/[^\s,;:\"'()\[\]{}<>|=?\x02]+(?:\?[^\s\"'<>]*)?"
)
_DELIMITERS = re.compile(r"([=,;:()\[\]{}<>\"'|#!?*]+)")
# What stays before a number: `core.` · `QuorumServer@` · `PS/` · `enabled.....` · `@`
_KEPT = re.compile(r"^((?:[A-Za-z_$][\w$-]*(?:[.$/][A-Za-z_$][\w$-]*)*)(?:\.+|[@/])|\.{2,}|@)[-+]?\x01.*$")
_NUMBERED = re.compile(r"[_-][0-9]|[0-9][^.]*[0-9]|^[vV][0-9]")  # rdd_2 · U11 · v0
_LABEL = re.compile(r"^[A-Za-z_]{3}\w*$")
_JOINED = re.compile(r"<\*>(?:(?::|/|@|:/)<\*>)+")  # host:port is one value
_SIGNED = re.compile(r"(?<![^\s=:,(\[])[<>~+-]<\*>")  # -1 · <5


def mask_word(word: str) -> str:
    r"""One word with `<*>` for what is a value in it.

    >>> mask_word("rhost=host\x01.example.com"), mask_word("core.\x01"), mask_word("restart.")
    ('rhost=<*>', 'core.<*>', 'restart.')
    """
    bare = word.strip(".,:;()[]")
    if bare.isalpha() and bare not in _LITERALS:  # most words: nothing in them to look at
        return word
    if _IDENTITY.match(word):
        return word[: word.index("=") + 1] + WILDCARD
    word = _URL.sub(_VALUE, word)
    word = _WINDOWS.sub(_VALUE, word)
    word = _PATH.sub(rf"\1{_VALUE}", word)
    parts = ["", *_DELIMITERS.split(word), "", ""]  # delimiters at even places, pieces at odd ones
    pieces = range(1, len(parts) - 2, 2)
    masked = {at: _mask_piece(parts[at], parts[at - 1], parts[at + 1], parts[at + 2]) for at in pieces}
    text = "".join(masked.get(at, part) for at, part in enumerate(parts))
    return _SIGNED.sub(WILDCARD, _JOINED.sub(WILDCARD, text))


def mask_value(word: str) -> str:
    """The same for a word that follows `name =`, with the blank between them: all of it is a value if any is."""
    return mask_word(f"={word}")[1:]


def _mask_piece(piece: str, before: str, after: str, following: str) -> str:
    """A piece between two delimiters (empty at the word's ends), and what follows the second."""
    if _VALUE in piece:
        return WILDCARD
    if not piece or _is_name_of_field_or_function(piece, before, after, following):
        return piece.replace(MARK, WILDCARD)
    body = piece.rstrip(".%")
    tail = piece[len(body) :]
    if body in NULLS:
        return WILDCARD + tail if before.endswith(("=", ":", "(", "[", ",")) else piece
    is_value = before.endswith("=")
    if body in BOOLEANS or any(name.match(body) for name in _NAMES):
        return WILDCARD + tail
    if body.lower() in _KNOWN or not (MARK in body or _NUMBERED.search(body)):
        return piece
    kept = None if is_value else _KEPT.match(body)
    return (kept[1] if kept and not _NUMBERED.search(kept[1]) else "") + WILDCARD + tail


def _is_name_of_field_or_function(piece: str, before: str, after: str, following: str) -> bool:
    if after.startswith("="):
        return piece[0] != MARK
    if MARK in piece:
        return False
    if after.startswith(("::", "(")) or before.endswith("::"):
        return True
    return after == ":" and following != "" and _LABEL.match(piece) is not None
