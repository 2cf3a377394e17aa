"""`%%obs_metrics` and `%obs_metrics`: a query in, a frame and a panel out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from obs_magics.magics.arguments import HELP, Arguments, read_query, read_words
from obs_magics.magics.commands import METRICS, help_text
from obs_magics.magics.interrupt import in_one_line
from obs_magics.magics.variables import expand, expand_option
from obs_magics.model.errors import UsageError

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
    arguments = read_query(METRICS, line) if cell is None else read_words(METRICS, line)
    if arguments.has(HELP.name):
        context.write(help_text(METRICS))
        return None
    question, quiet = _without_semicolon(arguments.rest if cell is None else cell)
    _check_question(question)
    session = context.session
    query = expand(question, names, zone=session.zone)
    options = _options(names, arguments)
    with in_one_line("interrupted: nothing was fetched"):
        if arguments.has("dry-run"):
            context.write(_plan_text(session.plan(query, **options)))
            return None
        with context.progress() as progress:
            frame = session.metrics(query, **options, progress=progress)
    if arguments.target is not None:
        context.fill(arguments.target, frame)
    if not arguments.has("no-plot"):
        kept = f"; the frame is in {arguments.target}" if arguments.target else ""
        with in_one_line(f"interrupted while drawing{kept}"):
            _show(context, arguments, question, frame)
    # Only with a variable: `x = %obs_metrics up;` would lose what was fetched.
    return None if quiet and arguments.target is not None else frame


def _show(context: Context, arguments: Arguments, question: str, frame: pd.DataFrame) -> None:
    from obs_magics.magics.panel import metrics_panel

    kept = [f"--{name} {value}" for name in ("step", "agg", "limit") if (value := arguments.text(name)) is not None]
    panel = metrics_panel(
        frame, question.strip(), name=arguments.target or "", options=" ".join(kept), zone=context.session.zone
    )
    context.show(*panel.outputs())


def _options(names: Mapping[str, Any], arguments: Arguments) -> _Options:
    def text(name: str) -> str | None:
        value = arguments.text(name)
        return None if value is None else expand_option(value, names)

    return {
        "source": text("source"),
        "last": text("last"),
        "start": text("start"),
        "end": text("end"),
        "step": text("step"),
        "agg": arguments.text("agg"),
        "limit": arguments.number("limit"),
        "instant": arguments.has("instant"),
    }


def _without_semicolon(question: str) -> tuple[str, bool]:
    """The query without the `;` that asks not to show the frame, as elsewhere in IPython, and whether there was one."""
    bare = question.rstrip()
    return (bare[:-1], True) if bare.endswith(";") else (question, False)  # PromQL itself has none


def _check_question(question: str) -> None:
    lines = [line.strip() for line in question.splitlines()]
    if not any(line and not line.startswith("#") for line in lines):
        raise UsageError("there is no query", hint="for example: %obs_metrics --last 1h up")


def _plan_text(plan: Plan) -> str:
    """What would be asked of whom."""
    from obs_magics.model.time import format_duration

    span = plan.range
    when = f"{span.start:%Y-%m-%d %H:%M:%S} to {span.end:%Y-%m-%d %H:%M:%S} UTC ({format_duration(span.duration_ns)})"
    facts = [
        ("source", f"{plan.source} ({plan.platform}, {plan.address})"),
        ("query", plan.native_query.replace("\n", "\n         ")),
        ("range", when),
        ("step", "one value per series" if plan.query.instant else format_duration(plan.query.step_ns)),
        *(("note", note) for note in plan.notes),
    ]
    return "\n".join(["Nothing was asked. This would be:", *(f"{name:<9}{value}" for name, value in facts)])
