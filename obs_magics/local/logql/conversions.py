"""Texts of labels as numbers, the way Go reads them; what is none says why in Go's words.

Sources: `strconv.ParseFloat`, `time.ParseDuration`, `ParseBytes` of dustin/go-humanize; used by Loki's label filters
and by `unwrap` (`pkg/logql/log/label_filter.go`, `metrics_extraction.go`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from obs_magics.syntax.logql.strings import go_quote
from obs_magics.syntax.logql.units import bytes_of, go_duration_ns

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_HEXADECIMAL = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+", re.ASCII)
_NAMES = {"nan": float("nan"), **dict.fromkeys(("inf", "+inf", "infinity", "+infinity"), float("inf"))}
_NAMES.update(dict.fromkeys(("-inf", "-infinity"), float("-inf")))
_SECOND = 1e9
_SIZE = re.compile(r"[0-9.,]*", re.ASCII)

Conversion = Callable[[str], float]


def number(text: str) -> float:
    """A floating point number.

    Raises:
        ValueError: In Go's words.

    >>> number("2.50"), number("-Inf")
    (2.5, -inf)
    """
    if _DECIMAL.fullmatch(text):
        value = float(text)
    elif _HEXADECIMAL.fullmatch(text):
        value = _of_hexadecimal(text)
    elif text.lower() in _NAMES:
        return _NAMES[text.lower()]
    else:
        raise ValueError(f"strconv.ParseFloat: parsing {go_quote(text)}: invalid syntax")
    if value in {float("inf"), float("-inf")}:
        raise ValueError(f"strconv.ParseFloat: parsing {go_quote(text)}: value out of range")
    return value


def _of_hexadecimal(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return float("inf")


def seconds(text: str) -> float:
    """A duration of Go's (`1m30s`) in seconds.

    Raises:
        ValueError: In Go's words.

    >>> seconds("1.5ms")
    0.0015
    """
    found = go_duration_ns(text)
    if found is None:
        raise ValueError(f"time: {_of_duration(text)}")
    return found / _SECOND


def _of_duration(text: str) -> str:
    quoted = go_quote(text)
    bare = re.fullmatch(r"[+-]?([0-9]*\.?[0-9]*)(.*)", text, re.DOTALL)
    if bare and bare[1].strip(".") and not bare[2]:
        return f"missing unit in duration {quoted}"
    unit = re.match(r"[^0-9.]+", bare[2]) if bare and bare[1].strip(".") else None
    if unit and go_duration_ns("1" + unit[0]) is None:
        return f"unknown unit {go_quote(unit[0])} in duration {quoted}"
    return f"invalid duration {quoted}"


def size(text: str) -> float:
    """How many bytes `1.5MB` or `3KiB` are.

    Raises:
        ValueError: In the words of go-humanize.

    >>> size("1.5kB"), size("2 MiB")
    (1500.0, 2097152.0)
    """
    found = bytes_of(text.strip()) if text[:1].strip() else None
    if found is not None:
        return float(found)
    digits = _SIZE.match(text)
    plain = digits[0].replace(",", "") if digits else ""
    number(plain)  # says what is wrong with the number, if that is what is wrong
    unit = text[len(digits[0]) if digits else 0 :].strip().lower()
    raise ValueError(f"unhandled size name: {unit}")


CONVERSIONS: Mapping[str, Conversion] = {"": number, "duration": seconds, "duration_seconds": seconds, "bytes": size}
