"""`%%obs_metrics` and `%obs_metrics`: a query in, a frame and a panel out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from obs_magics.magics.arguments import HELP, Arguments
from obs_magics.magics.commands import METRICS, help_text
from obs_magics.magics.interrupt import in_one_line
from obs_magics.magics.question import deliver, has_text, option_text, plan_text, read_cell
from obs_magics.magics.variables import expand
from obs_magics.model.errors import UsageError
from obs_magics.model.query import MetricsQuery
from obs_magics.model.time import format_duration

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.api import Plan
    from obs_magics.magics.context import Context


class _Options(TypedDict):
    source: str | None
    last: str | None
    start: str | None
    end: str | None
    step: str | None
    agg: str | None
    limit: int | None
    instant: bool


def run(context: Context, line: str, cell: str | None, names: Mapping[str, Any]) -> pd.DataFrame | None:
    """Ask, fill the variable, show the panel, return the frame. An error leaves the variable as it was.

    Args:
        context: The shell and its session.
        line: What stands behind the magic's name.
        cell: The query; None for the line form, where it is the rest of the line.
        names: Python's variables, for ``${name}``.

    Raises:
        UsageError: The options are wrong, or there is no query; nothing was asked.
        ObsError: The question could not be answered.
        KeyboardInterrupt: The user interrupted; what was in flight is cancelled.
    """
    typed = read_cell(METRICS, line, cell)
    arguments = typed.arguments
    if arguments.has(HELP.name):
        context.write(help_text(METRICS))
        return None
    if not has_text(typed.question):
        raise UsageError("there is no query", hint="for example: %obs_metrics --last 1h up")
    session = context.session
    query = expand(typed.question, names, zone=session.zone)
    options = _options(names, arguments)
    with in_one_line("interrupted: nothing was fetched"):
        if arguments.has("dry-run"):
            context.write(_plan_text(session.plan(query, **options)))
            return None
        with context.progress() as progress:
            frame = session.metrics(query, **options, progress=progress)
    return deliver(context, typed, frame, lambda: _show(context, arguments, typed.question, frame))


def _show(context: Context, arguments: Arguments, question: str, frame: pd.DataFrame) -> None:
    from obs_magics.magics.panel import metrics_panel

    kept = [f"--{name} {value}" for name in ("step", "agg", "limit") if (value := arguments.text(name)) is not None]
    panel = metrics_panel(
        frame, question.strip(), name=arguments.target or "", options=" ".join(kept), zone=context.session.zone
    )
    context.show(*panel.outputs())


def _options(names: Mapping[str, Any], arguments: Arguments) -> _Options:
    return {
        "source": option_text(arguments, names, "source"),
        "last": option_text(arguments, names, "last"),
        "start": option_text(arguments, names, "start"),
        "end": option_text(arguments, names, "end"),
        "step": option_text(arguments, names, "step"),
        "agg": arguments.text("agg"),
        "limit": arguments.number("limit"),
        "instant": arguments.has("instant"),
    }


def _plan_text(plan: Plan) -> str:
    query = plan.query
    assert isinstance(query, MetricsQuery)  # noqa: S101 - for the type checker
    return plan_text(plan, {"step": "one value per series" if query.instant else format_duration(query.step_ns)})
