"""PromQL's own words, and values written as PromQL writes them."""

from __future__ import annotations

import re

from obs_magics.syntax.promql import AGGREGATIONS, FUNCTIONS, quote

KEYWORDS = (
    "and",
    "atan2",
    "bool",
    "by",
    "group_left",
    "group_right",
    "ignoring",
    "offset",
    "on",
    "or",
    "unless",
    "without",
)
WORDS = tuple(sorted([*AGGREGATIONS, *FUNCTIONS, *KEYWORDS]))

DURATIONS = ("$__rate_interval", "$__interval", "$__range", "1m", "5m", "10m", "15m", "30m", "1h", "6h", "1d", "7d")
TIME_VARIABLES = ("$__interval", "$__interval_ms", "$__rate_interval", "$__range", "$__range_ms", "$__range_s")
MATCH_OPERATORS = ('="', '!="', '=~"', '!~"')

DOUBLE = '"'
_ESCAPE = re.compile(r"\\.|'")
_RE2_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def in_pattern(text: str) -> str:
    """A text as an RE2 pattern that matches it and nothing else."""
    return _RE2_SPECIAL.sub(r"\\\g<0>", text)


def in_quotes(value: str, around: str, *, is_pattern: bool = False) -> str:
    """A label value as it is written inside the quotes `around`, behind ``=~`` as a pattern that matches only it."""
    text = in_pattern(value) if is_pattern else value
    if around == "`":
        return text
    escaped = quote(text)
    # An escape for the other quote is an error in PromQL, and `quote` writes for double ones.
    return escaped if around == DOUBLE else _ESCAPE.sub(_for_single_quotes, escaped)


def _for_single_quotes(escape: re.Match[str]) -> str:
    return {'\\"': '"', "'": "\\'"}.get(escape[0], escape[0])
