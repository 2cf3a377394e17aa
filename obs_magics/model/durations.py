"""Durations as people type them (`1h30m`, `90 minutes`, `an hour`), as whole nanoseconds."""

from __future__ import annotations

import re
from fractions import Fraction

from obs_magics.model.errors import UsageError, did_you_mean

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
YEAR = 365 * DAY  # as Prometheus counts it

MAX_NS = 2**63 - 1  # what datetime64[ns] can hold: 292 years either way, so up to April 2262
MAX_TEXT = 200  # nobody types a longer time; longer text is somebody's log line

_NAMES: dict[int, str] = {
    1: "ns nanosecond nanoseconds",
    MICROSECOND: "us µs μs microsecond microseconds",
    MILLISECOND: "ms msec msecs millisecond milliseconds",
    SECOND: "s sec secs second seconds",
    MINUTE: "m min mins minute minutes",
    HOUR: "h hr hrs hour hours",
    DAY: "d day days",
    WEEK: "w wk wks week weeks",
    YEAR: "y yr yrs year years",
}
UNITS: dict[str, int] = {name: size for size, names in _NAMES.items() for name in names.split()}
_MONTHS = frozenset({"mo", "month", "months"})

_COUNTS: dict[str, Fraction] = {
    **dict.fromkeys(("a", "an", "one"), Fraction(1)),
    **dict.fromkeys(("half", "half a", "half an"), Fraction(1, 2)),
    **{"two": Fraction(2), "three": Fraction(3), "four": Fraction(4), "five": Fraction(5), "six": Fraction(6)},
    **{"seven": Fraction(7), "eight": Fraction(8), "nine": Fraction(9), "ten": Fraction(10), "twelve": Fraction(12)},
}

_WORD_COUNTS = "|".join(sorted(_COUNTS, key=len, reverse=True))
_ITEM = re.compile(
    rf"(?:(?P<digits>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s?|(?P<word>{_WORD_COUNTS})\s)(?P<unit>[a-zµμ]+)"
    r"(?:\s?,\s?and\s|\s?,\s?|\sand\s|\s)?",
    re.IGNORECASE | re.ASCII,  # else IGNORECASE takes ſ for s
)

_FORMAT = ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s"), (MILLISECOND, "ms"), (MICROSECOND, "us"), (1, "ns"))
_EXAMPLES = "write for example 30s, 5m, 1h30m, 90 minutes, 2 weeks"


def parse_duration(text: str) -> int:
    """Nanoseconds of a duration as people type it.

    Takes ``1h30m``, ``90 minutes``, ``1.5h``, ``an hour``, ``half an hour``, ``1 day, 2 hours and 5 min``, ``500ms``. A
    day is 24 hours, a week 7 days, a year 365 days (as in Prometheus). A part of a nanosecond is rounded.

    Raises:
        UsageError: Not a duration, without a unit, in months (they have no fixed length), or over 292 years.

    >>> parse_duration("1h30m") == 90 * MINUTE
    True
    """
    found = read_duration(text)
    if found is None:
        raise _not_a_duration(text)
    return found


def read_duration(text: str) -> int | None:
    """Like `parse_duration`, but None when the text is something else."""
    cleaned = tidy(text)
    total, position = Fraction(0), 0
    while position < len(cleaned):
        item = _ITEM.match(cleaned, position)
        size = _unit_size(item["unit"]) if item else None
        if item is None or size is None:
            return None
        count = Fraction(item["digits"]) if item["digits"] else _COUNTS[item["word"].lower()]
        total += count * size
        position = item.end()
    if total > MAX_NS:
        raise UsageError(f"{quoted(text)} is longer than 292 years", hint=_EXAMPLES)
    return round(total) if cleaned else None


def format_duration(ns: int) -> str:
    """A duration in the short form that people and Prometheus write, exact to the nanosecond.

    >>> format_duration(90 * MINUTE), format_duration(500 * MILLISECOND), format_duration(0)
    ('1h30m', '500ms', '0s')
    """
    if ns == 0:
        return "0s"
    parts, rest = [], abs(ns)
    for size, unit in _FORMAT:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return ("-" if ns < 0 else "") + "".join(parts)


def tidy(text: str) -> str:
    """The text with single spaces and plain hyphens, as the patterns expect it.

    Raises:
        UsageError: Too long to be a time that somebody typed.
    """
    if len(text) > MAX_TEXT:
        raise UsageError(f"{quoted(text)} is too long for a time", hint=_EXAMPLES)
    return " ".join(text.split()).translate(_HYPHENS)


def quoted(text: str) -> str:
    """The text as it stands in a message: quoted, cut when long."""
    return repr(text if len(text) <= 60 else f"{text[:59]}…")


_HYPHENS = str.maketrans({"−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-"})


def _unit_size(unit: str) -> int | None:
    return None if unit == "M" else UNITS.get(unit.lower())


def _not_a_duration(text: str) -> UsageError:
    words = re.findall(r"[A-Za-zµμ]+", text)
    if "M" in words or any(word.lower() in _MONTHS for word in words):
        return UsageError(f"{quoted(text)}: a month has no fixed length", hint="write 30d, or m for minutes")
    if re.fullmatch(r"\s*[0-9.]+\s*", text):
        return UsageError(f"{quoted(text)} has no unit", hint=f"write {text.strip()}s or {text.strip()}m")
    unknown = [word for word in words if word.lower() not in UNITS and word.lower() not in _COUNTS]
    guess = did_you_mean(unknown[0].lower(), [name for name in UNITS if len(name) > 2]) if unknown else ""
    return UsageError(f"{quoted(text)} is not a duration", hint="; ".join(filter(None, [guess, _EXAMPLES])))
