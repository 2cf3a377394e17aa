"""`%%obs_traces` and `%obs_traces`: TraceQL, trace ids or conditions in, a frame of spans and a panel out."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from obs_magics.magics.arguments import HELP, Arguments
from obs_magics.magics.commands import TRACES, help_text
from obs_magics.magics.interrupt import in_one_line
from obs_magics.magics.question import Typed, deliver, marked_events, option_text, plan_text, read_cell
from obs_magics.magics.variables import expand
from obs_magics.model import provenance
from obs_magics.model.query import TracesQuery
from obs_magics.model.time import format_duration

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.api import Plan
    from obs_magics.magics.context import Context


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
    typed = read_cell(TRACES, line, cell)
    arguments = typed.arguments
    if arguments.has(HELP.name):
        context.write(help_text(TRACES))
        return None
    session = context.session
    options = _options(names, arguments)
    query = expand(typed.question, names, zone=session.zone)
    with in_one_line("interrupted: nothing was fetched"):
        if arguments.has("dry-run"):
            context.write(_plan_text(session.traces_plan(query, **options)))
            return None
        with context.progress() as progress:
            frame = session.traces(query, **options, progress=progress)
    return deliver(context, typed, frame, lambda: _show(context, typed, frame))


def _show(context: Context, typed: Typed, frame: pd.DataFrame) -> None:
    zone, name, question = context.session.zone, typed.arguments.target or "", typed.question.strip()
    origin = provenance.of(frame)
    if origin is not None and origin.signal == "metrics":
        from obs_magics.magics.panel import metrics_panel

        extras = marked_events(context, typed.arguments, frame)
        panel = metrics_panel(frame, question, name=name, options="", zone=zone, magic="obs_traces", extras=extras)
        context.show(*panel.outputs())
        return
    from obs_magics.magics.traces_panel import traces_panel

    slow_alone = typed.arguments.has("min-duration") or "uration >" in question
    with context.progress() as progress:
        panel = traces_panel(
            frame,
            question,
            name=name,
            options=" ".join(_kept(typed.arguments)),
            zone=zone,
            slow_alone=slow_alone,
            progress=progress,
            extras=marked_events(context, typed.arguments, frame),
        )
    context.show(*panel.outputs())


def _kept(arguments: Arguments) -> list[str]:
    """The conditions as typed, for the next cell."""
    kept = ("service", "operation", "status", "min-duration", "max-duration", "limit")
    given = [(name, value) for name in kept if (value := arguments.text(name)) is not None]
    return [f"--{name} {shlex.quote(value)}" for name, value in given]


def _options(names: Mapping[str, Any], arguments: Arguments) -> _Options:
    def text(name: str) -> str | None:
        return option_text(arguments, names, name)

    return {
        "source": text("source"),
        "trace_id": text("trace-id"),
        "service": text("service"),
        "operation": text("operation"),
        "status": arguments.text("status"),
        "min_duration": text("min-duration"),
        "max_duration": text("max-duration"),
        "last": text("last"),
        "start": text("start"),
        "end": text("end"),
        "step": text("step"),
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
