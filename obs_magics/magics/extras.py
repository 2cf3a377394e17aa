"""What a panel shows beside its answer when it is asked to: events on the chart, and what is unusual in the series."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from obs_magics.display.anomalies.found import Found, found_in, plain_name
from obs_magics.display.panel import Note, Section
from obs_magics.magics.anomalies_panel import events_of_interest, expected_of, looked_note, notes_of_seen, report_of
from obs_magics.magics.anomaly_cells import Sources
from obs_magics.magics.seen import Seen
from obs_magics.model import provenance
from obs_magics.model.errors import ObsError
from obs_magics.model.series import short_names, split_series

if TYPE_CHECKING:
    from obs_magics.magics.context import Context
    from obs_magics.model.summary import SeriesSummary, Summary
    from obs_magics.session.changes import Changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """Beside the answer.

    Args:
        events: To be marked on the chart; None for none.
        anomalies: To be shaded on it; None where nobody looked.
        expected: What would have been normal, where there is one series.
        found: The anomalies as the panel tells of them; None where nobody looked.
        sentences: What else there is to say.
        sections: The report of what is unusual.
        notes: What the reader must know.
    """

    events: pd.DataFrame | None = field(default=None, repr=False)
    anomalies: pd.DataFrame | None = field(default=None, repr=False)
    expected: pd.DataFrame | None = field(default=None, repr=False)
    found: tuple[Found, ...] | None = None
    sentences: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    notes: tuple[Note, ...] = ()


NOTHING = Extras()


def with_events(context: Context, frame: pd.DataFrame) -> Extras:
    """The events of the time that a frame is about; what could not be asked is a note."""
    origin = provenance.of(frame)
    if origin is None or not origin.start:
        return NOTHING
    start, end = (datetime.fromisoformat(text) for text in (origin.start, origin.end))
    try:
        with context.progress() as progress:
            events = context.session.events(start=start, end=end, progress=progress)
    except ObsError as problem:
        return Extras(notes=(Note(f"without events: {problem.message}", "note"),))
    return Extras(events=events)


def with_anomalies(
    frame: pd.DataFrame, seen: Seen, changes: Changes | None, *, zone: str, now_ns: int, sources: Sources
) -> Extras:
    """What is unusual in a frame of metrics, as a session found it.

    Args:
        frame: The frame of the panel.
        seen: What was examined: the same question, with its history.
        changes: The events shortly before; None where nobody was asked.
        zone: In which times are shown.
        now_ns: What counts as now.
        sources: Whom the next cells ask.
    """
    found = tuple(found_in(seen.frame, seen.unit))
    names = short_names(split_series(frame))
    return Extras(
        events=events_of_interest(seen.frame, changes),
        anomalies=seen.frame,
        expected=expected_of(seen, names[0]) if len(names) == 1 else None,
        found=found,
        sentences=(looked_note(seen, zone),),
        sections=(report_of(seen, changes, found, zone=zone, now_ns=now_ns, sources=sources),) if found else (),
        notes=tuple(notes_of_seen(seen, changes)),
    )


def judged(summary: Summary, extras: Extras) -> Summary:
    """A summary whose series are unusual where the examination with history says so, and nowhere else."""
    if extras.found is None:
        return summary
    shown = tuple(_judged(one, extras.found) for one in summary.shown)
    return dataclasses.replace(summary, shown=tuple(sorted(shown, key=lambda one: not one.anomaly_detected)))


def _judged(one: SeriesSummary, found: tuple[Found, ...]) -> SeriesSummary:
    own = [each for each in found if each.series == one.name or plain_name(each.series) == plain_name(one.name)]
    if not own:
        cleared = False if one.anomaly_detected is not None else None
        return dataclasses.replace(
            one, anomaly_detected=cleared, anomaly_reason="" if cleared is False else one.anomaly_reason, anomaly_at=""
        )
    worst = own[0]
    at = datetime.fromtimestamp(worst.start_ns / 1e9, UTC)
    more = f", and {len(own) - 1} more" if len(own) > 1 else ""
    return dataclasses.replace(
        one,
        anomaly_detected=True,
        anomaly_reason=f"{worst.marked}, {worst.against_normal()}{more}",
        anomaly_at=at.isoformat().replace("+00:00", "Z"),
    )
