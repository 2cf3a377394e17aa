"""`%obs_anomalies` and `%%obs_anomalies`: a measure, a query or a frame in; what is unusual, and why, out."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from obs_magics.magics.arguments import HELP, Arguments
from obs_magics.magics.commands import help_text
from obs_magics.magics.commands_anomalies import ANOMALIES
from obs_magics.magics.interrupt import in_one_line
from obs_magics.magics.question import Typed, deliver, has_text, plan_text, read_cell
from obs_magics.magics.variables import expand
from obs_magics.model.errors import ObsError, UsageError, did_you_mean
from obs_magics.model.sources import Progress

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.config.ignore import Ignored
    from obs_magics.magics.anomaly_cells import Sources
    from obs_magics.magics.context import Context
    from obs_magics.magics.seen import Seen
    from obs_magics.session.changes import Changes

# `errors --last 6h`, `errors of payment-api --last 6h`: behind plain words options can be told from a query.
_NAME_FIRST = re.compile(
    r"(?P<target>\s*[^\W\d]\w*\s*<<)?\s*(?P<name>[^\W\d][\w:.]*(?:[ ]+[\w:./-]*\w)*?)\s+(?P<options>--[^\W\d].*)",
    re.DOTALL,
)
_NAME = re.compile(r"[^\W\d]\w*")
_PATTERNS = ("metric", "service", "series", "kind")
_ASKING = ("source", "service", "last", "start", "end", "step")
"""Options that only a source can answer: with one of them a name is not that of a frame."""


class _Options(TypedDict):
    service: str | None
    sensitivity: str | None
    baseline: str | None
    source: str | None
    last: str | None
    start: str | None
    end: str | None
    step: str | None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was understood: a frame of the notebook, or a question for a source."""

    title: str
    query: str = ""
    frame: pd.DataFrame | None = None
    timed: bool = False


def run(context: Context, line: str, cell: str | None, names: Mapping[str, Any]) -> pd.DataFrame | None:
    """Examine, fill the variable, show the panel, return the anomalies frame.

    Args:
        context: The shell and its session.
        line: What stands behind the magic's name.
        cell: The query; None for the line form, where it is the rest of the line.
        names: Python's variables: frames, and for ``${name}``.

    Raises:
        UsageError: The options are wrong; nothing was asked.
        ObsError: The question could not be answered.
        KeyboardInterrupt: The user interrupted; what was in flight is cancelled.
    """
    typed = read_cell(ANOMALIES, options_first(line) if cell is None else line, cell, names)
    arguments = typed.arguments
    if arguments.has(HELP.name):
        context.write(help_text(ANOMALIES))
        return None
    if _about_ignoring(context, arguments):
        return None
    asked = _asked(typed, names, context)
    options = _options(arguments)
    with in_one_line("interrupted: nothing was looked at"):
        if arguments.has("dry-run"):
            context.write(_dry_run(context, asked, options))
            return None
        seen = _examined(context, asked, options)
        changes = _changes(context, seen, arguments)
    again = _again(arguments, asked, seen.sensitivity)
    return deliver(context, typed, seen.frame, lambda: _show(context, asked, seen, changes, again))


def options_first(line: str) -> str:
    """The line with its options before the name that stands first: `errors --last 6h` is `--last 6h errors`."""
    bare = line.rstrip()
    quiet = ";" if bare.endswith(";") else ""
    found = _NAME_FIRST.fullmatch(bare.removesuffix(";"))
    if found is None:
        return line
    return f"{found['target'] or ''} {found['options'].rstrip()} {found['name']}{quiet}"


def frame_named(text: str, names: Mapping[str, Any]) -> pd.DataFrame | None:
    """The frame of the notebook that a text names; None where it names none."""
    import pandas as pd

    name = text.strip()
    value = names.get(name) if _NAME.fullmatch(name) else None
    return value if isinstance(value, pd.DataFrame) else None


def _asked(typed: Typed, names: Mapping[str, Any], context: Context) -> _Asked:
    question = typed.question.strip() if has_text(typed.question) else ""
    frame = None if any(typed.arguments.has(name) for name in _ASKING) else frame_named(question, names)
    if frame is not None:
        return _Asked(question, frame=frame)
    query = expand(question, names, zone=context.session.zone) if question else ""
    service = typed.arguments.text("service")
    short = " ".join(query.split())
    title = " of ".join(part for part in (short, service) if part) or "all services"
    return _Asked(title, query=query, timed=_names_a_time(query, context))


def _names_a_time(text: str, context: Context) -> bool:
    """Whether words of a question say when."""
    from obs_magics.language.log_words import said_time
    from obs_magics.model.time import parse_range

    now_ns, zone = context.session.now_ns(), context.session.zone
    when, _ = said_time(text, lambda phrase: parse_range(phrase, now_ns=now_ns, zone=zone))
    return bool(when)


def _options(arguments: Arguments) -> _Options:
    return {
        "service": arguments.text("service"),
        "sensitivity": arguments.text("sensitivity"),
        "baseline": arguments.text("baseline"),
        "source": arguments.text("source"),
        "last": arguments.text("last"),
        "start": arguments.text("start"),
        "end": arguments.text("end"),
        "step": arguments.text("step"),
    }


def _examined(context: Context, asked: _Asked, options: _Options) -> Seen:
    from obs_magics.magics.seen import seen_of

    with context.progress() as progress:
        if asked.frame is not None:
            from obs_magics.magics.frame_anomalies import seen_in

            progress(Progress(0, 1, len(asked.frame), "looking for anomalies"))
            ignored = context.session.ignored()
            return seen_in(asked.frame, options["sensitivity"], options["baseline"], ignored)
        report = context.session.anomaly_report(asked.query, **options, progress=progress)
    from obs_magics.model import provenance

    origin = provenance.of(report.frame)
    return seen_of(report, f"from {origin.source} ({origin.platform})" if origin else "")


def _changes(context: Context, seen: Seen, arguments: Arguments) -> Changes | None:
    """What happened shortly before; None where nothing is unusual, nobody knows of events, or nothing is shown."""
    if seen.frame.empty or arguments.has("no-plot") or not sources_of(context).events:
        return None
    with context.progress() as progress:
        return context.session.changes_before(seen.frame, progress=progress)


def _show(context: Context, asked: _Asked, seen: Seen, changes: Changes | None, again: str) -> None:
    from obs_magics.magics.anomalies_panel import anomalies_panel

    now_ns = context.session.now_ns() if asked.frame is None or seen.range is None else seen.range.end_ns
    panel = anomalies_panel(
        seen,
        changes,
        title=asked.title,
        zone=context.session.zone,
        now_ns=now_ns,
        sources=_sources(context, asked),
        again=again,
    )
    context.show(*panel.outputs())


def _sources(context: Context, asked: _Asked) -> Sources:
    """Whom the next cells ask; what was counted in a frame is no metric of a source."""
    from obs_magics.accessor.anomalies import is_counted

    sources = sources_of(context)
    counted = asked.frame is not None and is_counted(asked.frame)
    return dataclasses.replace(sources, metrics="") if counted else sources


def _again(arguments: Arguments, asked: _Asked, sensitivity: str) -> str:
    """The same over a longer time, where nobody said which; else at a higher sensitivity, where there is one."""
    given = any(arguments.text(name) is not None for name in ("last", "start", "end"))
    timed = asked.frame is not None or given or asked.timed
    higher = {"low": "medium", "medium": "high"}.get(sensitivity)
    if timed and higher is None:
        return ""
    kept = [name for name in (*_ASKING, "baseline") if arguments.text(name) is not None]
    options = " ".join(f"--{name} {shlex.quote(arguments.text(name) or '')}" for name in kept)
    line = " ".join(part for part in (options, f"--sensitivity {higher}" if timed else "--last 6h") if part)
    query = asked.title if asked.frame is not None else asked.query
    return f"%obs_anomalies {line} {query}".rstrip() if "\n" not in query else f"%%obs_anomalies {line}\n{query}"


def sources_of(context: Context) -> Sources:
    """Whom the next cells ask: the default source where it can, else the first that can."""
    from obs_magics.magics.anomaly_cells import Sources

    session = context.session
    ready = [status.name for status in session.sources if not status.problem]
    offers: dict[str, str] = {}
    for name in sorted(ready, key=lambda name: name != session.default):
        try:
            told = session.offers(name)
        except ObsError:
            continue  # it cannot be opened: no cell asks it
        for kind in told:
            offers.setdefault(kind, name)
    return Sources(**{kind: offers.get(kind, "") for kind in ("metrics", "logs", "traces", "events")})


def _dry_run(context: Context, asked: _Asked, options: _Options) -> str:
    if asked.frame is not None:
        return f"Nothing was asked. {asked.title} would be examined: {len(asked.frame):,} rows, no source."
    plans = context.session.anomaly_plans(
        asked.query,
        service=options["service"],
        source=options["source"],
        last=options["last"],
        start=options["start"],
        end=options["end"],
        step=options["step"],
    )
    told = [plan_text(plan, {"measure": plan.question}) for plan in plans[:1]]
    told += [f"{'query':<9}{plan.native_query}  ({plan.question})" for plan in plans[1:]]
    return "\n".join([*told, "Each with the history before the range, as far back as the baseline."])


# ── what is ignored ──────────────────────────────────────────────────────────────────────────────────────────────────


def _about_ignoring(context: Context, arguments: Arguments) -> bool:
    """Whether the line was about what is ignored; then that is done and shown, and nothing is looked at."""
    session = context.session
    pattern, gone = arguments.text("ignore"), arguments.text("unignore")
    if arguments.has("reason") and pattern is None:
        raise UsageError("--reason says why something is ignored, and nothing is", hint="--ignore metric=error_rate")
    if pattern is not None:
        reason = arguments.text("reason")
        if reason is None:
            raise UsageError("--ignore needs a reason", hint='--reason "the nightly backup"')
        start, end = (arguments.text(name) for name in ("start", "end"))
        entry = session.ignore(**read_pattern(pattern, arguments.text("service")), start=start, end=end, reason=reason)
        context.write(f"ignored from now on: {entry} [{entry.id}]")
    if gone is not None:
        context.write(f"no longer ignored: {session.unignore(gone)}")
    if pattern is None and gone is None and not arguments.has("ignored"):
        return False
    context.show(_ignored_table(session.ignored()))
    return True


def read_pattern(text: str, service: str | None = None) -> dict[str, str]:
    """A pattern as typed: `metric=error_rate,service=mail-*`; a name alone is that of a metric or of a kind.

    Raises:
        UsageError: A part names nothing that can be ignored.
    """
    from obs_magics.language.measures import find_measure
    from obs_magics.model.anomalies import KINDS

    found = {"service": service} if service else {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            name, value = ("kind" if part in KINDS else "metric"), part
        if name not in _PATTERNS:
            hint = did_you_mean(name, _PATTERNS) or f"one of {', '.join(_PATTERNS)}"
            raise UsageError(f"--ignore knows nothing called {name!r}", hint=hint)
        if name in found:
            raise UsageError(f"--ignore has two patterns for {name}", hint="* stands for any letters")
        known = find_measure(value) if name == "metric" else None
        found[name] = known.name if known is not None else value
    return found


def _ignored_table(entries: tuple[Ignored, ...]) -> dict[str, Any]:
    from obs_magics.display.table import Table

    columns = ("id", "metric", "service", "series", "kind", "from", "until", "reason")
    rows = [
        [
            one.id,
            one.metric,
            one.service,
            one.series,
            one.kind,
            *(f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "" for moment in (one.start, one.end)),
            one.reason,
        ]
        for one in entries
    ]
    table = Table(columns, rows, caption="What is ignored", empty="nothing is ignored")
    return table._repr_mimebundle_()
