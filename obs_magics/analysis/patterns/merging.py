"""Third step: masked lines that say the same with other values become one pattern.

Three rules, each blind to the order of lines and to how often a line occurs. *Forms of one value* stand in `forms`.
*One word apart*: lines that are equal but for one word are one when there are enough such words; two when each holds a
digit or one is a value already, few for what is named (the value of a key, a quoted or dotted name), more for plain
words, so that `opened` and `closed` stay apart. *Many words apart*: where values vary in several places at once, no two
lines need be one word apart; there, words that few lines have, few against the lines that share the rest, are values.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.patterns.forms import forms_of_values, quoted_texts
from obs_magics.analysis.patterns.words import WILDCARD

Array = np.ndarray[Any, Any]
Changes = dict[str, str]

ENOUGH_WORDS = 12  # different plain words at one place
ENOUGH_ALONE = 20  # the same where at most one other word holds the lines together
ENOUGH_NAMED = 5  # different values of one key, quoted or dotted names
ENOUGH_SHARED = 3  # other plain words that a line must share to lose its word to another's value
LEAST_SHARED = 0.4  # of a pattern's words, where several vary

_ROUNDS = 4
_SOLID = "\x03"  # a wildcard as one character, so that no end of it passes for a delimiter
_DELIMITER = re.compile(r"[\s=,;:()\[\]{}<>\"'|#]")
_WORD = re.compile(r"[A-Za-z]{2,}")
_DOTTED = re.compile(r"^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+$")


def merged(rows: Sequence[str]) -> tuple[list[str], Array]:
    """Templates, and the template of each row.

    Args:
        rows: Distinct masked lines.

    Returns:
        The templates in order of their text, and int64 positions in them, one a row.
    """
    texts = list(rows)
    for rule in (forms_of_values, quoted_texts, _words_apart, _many_words_apart, _words_apart):
        changes = rule(sorted(set(texts)))
        texts = [changes.get(text, text) for text in texts]
    templates = sorted(set(texts))
    position = {text: at for at, text in enumerate(templates)}
    return templates, np.fromiter((position[text] for text in texts), np.int64, len(texts))


def _words_apart(texts: list[str]) -> Changes:
    """`_one_word_apart`, again and again as long as it finds something, a few times at most."""
    changes = {text: text for text in texts}
    for _ in range(_ROUNDS):
        found = _one_word_apart(sorted(set(changes.values())))
        if not found:
            break
        changes = {text: found.get(became, became) for text, became in changes.items()}
    return changes


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows as numbers: the words of all, end to end, as positions in the distinct words."""

    words: list[str]
    codes: Array
    row: Array
    place: Array
    lengths: Array

    def hashed(self, codes: Array) -> tuple[Array, Array]:
        """Of each word, with these codes, a hash of itself and its place; and of each row one of all these."""
        own = _mixed(codes * 65536 + self.place)
        whole = _mixed(self.lengths)
        np.add.at(whole, self.row, own)
        return own, whole


def _table(texts: Sequence[str]) -> _Table:
    lists = pc.split_pattern(pa.array(texts, pa.large_string()), " ")
    encoded = lists.flatten().dictionary_encode()
    lengths = pc.list_value_length(lists).to_numpy().astype(np.int64)
    row = np.repeat(np.arange(len(texts)), lengths)
    place = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return _Table(encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64), row, place, lengths)


def _mixed(values: Array) -> Array:
    """A 64-bit hash of integers: the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    mixed = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _groups(keys: Array, least: int) -> Iterator[Array]:
    """Places that have one key, for keys that so many have; in order of their first place."""
    codes = pd.factorize(keys)[0]
    many = np.flatnonzero(np.bincount(codes)[codes] >= least) if len(codes) else codes
    order = many[np.argsort(codes[many], kind="stable")]
    return iter(np.split(order, np.flatnonzero(np.diff(codes[order])) + 1) if len(order) else [])


def _one_word_apart(texts: Sequence[str]) -> Changes:
    """Rows that are equal but for one word, where there are enough such words: what they become."""
    table = _table(texts)
    own, whole = table.hashed(table.codes)
    changes: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for members in _groups(whole[table.row] - own + _mixed(-1 - table.place), 2):
        place = int(table.place[members[0]])
        shared = _shared(texts[table.row[members[0]]], place)
        word = _one_for_all([table.words[code] for code in table.codes[members]], shared)
        if word is not None:
            for at in table.row[members]:
                changes[texts[at]].append((place, word))
    return {text: _replaced(text, found) for text, found in changes.items()}


def _replaced(text: str, found: Iterable[tuple[int, str]]) -> str:
    words = text.split(" ")
    for place, word in found:
        words[place] = word
    return " ".join(words)


def _shared(text: str, place: int) -> int:
    """How many plain words a row has besides the one at `place`."""
    return sum(at != place and _is_plain(word) for at, word in enumerate(text.split(" ")))


def _is_plain(word: str) -> bool:
    return _WORD.search(word.replace(WILDCARD, "")) is not None


def _one_for_all(words: Sequence[str], shared: int) -> str | None:
    """What words that stand at one place of rows that are equal otherwise become together; None: they stay apart."""
    head, tail = _ends([word.replace(WILDCARD, _SOLID) for word in words])
    head, tail = head.replace(_SOLID, WILDCARD), tail.replace(_SOLID, WILDCARD)
    middles = [word[len(head) : len(word) - len(tail)] for word in words]
    enough = _enough(middles, head, tail, shared + _is_plain(head))
    return f"{head}{WILDCARD}{tail}" if len(words) >= enough else None


def _enough(middles: Sequence[str], head: str, tail: str, shared: int) -> int:
    """How many different words make a value of them; `shared` plain words hold the rows together."""
    if WILDCARD in middles and shared >= ENOUGH_SHARED:
        return 2
    if all(middle == WILDCARD or any(map(str.isdigit, middle)) for middle in middles):
        return 2
    quoted = head.endswith(("'", '"')) and head[-1] == tail[:1]
    if shared and (quoted or head.endswith(("=", ":")) or all(map(_DOTTED.match, middles))):
        return ENOUGH_NAMED
    return ENOUGH_WORDS if shared > 1 else ENOUGH_ALONE


def _ends(words: Sequence[str]) -> tuple[str, str]:
    """What the words share at their start and end, cut back to a delimiter."""
    head = _common_start(words)
    tail = _common_start([word[len(head) :][::-1] for word in words])[::-1]
    return head, tail


def _common_start(words: Sequence[str]) -> str:
    least, most = min(words), max(words)
    at = next((at for at, (one, other) in enumerate(zip(least, most, strict=False)) if one != other), len(least))
    while at and not _DELIMITER.match(least[at - 1]):
        at -= 1
    return least[:at]


def _many_words_apart(texts: Sequence[str]) -> Changes:
    """Rows whose rarer words all vary: what they become. Tried with ever more frequent words taken for rare ones."""
    if len(texts) < ENOUGH_NAMED:
        return {}
    table = _table(texts)
    is_value = np.fromiter((WILDCARD in word for word in table.words), bool, len(table.words))[table.codes]
    _, sorts, counts = np.unique(
        _mixed(table.codes * 65536 + table.place) + table.lengths[table.row].astype(np.uint64),
        return_inverse=True,
        return_counts=True,
    )
    support = np.where(is_value, len(texts) + 1, counts[sorts])  # rows of this length with this word at this place
    changes: Changes = {}
    limit = 1
    while limit * ENOUGH_NAMED <= len(texts):
        changes = _with_rare_words(texts, table, support <= limit, limit) | changes
        limit *= 4
    return changes


def _with_rare_words(texts: Sequence[str], table: _Table, rare: Array, limit: int) -> Changes:
    """Rows that are equal but for their rare words, where these vary and enough others hold the rows together."""
    _, whole = table.hashed(np.where(rare, -1, table.codes))
    firsts = np.cumsum(table.lengths) - table.lengths
    several = np.flatnonzero(np.bincount(table.row[rare], minlength=len(texts)) > 1)
    changes: Changes = {}
    for members in _groups(whole[several], max(ENOUGH_NAMED, 2 * limit)):
        rows = several[members]
        words = range(firsts[rows[0]], firsts[rows[0]] + table.lengths[rows[0]])
        solid = sum(not rare[at] and _is_plain(table.words[table.codes[at]]) for at in words)
        if solid < max(2, LEAST_SHARED * len(words)):
            continue
        places = [at - words[0] for at in words if rare[at]]
        if all(_vary_enough({table.words[code] for code in table.codes[firsts[rows] + place]}) for place in places):
            template = _replaced(texts[rows[0]], [(place, WILDCARD) for place in places])
            changes.update({texts[at]: template for at in rows})
    return changes


def _vary_enough(words: set[str]) -> bool:
    return len(words) >= (ENOUGH_NAMED if all(map(_DOTTED.match, words)) else ENOUGH_WORDS)
