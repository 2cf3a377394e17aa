"""A block of records in which marks stand for what is hidden, with what stands behind the marks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

from obs_magics.security.redact.pseudonyms import pseudonym_pattern
from obs_magics.security.redact.rule import END, MARK
from obs_magics.security.redact.rules import KINDS

_PSEUDONYM = pseudonym_pattern(KINDS)

Found = tuple[int, int, int]
"""Where a hidden value begins and ends in a block, and the place of its rule in the table."""


@dataclass(frozen=True, slots=True)
class Marked:
    """Records with marks.

    Args:
        text: UTF-8 with `END` between the records and a `MARK` for each hidden value.
        hidden: The pseudonyms behind the marks, in order.
    """

    text: bytes
    hidden: Sequence[bytes] = ()

    @classmethod
    def of(cls, block: bytes) -> Marked:
        """A block whose pseudonyms are marked, so that no rule sees them."""
        hidden = [match[0] for match in _PSEUDONYM.finditer(block)]
        return cls(_PSEUDONYM.sub(MARK, block), hidden) if hidden else cls(block)

    def replaced(self, found: Iterable[Found], pseudonym: Callable[[int, bytes], bytes]) -> Marked:
        """With marks for these values too, which are in order and not over one another."""
        before = iter(self.hidden)
        behind: list[bytes] = []
        pieces: list[bytes] = []
        at = 0
        for start, end, place in found:
            piece = self.text[at:start]
            pieces.append(piece)
            if self.hidden:
                behind += islice(before, piece.count(MARK))
            behind.append(pseudonym(place, self.text[start:end]))
            at = end
        pieces.append(self.text[at:])
        return Marked(MARK.join(pieces), [*behind, *before])

    def records(self) -> list[bytes]:
        """The records, with pseudonyms in place of the marks."""
        if not self.hidden:
            return self.text.split(END)
        pieces = self.text.split(MARK)
        whole = [b""] * (2 * len(pieces) - 1)
        whole[::2] = pieces
        whole[1::2] = self.hidden
        return b"".join(whole).split(END)

    def marked_records(self) -> dict[int, bytes]:
        """Those that have marks, by their place."""
        return {place: record for place, record in enumerate(self.text.split(END)) if MARK in record}

    def part(self, places: Sequence[int]) -> Marked:
        """Only these records."""
        records = self.text.split(END)
        until = [0, *accumulate(record.count(MARK) for record in records)]
        hidden = [pseudonym for place in places for pseudonym in self.hidden[until[place] : until[place + 1]]]
        return Marked(END.join(records[place] for place in places), hidden)

    def records_of(self, found: Iterable[Found]) -> Iterator[tuple[int, int]]:
        """For values in order: the record each is in, and the place of its rule."""
        record, at = 0, 0
        for start, _, place in found:
            record += self.text.count(END, at, start)
            at = start
            yield record, place
