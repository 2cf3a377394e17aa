"""Regular expressions of a query, judged by RE2, with what is wrong said in the words of Go's `regexp/syntax`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_HINT = "correct the regular expression (RE2)"
# What the C++ library says, and what Go says, which shows a part of the pattern behind it.
_GO_WORDS: Mapping[str, str] = {
    "missing )": "missing closing )",
    "unexpected )": "unexpected )",
    "missing ]": "missing closing ]",
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid repetition size": "invalid repeat count",
    "invalid escape sequence": "invalid escape sequence",
    "invalid character class": "invalid character class",
    "invalid character class range": "invalid character class range",
    "trailing \\": "trailing backslash at end of expression",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
    "invalid UTF-8": "invalid UTF-8",
}
# Go shows the whole pattern for these, and the offending part for the others.
_WHOLE = frozenset({"missing closing )", "unexpected )"})
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@lru_cache(maxsize=512)
def regex_problem(pattern: str) -> str:
    """What is wrong with a regular expression, in Go's words; empty when nothing is.

    >>> regex_problem("("), regex_problem("a|b")
    ('error parsing regexp: missing closing ): `(`', '')
    """
    _, problem = compiled(pattern)
    return problem


@lru_cache(maxsize=512)
def parser_problem(pattern: str) -> tuple[str, str]:
    """What is wrong with the pattern of a `regexp` stage, and the way out; both empty when nothing is."""
    found, problem = compiled(pattern)
    if found is None:
        return problem, _HINT
    if not found.groupindex:
        return "at least one named capture must be supplied", "name a group: (?P<status>\\d+)"
    wrong = next((name for name in found.groupindex if not _LABEL.fullmatch(name)), None)
    if wrong is not None:
        return f"invalid extracted label name '{wrong}'", "a label's name has letters, digits and _"
    return "", ""


def compiled(pattern: str) -> tuple[Any, str]:
    """A regular expression of RE2, or None and what is wrong with it, in Go's words."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options), ""
    except re2.error as error:
        return None, _words(error, pattern)
    except UnicodeEncodeError:  # bytes that are no UTF-8
        return None, f"error parsing regexp: invalid UTF-8: `{pattern}`"


def _words(error: Exception, pattern: str) -> str:
    said = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error.args[0])
    kind, _, part = said.partition(": ")
    words = _GO_WORDS.get(kind, kind)
    shown = pattern if words in _WHOLE or not part else part
    tail = "" if words.startswith("trailing") else f": `{shown}`"
    return f"error parsing regexp: {words}{tail}"
