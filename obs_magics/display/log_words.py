"""A summary of logs as sentences: every number is one that a reader can recount in the frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from obs_magics.display.clock import at, clock_text
from obs_magics.display.units import count_text
from obs_magics.model.log_summary import LogSummary, SaidOften, ServiceLines, Subject
from obs_magics.model.series import clip

_NOUNS: dict[Subject, tuple[str, str]] = {
    "errors": ("error", "errors"),
    "warnings": ("warning", "warnings"),
    "lines": ("line", "lines"),
}
_TEXT_LENGTH = 100
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class _Clock:
    """Writes times to the minute, as one says them; with the day where a reader could mistake it."""

    zone: str
    days: bool

    def at(self, iso: str) -> str:
        return clock_text(_minute_ms(iso), self.zone, day=self.days, named=False)

    def span(self, first: str, last: str) -> str:
        """The minutes that hold both: the last one is over at the second time."""
        start, end = self.at(first), clock_text(_minute_ms(last, up=True), self.zone, day=self.days, named=False)
        if _minute_ms(first) == _minute_ms(last):
            return f"at {start}"
        one_day = _date(first, self.zone) == _date(last, self.zone)
        return f"{start}–{end.rpartition(' ')[2] if one_day else end}"


def log_sentences(summary: LogSummary, *, zone: str = "UTC") -> list[str]:
    """What a summary says: a sentence without a full stop each for the whole, and for each service that is shown."""
    if not summary.rows:
        return ["no lines"]
    times = [time for one in summary.shown for time in (one.first, one.last)]
    clock = _Clock(zone, days=len({_date(time, zone) for time in times}) > 1)
    told = [f"{_head(summary)}; times in {zone}"]
    told += [_of_service(one, summary.subject, clock) for one in summary.shown]
    if (hidden := summary.services - len(summary.shown)) > 0:
        told.append(f"and {count_text(hidden, 'more service')} with fewer")
    if summary.traffic is not None:
        shift = summary.traffic
        against = "normal" if shift.factor > 1 else "what it was before,"
        told.append(f"traffic (lines of every level) {shift.factor:.1f}× {against} since {clock.at(shift.since)}")
    return told


def _head(summary: LogSummary) -> str:
    counted = count_text(summary.count, *_NOUNS[summary.subject])
    where = f" in {count_text(summary.services, 'service')}" if _named(summary.shown) else ""
    others = [
        f"{count:,} {level}"
        for level, count in summary.levels.items()
        if summary.subject == "lines" or level not in {"fatal", "error" if summary.subject == "errors" else "warn"}
    ]
    rest = f"; levels: {', '.join(others)}" if summary.subject == "lines" else f"; besides: {', '.join(others)}"
    fetched = ""
    if summary.total is not None and summary.total > summary.rows:
        among = "" if summary.subject == "lines" else f"among the newest {summary.rows:,} of "
        fetched = f", {among or 'the newest of '}{count_text(summary.total, 'line')}"
    return f"{counted}{where}{fetched}{rest if others else ''}"


def _named(services: Sequence[ServiceLines]) -> bool:
    return any(one.service for one in services)


def _of_service(one: ServiceLines, subject: Subject, clock: _Clock) -> str:
    """``payment-api (32): "Connection pool exhausted" 14:23–14:28, on /api/payments and /api/refunds``."""
    name = clip(one.service, _TEXT_LENGTH) if one.service else f"{_NOUNS[subject][1]} that name no service"
    parts = [_said(said, one, clock) for said in one.said]
    if one.patterns > len(one.said):
        parts.append(f"and {count_text(one.patterns - len(one.said), 'more message')}")
    told = ", ".join(parts)
    if one.paths:
        more = f" and {one.more_paths} more" if one.more_paths else ""
        told += f", on {_listed([clip(path, _TEXT_LENGTH) for path in one.paths], more)}"
    if one.began_after:
        told += f"; began after {clip(one.began_after, _TEXT_LENGTH)}"
    if one.cascade:
        told += "; isolated, likely cascade"
    return f"{name} ({one.count:,}): {told}"


def _said(said: SaidOften, one: ServiceLines, clock: _Clock) -> str:
    count = "" if said.count == one.count else f" {said.count:,}×"
    text = f"“{clip(said.text, _TEXT_LENGTH)}”" if said.text else "nothing (empty lines)"
    return f"{text}{count} {clock.span(said.first, said.last)}"


def _minute_ms(iso: str, *, up: bool = False) -> int:
    ms = int(datetime.fromisoformat(iso).timestamp() * 1000)
    return -(-ms // _MINUTE_MS) * _MINUTE_MS if up else ms // _MINUTE_MS * _MINUTE_MS


def _date(iso: str, zone: str) -> object:
    return at(_minute_ms(iso), zone).date()


def _listed(names: Sequence[str], more: str) -> str:
    if more or len(names) == 1:
        return f"{', '.join(names)}{more}"
    return f"{', '.join(names[:-1])} and {names[-1]}"
