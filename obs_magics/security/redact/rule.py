"""What a rule is, and the few words all rules share.

Rules look at bytes: UTF-8 with two bytes that UTF-8 never has, `END` between the records of a block and `MARK` in place
of what is already hidden. A rule's pattern must never run over them, so every negated class names both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

END = b"\xff"
MARK = b"\xfe"
Span = tuple[int, int]
Match = re.Match[bytes]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing that is hidden.

    Args:
        name: What stands in the pseudonym, `aws_access_key`.
        one: For people, `AWS access key`.
        many: Its plural; None adds an s.
        personal: Personal data, which a policy may leave visible; else a secret, which is always hidden.
    """

    name: str
    one: str
    many: str | None = None
    personal: bool = False

    def counted(self, count: int) -> str:
        """In words, `3 AWS access keys`."""
        return f"{count:,} {self.one if count == 1 else self.many or self.one + 's'}"


def whole(match: Match) -> Iterable[Span]:
    """The named group `hide`."""
    return (match.span("hide"),)


def as_it_is(value: bytes) -> bytes:
    """No other spelling of the value is known."""
    return value


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table of rules.

    Args:
        kind: What is found.
        scan: The pass over the text that looks for it; rules whose finds may overlap stand in different passes.
        find: A cheap expression (both RE2 and `re`, no capturing group) for where it may begin. It finds the lines
            worth looking at, and the places in them.
        pattern: The precise expression, matched where `find` begins; linear in what it reads. Its group `hide` is what
            goes away.
        spans: What is to be hidden of a match: none when a check fails (a wrong sum, a placeholder), several in a
            header of cookies.
        normal: One spelling for all that mean the same, so that they get one pseudonym.
        once: A match leaves nothing to this rule up to its end, also when nothing was hidden.
    """

    kind: Kind
    scan: str
    find: str
    pattern: re.Pattern[bytes]
    spans: Callable[[Match], Iterable[Span]] = whole
    normal: Callable[[bytes], bytes] = as_it_is
    once: bool = False


def compiled(pattern: str) -> re.Pattern[bytes]:
    """A pattern on bytes, from text with only ASCII in it."""
    return re.compile(pattern.encode("ascii"), re.DOTALL)


def before(match: Match, size: int) -> bytes:
    """At most so many bytes of the record that stand before the group `hide`."""
    start = match.start("hide")
    return match.string[max(0, start - size) : start].rpartition(END)[2]


def after(match: Match, size: int) -> bytes:
    """At most so many bytes of the record that stand behind the group `hide`."""
    end = match.end("hide")
    return match.string[end : end + size].partition(END)[0]
