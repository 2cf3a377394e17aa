"""Completion inside a question about traces: attributes with their scopes, values, and TraceQL's own words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from obs_magics.magics import promql_words as words
from obs_magics.magics.names import ranked
from obs_magics.magics.query_completion import Found, QueryCompleter, python_names, starting

if TYPE_CHECKING:
    from obs_magics.api import SyncTraceCatalog

# https://grafana.com/docs/tempo/latest/traceql/construct-traceql-queries/
INTRINSICS = (
    "duration", "kind", "name", "rootName", "rootServiceName", "status", "statusMessage", "traceDuration",
)  # fmt: skip
SCOPES = ("event.", "instrumentation.", "link.", "resource.", "span.")
STAGES = (
    "avg(", "by(", "coalesce()", "compare(", "count()", "count_over_time()", "histogram_over_time(", "max(", "min(",
    "quantile_over_time(", "rate()", "select(", "sum(",
)  # fmt: skip
_VALUES = {
    "kind": ("client", "consumer", "internal", "producer", "server"),
    "status": ("error", "ok", "unset"),
}
_PYTHON = re.compile(r"\$\{(?P<typed>[\w.]*)\Z")
_VALUE = re.compile(r"(?P<name>[\w.:-]+)\s*(?:=~|!~|!=|=)\s*(?P<quote>[\"`])(?P<typed>(?:\\.|[^\"`\\])*)\Z")
_BARE_VALUE = re.compile(r"(?P<name>kind|status)\s*(?:!=|=)\s*(?P<typed>\w*)\Z")
_TYPED = re.compile(r"[\w.:-]*\Z")


class TracesCompleter(QueryCompleter):
    """Completes in a question about traces for one source."""

    def complete(self, query: str, position: int) -> Found:
        """What fits at `position` in a question, finished or not."""
        before = query[:position]
        if found := _PYTHON.search(before):
            return Found(found["typed"], python_names(self._context, found["typed"]), "variable")
        if found := _VALUE.search(before):
            name = found["name"]
            values = self._asked(("values", name), lambda known: known.attribute_values(name))
            written = sorted(words.in_quotes(value, found["quote"]) for value in values)
            return Found(found["typed"], ranked(written, found["typed"]), "value")
        if found := _BARE_VALUE.search(before):
            return Found(found["typed"], starting(_VALUES[found["name"]], found["typed"]), "value")
        typed = _TYPED.search(before)
        return self._words(before[: typed.start()] if typed else before, typed[0] if typed else "")

    def _words(self, before: str, typed: str) -> Found:
        if before.count("{") <= before.count("}"):
            stages = starting(STAGES, typed) if before.rstrip().endswith("|") else []
            return Found(typed, stages, "keyword")
        names = ranked(self._asked("attributes", lambda known: known.attribute_names()), typed) if typed else []
        language = starting((*INTRINSICS, *SCOPES), typed)
        return Found(typed, [*language, *(name for name in names if name not in language)], "label")

    def _asked(self, question: object, ask: Callable[[SyncTraceCatalog], Sequence[str]]) -> Sequence[str]:
        source = self._source
        key = (source or self._context.default_source, "traces", question)
        return self._names.get(key, lambda: sorted(ask(self._context.session.trace_catalog(source))))

    def services(self, typed: str) -> list[str]:
        """The services that write spans."""
        return ranked(self._asked("services", lambda known: known.services()), typed)

    def operations(self, service: str | None, typed: str) -> list[str]:
        """Names of spans, of one service or of all."""
        return ranked(self._asked(("operations", service), lambda known: known.operations(service)), typed)
