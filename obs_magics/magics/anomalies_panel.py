"""The panel of a question about anomalies: pictures, what is unusual one by one, what came before, what to do next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from obs_magics.analysis.anomaly import expected
from obs_magics.display.anomalies.found import Found, found_in
from obs_magics.display.anomalies.multiples import MAX_LANES, Looked, anomalies_chart, counts_text
from obs_magics.display.anomalies.report import anomaly_report
from obs_magics.display.clock import MS, clock_text
from obs_magics.display.panel import Note, Panel, Section, notes_of
from obs_magics.display.times import several_days
from obs_magics.display.units import count_text
from obs_magics.magics.anomaly_cells import Sources, cells_of, ignore_cell
from obs_magics.magics.seen import Seen
from obs_magics.model.events import CHANGES, ONGOING, empty_events
from obs_magics.model.series import Series, short_names, split_series
from obs_magics.model.time import MINUTE
from obs_magics.model.zones import zone_name

if TYPE_CHECKING:
    from obs_magics.session.changes import Changes

_MOST_SKIPPED, _MOST_FIRST = 5, 3
_TOGETHER_NS = 3 * MINUTE
_CONFIDENT = 0.2  # of an event: less is not marked on the picture


def anomalies_panel(
    seen: Seen, changes: Changes | None, *, title: str, zone: tzinfo, now_ns: int, sources: Sources, again: str
) -> Panel:
    """What is shown under a cell that asked what is unusual.

    Args:
        seen: What was examined, and what was found.
        changes: The events shortly before; None where nobody was asked.
        title: What was asked about.
        zone: In which times are shown.
        now_ns: What counts as now.
        sources: Whom the next cells ask.
        again: The cell that asks the same at a higher sensitivity; empty where it is the highest.
    """
    zone_text = zone_name(zone)
    found = found_in(seen.frame, seen.unit)
    if not seen.series:
        return Panel(
            headline=f"{title}: there is nothing to look at",
            sentences=[f"Empty: {seen.why_none or 'no series answers this question'}", looked_note(seen, zone_text)],
            notes=notes_of_seen(seen, changes),
            next_cells=["%obs catalog"],
        )
    if not found:
        unjudged = len(seen.skipped) >= seen.series
        return Panel(
            headline=f"{title}: {'nothing can be said of' if unjudged else 'nothing unusual in'} {_looked_at(seen)}",
            sentences=[looked_note(seen, zone_text)],
            notes=notes_of_seen(seen, changes),
            next_cells=[again] if again else [],
        )
    looked = looked_at(seen, found)
    keys = dict.fromkeys(one.key for one in found)
    return Panel(
        headline=f"{title}: {counts_text(found)}, in {len(keys)} of {_looked_at(seen)}",
        chart=anomalies_chart(
            looked,
            seen.frame,
            unit=seen.unit,
            events=events_of_interest(seen.frame, changes),
            title=title,
            zone=zone_text,
        ),
        sentences=[looked_note(seen, zone_text), *_first(found, zone_text)],
        sections=[report_of(seen, changes, found, zone=zone_text, now_ns=now_ns, sources=sources)],
        notes=notes_of_seen(seen, changes),
        next_cells=[ignore_cell(found[-1])],
    )


def report_of(
    seen: Seen, changes: Changes | None, found: Sequence[Found], *, zone: str, now_ns: int, sources: Sources
) -> Section:
    """The anomalies one by one."""
    return anomaly_report(
        seen.frame,
        now_ns=now_ns,
        unit=seen.unit,
        correlated=None if changes is None else changes.frame,
        current=_current(seen),
        cells=cells_of(found, sources),
        zone=zone,
    )


def _looked_at(seen: Seen) -> str:
    series = count_text(seen.series, "series", "series")
    return f"{series} {seen.where}" if seen.where else series


def looked_note(seen: Seen, zone: str) -> str:
    """What was examined, so that "nothing" means something."""
    when = ""
    if seen.range is not None:
        start, end = seen.range.start_ns, seen.range.end_ns
        day = several_days(start, end, zone)
        when = f", {clock_text(start // MS, zone, day=day, named=False)}–{clock_text(end // MS, zone, day=day)}"
    series = count_text(seen.series, "series", "series")
    return f"looked at: {series}{when}, against {seen.against}, at {seen.sensitivity} sensitivity"


def _first(found: Sequence[Found], zone: str) -> list[str]:
    """What began first: "began with saturation of payment-api at 14:13, then …"; nothing where there is but one."""
    bad = sorted((one for one in found if not one.better), key=lambda one: (one.start_ns, one.number))
    if len(bad) < 2:
        return []
    day = several_days(bad[0].start_ns, bad[-1].start_ns, zone)
    told = [f"{one.what} at {clock_text(one.start_ns // MS, zone, day=day, named=False)}" for one in bad[:_MOST_FIRST]]
    together = sum(one.start_ns - bad[0].start_ns <= _TOGETHER_NS for one in bad)
    at_once = [f"{together} of them began within 3 min"] if together > _MOST_FIRST else []
    return [f"in order of time: {', then '.join(told)}{', …' if len(bad) > _MOST_FIRST else ''}", *at_once]


def notes_of_seen(seen: Seen, changes: Changes | None) -> list[Note]:
    """What did not come, what could not be judged, and what else to know."""
    return [*notes_of(failed=seen.failed), *(Note(one, "note") for one in _notes(seen, changes))]


def _notes(seen: Seen, changes: Changes | None) -> Iterable[str]:
    yield from seen.skipped[:_MOST_SKIPPED]
    left = len(seen.skipped) - _MOST_SKIPPED
    if left > 0:
        yield f"{left:,} more series could not be judged"
    yield from seen.notes
    if changes is not None:
        yield from changes.notes


# ── the series behind the anomalies ──────────────────────────────────────────────────────────────────────────────────


def looked_at(seen: Seen, found: Sequence[Found], limit: int = MAX_LANES) -> list[Looked]:
    """The series with the most severe anomalies, their points in the range, and what would have been normal."""
    wanted = list(dict.fromkeys(one.key for one in found))[:limit]
    looked = []
    for part in seen.parts:
        keys = {
            (_text(metric), str(series))
            for metric, series in zip(part.events["metric"], part.events["series"], strict=True)
        }
        own = [key for key in wanted if key in keys]
        if not own:
            continue
        series = split_series(part.whole)
        by_name = {(one.metric, name): one for name, one in zip(short_names(series), series, strict=True)}
        looked += [_looked(key, by_name[key], part.whole, seen) for key in own if key in by_name]
    return looked


def _looked(key: tuple[str, str], series: Series, whole: pd.DataFrame, seen: Seen) -> Looked:
    rows = whole.iloc[series.rows].reset_index(drop=True)
    normal = expected(rows, baseline=seen.baseline, since=seen.since)
    start_ns = series.timestamps_ns[0] if seen.range is None else seen.range.start_ns
    keep = series.timestamps_ns >= start_ns
    points = Series(series.metric, series.labels, series.timestamps_ns[keep], series.values[keep], series.rows[keep])
    return Looked(key[0], key[1], points, normal.assign(series=key[1]))


def expected_of(seen: Seen, name: str) -> pd.DataFrame | None:
    """What would have been normal of the only series that was examined, under another name; None where there are more.

    Args:
        seen: What was examined.
        name: Its name in the picture.
    """
    if len(seen.parts) != 1 or seen.series != 1:
        return None
    normal = expected(seen.parts[0].whole, baseline=seen.baseline, since=seen.since)
    return normal.assign(series=name)


def _current(seen: Seen) -> dict[tuple[str, str], float]:
    """The last number of each series that has something unusual."""
    current = {}
    for part in seen.parts:
        if part.events.empty:
            continue
        series = split_series(part.whole)
        for name, one in zip(short_names(series), series, strict=True):
            finite = one.values[np.isfinite(one.values)]
            current[one.metric, name] = float(finite[-1]) if len(finite) else math.nan
    return current


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def events_of_interest(anomalies: pd.DataFrame, changes: Changes | None) -> pd.DataFrame:
    """The events to be marked on a picture: those that may have to do with it, and what rang of the same services."""
    if changes is None or changes.events.empty:
        return empty_events()
    events = changes.events
    sure = changes.frame[changes.frame["confidence"] >= _CONFIDENT]
    found = set(zip(sure["event"].astype(str), sure["event_time"], strict=True))
    told = [pair in found for pair in zip(events["title"].astype(str), events["timestamp"], strict=True)]
    services = set(anomalies["service"].dropna().astype(str))
    own = events["service"].astype(object).isin(services)
    kinds = events["kind"].isin([*CHANGES, *ONGOING])
    return events[np.asarray(told, dtype=bool) | (own & kinds).to_numpy()].reset_index(drop=True)
