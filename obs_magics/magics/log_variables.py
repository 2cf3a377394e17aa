"""Puts Python variables into a question about logs: LogQL, LogsQL, or plain words.

LogQL quotes like PromQL (`magics.variables`). In plain words a variable is its text. In LogsQL a text outside quotes is
put into quotes, and a list becomes ``in("a","b")``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from obs_magics.magics.promql_words import DOUBLE, in_quotes
from obs_magics.magics.variables import PLACE, Place, expand, expand_option, plain, written
from obs_magics.model.sources import LogLanguage


def expand_logs(text: str, namespace: Mapping[str, Any], *, zone: tzinfo, language: LogLanguage) -> str:
    """Replace the Python variables in a question about logs.

    Raises:
        UsageError: A name is unknown, or its value cannot stand where it is wanted.
    """
    if language == "logsql":
        return expand(text, namespace, zone=zone, write=_logsql)
    if "{" not in PLACE.sub("", text):
        return expand_option(text, namespace)
    return expand(text, namespace, zone=zone)


def _logsql(value: Any, place: Place, zone: tzinfo) -> str:
    value = plain(value)
    if isinstance(value, list) and not place.quote:
        return f"in({','.join(_quoted(str(one)) for one in value)})"
    if isinstance(value, str) and not place.quote:
        return _quoted(value)
    return written(value, place, zone)


def _quoted(text: str) -> str:
    return f'"{in_quotes(text, DOUBLE)}"'
