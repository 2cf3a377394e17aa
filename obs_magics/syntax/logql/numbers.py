"""Numbers as Go's scanner reads them: `12`, `0.5e3`, `1_000`, `0x1p4`; what looks like one and is none says why."""

from __future__ import annotations

import re

_NUMBER = re.compile(
    r"""
      0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?
    | 0[oO][0-9_]*
    | 0[b][0-9_]*
    | (?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]*)?
    """,
    re.VERBOSE,
)
_SEPARATED = re.compile(r"(?:^|[^0-9a-fA-FxXoOb])_|_(?:$|[^0-9a-fA-F])|__")


def scan_number(text: str, start: int) -> tuple[int, str]:
    """Where the number that begins at `start` ends, and what is wrong with it in Go's words (empty: nothing)."""
    match = _NUMBER.match(text, start)
    assert match is not None, "the caller has seen a digit"  # noqa: S101
    number = match[0]
    return match.end(), _problem(number)


def _problem(number: str) -> str:
    lower = number.lower()
    prefix = lower[:2] if lower[:2] in {"0x", "0o", "0b"} else ""
    if prefix and not lower[2:].strip("_."):
        return f"{_NAMES[prefix]} has no digits"
    if prefix == "0x" and "." in lower and "p" not in lower:
        return "hexadecimal mantissa requires a 'p' exponent"
    if lower[-1] in "+-" or lower[-1] == ("p" if prefix == "0x" else "e"):
        return "exponent has no digits"
    too_big = _invalid_digit(lower, prefix)
    if too_big:
        return f"invalid digit {too_big!r} in {_NAMES[prefix]}"
    return "'_' must separate successive digits" if _SEPARATED.search(number) else ""


_NAMES = {"0x": "hexadecimal literal", "0o": "octal literal", "0b": "binary literal", "": "octal literal"}


def _invalid_digit(lower: str, prefix: str) -> str:
    """The first digit that is too big for its base: `8` in `089`, unless the number is a fraction."""
    is_octal = prefix == "0o" or (not prefix and lower[0] == "0" and len(lower) > 1)
    base = 8 if is_octal else 2 if prefix == "0b" else 10
    if prefix == "0x" or base == 10 or any(mark in lower for mark in ".e"):
        return ""
    return next((digit for digit in lower[2 if prefix else 0 :] if digit != "_" and int(digit) >= base), "")


def go_float(text: str) -> float | None:
    """The value of a number token, as Go's `strconv.ParseFloat` reads it; None where that fails.

    >>> go_float("1_000"), go_float("0x10"), go_float("0x1p4"), go_float("1e400")
    (1000.0, None, 16.0, None)
    """
    try:
        value = float.fromhex(text) if text.lower().startswith("0x") else float(text)
    except (ValueError, OverflowError):
        return None
    is_hex_without_exponent = text.lower().startswith("0x") and "p" not in text.lower()
    return None if is_hex_without_exponent or value in {float("inf"), float("-inf")} else value
