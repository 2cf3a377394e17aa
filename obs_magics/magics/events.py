"""`%%obs_events` and `%obs_events`: what happened, from every source that may know, as a frame and a panel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from obs_magics.magics.arguments import HELP, Arguments
from obs_magics.magics.commands import help_text
from obs_magics.magics.commands_ask import EVENTS
from obs_magics.magics.interrupt import in_one_line
from obs_magics.magics.question import Typed, conditions, deliver, plan_text, read_cell
from obs_magics.magics.variables import expand
from obs_magics.model.query import EventsQuery

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.api import Plan
    from obs_magics.magics.context import Context


class _Options(TypedDict):
    source: str | None
    kinds: str | None
    service: str | None
    last: str | None
    start: str | None
    end: str | None
    limit: int | None


def run(context: Context, line: str, cell: str | None, names: Mapping[str, Any]) -> pd.DataFrame | None:
    """Ask, fill the variable, show the panel, return the frame. An error leaves the variable as it was.

    Args:
        context: The shell and its session.
        line: What stands behind the magic's name.
        cell: The question; None for the line form, where it is the rest of the line.
        names: Python's variables, for ``${name}``.

    Raises:
        UsageError: The options are wrong; nothing was asked.
        ObsError: The question could not be answered.
        KeyboardInterrupt: The user interrupted; what was in flight is cancelled.
    """
    typed = read_cell(EVENTS, line, cell, names)
    arguments = typed.arguments
    if arguments.has(HELP.name):
        context.write(help_text(EVENTS))
        return None
    session = context.session
    options = _options(arguments)
    query = expand(typed.question, names, zone=session.zone)
    with in_one_line("interrupted: nothing was fetched"):
        if arguments.has("dry-run"):
            context.write(_plan_text(session.events_plan(query, **options)))
            return None
        with context.progress() as progress:
            frame = session.events(query, **options, progress=progress)
    return deliver(context, typed, frame, lambda: _show(context, typed, frame))


def _show(context: Context, typed: Typed, frame: pd.DataFrame) -> None:
    from obs_magics.magics.events_panel import events_panel

    panel = events_panel(
        frame,
        typed.question.strip(),
        name=typed.arguments.target or "",
        options=conditions(typed.arguments, ("kind", "service", "limit")),
        zone=context.session.zone,
        logs=_with_logs(context),
    )
    context.show(*panel.outputs())


def _with_logs(context: Context) -> str:
    """A source that has logs, for the next cell; empty when there is none."""
    session = context.session
    ready = [status.name for status in session.sources if not status.problem]
    first = sorted(ready, key=lambda name: name != session.default)
    return next((name for name in first if "logs" in session.offers(name)), "")


def _options(arguments: Arguments) -> _Options:
    return {
        "source": arguments.text("source"),
        "kinds": arguments.text("kind"),
        "service": arguments.text("service"),
        "last": arguments.text("last"),
        "start": arguments.text("start"),
        "end": arguments.text("end"),
        "limit": arguments.number("limit"),
    }


def _plan_text(plan: Plan) -> str:
    query = plan.query
    assert isinstance(query, EventsQuery)  # noqa: S101 - for the type checker
    conditions = {
        "kinds": ", ".join(query.kinds),
        "services": ", ".join(query.services),
        "words": ", ".join(query.words),
        "where": ", ".join(map(str, query.matchers)),
    }
    said = {name: text for name, text in conditions.items() if text}
    return plan_text(plan, {**said, "limit": f"{query.limit:,} events"})
