"""Completion inside a query: metrics, labels and values from the catalog; functions, durations, Python variables."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from obs_magics.magics import promql_words as words
from obs_magics.magics.cursor import Cursor, Kind, cursor_in
from obs_magics.magics.names import Names, ranked

if TYPE_CHECKING:
    from obs_magics.api import SyncCatalog
    from obs_magics.magics.context import Context


@dataclass(frozen=True, slots=True)
class Found:
    """Completions that take the place of `fragment`, best first; `type` is what front ends show beside each."""

    fragment: str
    names: Sequence[str] = ()
    type: str = ""


class QueryCompleter:
    """Completes in a query for one source.

    Args:
        context: The shell and its session.
        names: Where the catalog's names are kept.
        source: The source's name; None is the default one.
    """

    def __init__(self, context: Context, names: Names, source: str | None) -> None:
        self._context = context
        self._names = names
        self._source = source

    def complete(self, query: str, position: int) -> Found:
        """What fits at `position` in a query, finished or not."""
        cursor = cursor_in(query, position)
        handle = _BY_KIND.get(cursor.kind)
        return Found(cursor.fragment) if handle is None else handle(self, cursor)

    def expression(self, cursor: Cursor) -> Found:
        """Metric names, and behind them the language's own words."""
        metrics = ranked(self._ask("metrics", lambda catalog: catalog.metric_names()), cursor.fragment)
        language = starting(words.WORDS, cursor.fragment) if cursor.fragment else []
        return Found(cursor.fragment, [*language, *metrics], "metric")

    def label(self, cursor: Cursor) -> Found:
        """Label names of the metric at hand."""
        metric = cursor.metric or None
        names = self._ask(("labels", metric), lambda catalog: catalog.label_names(metric))
        return Found(cursor.fragment, ranked(names, cursor.fragment), "label")

    def value(self, cursor: Cursor) -> Found:
        """Values of a label, as they are written inside the quotes at hand."""
        label, metric = cursor.label, cursor.metric or None
        names = self._ask(("values", label, metric), lambda catalog: catalog.label_values(label, metric))
        written = sorted(words.in_quotes(name, cursor.quote, is_pattern=cursor.is_pattern) for name in names)
        return Found(cursor.fragment, ranked(written, cursor.fragment), "value")

    def duration(self, cursor: Cursor) -> Found:
        """Window lengths."""
        return Found(cursor.fragment, starting(words.DURATIONS, cursor.fragment), "value")

    def time(self, cursor: Cursor) -> Found:
        """Grafana's time variables."""
        return Found(cursor.fragment, starting(words.TIME_VARIABLES, cursor.fragment), "variable")

    def operator(self, cursor: Cursor) -> Found:
        """What can stand behind a label name."""
        return Found(cursor.fragment, words.MATCH_OPERATORS, "operator")

    def python(self, cursor: Cursor) -> Found:
        """The user's own variables."""
        return Found(cursor.fragment, python_names(self._context, cursor.fragment), "variable")

    def _ask(self, question: Hashable, ask: Callable[[SyncCatalog], Sequence[str]]) -> Sequence[str]:
        source = self._source
        key = (source or self._context.default_source, question)
        return self._names.get(key, lambda: sorted(ask(self._context.session.catalog(source))))


_BY_KIND: Mapping[Kind, Callable[[QueryCompleter, Cursor], Found]] = {
    "expression": QueryCompleter.expression,
    "label": QueryCompleter.label,
    "grouping": QueryCompleter.label,
    "value": QueryCompleter.value,
    "duration": QueryCompleter.duration,
    "time": QueryCompleter.time,
    "operator": QueryCompleter.operator,
    "python": QueryCompleter.python,
}


def source_names(context: Context, names: Names) -> list[str]:
    """The sources of the session."""
    return list(names.get("sources", lambda: sorted(status.name for status in context.session.sources)))


def python_names(context: Context, typed: str) -> list[str]:
    """The user's own variables that a query could take: no modules, functions or classes, nothing hidden."""
    hidden = context.shell.user_ns_hidden
    own = [
        name
        for name, value in list(context.shell.user_ns.items())
        if not name.startswith("_") and name not in hidden and not callable(value) and not inspect.ismodule(value)
    ]
    return ranked(sorted(own), typed)


def frame_names(context: Context, typed: str) -> list[str]:
    """The user's own frames; what has columns is taken for one, so that pandas need not be there."""
    own = [name for name in python_names(context, typed) if hasattr(context.shell.user_ns.get(name), "columns")]
    return own if typed else sorted(own)


def starting(known: Sequence[str], typed: str) -> list[str]:
    """Those that begin with what is typed."""
    return [word for word in known if word.startswith(typed)]
