"""A question as Tempo takes it: TraceQL, bounds in whole seconds, limits."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from obs_magics.model.errors import QueryError
from obs_magics.model.query import TracesQuery
from obs_magics.model.time import MILLISECOND, SECOND, TimeRange
from obs_magics.syntax.traceql import combined, conditions_query, is_metrics, parse
from obs_magics.syntax.traceql.tree import Pipeline

Params = list[tuple[str, str]]

NEWEST = "with (most_recent=true)"
_LOOKS_LIKE_METRICS = re.compile(r"\|\s*(?:rate|compare|[a-z]+_over_time)\s*\(")
_ASKED_TOO_MUCH = 5  # times the limit, where some of what comes is left out afterwards
_MOST_ASKED_TOO_MUCH = 1_000
_MATCHED_SPANS = "1"  # of each trace, in the answer to a search: whole traces are fetched, so nobody looks at them


@dataclass(frozen=True, slots=True)
class Sent:
    """A query as it is sent.

    Args:
        typed: What a person typed; may be empty.
        text: What is sent.
        tree: `text` as a tree, without the hint of ours; None when our grammar does not know it.
        bare: `text` without the hint of ours, equal to it when there is none.
    """

    typed: str
    text: str
    tree: Pipeline | None
    bare: str

    @property
    def numbers(self) -> bool:
        """Whether it asks for numbers over time."""
        return bool(_LOOKS_LIKE_METRICS.search(self.text)) if self.tree is None else is_metrics(self.tree)

    @property
    def hinted(self) -> bool:
        """Whether a hint of ours stands at its end."""
        return self.text != self.bare

    def without_hint(self) -> Sent:
        """The same without the hint, for servers that do not know it."""
        return replace(self, text=self.bare)


def written(query: TracesQuery, *, newest: bool) -> Sent:
    """The query for a question: what was typed, together with its conditions and ids.

    Args:
        query: The question.
        newest: Ask for the newest traces, where nothing else is typed.

    Raises:
        QueryError: There are conditions, and what was typed is no TraceQL that they could be put into.
    """
    conditions = _conditions(query)
    typed = query.text if query.text.strip() else conditions_query()
    bare = combined(query.text, conditions) if conditions else typed
    sent = Sent(query.text, bare, _tree(bare), bare)
    if not newest or sent.tree is None or sent.numbers or sent.tree.hints:
        return sent
    gap = "\n" if "//" in bare else " "  # a comment goes on to the end of its line
    return replace(sent, text=f"{bare}{gap}{NEWEST}")


def plain(text: str) -> Sent:
    """A query that is sent as it was typed."""
    return Sent(text, text, _tree(text), text)


def search_params(sent: Sent, span: TimeRange, limit: int) -> Params:
    """Parameters of `/api/search`."""
    return [("q", sent.text), *between(span), ("limit", str(limit)), ("spss", _MATCHED_SPANS)]


def metrics_params(sent: Sent, span: TimeRange, step_ns: int | None) -> Params:
    """Parameters of `/api/metrics/query_range`; without a step those of `/api/metrics/query`."""
    step = [] if step_ns is None else [("step", _step(step_ns))]
    return [("q", sent.text), *between(span), *step]


def between(span: TimeRange) -> Params:
    """Both bounds, in whole seconds: with one alone Tempo refuses, with none it looks at the last minutes only."""
    start, end = span.start_ns // SECOND, -(-span.end_ns // SECOND)
    return [("start", str(start)), ("end", str(max(end, start + 1)))]


def depth_of(query: TracesQuery) -> int:
    """How many traces are searched for: more than are wanted where some are left out, as TraceQL cannot say it all."""
    if query.status != "ok":
        return query.limit
    return max(query.limit, min(query.limit * _ASKED_TOO_MUCH, _MOST_ASKED_TOO_MUCH))


def _conditions(query: TracesQuery) -> str:
    """The conditions of a question as a set of spans; empty when it has none."""
    given = (query.service, query.operation, query.status, query.min_duration_ns, query.max_duration_ns)
    found = conditions_query(
        service=query.service,
        operation=query.operation,
        status=query.status,
        min_duration_ns=query.min_duration_ns,
        max_duration_ns=query.max_duration_ns,
    )
    some = any(value is not None for value in given)
    if not query.trace_ids:
        return found if some else ""
    forms = sorted({form for trace_id in query.trace_ids for form in (trace_id, trace_id.lstrip("0"))})
    ids = " || ".join(f'trace:id = "{form}"' for form in forms)
    return f"{{ ({ids}) && {found[1:-1].strip()} }}" if some else f"{{ {ids} }}"


def _step(ns: int) -> str:
    """A distance between points, at least a millisecond: `60s`, `250ms`."""
    return f"{ns // SECOND}s" if ns >= SECOND and ns % SECOND == 0 else f"{max(1, ns // MILLISECOND)}ms"


def _tree(text: str) -> Pipeline | None:
    """The query as a tree; None when our grammar does not know it: the server shall judge."""
    try:
        return parse(text)
    except QueryError:
        return None
