"""What a server's words mean: a table of words, the error that they stand for, and the way out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from obs_magics.model.errors import ObsError, QueryError


@dataclass(frozen=True, slots=True)
class Cause:
    """One row: words of the server (a regular expression), the error they mean, and the way out."""

    words: re.Pattern[str]
    hint: str
    kind: type[ObsError] = QueryError


def row(words: str, hint: str, kind: type[ObsError] = QueryError) -> Cause:
    """A row of a table of causes."""
    return Cause(re.compile(words), hint, kind)


def find_cause(causes: Iterable[Cause], words: str) -> Cause | None:
    """The first row whose words the server said."""
    return next((cause for cause in causes if cause.words.search(words)), None)
