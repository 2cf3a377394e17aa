"""Regular expressions the way Prometheus has them: RE2, matching the whole text."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

from obs_magics.local.promql.data import Matcher
from obs_magics.model.errors import QueryError


@lru_cache(maxsize=256)
def anchored(pattern: str, *, dot_matches_newline: bool = True) -> Any:
    """A compiled pattern for use with `fullmatch`.

    Args:
        pattern: RE2.
        dot_matches_newline: As in Prometheus 3; in version 2 a dot stops at line ends.

    Raises:
        QueryError: Not RE2.
    """
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = dot_matches_newline
    try:
        return re2.compile(pattern, options)
    except re2.error as problem:
        said = problem.args[0]
        words = said.decode() if isinstance(said, bytes) else str(said)
        raise QueryError(f"{pattern!r} is not a regular expression of RE2: {words}", words=words) from None


def fulfils(matcher: Matcher, value: str) -> bool:
    """Whether a label's value (empty for a missing label) fulfils a matcher.

    Raises:
        QueryError: The pattern is not RE2.
    """
    if matcher.op in {"=", "!="}:
        return (value == matcher.value) == (matcher.op == "=")
    return (anchored(matcher.value).fullmatch(value) is not None) == (matcher.op == "=~")
