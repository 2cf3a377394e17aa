r"""What a line says beside what its row says already: without time, level, service and ids at its front.

Programs write these before every message, and a row has columns for them; on one line they would push out what
happened. Only the row is shortened: it opens to the whole line. The expressions are ours, fixed and linear.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

_READ = 4096  # characters of a line that are looked at
_PARTS = 12  # that are taken off a line's front
_MAX_FIELDS = 24

_LEVELS = "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|FATAL|CRITICAL|CRIT|ALERT|EMERG|SEVERE|LOG|PANIC"
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?"
_TIME = (
    rf"\[?(?:\d{{4}}[-/]\d\d[-/]\d\d[T ]{_CLOCK}{_ZONE}|\d\d/(?:{_MONTHS})/\d{{4}}:{_CLOCK}{_ZONE}"
    rf"|\d\d? (?:{_MONTHS}) \d{{4}} {_CLOCK}{_ZONE}|(?:{_MONTHS}) [ \d]\d {_CLOCK}|{_CLOCK})\]?(?=[\s:,|-]|$)"
)
_KNOWN_KEYS = (
    "time|ts|timestamp|@timestamp|t|datetime|level|lvl|severity|service|service_name|service.name|app"
    "|trace_id|traceId|traceID|trace.id|trace|span_id|spanId|spanID|span.id|span"
)
# Each takes one part off the front, with the blanks and the punctuation behind it.
_FRONT = re.compile(
    rf"(?:{_TIME}|\[(?:{_LEVELS})\]|<(?:{_LEVELS})>|(?:{_LEVELS})(?=[\s:\]|-]|$)"
    rf"|(?:{_KNOWN_KEYS.replace('.', '[.]')})=(?:\"[^\"]{{0,200}}\"|[^\s\"]{{0,200}})(?=\s|$)"
    r"|(?:\d{1,9}|<\*>) --- \[[^\]]{0,120}\]|[-–|:,]+(?=\s))[\s:|]*"
)
# A template's front: wildcards where the times were, up to the level.
_MASKED = re.compile(rf"(?:<\*>|[\s\d.,:/TZ+\[\]-]){{1,60}}?(?=(?:\[|\b)(?:{_LEVELS})\b)")
_BRACKET = re.compile(r"\[([^\[\]]{0,200})\]\s*")
_MESSAGE = re.compile(r'(?:msg|message)=(?:"((?:[^"\\]|\\.){0,2000})"|(\S{1,2000}))\s*')
_WORDS = ("message", "msg", "@message", "event", "log", "error", "err")
_LAST = ("pid", "hostname", "host", "logger", "thread")
_TRACE_KEYS = ("trace_id", "traceId", "traceID", "trace.id", "trace")
_KNOWN = frozenset(_KNOWN_KEYS.split("|"))


def gist(message: str, *, service: str = "", trace_id: str = "") -> str:
    """The first line of a message without what its row says in other columns; the line when nothing else is left.

    >>> gist('ts=2026-11-22T14:27:45Z level=error msg="timed out" peer=payment-api')
    'timed out peer=payment-api'
    >>> gist("2026-11-22 14:27:45.766 ERROR [pay,903123d7,270c] 1 --- [exec-2] c.s.Pay : exhausted", service="pay")
    'c.s.Pay : exhausted'
    """
    read = message[:_READ]
    fields = _fields(read) if read.startswith("{") and len(message) <= _READ else None
    if fields is not None:
        return _of_fields(fields) or read
    line = read.lstrip().partition("\n")[0]
    return _without_front(_without_id(line, trace_id), tuple(name for name in (service, trace_id) if name)) or line


def template_gist(template: str, *, service: str = "") -> str:
    """Likewise of a pattern's template, in which times and ids are wildcards already."""
    masked = _MASKED.match(template)
    front = template[masked.end() :] if masked else template
    return _without_front(front, (service,) if service else ()) or template


def _without_id(line: str, trace_id: str) -> str:
    """The line without a field that repeats the trace: trace_id=f28ae8ea."""
    for key in _TRACE_KEYS if trace_id else ():
        line = line.replace(f" {key}={trace_id}", "")
    return line


def _without_front(line: str, names: tuple[str, ...]) -> str:
    place = 0
    for _ in range(_PARTS):
        found = _FRONT.match(line, place) or _named_bracket(line, place, names)
        if not found or found.end() == place:
            break
        place = found.end()
    rest = line[place:]
    said = _MESSAGE.match(rest)
    if said is None:
        return rest
    text = said.group(2) if said.group(1) is None else said.group(1).replace('\\"', '"')
    return f"{text} {rest[said.end() :]}".rstrip()


def _named_bracket(line: str, place: int, names: tuple[str, ...]) -> re.Match[str] | None:
    """A bracket that holds the service or the trace: [payment-api,f28ae8ea,6a9d9a34]."""
    found = _BRACKET.match(line, place)
    return found if found and any(name in found.group(1).split(",") for name in names) else None


def _fields(text: str) -> dict[str, Any] | None:
    """A JSON object, when the text is one."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    return found if isinstance(found, dict) else None


def _of_fields(fields: dict[str, Any]) -> str:
    """The words of a JSON line first, then its other fields."""
    said = next((name for name in _WORDS if isinstance(fields.get(name), str) and fields[name]), "")
    rest = [name for name in fields if name != said and name not in _KNOWN]
    ordered = [*(name for name in rest if name not in _LAST), *(name for name in rest if name in _LAST)]
    told = [f"{name}={_value(fields[name])}" for name in ordered[:_MAX_FIELDS]]
    words = fields[said].partition("\n")[0] if said else ""
    return " ".join([*([words] if words else []), *told])


def _value(value: Any) -> str:
    return value if isinstance(value, str) and value and " " not in value else msgspec.json.encode(value).decode()
