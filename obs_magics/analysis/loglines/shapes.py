"""What a line could be in a stack trace, told by its first characters (RE2)."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from obs_magics.analysis.loglines.text import Text, found_anywhere, matching

Array = np.ndarray[Any, Any]


class Shape(IntEnum):
    """What a line could be; most are `PLAIN`."""

    PLAIN = 0
    BLANK = 1
    NAMED = 2  # `Name` or `Name: text`, the last line of a Python traceback
    CLOSER = 3  # the brace that ends what Node prints of an error
    GO_CALL = 4
    JAVA_HEADER = 5
    JAVA_LEVEL = 6
    POSTGRES = 7
    DETAIL = 8
    EXCEPTION = 9  # the name of an exception, alone or with its text
    PANIC = 10
    TRACEBACK = 11
    CHAIN = 12  # what Python writes between two tracebacks
    INDENTED = 13
    FRAME = 14


_OWN_START = r"\[?\d{4}[-/]\d\d[-/]\d\d|\[?\d\d:\d\d:\d\d|(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL)\b"
# In order: a later pattern that matches, too, wins.
_PATTERNS: tuple[tuple[Shape, str], ...] = (
    (Shape.BLANK, r"^\s*$"),
    (Shape.NAMED, r"^[A-Za-z_][\w.]*(?::(?: |$)|$)"),
    (Shape.CLOSER, r"^[}\])]+[;,]?$|^Node\.js v\d"),
    (Shape.GO_CALL, r"^[\w./*()·\[\]{}<>-]+\(.*\)$|^exit status \d+$|^goroutine \d+ |^created by \S+|^\[signal "),
    (Shape.JAVA_HEADER, r"^[A-Z][a-z]{2} \d\d?, \d{4} \d\d?:\d\d:\d\d [AP]M \S"),
    (Shape.JAVA_LEVEL, r"^(?:SEVERE|WARNING|INFO|CONFIG|FINE|FINER|FINEST): "),
    (Shape.EXCEPTION, r"^(?:[a-zA-Z_$][\w$]*\.)+[\w$]*(?:Exception|Error|Throwable|Failure|Fault)\b[\w$]*(?:: .*)?$"),
    (Shape.PANIC, r"^(?:panic: |fatal error: )"),
    (Shape.CHAIN, r"^(?:During handling of the above exception|The above exception was the direct cause)"),
    (Shape.INDENTED, r"^[ \t]+\S"),
    (Shape.PLAIN, rf"^[ \t]+(?:{_OWN_START})"),
    (
        Shape.FRAME,
        r"^\s+at |^at [A-Za-z_$<][\w.$<>/]*\(|^\s*\.\.\. \d+ (?:more|common frames)|^\s*(?:Caused by|Suppressed): "
        r"|^\s*--- End of |^\s*---> |^#\d+ +(?:/|\{main\}|\[internal|[\w\\:]+(?:->|\()|0x)|^\s*from \S+:\d+"
        r"|^\S+\.rb:\d+:in |^Stack trace:$",
    ),
)
# Behind whatever a server was told to write in front of its lines; looked for only where they occur at all.
_ANYWHERE: tuple[tuple[Shape, str], ...] = (
    (Shape.POSTGRES, r"\b(?:ERROR|FATAL|PANIC|WARNING|LOG|NOTICE|DEBUG\d?):\s\s\S"),
    (Shape.DETAIL, r"\b(?:DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION):\s\s\S"),
    (Shape.TRACEBACK, r"Traceback \(most recent call last\):$"),
)


def shapes_of(messages: Text) -> Array:
    """The `Shape` of each line, int8."""
    shapes = np.zeros(len(messages), np.int8)
    for shape, pattern in _PATTERNS:
        shapes[matching(messages, pattern)] = shape
    if found_anywhere(messages, _ANYWHERE[1][1]):
        for shape, pattern in _ANYWHERE[:2]:
            shapes[(shapes <= Shape.NAMED) & matching(messages, rf"^.*?{pattern}")] = shape
    for shape, pattern in _ANYWHERE[2:]:
        if found_anywhere(messages, "Traceback"):
            shapes[(shapes != Shape.INDENTED) & matching(messages, pattern)] = shape
    return shapes
