"""Pasted chat as notes with times: Slack, Teams, Discord, WhatsApp, IRC, and what people type by hand.

A chat is of one of two families, and the one with more heads is taken: heads at the front of a line
(``14:31 anna: …``, ``[14:31] anna …``, ``[14:31] <anna> …``, ``2026-11-22T14:31Z anna: …``), or heads on lines of their
own with the message below (``Anna Müller  2:31 PM``; ``[22/11/2026 14:31] Anna Müller``; a name, and the time on the
next line). Every other line goes on with the message above it. See `docs/timeline.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, tzinfo

from obs_magics.incident.chat_times import FLAGS, TIME, Calendar, Day, Written, date_line, written
from obs_magics.model.errors import UsageError
from obs_magics.model.zones import day_and_clock

_MOST_LINES = 20_000
_HEAD_LENGTH = 200  # of a line that is nothing but a name and a time
_AUTHOR_LENGTH, _AUTHOR_WORDS = 60, 6
_EXAMPLES = 'write "14:31 anna: rolled back", or paste what Slack or Teams copy'

_FRONT = re.compile(rf"\s{{0,20}}(?:[-*•>]\s)?(?P<open>[\[(])?{TIME}(?P<close>[\])])?(?P<rest>.*)", FLAGS)
_ALONE = re.compile(rf"\s{{0,20}}[\[(]?{TIME}[\])]?\s*", FLAGS)
_BEHIND = re.compile(
    rf"(?P<author>\S.{{0,{_AUTHOR_LENGTH}}}?)(?P<gap>\s+[—–-]\s+|\t+| {{2,}}|\s*\[|\s)(?P<when>{TIME})\]?\s*", FLAGS
)
_APPS = frozenset({"app", "bot", "workflow", "webhook"})
_EMOJI = re.compile(r":[a-z0-9_+-]{1,40}:", re.ASCII)
_NICK = re.compile(r"<(?P<author>[^<>\s][^<>]{0,59})>\s?(?P<text>.*)")
_NAMED = re.compile(r"(?P<author>[^:]{1,60}?):(?:\s+(?P<text>.*)|$)")
_FIRST = re.compile(r"(?P<author>\S{1,60}?)[:,]?\s+(?P<text>.*)")
_LEAD = re.compile(r"\s*(?:[-–—|:,]\s+)?")


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody wrote.

    Args:
        at_ns: Nanoseconds since the epoch.
        author: Empty when it cannot be told.
        text: One or more lines.
        line: Where it begins in what was pasted, from 1.
    """

    at_ns: int
    author: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Chat:
    """What was pasted.

    Args:
        messages: In order of time; those of one time as they stood.
        notes: What was assumed and what was passed over, each a sentence without a full stop.
    """

    messages: tuple[Message, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Head:
    """A line that begins a message: `rest` is what stands behind the time, `author` who is known from the line."""

    time: Written
    author: str = ""
    rest: str = ""
    bracketed: bool = False
    alone: bool = False


def read_chat(text: str, *, zone: tzinfo, near_ns: int, first: date | None = None) -> Chat:
    """Read pasted chat.

    Args:
        text: As it was copied.
        zone: Meant where a time names none.
        near_ns: When the incident was, in nanoseconds since the epoch: dates that are missing or have two readings are
            those nearest to it.
        first: The day of the first time without a date, and what the chat calls today; None to take the nearest.

    Raises:
        UsageError: There is no time in it, a zone has several meanings, or it is too long.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > _MOST_LINES:
        raise UsageError(f"a chat of {len(lines):,} lines is too long", hint="paste what belongs to the incident")
    front, behind = _front_heads(lines), _behind_heads(lines)
    heads = front if sum(not head.alone for head in front.values()) >= len(behind) else behind
    if not heads:
        raise UsageError("there is no line with a time in it", hint=_EXAMPLES)
    days = {number: day for number, line in enumerate(lines) if number not in heads and (day := date_line(line))}
    parts, skipped = _parts(lines, heads, days)
    parts = _below(parts) if heads is front else parts
    calendar = Calendar(
        [head.time for head in heads.values()], list(days.values()), zone=zone, near_ns=near_ns, first=first
    )
    messages = _dated(parts, days, calendar)
    notes = [*calendar.notes, *_assumed(heads, days, messages, zone)]
    if skipped:
        notes.append(f"{skipped} {'line' if skipped == 1 else 'lines'} before the first time passed over")
    return Chat(tuple(sorted(messages, key=lambda one: one.at_ns)), tuple(notes))


# ── heads at the front of a line ─────────────────────────────────────────────────────────────────────────────────────


def _front_heads(lines: Sequence[str]) -> dict[int, _Head]:
    heads = {}
    for number, line in enumerate(lines):
        found = _FRONT.fullmatch(line)
        time = written(found, number + 1) if found and _parted(found) else None
        if found and time:
            rest = found["rest"]
            lead = _LEAD.match(rest)
            heads[number] = _Head(
                time, rest=rest[lead.end() :] if lead else rest, bracketed=bool(found["open"]), alone=not rest.strip()
            )
    return heads


def _parted(found: re.Match[str]) -> bool:
    """Whether brackets are paired, and something parts the time from what follows: 14:31h and 10:20-30 are no heads."""
    paired = bool(found["open"]) == bool(found["close"])
    rest = found["rest"]
    return paired and (bool(found["close"]) or not rest or rest[0] in " \t:,|<–—" or rest.startswith("- "))


@dataclass(frozen=True, slots=True)
class _Part:
    """A message with its head and the lines below it."""

    number: int
    head: _Head
    below: tuple[str, ...]


def _parts(lines: Sequence[str], heads: dict[int, _Head], days: dict[int, Day]) -> tuple[list[_Part], int]:
    """Each head with the lines up to the next; and how many lines with text stand before the first."""
    starts = sorted(heads)
    names = {number - 1 for number, head in heads.items() if head.alone and head.author} if starts else set()
    parts = []
    for place, start in enumerate(starts):
        end = starts[place + 1] if place + 1 < len(starts) else len(lines)
        kept = [lines[number] for number in range(start + 1, end) if number not in days and number not in names]
        parts.append(_Part(start, heads[start], tuple(kept)))
    before = [number for number in range(starts[0]) if lines[number].strip() and number not in {*days, *names}]
    return parts, len(before)


def _below(parts: list[_Part]) -> list[_Part]:
    """Heads with who wrote: Teams has a name alone in the line, and the message below."""
    open_heads = [part for part in parts if part.head.bracketed and part.head.rest and not _author_in(part.head.rest)]
    names = [part for part in open_heads if any(line.strip() for line in part.below) and _is_name(part.head.rest)]
    teams = len(names) * 2 > len(open_heads)
    told = []
    for part in parts:
        head = part.head
        if teams and head.bracketed and not _author_in(head.rest) and _is_name(head.rest):
            told.append(replace(part, head=replace(head, author=head.rest, rest="")))
            continue
        author, rest = _author_in(head.rest) or (_first_word(head.rest) if head.bracketed else ("", head.rest))
        told.append(replace(part, head=replace(head, author=author, rest=rest)))
    return told


def _author_in(rest: str) -> tuple[str, str] | None:
    """Author and text of ``<anna> …`` and ``anna: …``; None when neither is there."""
    nick = _NICK.fullmatch(rest)
    if nick:
        return nick["author"], nick["text"]
    named = _NAMED.fullmatch(rest)
    if named and _is_name(named["author"]):
        return named["author"], named["text"] or ""
    return None


def _first_word(rest: str) -> tuple[str, str]:
    found = _FIRST.fullmatch(rest)
    return (found["author"], found["text"]) if found else ("", rest)


def _is_name(text: str) -> bool:
    words = text.split()
    return (
        1 <= len(words) <= _AUTHOR_WORDS and len(text) <= _AUTHOR_LENGTH and not text.rstrip().endswith((".", "!", "?"))
    )


# ── heads on lines of their own ──────────────────────────────────────────────────────────────────────────────────────


def _behind_heads(lines: Sequence[str]) -> dict[int, _Head]:
    """Names with a time behind them, and times alone, which belong to the name above them or go on with the last."""
    found = {number: head for number, line in enumerate(lines) if (head := _behind(line, number))}
    alone = {
        number: (match, time)
        for number, line in enumerate(lines)
        if (match := _ALONE.fullmatch(line)) and (time := written(match, number + 1))
    }
    known = {head.author for head in found.values()}
    sure = {number for number, (_, time) in alone.items() if time.half or lines[number][:1].isspace()}
    known |= {lines[number - 1].strip() for number in sure if number}
    heads: dict[int, _Head] = {}
    for number in sorted({*found, *alone}):
        if number in found:
            head = found[number]
            above = lines[number - 1].strip() if number else ""
            app = head.author.lower() in _APPS and _is_name(above)
            heads[number] = _Head(head.time, above, alone=True) if app else head
            continue
        _, time = alone[number]
        name = _name_above(lines, number, sure=number in sure, known=known, any_sure=bool(sure))
        before = max(heads, default=None)
        last = "" if before is None else heads[before].author
        heads[number] = _Head(time, name, alone=True) if name else _Head(time, last)
    return heads


def _behind(line: str, number: int) -> _Head | None:
    match = _BEHIND.fullmatch(line) if len(line) <= _HEAD_LENGTH else None
    time = written(match, number + 1) if match else None
    if match is None or time is None or not _is_name(match["author"]):
        return None
    plain = match["gap"] == " "
    return None if plain and not (time.half or time.day) else _Head(time, match["author"].rstrip(" :,"))


def _name_above(lines: Sequence[str], number: int, *, sure: bool, known: set[str], any_sure: bool) -> str:
    """The name that stands above a time alone; empty when that line belongs to the message before."""
    above = lines[number - 1].strip() if number else ""
    if not above or not _is_name(above) or date_line(above):
        return ""
    begins = number < 2 or not lines[number - 2].strip() or date_line(lines[number - 2]) is not None
    looks = not any_sure and len(above.split()) <= 3 and all(word[:1].isupper() for word in above.split())
    return above if sure or above in known or begins or looks else ""


# ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _dated(parts: Sequence[_Part], days: dict[int, Day], calendar: Calendar) -> list[Message]:
    return list(_messages(parts, days, calendar))


def _messages(parts: Sequence[_Part], days: dict[int, Day], calendar: Calendar) -> Iterator[Message]:
    turns = sorted(days)
    for part in parts:
        while turns and turns[0] < part.number:
            calendar.turn(days[turns.pop(0)])
        at_ns = calendar.instant(part.head.time)
        body = "\n".join([part.head.rest, *part.below]).strip()
        if body:
            yield Message(at_ns, _author(part.head.author), body, part.number + 1)


def _author(name: str) -> str:
    """A name without the emoji of its state, brackets and an at sign."""
    return " ".join(_EMOJI.sub(" ", name).split()).strip("<>@ ").rstrip(":,")[:_AUTHOR_LENGTH]


def _assumed(heads: dict[int, _Head], days: dict[int, Day], messages: Sequence[Message], zone: tzinfo) -> list[str]:
    """Which day and zone stand behind times that name none."""
    notes = []
    if messages and not days and any(head.time.day is None for head in heads.values()):
        first, _ = day_and_clock(min(one.at_ns for one in messages), zone)
        notes.append(f"times without a date are those of {first.day} {first:%b %Y}, and on")
    return notes
