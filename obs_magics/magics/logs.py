"""`%%obs_logs` and `%obs_logs`: a query or plain words in, a frame and a panel out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from obs_magics.magics.arguments import HELP, Arguments
from obs_magics.magics.commands import help_text
from obs_magics.magics.commands_ask import LOGS
from obs_magics.magics.interrupt import in_one_line
from obs_magics.magics.log_variables import expand_logs
from obs_magics.magics.question import Typed, deliver, marked_events, plan_text, read_cell, show_numbers
from obs_magics.model import provenance
from obs_magics.model.errors import UsageError
from obs_magics.model.query import LogsQuery

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.api import Plan, Session
    from obs_magics.magics.context import Context


class _Options(TypedDict):
    source: str | None
    last: str | None
    start: str | None
    end: str | None
    step: str | None
    level: str | None
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
    typed = read_cell(LOGS, line, cell, names)
    arguments = typed.arguments
    if arguments.has(HELP.name):
        context.write(help_text(LOGS))
        return None
    if arguments.has("patterns") and arguments.has("no-patterns"):
        raise UsageError("--patterns and --no-patterns are given together", hint="keep one of them")
    session = context.session
    options = _options(arguments)
    with in_one_line("interrupted: nothing was fetched"):
        language = session.log_language(options["source"])
        query = expand_logs(typed.question, names, zone=session.zone, language=language)
        if arguments.has("dry-run"):
            context.write(_plan_text(session.logs_plan(query, **options)))
            return None
        with context.progress() as progress:
            frame = session.logs(query, **options, progress=progress)
    return deliver(context, typed, frame, lambda: _show(context, typed, frame))


def _show(context: Context, typed: Typed, frame: pd.DataFrame) -> None:
    arguments, zone = typed.arguments, context.session.zone
    name, question = arguments.target or "", typed.question.strip()
    if show_numbers(context, typed, frame, "obs_logs"):
        return
    from obs_magics.magics.logs_panel import logs_panel

    origin = provenance.of(frame)
    patterns = True if arguments.has("patterns") else False if arguments.has("no-patterns") else None
    with context.progress() as progress:
        shown = logs_panel(
            frame,
            question,
            name=name,
            zone=zone,
            patterns=patterns,
            trace_source=_trace_source(context.session, origin.source if origin else ""),
            progress=progress,
            extras=marked_events(context, arguments, frame),
        )
    context.show(*shown.outputs())


def _trace_source(session: Session, own: str) -> str:
    """Where to look up the trace of a line: where the line came from, when it has traces too, else another source."""
    if own and "traces" in session.offers(own) and session.trace_catalog(own).services():
        return own
    others = [source.name for source in session.sources if not source.problem and source.name != own]
    return next((name for name in others if "traces" in session.offers(name)), "")


def _options(arguments: Arguments) -> _Options:
    return {
        "source": arguments.text("source"),
        "last": arguments.text("last"),
        "start": arguments.text("start"),
        "end": arguments.text("end"),
        "step": arguments.text("step"),
        "level": arguments.text("level"),
        "limit": arguments.number("limit"),
    }


def _plan_text(plan: Plan) -> str:
    query = plan.query
    assert isinstance(query, LogsQuery)  # noqa: S101 - for the type checker
    return plan_text(
        plan, {"level": f"{query.level} and worse" if query.level else "all", "limit": f"{query.limit:,} lines"}
    )
