"""Durations and sizes as LogQL writes them: `1h30m`, `1d`, `1.5s`, `20KB`, `1MiB`.

Two dialects of duration meet in Loki: Prometheus' (whole numbers, units up to a year, biggest first; the only one in
``[5m]``) and Go's (fractions, a sign, units up to an hour). Elsewhere Prometheus' is tried first.

Sources: prometheus/common `model.ParseDuration`, Go `time.ParseDuration`, dustin/go-humanize `ParseBytes`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction

from obs_magics.syntax.logql.strings import go_quote

_NANOSECONDS: Mapping[str, int] = {
    "y": 365 * 86_400 * 10**9,
    "w": 7 * 86_400 * 10**9,
    "d": 86_400 * 10**9,
    "h": 3_600 * 10**9,
    "m": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
}
_GO_NANOSECONDS: Mapping[str, int] = {
    "h": 3_600 * 10**9,
    "m": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "us": 1_000,
    "µs": 1_000,  # micro sign
    "μs": 1_000,  # Greek mu
    "ns": 1,
}
_LARGEST = 2**63 - 1
_PIECE = re.compile(r"([0-9]+)([^0-9]+)")
_GO_PIECE = re.compile(r"([0-9]*)(?:(\.)([0-9]*))?([^0-9.]+)")
_SIZE = re.compile(r"([0-9][0-9.,]*|\.[0-9][0-9.,]*)\s*([a-zA-Z]*)")
_DECIMAL = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "p": 10**15, "e": 10**18}
_BINARY = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40, "p": 2**50, "e": 2**60}
_BYTES: Mapping[str, int] = {
    **{f"{prefix}{b}": factor for prefix, factor in _DECIMAL.items() for b in ("", "b")},
    **{f"{prefix}i{b}": factor for prefix, factor in _BINARY.items() for b in ("", "b")},
}
_LARGEST_BYTES = 2**64


def range_ns(text: str) -> int:
    """Nanoseconds of what stands in the square brackets of a range.

    Raises:
        ValueError: In Prometheus' words.

    >>> range_ns("1h30m") == 90 * 60 * 10**9
    True
    """
    if text == "0":
        return 0
    if not text:
        raise ValueError("empty duration string")
    total, place, smallest = 0, 0, -1
    units = list(_NANOSECONDS)
    while place < len(text):
        piece = _PIECE.match(text, place)
        if piece is None or not piece[1].isascii():
            raise ValueError(f"not a valid duration string: {go_quote(text)}")
        if piece[2] not in _NANOSECONDS:
            raise ValueError(f"unknown unit {go_quote(piece[2])} in duration {go_quote(text)}")
        if units.index(piece[2]) <= smallest:
            raise ValueError(f"not a valid duration string: {go_quote(text)}")
        smallest = units.index(piece[2])
        total += _whole(piece[1]) * _NANOSECONDS[piece[2]]
        if total > _LARGEST:
            raise ValueError("duration out of range")
        place = piece.end()
    return total


def go_duration_ns(text: str) -> int | None:
    """Nanoseconds of a duration in Go's dialect; None for anything else.

    >>> go_duration_ns("-1.5s"), go_duration_ns("1d")
    (-1500000000, None)
    """
    sign = -1 if text.startswith("-") else 1
    body = text[1:] if text[:1] in {"-", "+"} else text
    if body == "0":
        return 0
    total, place = Fraction(0), 0
    while place < len(body):
        piece = _GO_PIECE.match(body, place)
        if piece is None or not (piece[1] or piece[3]) or piece[4] not in _GO_NANOSECONDS:
            return None
        number = Fraction(_whole(piece[1] or "0")) + _fraction(piece[3] or "")
        total += math.floor(number * _GO_NANOSECONDS[piece[4]])
        place = piece.end()
    if not body or total > _LARGEST:
        return None
    return sign * int(total)


def duration_ns(text: str) -> int | None:
    """Nanoseconds of a duration outside of square brackets, in either dialect; None for anything else."""
    try:
        return range_ns(text)
    except ValueError:
        return go_duration_ns(text)


def bytes_of(text: str) -> int | None:
    """How many bytes `20KB`, `1.5MiB` or `3g` are; None for what is no size.

    >>> bytes_of("1KiB"), bytes_of("1,5 kB"), bytes_of("3 pounds")
    (1024, 15000, None)
    """
    piece = _SIZE.fullmatch(text)
    factor = _BYTES.get(piece[2].lower()) if piece else None
    if piece is None or factor is None:
        return None
    try:
        number = float(piece[1].replace(",", ""))
    except ValueError:
        return None
    size = number * factor
    return int(size) if size < _LARGEST_BYTES else None


def written_duration(nanoseconds: int) -> str:
    """The shortest text that both dialects of duration can hold: whole numbers, biggest unit first.

    >>> written_duration(90 * 60 * 10**9), written_duration(0), written_duration(1_500_000)
    ('1h30m', '0s', '1.5ms')
    """
    sign, left, parts = ("-" if nanoseconds < 0 else ""), abs(nanoseconds), list[str]()
    if left % 10**6 == 0 and not sign:
        units: Mapping[str, int] = {unit: size for unit, size in _NANOSECONDS.items() if unit not in {"y", "w"}}
    else:  # fractions and signs are Go's alone, which has no days
        units = _GO_NANOSECONDS
    for unit, size in units.items():
        if unit == "ms" and left % 10**6:
            return sign + "".join(parts) + _milliseconds(left)
        if left >= size:
            parts.append(f"{left // size}{unit}")
            left %= size
    return sign + "".join(parts) if parts else "0s"


def _milliseconds(nanoseconds: int) -> str:
    whole, rest = divmod(nanoseconds, 10**6)
    return f"{whole}.{rest:06d}".rstrip("0") + "ms"


def _whole(digits: str) -> int:
    """Few digits only: more would be out of range anyway, and Python reads long numbers slowly."""
    return int(digits) if len(digits.lstrip("0")) <= 20 else _LARGEST + 1


def _fraction(digits: str) -> Fraction:
    kept = digits[:30]
    return Fraction(int(kept), 10 ** len(kept)) if kept else Fraction(0)
