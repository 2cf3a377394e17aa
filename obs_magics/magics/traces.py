"""`%%obs_traces` and `%obs_traces`: TraceQL, trace ids or conditions in, a frame of spans and a panel out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from obs_magics.magics.arguments import HELP, Arguments
from obs_magics.magics.commands import help_text
from obs_magics.magics.commands_ask import TRACES
from obs_magics.magics.interrupt import in_one_line
from obs_magics.magics.question import (
    Typed,
    conditions,
    deliver,
    marked_events,
    plan_text,
    read_cell,
    show_numbers,
)
from obs_magics.magics.variables import expand
from obs_magics.model.query import TracesQuery
from obs_magics.model.time import format_duration

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.api import Plan
    from obs_magics.magics.context import Context

_CONDITIONS = ("service", "operation", "status", "min-duration", "max-duration", "limit")  # kept in the next cell


class _Options(TypedDict):
    source: str | None
    trace_id: str | None
    service: str | None
    operation: str | None
    status: str | None
    min_duration: str | None
    max_duration: str | None
    last: str | None
    start: str | None
    end: str | None
    step: str | None
    limit: int | None


def run(context: Context, line: str, cell: str | None, names: Mapping[str, Any]) -> pd.DataFrame | None:
    """Ask, fill the variable, show the panel, return the frame. An error leaves the variable as it was.

    Args:
        context: The shell and its session.
        line: What stands behind the magic's name.
        cell: The query; None for the line form, where it is the rest of the line.
        names: Python's variables, for ``${name}``.

    Raises:
        UsageError: The options are wrong; nothing was asked.
        ObsError: The question could not be answered.
        KeyboardInterrupt: The user interrupted; what was in flight is cancelled.
    """
    typed = read_cell(TRACES, line, cell, names)
    arguments = typed.arguments
    if arguments.has(HELP.name):
        context.write(help_text(TRACES))
        return None
    session = context.session
    options = _options(arguments)
    query = expand(typed.question, names, zone=session.zone)
    with in_one_line("interrupted: nothing was fetched"):
        if arguments.has("dry-run"):
            context.write(_plan_text(session.traces_plan(query, **options)))
            return None
        with context.progress() as progress:
            frame = session.traces(query, **options, progress=progress)
    return deliver(context, typed, frame, lambda: _show(context, typed, frame))


def _show(context: Context, typed: Typed, frame: pd.DataFrame) -> None:
    if show_numbers(context, typed, frame, "obs_traces"):
        return
    from obs_magics.magics.traces_panel import traces_panel

    question = typed.question.strip()
    slow_alone = typed.arguments.has("min-duration") or "uration >" in question
    with context.progress() as progress:
        panel = traces_panel(
            frame,
            question,
            name=typed.arguments.target or "",
            options=conditions(typed.arguments, _CONDITIONS),
            zone=context.session.zone,
            slow_alone=slow_alone,
            progress=progress,
            extras=marked_events(context, typed.arguments, frame),
        )
    context.show(*panel.outputs())


def _options(arguments: Arguments) -> _Options:
    return {
        "source": arguments.text("source"),
        "trace_id": arguments.text("trace-id"),
        "service": arguments.text("service"),
        "operation": arguments.text("operation"),
        "status": arguments.text("status"),
        "min_duration": arguments.text("min-duration"),
        "max_duration": arguments.text("max-duration"),
        "last": arguments.text("last"),
        "start": arguments.text("start"),
        "end": arguments.text("end"),
        "step": arguments.text("step"),
        "limit": arguments.number("limit"),
    }


def _plan_text(plan: Plan) -> str:
    query = plan.query
    assert isinstance(query, TracesQuery)  # noqa: S101 - for the type checker
    conditions = {
        "traces": ", ".join(query.trace_ids),
        "service": query.service or "",
        "span": query.operation or "",
        "status": query.status or "",
        "at least": "" if query.min_duration_ns is None else format_duration(query.min_duration_ns),
        "at most": "" if query.max_duration_ns is None else format_duration(query.max_duration_ns),
    }
    return plan_text(
        plan, {**{name: said for name, said in conditions.items() if said}, "limit": f"{query.limit:,} traces"}
    )
