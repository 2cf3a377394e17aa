"""Plain words as a LogQL query."""

from __future__ import annotations

from collections.abc import Sequence

from obs_magics.adapters.loki.catalog import SERVICE_LABELS, everything
from obs_magics.model.query import LogWords
from obs_magics.syntax.logql import quote

_SPECIAL = frozenset("\\.+*?()|[]{}^$")


def words_query(words: LogWords, label_names: Sequence[str], service_label: str) -> str:
    """A selector of the services, and a line filter for each phrase or group of them, in any case of letters."""
    filters = "".join(f" |~ {quote('(?i)' + '|'.join(map(escaped, group)))}" for group in words.groups)
    if not words.services:
        return everything(label_names) + filters
    label = service_label or SERVICE_LABELS[0]
    if len(words.services) == 1:
        return f"{{{label}={quote(words.services[0])}}}{filters}"
    return f"{{{label}=~{quote('|'.join(map(escaped, words.services)))}}}{filters}"


def escaped(text: str) -> str:
    r"""A text as a regular expression (RE2) for just itself; spaces and letters stay readable.

    >>> escaped("took 1.5s (slow)")
    'took 1\\.5s \\(slow\\)'
    """
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in text)
