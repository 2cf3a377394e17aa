"""What a logs frame says in numbers: filled by `analysis.log_summary`, shown by `display`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Subject = Literal["errors", "warnings", "lines"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidOften:
    """What a service said most often: `text` is the message without time, level and fields; times are ISO 8601, UTC."""

    text: str
    count: int
    first: str
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLines:
    """The lines of one service that the summary is about.

    Args:
        service: Its name; empty for lines that name none.
        count: How many there are.
        said: What it said most often, the most frequent first; not more than a few.
        patterns: How many different patterns there are in all.
        paths: Request paths that those lines name, most frequent first, ids written as `<*>`.
        more_paths: How many more paths there are.
        first: Time of the first line, ISO 8601 in UTC.
        last: Time of the last one.
        began_after: The service whose lines began just before; empty for the first one.
        cascade: Few lines, all of them while another service that began earlier was in trouble.
    """

    service: str
    count: int
    said: tuple[SaidOften, ...]
    patterns: int
    paths: tuple[str, ...] = ()
    more_paths: int = 0
    first: str
    last: str
    began_after: str = ""
    cascade: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficShift:
    """A lasting change of how many lines there are in all: `factor` times as many since `since` (ISO 8601, UTC)."""

    factor: float
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSummary:
    """A logs frame in numbers.

    Args:
        subject: What the numbers are about: the errors, else the warnings, else all lines.
        count: How many of those the frame holds.
        rows: Lines in the frame.
        total: Lines in all, as the source counted them; None when it did not.
        levels: Lines of the frame by level (`unknown` too), most severe first.
        services: In how many services the subject was seen.
        shown: The services with most of it, most lines first.
        traffic: A lasting change of the number of all lines; None when there was none, or no counts to tell.
    """

    subject: Subject
    count: int
    rows: int
    total: int | None
    levels: Mapping[str, int]
    services: int
    shown: tuple[ServiceLines, ...]
    traffic: TrafficShift | None = None
