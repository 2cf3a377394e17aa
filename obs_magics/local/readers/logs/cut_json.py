"""What can still be read of a JSON object that was cut off: the fields that are whole, and the part of its message."""

from __future__ import annotations

from typing import Any

import msgspec

from obs_magics.local.readers.logs.records import MESSAGE_KEYS, is_log_record

_CLOSERS = {"{": "}", "[": "]"}
_LONGEST_ESCAPE = len("\\ud83d")


def completed(line: bytes) -> dict[str, Any] | None:
    """The log record that a line begins; None when it is no object, or nothing that tells a time and a message."""
    text = line.decode("utf-8", "ignore")
    open_at, comma, quoted = _scanned(text)
    if not open_at or not text.startswith("{"):
        return None
    closers = "".join(_CLOSERS[text[place]] for place in reversed(open_at))
    record = None
    if quoted and len(open_at) == 1:
        record = _with_part_of_a_message(text, closers)
    elif text[-1] in '"]}':
        record = _object(text + closers)
    if record is None and comma is not None:
        place, depth = comma
        record = _object(text[:place] + closers[len(open_at) - depth :])
    return record if is_log_record(record) else None


def _scanned(text: str) -> tuple[list[int], tuple[int, int] | None, bool]:
    """Where brackets stand that are open at the end, the last comma, and whether a quote is open.

    The comma comes with the number of brackets that are open around it.
    """
    open_at: list[int] = []
    comma: tuple[int, int] | None = None
    quoted = escaped = False
    for place, sign in enumerate(text):
        if quoted:
            quoted = escaped or sign != '"'
            escaped = sign == "\\" and not escaped
        elif sign == '"':
            quoted = True
        elif sign in _CLOSERS:
            open_at.append(place)
        elif sign in "}]":
            if len(open_at) < 2:  # the object ends, and something else follows
                return [], None, False
            open_at.pop()
        elif sign == ",":
            comma = (place, len(open_at))
    return open_at, comma, quoted


def _with_part_of_a_message(text: str, closers: str) -> dict[str, Any] | None:
    """An object whose last value is cut; a part of another text than the message says nothing, or the wrong thing."""
    for cut in range(_LONGEST_ESCAPE):  # half an escape is none
        record = _object(text[: len(text) - cut] + '"' + closers)
        if record is not None:
            return record if list(record)[-1] in MESSAGE_KEYS else None
    return None


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    return found if isinstance(found, dict) else None
