"""Completion inside a question about logs: labels, values and services from the catalog, and the language's own words.

LogQL's selectors, strings, groupings and durations look like PromQL's, so the cursor is the same; outside of them stand
stages behind a pipe, functions, and in plain words services and levels.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from obs_magics.magics import promql_words as words
from obs_magics.magics.cursor import Cursor, Kind, cursor_in
from obs_magics.magics.names import ranked
from obs_magics.magics.query_completion import Found, QueryCompleter, python_names, starting

if TYPE_CHECKING:
    from obs_magics.api import SyncLogCatalog

# What may stand behind a pipe, beside the names of fields: https://grafana.com/docs/loki/latest/query/log_queries/
STAGES = (
    "decolorize",
    "drop ",
    "json",
    "keep ",
    "label_format ",
    'line_format "',
    "logfmt",
    'pattern "',
    'regexp "',
    "unpack",
    "unwrap ",
)
FUNCTIONS = (
    "absent_over_time(",
    "avg_over_time(",
    "bytes_over_time(",
    "bytes_rate(",
    "count_over_time(",
    "first_over_time(",
    "last_over_time(",
    "max_over_time(",
    "min_over_time(",
    "quantile_over_time(",
    "rate(",
    "rate_counter(",
    "stddev_over_time(",
    "stdvar_over_time(",
    "sum_over_time(",
)
AGGREGATIONS = (
    "avg", "bottomk(", "count", "label_replace(", "max", "min", "sort(", "sort_desc(", "stddev", "stdvar", "sum",
    "topk(",
)  # fmt: skip
LEVEL_WORDS = ("errors", "warnings")
TIME_WORDS = ("last hour", "last 30 minutes", "since ")


_TEMPLATE = re.compile(r"\|\s*(?:line_format|label_format\b(?:[^`\"|]|`[^`]*`|\"(?:\\.|[^\"\\])*\")*=)\s*\Z")
_TYPED = re.compile(r"\.?\w*\Z")
TEMPLATE_WORDS = ("else", "end", "if ", "range ", "with ")


def template_functions() -> Sequence[str]:
    """What a template can call."""
    from obs_magics.syntax.logql.template import FUNCTIONS

    return sorted(FUNCTIONS)


def template_action(before: str, content: str) -> str | None:
    """What stands behind the `{{` in which the cursor stands; None where it stands in none.

    Args:
        before: The query up to the cursor.
        content: The text in quotes that is open there, up to the cursor.
    """
    opened = content.rfind("{{")
    if opened < 0 or not before.endswith(content) or not _TEMPLATE.search(before[: -len(content) - 1]):
        return None
    action = content[opened + 2 :]
    inside_quotes = action.replace('\\"', '"').count('"') % 2 or action.count("`") % 2
    return None if "}}" in action or inside_quotes else action


class LogsCompleter(QueryCompleter):
    """Completes in a question about logs for one source."""

    def complete(self, query: str, position: int) -> Found:
        """What fits at `position` in a question, finished or not."""
        cursor = cursor_in(query, position)
        if cursor.kind == "nothing" and (action := template_action(query[:position], cursor.fragment)) is not None:
            return self._template(action)
        if cursor.kind == "expression":
            return self._outside(cursor, query[: position - len(cursor.fragment)])
        handle = _BY_KIND.get(cursor.kind)
        return Found(cursor.fragment) if handle is None else handle(self, cursor)

    def _outside(self, cursor: Cursor, before: str) -> Found:
        """Outside of braces and strings: a stage or a field behind a pipe, else a function, or plain words."""
        typed, bare = cursor.fragment, before.rstrip()
        if bare.endswith("|"):
            fields = self._asked("fields", lambda catalog: catalog.field_names())
            return Found(typed, [*starting(STAGES, typed), *ranked(fields, typed)], "keyword")
        services = ranked(self._asked("services", lambda catalog: catalog.services()), typed)
        if "{" in before or "(" in before:
            wanted = typed or bare.endswith("(")
            return Found(typed, starting((*AGGREGATIONS, *FUNCTIONS), typed) if wanted else [], "function")
        plain = starting((*LEVEL_WORDS, *TIME_WORDS), typed)
        language = starting((*AGGREGATIONS, *FUNCTIONS), typed) if typed and not bare else []
        return Found(typed, [*plain, *services, *language], "value")

    def _template(self, action: str) -> Found:
        """Inside `{{ … }}`: labels and fields behind a dot, else functions and both."""
        found = _TYPED.search(action)
        _, dot, typed = (found[0] if found else "").rpartition(".")
        names = ranked(self._own_names(), typed)
        if dot:
            return Found(typed, names, "label")
        functions = starting((*TEMPLATE_WORDS, *template_functions()), typed)
        return Found(typed, functions if typed else [*(f".{name}" for name in names), *functions], "function")

    def _own_names(self) -> Sequence[str]:
        """Labels and fields, as far as a template can name them behind a dot."""
        names = {
            *self._asked("labels", lambda catalog: catalog.label_names()),
            *self._asked("fields", lambda catalog: catalog.field_names()),
        }
        return sorted(name for name in names if name.isidentifier())

    def label(self, cursor: Cursor) -> Found:
        """Names that a selector may use."""
        names = self._asked("labels", lambda catalog: catalog.label_names())
        return Found(cursor.fragment, ranked(names, cursor.fragment), "label")

    def grouping(self, cursor: Cursor) -> Found:
        """Labels, and fields that a stage may have found."""
        names = {
            *self._asked("labels", lambda catalog: catalog.label_names()),
            *self._asked("fields", lambda catalog: catalog.field_names()),
        }
        return Found(cursor.fragment, ranked(sorted(names), cursor.fragment), "label")

    def value(self, cursor: Cursor) -> Found:
        """Values of a label, as they are written inside the quotes at hand."""
        label = cursor.label
        names = self._asked(("values", label), lambda catalog: catalog.label_values(label))
        written = sorted(words.in_quotes(name, cursor.quote, is_pattern=cursor.is_pattern) for name in names)
        return Found(cursor.fragment, ranked(written, cursor.fragment), "value")

    def python(self, cursor: Cursor) -> Found:
        """The user's own variables."""
        return Found(cursor.fragment, python_names(self._context, cursor.fragment), "variable")

    def _asked(self, question: object, ask: Callable[[SyncLogCatalog], Sequence[str]]) -> Sequence[str]:
        source = self._source
        key = (source or self._context.default_source, "logs", question)
        return self._names.get(key, lambda: sorted(ask(self._context.session.log_catalog(source))))


_BY_KIND: Mapping[Kind, Callable[[LogsCompleter, Cursor], Found]] = {
    "label": LogsCompleter.label,
    "grouping": LogsCompleter.grouping,
    "value": LogsCompleter.value,
    "duration": LogsCompleter.duration,
    "time": LogsCompleter.time,
    "operator": LogsCompleter.operator,
    "python": LogsCompleter.python,
}
