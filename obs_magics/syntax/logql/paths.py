"""Where `| json a="…"` and `| logfmt a="…"` look: `response.headers["X-Id"][0]`, or one key of the line.

The grammars are those of Loki's `pkg/logql/log/jsonexpr` and `pkg/logql/log/logfmt`, and so are the words of errors.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(
    r'[ \t\n]*(?:(?P<FIELD>[a-zA-Z_]\w*)|(?P<INDEX>[0-9]+)|"(?P<STRING>[^"]*)"?|(?P<sign>[.\[\]]))', re.ASCII
)
_SIGNS = {".": "DOT", "[": "LSB", "]": "RSB"}
_AFTER = {  # what may follow, by what was read last
    "": ("LSB", "FIELD"),
    "DOT": ("FIELD",),
    "LSB": ("STRING", "INDEX"),
    "INDEX": ("RSB",),
    "STRING": ("RSB",),
    "FIELD": ("$end", "DOT", "LSB"),
    "RSB": ("$end", "DOT", "LSB"),
}


@lru_cache(maxsize=512)
def json_path(text: str) -> tuple[str | int, ...]:
    """The steps of a path into a JSON document: names of members, and positions in arrays.

    Raises:
        ValueError: In Loki's words.

    >>> json_path('a.b["c d"][0]')
    ('a', 'b', 'c d', 0)
    """
    steps: list[str | int] = []
    last = ""
    for kind, value in _tokens(text):
        allowed = _AFTER[last]
        if kind not in allowed:
            tail = "" if "$end" in allowed else f", expecting {' or '.join(allowed)}"
            raise ValueError(f"syntax error: unexpected {kind}{tail}")
        if kind in {"FIELD", "STRING"}:
            steps.append(value)
        elif kind == "INDEX":
            steps.append(int(value[:18]))
        last = kind
    return tuple(steps)


def logfmt_key(text: str) -> str:
    """The key that an expression of `logfmt` names: a word, or a text in quotes.

    Raises:
        ValueError: In Loki's words.

    >>> logfmt_key("status"), logfmt_key('"http status"')
    ('status', 'http status')
    """
    first, *rest = _tokens(text)
    if first[0] not in {"FIELD", "STRING"}:
        raise ValueError(f"syntax error: unexpected {first[0]}, expecting STRING or FIELD")
    wrong = next((kind for kind, _ in rest if kind not in {"STRING", "$end"}), None)
    if wrong:
        raise ValueError(f"syntax error: unexpected {wrong}")
    return next((value for kind, value in reversed(rest) if kind == "STRING"), first[1])


def _tokens(text: str) -> list[tuple[str, str]]:
    found, place = [], 0
    while place < len(text.rstrip(" \t\n")):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ValueError(f"unexpected char {text[place:].lstrip()[0]}")
        kind = str(match.lastgroup)
        value = match[kind]
        found.append((_SIGNS.get(value, kind), value))
        place = match.end()
    return [*found, ("$end", "")]
