"""Completion inside a question about events: kinds, services, names of attributes and their values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from obs_magics.magics import promql_words as words
from obs_magics.magics.commands_ask import EVENT_KINDS
from obs_magics.magics.names import ranked
from obs_magics.magics.query_completion import Found, QueryCompleter, python_names, starting

if TYPE_CHECKING:
    import pandas as pd

_PYTHON = re.compile(r"\$\{(?P<typed>[\w.]*)\Z")
_VALUE = re.compile(r"(?P<name>[\w.:-]+)\s*(?:=~|!~|!=|=)\s*(?P<quote>[\"`])(?P<typed>(?:\\.|[^\"`\\])*)\Z")
_TYPED = re.compile(r"[\w.:/-]*\Z")
_COLUMNS = ("severity", "service", "source", "title", "url", "version")
_SERVICE = "service"
_BETWEEN = "\0"
_MOST_VALUES = 200


class EventsCompleter(QueryCompleter):
    """Completes in a question about events, by what happened lately."""

    def complete(self, query: str, position: int) -> Found:
        """What fits at `position` in a question, finished or not."""
        before = query[:position]
        if found := _PYTHON.search(before):
            return Found(found["typed"], python_names(self._context, found["typed"]), "variable")
        if found := _VALUE.search(before):
            written = [words.in_quotes(value, found["quote"]) for value in self._values(found["name"])]
            return Found(found["typed"], ranked(written, found["typed"]), "value")
        typed = _TYPED.search(before)
        word = typed[0] if typed else ""
        kinds = starting([f"{kind}s" for kind in EVENT_KINDS], word)
        known = ranked(sorted({*self._values(_SERVICE), *_COLUMNS, *self._names_of()}), word) if word else []
        return Found(word, [*kinds, *(name for name in known if name not in kinds)], "keyword")

    def services(self, typed: str) -> list[str]:
        """The services of events."""
        return ranked(self._values(_SERVICE), typed)

    def _names_of(self) -> list[str]:
        return sorted({pair.partition(_BETWEEN)[0] for pair in self._pairs()})

    def _values(self, name: str) -> list[str]:
        return sorted(pair.partition(_BETWEEN)[2] for pair in self._pairs() if pair.startswith(f"{name}{_BETWEEN}"))

    def _pairs(self) -> Sequence[str]:
        """Names and values of what happened lately, each pair once."""
        source = self._source
        key = (source or self._context.default_source, "events")
        return self._names.get(key, lambda: _pairs_of(self._context.session.events(source=source)))


def _pairs_of(frame: pd.DataFrame) -> list[str]:
    skipped = {"timestamp", "end", "title", "url", "kind"}
    return [
        f"{str(name).removeprefix('label_')}{_BETWEEN}{value}"
        for name in frame.columns
        if name not in skipped
        for value in sorted({str(one) for one in frame[name].dropna()})[:_MOST_VALUES]
    ]
