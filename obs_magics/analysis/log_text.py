"""The message inside a log line: without the time, the level, the thread and the fields around it.

Works on lines and on templates alike (`<*>` stands for a part that differs). What the program wanted to say is the
`msg` of JSON and logfmt; of plain lines, what is left without the head that a logging library writes and the
`key=value` pairs behind.
"""

from __future__ import annotations

import json
import re

_MESSAGE_KEYS = ("msg", "message", "error", "err", "event", "log", "text", "@message", "@m", "@mt", "body")
_LOGFMT = re.compile(r"(?:^|\s)(?P<key>msg|message|error|err|event)=(?:\"(?P<quoted>(?:\\.|[^\"\\])*)\"|(?P<bare>\S+))")
_JSON_VALUE = re.compile(r"\"(?P<key>[@\w.]+)\"\s*:\s*\"(?P<value>(?:\\.|[^\"\\])*)\"")
_LEVEL = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|SEVERE|FATAL|CRITICAL|PANIC|LOG)"

_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d+)?"
_ANY_CLOCK = rf"(?:{_CLOCK}|(?:\d\d|<\*>):(?:\d\d|<\*>):(?:\d\d|<\*>)(?:[.,](?:\d+|<\*>))?|<\*>)"
_NUMBER = r"(?:\d{1,4}|<\*>)"

# What logging libraries write in front of a message, tried one after the other as often as one of them fits.
_HEADS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\s+",
        r"<\*>[\s,:|]+",
        r"<\d{1,3}>(?:\d )?",  # syslog's priority
        rf"{_NUMBER}[-/]{_NUMBER}[-/]{_NUMBER}[T ,]{_ANY_CLOCK}(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?[\s:|,-]*",
        rf"(?:(?:\d+:)?[A-Z] )?{_NUMBER} [A-Z][a-z][a-z] {_NUMBER} {_ANY_CLOCK} [*#.-] ",  # redis
        rf"[A-Z][a-z][a-z] +{_NUMBER} {_ANY_CLOCK}\s+(?:[\w.-]+ (?=[\w./-]+\[?[\d<*>]*\]?: ))?",  # syslog
        rf"[IWEF]\d{{4}} {_ANY_CLOCK}\s+\S+\s+[\w.-]+:(?:\d+|<\*>)\] ",  # klog
        rf"\[?(?:{_LEVEL}|{_LEVEL.lower()})\]?[\s:|,-]+",
        r"\S+ \S+ \S+ \[[^\]]+\] (?=\")",  # web servers' access logs
        r"\[[^\]]*\][\s:|,-]*",
        r"(?:\d+|\d+#\d+|<\*>|<\*>#<\*>)(?: ---|:) |-{1,3} |(?:UTC|Z) ",  # process or thread; what is left of a time
        r"(?:[a-z_$][\w$]*\.)+[\w$]+ *[:-] +",  # a class
        r"[\w./-]+\[(?:\d+|<\*>)\]: ",  # a program with its process
    )
)
_LOGGER = re.compile(
    r"[a-z][\w.-]*: +(?=[A-Za-z\"'])"
)  # python's, behind time or level only: `timeout: x` is a message
_EXCEPTION = re.compile(r"(?:[\w$]+\.)*\w*(?:Exception|Error|Fault)\b")
_FIELDS = re.compile(r"(?:[\s,;]+[\w.@-]+=(?:\"(?:\\.|[^\"\\])*\"|[^\s\"]*))+\s*$")
_LONGEST = 2000


def said_text(line: str) -> str:
    r"""What a line says.

    >>> said_text("2026-11-22 14:23:02.000 ERROR [payment-api,6f] 1 --- [exec-3] c.s.P : Pool exhausted path=/a")
    'Pool exhausted'
    >>> said_text('{"level": "ERROR", "msg": "Connection refused", "port": 6379}')
    'Connection refused'
    >>> said_text('ts=<*> level=error msg="timeout after <*>" peer=<*>')
    'timeout after <*>'
    """
    first = line.lstrip("\n").split("\n", 1)[0][:_LONGEST].strip()
    structured = _of_json(first) if first.startswith("{") else _of_logfmt(first)
    if structured:
        return said_text(structured) if structured != line and len(structured) < len(line) else structured
    bare = _without_fields(_without_head(first)).strip(" :|-")
    return bare or first


def _of_json(line: str) -> str:
    try:
        found = json.loads(line)
    except ValueError:
        found = {match["key"]: match["value"] for match in reversed(list(_JSON_VALUE.finditer(line)))}
    if not isinstance(found, dict):
        return ""
    return next((value for key in _MESSAGE_KEYS if isinstance(value := found.get(key), str) and value.strip()), "")


def _of_logfmt(line: str) -> str:
    found = {match["key"]: match["quoted"] or match["bare"] or "" for match in reversed(list(_LOGFMT.finditer(line)))}
    return next((found[key] for key in _MESSAGE_KEYS if found.get(key, "").strip()), "")


def _without_head(line: str) -> str:
    rest = line
    while found := _head(rest, is_first=rest == line):
        rest = rest[found.end() :]
    return rest


def _head(rest: str, *, is_first: bool) -> re.Match[str] | None:
    """What can be taken off the front and leaves something; an exception's name is part of the message."""
    if _EXCEPTION.match(rest):
        return None
    heads = _HEADS if is_first else (*_HEADS, _LOGGER)
    found = (match for head in heads if (match := head.match(rest)) and match.end())
    return next((match for match in found if rest[match.end() :].strip()), None)


def _without_fields(text: str) -> str:
    """Without the pairs at the end; those in brackets belong to the message."""
    found = _FIELDS.search(text)
    if not found or text[: found.start()].count("(") > text[: found.start()].count(")"):
        return text
    return text[: found.start()]
