"""From text to text without what the rules find: passes over a whole block of records at once.

Each pass is one RE2 expression over the block (one automaton, whose time is proportional to the text whatever is in it);
Python looks only at the places that it finds. What goes is replaced by marks, and the passes are repeated where something
may be left: so a second redaction has nothing to do.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import re2

from obs_magics.security.redact.marked import Found, Marked
from obs_magics.security.redact.pseudonyms import Pseudonyms
from obs_magics.security.redact.rule import MARK, Rule
from obs_magics.security.redact.rules import RULES

_MOST_ROUNDS = 32
_FEW = 4
_MOST_REMEMBERED = 4096
_NOTHING = re.compile(rb"(?:\\+[nrt\"']|[^A-Za-z0-9\x80-\xfd])*+")


def _compile(expression: str) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes are bytes: END and MARK are no UTF-8
    options.max_mem = 1 << 28
    return re2.compile(expression.encode("ascii"), options)


class _Pass:
    """One expression, and the rules that may apply where it hits.

    In a pass of many rules, only the first whose `find` matches at a place is tried there.
    """

    def __init__(self, rules: Sequence[tuple[int, Rule]]) -> None:
        finds = [rule.find for _, rule in rules]
        self._find = _compile("|".join(f"(?:{find})" for find in finds))
        self._rules = [(place, rule.pattern.match, rule.spans) for place, rule in rules]
        self._which = re.compile("|".join(f"({find})" for find in finds).encode("ascii")).match

    def run(self, block: bytes) -> Iterator[Found]:
        """What is to be hidden in a block, in no order that matters."""
        done = 0
        for hit in self._find.finditer(block):
            start, _ = hit.span()
            if start < done:
                continue
            for place, pattern, spans in self._rules_at(block, start):
                match = pattern(block, start)
                hidden = () if match is None else list(spans(match))
                if hidden:
                    yield from ((first, last, place) for first, last in hidden)
                    done = hidden[-1][1]
                    break

    def _rules_at(self, block: bytes, start: int) -> Sequence[Any]:
        if len(self._rules) <= _FEW:
            return self._rules
        which = self._which(block, start)
        return () if which is None else self._rules[which.lastindex - 1 : which.lastindex]


class Scanner:
    """The passes that a policy needs.

    Args:
        personal: Kinds of personal data to hide beside the secrets.
    """

    def __init__(self, personal: Iterable[str]) -> None:
        chosen = frozenset(personal)
        passes: dict[str, list[tuple[int, Rule]]] = {}
        for place, rule in enumerate(RULES):
            if not rule.kind.personal or rule.kind.name in chosen:
                passes.setdefault(rule.scan, []).append((place, rule))
        self._passes = [_Pass(rules) for rules in passes.values()]
        self.worth_a_look = "|".join(f"(?:{rule.find})" for rules in passes.values() for _, rule in rules)
        """Whether there may be anything in a record (RE2): the cheap question that most lines say no to."""

    def redact(self, block: bytes, pseudonyms: Pseudonyms) -> tuple[list[bytes], list[tuple[int, int]]]:
        """Records without what has to go.

        Args:
            block: UTF-8, `END` between its records, no `MARK`.
            pseudonyms: What stands in place.

        Returns:
            The records, and for each hidden value the record it was in and the place of its rule in the table.
        """
        marked, counts = self._once(Marked.of(block), pseudonyms)
        records = marked.records()
        left = self._left(marked) if counts else []
        if left:
            again = marked.part(left)
            for _ in range(_MOST_ROUNDS):
                again, more = self._once(again, pseudonyms)
                if not more:
                    break
                counts += ((left[place], rule) for place, rule in more)
            for place, record in zip(left, again.records(), strict=True):
                records[place] = record
        return records, counts

    def _once(self, marked: Marked, pseudonyms: Pseudonyms) -> tuple[Marked, list[tuple[int, int]]]:
        found = resolve([piece for rules in self._passes for piece in rules.run(marked.text)], marked)
        if not found:
            return marked, []

        def pseudonym(place: int, value: bytes) -> bytes:
            rule = RULES[place]
            return pseudonyms.of(rule.kind.name, rule.normal(value))

        return marked.replaced(found, pseudonym), list(marked.records_of(found))

    def _left(self, marked: Marked) -> list[int]:
        """The records in which something was hidden, and that are worth another look."""
        records = marked.marked_records()
        array = pa.array(list(records.values()), pa.large_binary())
        worth = pc.match_substring_regex(array, self.worth_a_look).to_pylist()
        return [place for place, yes in zip(records, worth, strict=True) if yes]


def resolve(found: Sequence[Found], marked: Marked) -> list[Found]:
    """Values in order, none over another: the higher rule keeps its place, what is left of a lower secret goes too.

    What is left of personal data stays for the next round: half of it may be none.
    """
    if marked.hidden:
        found = [piece for whole in found for piece in _without_marks(whole, marked.text)]
    heap = sorted(found)  # a sorted list is a heap
    if all(heap[at][1] <= heap[at + 1][0] for at in range(len(heap) - 1)):
        return heap
    kept: list[Found] = []
    while heap:
        start, end, place = heapq.heappop(heap)
        if not kept or start >= kept[-1][1]:
            kept.append((start, end, place))
            continue
        first, last, above = kept[-1]
        if place < above:  # the new one stays; what is left of the other is looked at again
            kept.pop()
            rest, lower = [(first, start, above), (end, last, above)], above
            heapq.heappush(heap, (start, end, place))
        else:
            rest, lower = [(last, end, place)], place
        if not RULES[lower].kind.personal:
            for piece in rest:
                if piece[0] < piece[1] and not _NOTHING.fullmatch(marked.text, piece[0], piece[1]):
                    heapq.heappush(heap, piece)
    return kept


def _without_marks(whole: Found, text: bytes) -> Iterator[Found]:
    start, end, place = whole
    if text.find(MARK, start, end) < 0:
        yield whole
        return
    for piece in text[start:end].split(MARK):
        if not _NOTHING.fullmatch(piece):
            yield start, start + len(piece), place
        start += len(piece) + 1
