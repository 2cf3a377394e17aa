"""What of a message makes its template: the first line, without escapes, of bounded length; of JSON, its message.

A stack trace belongs to the line above it; only that line tells the pattern. Structured bodies (a JSON object, a line
of logfmt) say what happened in one field; the names of their other fields come after it in the template, their values
are wildcards: `Connection timeout after <*> level=<*> trace_id=<*>`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Fields = tuple[str, ...]

LONGEST = 4096
"""Characters of a line that make its template; the rest of longer ones is not looked at."""

MESSAGE_KEYS = ("message", "msg", "@message", "MESSAGE", "log", "event", "body", "text", "short_message")
"""Fields that hold what happened, the first that is there and has text."""

_UNUSUAL = r"[\x00-\x03\n\r\x1b]"  # NUL and the passes' own marks, line breaks, escapes
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)?")
_OWN_MARKS = str.maketrans(dict.fromkeys("\x00\x01\x02\x03", "\ufffd"))
_BREAKS = re.compile(r"[\r\n]")
_PAIR = re.compile(r'\s*([A-Za-z_@][\w.@/-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?=\s|$)')


def first_lines(messages: pa.Array) -> pa.Array:
    """`first_line` of each message (large strings without nulls); most need nothing and are not touched."""
    unusual = pc.or_(pc.match_substring_regex(messages, _UNUSUAL), pc.greater(pc.binary_length(messages), LONGEST))
    places = np.flatnonzero(unusual.to_numpy(zero_copy_only=False))
    if not len(places):
        return messages
    found = [first_line(text) for text in messages.take(pa.array(places)).to_pylist()]
    return pc.replace_with_mask(messages, unusual, pa.array(found, pa.large_string()))


def first_line(message: str) -> str:
    """The first line that is not blank, without ANSI escapes, cut to `LONGEST` characters."""
    line = _BREAKS.split(message.strip("\r\n\t "), maxsplit=1)[0]
    return _ESCAPES.sub("", line[: 2 * LONGEST])[:LONGEST].translate(_OWN_MARKS)


def json_object(message: str) -> dict[str, Any] | None:
    """A message that is a JSON object; None when it is not."""
    if not message.startswith("{"):
        return None
    try:
        decoded: dict[str, Any] = msgspec.json.decode(message, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None
    return decoded


def logfmt(line: str) -> dict[str, str] | None:
    """The pairs of a line that is logfmt throughout and has a message; None for any other line."""
    pairs: dict[str, str] = {}
    at = 0
    while line[at:].strip():
        found = _PAIR.match(line, at)
        if found is None:
            return None
        pairs[found[1]] = found[2][1:-1] if found[2].startswith('"') else found[2]
        at = found.end()
    return pairs if len(pairs) > 1 and message_key(pairs) else None


def message_key(fields: Mapping[str, Any]) -> str | None:
    """The field that holds what happened; None when there is none."""
    return next((key for key in MESSAGE_KEYS if isinstance(fields.get(key), str) and fields[key].strip()), None)
