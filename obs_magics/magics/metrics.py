"""`%%obs_metrics` and `%obs_metrics`: a query in, a frame and a panel out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from obs_magics.magics.arguments import HELP, Arguments
from obs_magics.magics.commands import help_text
from obs_magics.magics.commands_ask import METRICS
from obs_magics.magics.interrupt import in_one_line
from obs_magics.magics.question import deliver, has_text, marked_events, plan_text, read_cell
from obs_magics.magics.variables import expand
from obs_magics.model.errors import UsageError
from obs_magics.model.query import MetricsQuery
from obs_magics.model.time import format_duration

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.api import Plan
    from obs_magics.magics.context import Context
    from obs_magics.magics.extras import Extras


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
    typed = read_cell(METRICS, line, cell, names)
    arguments = typed.arguments
    if arguments.has(HELP.name):
        context.write(help_text(METRICS))
        return None
    if not has_text(typed.question):
        raise UsageError("there is no query", hint="for example: %obs_metrics --last 1h up")
    session = context.session
    query = expand(typed.question, names, zone=session.zone)
    options = _options(arguments)
    _check_anomaly_options(arguments)
    with in_one_line("interrupted: nothing was fetched"):
        if arguments.has("dry-run"):
            context.write(_plan_text(session.plan(query, **options)))
            return None
        with context.progress() as progress:
            frame = session.metrics(query, **options, progress=progress)
    return deliver(context, typed, frame, lambda: _show(context, arguments, typed.question, query, frame))


def _check_anomaly_options(arguments: Arguments) -> None:
    """Options of an examination go with one, and with values over time."""
    if not arguments.has("anomalies"):
        alone = next((name for name in ("sensitivity", "baseline") if arguments.has(name)), None)
        if alone is not None:
            raise UsageError(f"--{alone} is for looking for anomalies", hint=f"--anomalies --{alone} …")
    elif arguments.has("instant"):
        raise UsageError("--instant gives one value per series, and --anomalies needs them over time")


def _extras(context: Context, arguments: Arguments, query: str, frame: pd.DataFrame) -> Extras:
    """Events, and what is unusual, as far as they are asked for."""
    from obs_magics.magics.extras import with_anomalies
    from obs_magics.model import provenance

    marked = marked_events(context, arguments, frame)
    origin = provenance.of(frame)
    if not arguments.has("anomalies") or frame.empty or origin is None:
        return marked
    from obs_magics.magics.anomalies import sources_of
    from obs_magics.magics.seen import seen_of
    from obs_magics.model.zones import zone_name

    session = context.session
    with context.progress() as progress:
        report = session.anomaly_report(
            origin.question if origin.translated_by else origin.native_query if arguments.has("agg") else query,
            sensitivity=arguments.text("sensitivity"),
            baseline=arguments.text("baseline"),
            source=origin.source,
            start=datetime.fromisoformat(origin.start),
            end=datetime.fromisoformat(origin.end),
            progress=progress,
        )
        seen = seen_of(report, "")
        sources = sources_of(context)
        known = not seen.frame.empty and sources.events
        changes = session.changes_before(seen.frame, progress=progress) if known else None
    extras = with_anomalies(
        frame, seen, changes, zone=zone_name(session.zone), now_ns=session.now_ns(), sources=sources
    )
    return extras if marked.events is None else replace(extras, events=marked.events)


def _show(context: Context, arguments: Arguments, question: str, query: str, frame: pd.DataFrame) -> None:
    from obs_magics.magics.panel import metrics_panel

    kept = [f"--{name} {value}" for name in ("step", "agg", "limit") if (value := arguments.text(name)) is not None]
    panel = metrics_panel(
        frame,
        question.strip(),
        name=arguments.target or "",
        options=" ".join(kept),
        zone=context.session.zone,
        extras=_extras(context, arguments, query, frame),
    )
    context.show(*panel.outputs())


def _options(arguments: Arguments) -> _Options:
    return {
        "source": arguments.text("source"),
        "last": arguments.text("last"),
        "start": arguments.text("start"),
        "end": arguments.text("end"),
        "step": arguments.text("step"),
        "agg": arguments.text("agg"),
        "limit": arguments.number("limit"),
        "instant": arguments.has("instant"),
    }


def _plan_text(plan: Plan) -> str:
    query = plan.query
    assert isinstance(query, MetricsQuery)  # noqa: S101 - for the type checker
    return plan_text(plan, {"step": "one value per series" if query.instant else format_duration(query.step_ns)})
