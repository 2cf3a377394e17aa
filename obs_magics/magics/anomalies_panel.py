"""The panel of a question about anomalies: pictures, what is unusual one by one, what came before, what to do next."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
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
from obs_magics.language.measures import measure_names
from obs_magics.model import provenance
from obs_magics.model.errors import did_you_mean
from obs_magics.model.events import CHANGES, ONGOING, empty_events
from obs_magics.model.series import Series, short_names, split_series
from obs_magics.model.time import MINUTE, TimeRange, format_duration
from obs_magics.model.zones import zone_name
from obs_magics.syntax.grafana import expand_time_variables
from obs_magics.syntax.promql import tree_of
from obs_magics.syntax.promql_tree import selections

if TYPE_CHECKING:
    from obs_magics.session.anomaly_report import AnomalyReport
    from obs_magics.session.changes import Changes

_MOST_SKIPPED, _MOST_FIRST = 5, 3
_SERVICE_LABELS = ("service", "service_name", "app")
_TOGETHER_NS = 3 * MINUTE
_BEFORE_NS, _AFTER_NS = 10 * MINUTE, 20 * MINUTE
_EVENTS_BEFORE_NS = 120 * MINUTE
_CONFIDENT = 0.2  # of an event: less is not marked on the picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One question of an examination: its series with their history, and what was found in them."""

    whole: pd.DataFrame = field(repr=False)
    events: pd.DataFrame = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was examined and what was found.

    Args:
        frame: The anomalies frame of all parts.
        parts: Part by part.
        range: From when to when anomalies are told; None for all that there is.
        series: How many series were looked at.
        skipped: Those that could not be judged, and why.
        sensitivity: Of the examination.
        against: What tells what is normal: "the 7d before", "the frame itself".
        baseline: How far back, for the expected range.
        unit: Of all series, or by metric; what the frame says of its own comes first.
        where: "from demo (folder)"; may be empty.
        notes: What else to know.
        failed: Questions that were not answered.
        why_none: Why there are no series, where that is known.
    """

    frame: pd.DataFrame
    parts: tuple[Part, ...]
    range: TimeRange | None
    series: int
    skipped: tuple[str, ...] = ()
    sensitivity: str = "medium"
    against: str = ""
    baseline: timedelta = timedelta(days=7)
    unit: str | Mapping[str, str] = ""
    where: str = ""
    notes: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    why_none: str = ""

    @property
    def since(self) -> pd.Timestamp | None:
        """From when on anomalies are told."""
        return None if self.range is None else pd.Timestamp(self.range.start_ns, tz="UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Names of the sources to ask next; empty where there is none."""

    metrics: str = ""
    logs: str = ""
    traces: str = ""
    events: str = ""


def seen_of(report: AnomalyReport, where: str) -> Seen:
    """What a session examined; where a query names the service, its anomalies are of that service."""
    from obs_magics.session.dress import joined

    return Seen(
        frame=with_service(report.frame, report.asked[0].query) if len(report.asked) == 1 else report.frame,
        parts=tuple(Part(whole=joined([one.history, one.frame]), events=one.events) for one in report.asked),
        range=report.range,
        series=report.series,
        skipped=tuple(f"{one.name}: {reason}" for one in report.asked for reason in one.skipped),
        sensitivity=report.sensitivity,
        against=f"the {format_duration(report.baseline_ns)} before",
        baseline=timedelta(microseconds=report.baseline_ns // 1000),
        where=where,
        notes=report.notes,
        failed=report.failed,
        why_none=_why_none(report),
    )


def _why_none(report: AnomalyReport) -> str:
    """What the sources say of questions that no series answers, and measures whose names are near."""
    origins = [origin for one in report.asked if (origin := provenance.of(one.frame)) is not None]
    told = [origin.empty_reason for origin in origins if origin.empty_reason]
    plain = [one.name for one in report.asked if one.measure is None]
    near = [hint for name in plain if (hint := did_you_mean(name, measure_names()))]
    return "; ".join(dict.fromkeys([*told, *(f"of measures, {hint}" for hint in near)]))


def with_service(anomalies: pd.DataFrame, query: str) -> pd.DataFrame:
    """The frame with the service that all selectors of a PromQL query name, where it has none of its own."""
    named = service_of(query)
    if not named or anomalies.empty or anomalies["service"].notna().any():
        return anomalies
    return anomalies.assign(service=pd.Categorical([named] * len(anomalies)))


def service_of(query: str) -> str:
    """The service that all selectors of a query name; empty where they do not."""
    tree = tree_of(expand_time_variables(query, step_ns=MINUTE, range_ns=MINUTE, scrape_ns=MINUTE))
    named = [
        {value for label, operator, value in one.matchers if label in _SERVICE_LABELS and operator == "="}
        for one in (selections(tree) if tree is not None else [])
    ]
    services = set.union(*named) if named and all(named) else set()
    return services.pop() if len(services) == 1 else ""


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
        next_cells=[_ignore_cell(found[-1])],
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


# ── what to look at next ─────────────────────────────────────────────────────────────────────────────────────────────


def cells_of(found: Sequence[Found], sources: Sources) -> dict[int, list[str]]:
    """Ready cells by the row of each anomaly: logs, traces, what moved with it, what happened around its onset."""
    return {one.row: _cells(one, sources) for one in found}


def _cells(one: Found, sources: Sources) -> list[str]:
    span = f"--start {_iso(one.start_ns - _BEFORE_NS)} --end {_iso(min(one.end_ns, one.start_ns) + _AFTER_NS)}"
    service = shlex.quote(one.service) if one.service else ""
    cells = []
    if sources.logs:
        cells.append(f"%obs_logs --source {sources.logs} {span} --level error{f' {service}' if service else ''}")
    if sources.traces and service:
        cells.append(f"%obs_traces --source {sources.traces} --service {service} {span}{_condition(one)}")
    if sources.metrics and service and one.metric:
        cells.append(f"%obs_correlate --source {sources.metrics} --service {service} {_wide(one)} {one.metric}")
    if sources.events:
        before = f"--start {_iso(one.start_ns - _EVENTS_BEFORE_NS)} --end {_iso(one.start_ns + _AFTER_NS)}"
        cells.append(f"%obs_events {before}")
    return cells


def _condition(one: Found) -> str:
    """Which traces of the service are telling."""
    if one.metric.startswith(("error", "availability")):
        return " --status error"
    if one.metric.startswith(("latency", "duration")) and one.unit == "s" and math.isfinite(one.high) and one.high > 0:
        return f" --min-duration {max(1, round(one.high * 1000))}ms"
    return ""


def _wide(one: Found) -> str:
    """A range that shows the series before, in and after the anomaly."""
    length = max(30 * MINUTE, min(one.end_ns - one.start_ns, 120 * MINUTE))
    return f"--start {_iso(one.start_ns - length)} --end {_iso(one.end_ns + length // 2)}"


def _ignore_cell(one: Found) -> str:
    """How to say that the least severe of them is to be expected."""
    parts = [f"metric={one.metric}" if one.metric else f"series={one.series}"]
    parts += [f"service={one.service}"] if one.service else []
    return f'%obs_anomalies --ignore {shlex.quote(",".join(parts))} --reason "…"'


def _iso(ns: int) -> str:
    return pd.Timestamp(ns, tz="UTC").floor("min").strftime("%Y-%m-%dT%H:%M:%SZ")
