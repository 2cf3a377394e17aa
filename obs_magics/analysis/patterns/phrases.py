"""Lines of masked words: every distinct word masked once, and words that the words beside them make a value.

`session opened for user alice`, `Failed password for bob`, `(root) CMD (…)`: a phrase says where a user's name stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.patterns.words import NULLS, WILDCARD, mask_value, mask_word

Array = np.ndarray[Any, Any]

_BEFORE_USER = frozenset({"for", "by", "invalid", "illegal", "as", "Invalid", "Illegal"})  # … user NAME
_BEFORE_FOR = frozenset({"password", "publickey", "keyboard-interactive/pam", "failures", "login"})  # … for NAME
_NO_NAME = frozenset(
    {
        *("invalid", "illegal", "the", "a", "an", "this", "all", "any", "not", "is"),
        *("from", "at", "by", "on", "with", "in", "to", "of"),
        *("account", "accounts", "action", "agent", "code", "data", "groups", "id", "input", "interface", "mode"),
        *("name", "request", "session", "space"),
    }
)
_NAME = re.compile(r"^[\w.$@\\\x01-]+$")
_IN_BRACKETS = re.compile(r"^\([a-z_][\w.-]*\)$")
_CRON = frozenset({"CMD", "CMDOUT", "CMDEND", "RELOAD", "MAIL", "LIST", "BEGIN", "REPLACE"})  # (NAME) …


def masked(shapes: pa.Array) -> pa.Array:
    """The shapes with `<*>` for every value, words parted by single blanks.

    Args:
        shapes: Large strings from `numbers.shapes`, without nulls.
    """
    lines = _words(shapes)
    table = [*map(mask_word, lines.words), WILDCARD, f"({WILDCARD})"]
    codes = lines.codes.copy()
    after_sign = lines.after(_ends_with_sign)
    signed, code_of_signed = np.unique(codes[after_sign], return_inverse=True)
    codes[after_sign] = len(table) + code_of_signed
    codes[_values(lines)] = len(lines.words)
    codes[lines.among(_is_in_brackets) & lines.before(_CRON.__contains__)] = len(lines.words) + 1
    table += [mask_value(lines.words[code]) for code in signed]
    texts = pa.array(table, pa.large_string()).take(pa.array(codes))
    parted = pa.LargeListArray.from_arrays(pa.array(lines.offsets, pa.int64()), texts)
    return pc.binary_join(parted.cast(pa.list_(pa.large_string())), pa.scalar(" ", pa.large_string()))


@dataclass(frozen=True, slots=True)
class _Words:
    """All words of all lines, end to end: positions in the distinct words, and which line each belongs to."""

    words: list[str]
    codes: Array
    line: Array
    offsets: Array

    def among(self, test: Callable[[str], bool]) -> Array:
        """Which words pass."""
        return np.fromiter(map(test, self.words), bool, len(self.words))[self.codes]

    def after(self, test: Callable[[str], bool], places: int = 1) -> Array:
        """Which words have one that passes so many places before them in their line."""
        found = np.zeros(len(self.codes), bool)
        found[places:] = self.among(test)[:-places] & (self.line[places:] == self.line[:-places])
        return found

    def before(self, test: Callable[[str], bool]) -> Array:
        """Which words have one that passes right after them in their line."""
        found = np.zeros(len(self.codes), bool)
        found[:-1] = self.among(test)[1:] & (self.line[1:] == self.line[:-1])
        return found

    def ends(self) -> tuple[Array, Array]:
        """Which words are the first of their line, and which the last."""
        edge = np.diff(self.line, prepend=-1, append=-1) != 0
        return edge[:-1], edge[1:]


def _words(lines: pa.Array) -> _Words:
    lists = pc.ascii_split_whitespace(lines)
    words = lists.flatten().dictionary_encode()
    texts = words.dictionary.to_pylist()
    codes = words.indices.to_numpy().astype(np.int64)
    line = np.repeat(np.arange(len(lists)), pc.list_value_length(lists).to_numpy())
    filled = np.fromiter((text != "" for text in texts), bool, len(texts))[
        codes
    ]  # blanks at a line's ends part nothing
    codes, line = codes[filled], line[filled]
    offsets = np.concatenate(([0], np.cumsum(np.bincount(line, minlength=len(lists)))))
    return _Words(texts, codes, line, offsets)


def _values(lines: _Words) -> Array:
    """Which words are values because of the words before them, or of their place."""
    first, last = lines.ends()
    user = lines.after("user".__eq__) & lines.after(_BEFORE_USER.__contains__, 2)
    subject = lines.after("for".__eq__) & lines.after(_BEFORE_FOR.__contains__, 2)
    nothing = lines.among(NULLS.__contains__) & (last | lines.after(_ends_with_colon))
    superuser = lines.among({"root", "ROOT"}.__contains__) & (first | last)
    return ((user | subject) & lines.among(_is_name)) | nothing | superuser


def _is_name(word: str) -> bool:
    return word not in _NO_NAME and _NAME.match(word) is not None


def _is_in_brackets(word: str) -> bool:
    return _IN_BRACKETS.match(word) is not None


def _ends_with_sign(word: str) -> bool:
    return word.endswith("=")


def _ends_with_colon(word: str) -> bool:
    return word.endswith(":")
