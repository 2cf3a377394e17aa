"""From text to text without what the rules find: passes over a whole block of records at once.

Each pass is one RE2 expression over the block (an automaton, whose time is proportional to the text whatever is in it);
Python looks only at the places that it finds. What goes is replaced by marks, and the passes are repeated where
something may be left: so a second redaction has nothing to do.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.security.redact.automata import searcher
from obs_magics.security.redact.marked import Found, Marked
from obs_magics.security.redact.pseudonyms import Pseudonyms
from obs_magics.security.redact.rule import MARK, Rule
from obs_magics.security.redact.rules import RULES

_MOST_ROUNDS = 32
_SMALL = 1000
_FEW = 4
# Passes whose expressions together are still one small automaton: what finds the lines worth a look is made of these.
_SIEVES = (
    ("tokens",),
    ("words", "pairs", "places", "said"),
    ("fields",),
    ("addresses", "accounts", "card", "called", "phone"),
)
_NOTHING = re.compile(rb"(?:\\+[nrt\"']|[^A-Za-z0-9\x80-\xfd])*+")


class _Pass:
    """One expression, and the rules that may apply where it hits.

    In a pass of many rules, only the first whose `find` matches at a place is tried there.
    """

    def __init__(self, rules: Sequence[tuple[int, Rule]]) -> None:
        finds = [rule.find for _, rule in rules]
        self._search = searcher("|".join(f"(?:{find})" for find in finds))
        # In turns: what is tried at a place, one list for each rule that may be the first there, none for none.
        each = [(place, rule.pattern.match, rule.spans, rule.once) for place, rule in rules]
        self._few = len(each) <= _FEW
        self._tried = [each] if self._few else [[], *([one] for one in each)]
        self._which = re.compile("|".join(f"({find})" for find in finds).encode("ascii")).match

    def run(self, block: bytes, found: list[Found]) -> None:
        """Add what is to be hidden in a block, in order."""
        search, which, few, tried = self._search, self._which, self._few, self._tried
        at = 0
        seen: dict[int, int] = {}
        while hit := search(block, at):
            start, end = hit
            at = end - 1 if end - 1 > start else start + 1  # the last letter may be the first of another find
            first = None if few else which(block, start)
            for place, pattern, spans, once in tried[(first.lastindex or 0) if first else 0]:
                if once and start < seen.get(place, 0):
                    continue
                match = pattern(block, start)
                if match is None:
                    continue
                if once:
                    seen[place] = match.end()
                hidden = False
                for begin, until in spans(match):
                    found.append((begin, until, place))
                    hidden, at = True, max(at, until)
                if hidden:
                    break


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
        finds = {name: [f"(?:{rule.find})" for _, rule in rules] for name, rules in passes.items()}
        sieves = ("|".join(find for name in names for find in finds.get(name, ())) for names in _SIEVES)
        self.sieves = tuple(sieve for sieve in sieves if sieve)
        """RE2 expressions; a record that none of them matches has nothing to hide. Most have not."""

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
        everything: list[Found] = []
        for one in self._passes:
            one.run(marked.text, everything)
        found = resolve(everything, marked)
        if not found:
            return marked, []

        def pseudonym(place: int, value: bytes) -> bytes:
            rule = RULES[place]
            return pseudonyms.of(rule.kind.name, rule.normal(value))

        return marked.replaced(found, pseudonym), list(marked.records_of(found))

    def _left(self, marked: Marked) -> list[int]:
        """The records in which something was hidden, and that are worth another look."""
        records = marked.marked_records()
        if len(records) < _SMALL:
            return list(records)
        array = pa.array(list(records.values()), pa.large_binary())
        worth = reduce(pc.or_, (pc.match_substring_regex(array, sieve) for sieve in self.sieves)).to_pylist()
        return [place for place, yes in zip(records, worth, strict=True) if yes]


def resolve(found: Sequence[Found], marked: Marked) -> list[Found]:
    """Values in order, none over another: the higher rule keeps its place, what is left of a lower secret goes too.

    What is left of personal data stays for the next round: half of it may be none.
    """
    if marked.hidden:
        found = [piece for whole in found for piece in _without_marks(whole, marked.text)]
    kept: list[Found] = []
    for cluster in _clusters(sorted(found)):
        kept += cluster if len(cluster) == 1 else _settle(cluster, marked.text)
    return kept


def _clusters(found: Sequence[Found]) -> Iterator[list[Found]]:
    """Values in order, those together that overlap."""
    cluster: list[Found] = []
    until = 0
    for value in found:
        if value[0] >= until and cluster:
            yield cluster
            cluster = []
        cluster.append(value)
        until = max(until, value[1])
    if cluster:
        yield cluster


def _settle(heap: list[Found], text: bytes) -> list[Found]:
    """Of values that overlap, in order (a sorted list is a heap)."""
    kept: list[Found] = []
    while heap:
        start, end, place = heapq.heappop(heap)
        if not kept or start >= kept[-1][1]:
            kept.append((start, end, place))
            continue
        first, last, above = kept[-1]
        if place < above:
            kept.pop()
            heapq.heappush(heap, (start, end, place))
            rest, lower = [(first, start, above), (end, last, above)], above
        else:
            rest, lower = [(last, end, place)], place
        if not RULES[lower].kind.personal:
            for piece in rest:
                if piece[0] < piece[1] and not _NOTHING.fullmatch(text, piece[0], piece[1]):
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
