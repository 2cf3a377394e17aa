"""`%obs_timeline`: everything on one axis; and people's notes: `add`, `import`, `notes`, `forget`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, tzinfo
from typing import TYPE_CHECKING, Any

from obs_magics.magics.arguments import HELP, Arguments, read_words
from obs_magics.magics.case import run_of
from obs_magics.magics.commands import help_text
from obs_magics.magics.commands_incident import (
    TIMELINE,
    TIMELINE_ADD,
    TIMELINE_COMMANDS,
    TIMELINE_FORGET,
    TIMELINE_IMPORT,
    TIMELINE_NOTES,
)
from obs_magics.magics.declared import incident_called
from obs_magics.magics.interrupt import in_one_line
from obs_magics.model.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.incident.enriched import Enriched
    from obs_magics.magics.context import Context


def run(context: Context, line: str, cell: str | None, names: Mapping[str, Any]) -> pd.DataFrame | None:
    """Show the timeline, or keep notes.

    Args:
        context: The shell and its session.
        line: What stands behind the magic's name.
        cell: Pasted chat, below `import`; None for the line form.
        names: Python's variables.

    Raises:
        UsageError: The options are wrong, or there is no such incident.
        ObsError: The events could not be asked for.
    """
    word, _, rest = line.strip().partition(" ")
    command = TIMELINE_COMMANDS.get(word)
    if cell is not None and command is not TIMELINE_IMPORT:
        raise UsageError(
            "only import takes a body", hint="%%obs_timeline import, and the chat in the lines below; else one %"
        )
    bare = (rest if command else line).rstrip()
    quiet = bare.endswith(";") and command is None
    arguments = read_words(command or TIMELINE, bare.removesuffix(";") if quiet else bare, names)
    if arguments.has(HELP.name):
        context.write(help_text(command or TIMELINE))
        return None
    if command is not None:
        _NOTING[command.name](context, arguments, cell, names)
        return None
    return _timeline(context, arguments, names, quiet=quiet)


# ── showing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _timeline(context: Context, arguments: Arguments, names: Mapping[str, Any], *, quiet: bool) -> pd.DataFrame | None:
    enriched = _incident(context, arguments, names)
    if enriched is None:
        frame, show = _of_a_time(context, arguments)
    else:
        frame, show = _of_incident(context, enriched, arguments)
    if arguments.target is not None:
        context.fill(arguments.target, frame)
    if not arguments.has("no-plot"):
        show()
    return None if quiet and arguments.target is not None else frame


def _incident(context: Context, arguments: Arguments, names: Mapping[str, Any]) -> Enriched | None:
    if not arguments.words:
        given = any(arguments.has(name) for name in ("last", "source"))
        return None if given else context.case.enriched
    return incident_called(arguments.words[0], names, last=context.case.enriched, also=TIMELINE_COMMANDS)


_Made = tuple["pd.DataFrame", Callable[[], None]]


def _of_incident(context: Context, enriched: Enriched, arguments: Arguments) -> _Made:
    from obs_magics.display.panel import Note
    from obs_magics.incident.panel import timeline_panel
    from obs_magics.incident.response import response
    from obs_magics.model.time import DAY, resolve_range
    from obs_magics.model.zones import zone_name

    remarks = context.case.remarks()
    frame = enriched.timeline(remarks, near=arguments.has("near"))
    moments = response(frame, enriched.incident, enriched.services)
    start, end = (arguments.text(name) for name in ("start", "end"))
    span = None
    if start is not None or end is not None:
        found = resolve_range(
            start=start, end=end, now_ns=enriched.now_ns, zone=context.session.zone, default_ns=DAY // 12
        )
        span = (found.start_ns, found.end_ns)

    def show() -> None:
        panel = timeline_panel(
            frame,
            response=moments,
            service=enriched.service,
            zone=zone_name(context.session.zone),
            name=arguments.target or "",
            notes=[*(Note(text, "failed") for text in enriched.failed), *(Note(text) for text in enriched.warnings)],
            span_ns=span,
        )
        with in_one_line("interrupted while drawing"):
            context.show(*panel.outputs())

    return frame, show


def _of_a_time(context: Context, arguments: Arguments) -> _Made:
    """Without an incident: the events of a time, and the notes of it."""
    session = context.session
    with in_one_line("interrupted: nothing was fetched"), context.progress() as progress:
        events = session.events(
            "",
            source=arguments.text("source"),
            last=arguments.text("last"),
            start=arguments.text("start"),
            end=arguments.text("end"),
            progress=progress,
        )
    from obs_magics.incident.panel import timeline_panel
    from obs_magics.incident.timeline import timeline
    from obs_magics.magics.panel import notes_about
    from obs_magics.model import provenance
    from obs_magics.model.provenance import span_of
    from obs_magics.model.zones import zone_name

    origin = provenance.of(events)
    span = None if origin is None else span_of(origin)
    remarks = [one for one in context.case.remarks() if span is None or span[0] <= one.at_ns <= span[1]]
    frame = timeline(events=events, notes=remarks)

    def show() -> None:
        panel = timeline_panel(
            frame,
            response=None,
            service="",
            zone=zone_name(session.zone),
            name=arguments.target or "",
            notes=[] if origin is None else notes_about(origin),
            span_ns=span,
        )
        with in_one_line("interrupted while drawing"):
            context.show(*panel.outputs())

    return frame, show


_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d)?(?:[ap]m)?|\d{1,2}[ap]m", re.IGNORECASE)


# ── people's notes ───────────────────────────────────────────────────────────────────────────────────────────────────


def _add(context: Context, arguments: Arguments, _cell: str | None, names: Mapping[str, Any]) -> None:
    from obs_magics.incident.notes import near_instant, said
    from obs_magics.magics.variables import expand_option
    from obs_magics.model.gaps import gap_note
    from obs_magics.model.incident import Remark

    time, *words = arguments.words
    if words and ":" not in time and _CLOCK.fullmatch(words[0]):  # yesterday 14:31
        time, *words = f"{time} {words[0]}", *words[1:]
    text = " ".join(words).strip()
    if not text:
        raise UsageError("a note says something", hint=TIMELINE_ADD.examples[0])
    when, zone = expand_option(time, names), _zone(context, arguments)
    at_ns = near_instant(when, near_ns=_near_ns(context), zone=zone)
    remark = Remark(
        at_ns=at_ns,
        text=text,
        author=arguments.text("by") or "",
        service=arguments.text("service") or "",
    )
    context.case.note(run_of(context.shell), [remark])
    gap = gap_note(when, at_ns, zone)
    told = [f"noted: {said(remark, context.session.zone)}", *([f"note: {gap}"] if gap else [])]
    context.write("\n".join(told))


def _import(context: Context, arguments: Arguments, cell: str | None, names: Mapping[str, Any]) -> None:
    from obs_magics.incident.chat import read_chat
    from obs_magics.incident.notes import said, span_text
    from obs_magics.model.incident import Remark

    text = _pasted(arguments, cell, names)
    zone = _zone(context, arguments)
    first = arguments.text("date")
    day = None if first is None else _day(first, context, zone)
    chat = read_chat(text, zone=zone, near_ns=_near_ns(context), first=day)
    service = arguments.text("service") or ""
    remarks = [
        Remark(at_ns=one.at_ns, text=one.text, author=one.author, service=service, source="chat")
        for one in chat.messages
    ]
    context.case.note(run_of(context.shell), remarks)
    shown = [said(remark, context.session.zone) for remark in remarks[:_SHOWN]]
    more = [f"and {len(remarks) - _SHOWN:,} more"] if len(remarks) > _SHOWN else []
    about = [f"note: {note}" for note in chat.notes]
    context.write("\n".join([f"noted: {span_text(remarks, context.session.zone)}", *shown, *more, *about]))


_SHOWN = 12


def _pasted(arguments: Arguments, cell: str | None, names: Mapping[str, Any]) -> str:
    if cell is not None:
        if arguments.words:
            raise UsageError("the chat stands below, and in a variable as well", hint="keep one of them")
        return cell
    if not arguments.words:
        raise UsageError("there is no chat", hint="%%obs_timeline import with two %, and the chat in the lines below")
    value = names.get(arguments.words[0])
    if isinstance(value, str):
        return value
    what = "holds no text" if value is not None else "is no variable"
    raise UsageError(f"{arguments.words[0]} {what}", hint="paste the chat below %%obs_timeline import")


def _day(text: str, context: Context, zone: tzinfo) -> date:
    from obs_magics.model.time import parse_instant
    from obs_magics.model.zones import day_and_clock

    day, _ = day_and_clock(parse_instant(text, now_ns=_near_ns(context), zone=zone), zone)
    return day


def _zone(context: Context, arguments: Arguments) -> tzinfo:
    from obs_magics.model.zones import parse_zone

    asked = arguments.text("zone")
    return context.session.zone if asked is None else parse_zone(asked)


def _near_ns(context: Context) -> int:
    """Where times without a day are expected: at the incident, else at the source's now."""
    enriched = context.case.enriched
    return context.session.now_ns() if enriched is None else enriched.incident.start_ns


def _notes(context: Context, _arguments: Arguments, _cell: str | None, _names: Mapping[str, Any]) -> None:
    from obs_magics.incident.notes import said, span_text

    remarks = context.case.remarks()
    lines = [said(remark, context.session.zone) for remark in remarks]
    head = span_text(remarks, context.session.zone) if remarks else "no notes yet: %obs_timeline add 14:31 rolled back"
    context.write("\n".join([head, *lines]))


def _forget(context: Context, _arguments: Arguments, _cell: str | None, _names: Mapping[str, Any]) -> None:
    count = context.case.forget()
    context.write(f"{count} {'note' if count == 1 else 'notes'} forgotten")


_Noting = Callable[["Context", Arguments, "str | None", Mapping[str, Any]], None]
_NOTING: Mapping[str, _Noting] = {
    TIMELINE_ADD.name: _add,
    TIMELINE_IMPORT.name: _import,
    TIMELINE_NOTES.name: _notes,
    TIMELINE_FORGET.name: _forget,
}
