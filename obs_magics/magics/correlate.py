"""`%obs_correlate` and `%%obs_correlate`: what moved with a series, and which changes came just before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

from obs_magics.magics.anomalies import frame_named, options_first, sources_of
from obs_magics.magics.arguments import HELP, Arguments
from obs_magics.magics.commands import help_text
from obs_magics.magics.commands_anomalies import CORRELATE
from obs_magics.magics.interrupt import in_one_line
from obs_magics.magics.question import deliver, has_text, plan_text, read_cell
from obs_magics.magics.variables import expand
from obs_magics.model.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.magics.context import Context
    from obs_magics.magics.correlate_panel import Compared


class _Options(TypedDict):
    service: str | None
    source: str | None
    last: str | None
    start: str | None
    end: str | None
    step: str | None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was understood: the target as a frame or as a question, and what it is compared with."""

    title: str
    query: str = ""
    frame: pd.DataFrame | None = None
    with_frame: pd.DataFrame | None = None
    with_query: str = ""
    series: str | None = None
    max_lag: str = "10m"
    limit: int = 20
    options: Mapping[str, Any] = field(default_factory=dict)


def run(context: Context, line: str, cell: str | None, names: Mapping[str, Any]) -> pd.DataFrame | None:
    """Compare, fill the variable, show the panel, return the correlation frame.

    Args:
        context: The shell and its session.
        line: What stands behind the magic's name.
        cell: The query; None for the line form, where it is the rest of the line.
        names: Python's variables: frames, and for ``${name}``.

    Raises:
        UsageError: The options are wrong, or it is not clear which series is meant; nothing was asked.
        ObsError: The question could not be answered.
        KeyboardInterrupt: The user interrupted; what was in flight is cancelled.
    """
    typed = read_cell(CORRELATE, options_first(line) if cell is None else line, cell, names)
    arguments = typed.arguments
    if arguments.has(HELP.name):
        context.write(help_text(CORRELATE))
        return None
    if not has_text(typed.question):
        raise UsageError("there is no target", hint=f"for example: {CORRELATE.examples[0]}")
    asked = _asked(context, typed.question, arguments, names)
    with in_one_line("interrupted: nothing was compared"):
        if arguments.has("dry-run"):
            context.write(_dry_run(context, asked))
            return None
        compared = _compared(context, asked, events=arguments.has("events"))
    return deliver(context, typed, compared.frame, lambda: _show(context, asked, compared))


def _asked(context: Context, question: str, arguments: Arguments, names: Mapping[str, Any]) -> _Asked:
    other = arguments.text("with") or ""
    frame = None if arguments.has("service") else frame_named(question, names)
    query = "" if frame is not None else expand(question.strip(), names, zone=context.session.zone)
    service = arguments.text("service")
    title = " of ".join(part for part in (" ".join(question.split()), service) if part)
    options: _Options = {
        "service": service,
        "source": arguments.text("source"),
        "last": arguments.text("last"),
        "start": arguments.text("start"),
        "end": arguments.text("end"),
        "step": arguments.text("step"),
    }
    with_frame = frame_named(other, names)
    return _Asked(
        title=title,
        query=query,
        frame=frame,
        with_frame=with_frame,
        with_query="" if with_frame is not None else other,
        series=arguments.text("series"),
        max_lag=arguments.text("max-lag") or "10m",
        limit=arguments.number("limit") or 20,
        options=options,
    )


def _compared(context: Context, asked: _Asked, *, events: bool) -> Compared:
    from obs_magics.magics import correlate_panel as panel

    session = context.session
    with context.progress() as progress:
        if asked.frame is not None and _stays_here(asked):
            compared = panel.within(
                asked.frame, asked.with_frame, series=asked.series, max_lag=asked.max_lag, limit=asked.limit
            )
        else:
            report = session.correlation_report(
                asked.query if asked.frame is None else panel.as_series(asked.frame, asked.series, asked.title),
                against=_against(asked),
                series=None if asked.frame is not None else asked.series,
                max_lag=asked.max_lag,
                limit=asked.limit,
                progress=progress,
                **asked.options,
            )
            compared = panel.of_report(report)
        if not events:
            return compared
        anomalies = panel.unusual(compared)
        if not len(anomalies) and asked.frame is None:  # the range alone may be too short to tell what is normal
            anomalies = _with_history(context, asked, compared)
        changes = session.changes_before(anomalies, progress=progress) if len(anomalies) else None
        return panel.with_changes(compared, anomalies, changes)


def _stays_here(asked: _Asked) -> bool:
    """Whether frames of the notebook are compared alone, and no source is asked."""
    from obs_magics.magics.correlate_panel import count_series

    assert asked.frame is not None  # noqa: S101 - for the type checker
    return asked.with_frame is not None or (not asked.with_query and count_series(asked.frame) > 1)


def _against(asked: _Asked) -> Sequence[str]:
    return (asked.with_query,) if asked.with_query else ()


def _with_history(context: Context, asked: _Asked, compared: Compared) -> pd.DataFrame:
    """What is unusual in the target against the history before the range."""
    report = context.session.anomaly_report(asked.query, **asked.options)
    own = report.frame[report.frame["metric"].astype(object) == compared.metric]
    return own.assign(series=compared.target).reset_index(drop=True)


def _show(context: Context, asked: _Asked, compared: Compared) -> None:
    from obs_magics.magics.correlate_panel import correlate_panel

    panel = correlate_panel(
        compared,
        title=asked.title,
        zone=context.session.zone,
        now_ns=context.session.now_ns(),
        sources=sources_of(context),
    )
    context.show(*panel.outputs())


def _dry_run(context: Context, asked: _Asked) -> str:
    if asked.frame is not None and _stays_here(asked):
        return f"Nothing was asked. The series of {asked.title} would be compared with each other, and no source asked."
    if asked.frame is not None:
        return f"Nothing was asked. {asked.title} would be compared with {asked.with_query or 'all measures'}."
    (plan, *_) = context.session.anomaly_plans(asked.query, **asked.options)
    return plan_text(plan, {"with": asked.with_query or "the configured measures of all services"})
