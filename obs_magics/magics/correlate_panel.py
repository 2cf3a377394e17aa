"""The panel of a question about what moved together: the strip, the table, what changed just before."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from typing import TYPE_CHECKING

import pandas as pd

from obs_magics.accessor.anomalies import examined, series_of
from obs_magics.analysis.correlation import correlate
from obs_magics.analysis.correlation.series import pick
from obs_magics.display.anomalies.found import found_in, plain_name
from obs_magics.display.anomalies.moved import Moved, correlation_strip, correlation_table, moved_in
from obs_magics.display.anomalies.report import anomaly_report
from obs_magics.display.clock import MS, clock_text
from obs_magics.display.panel import Note, Panel, Section, notes_of
from obs_magics.display.times import several_days
from obs_magics.display.units import count_text
from obs_magics.magics.anomalies_panel import events_of_interest
from obs_magics.magics.anomaly_cells import Sources, cells_of
from obs_magics.model.anomalies import empty_anomalies
from obs_magics.model.durations import parse_duration
from obs_magics.model.errors import UsageError
from obs_magics.model.series import short_names, split_series
from obs_magics.model.zones import zone_name
from obs_magics.session.correlate import named
from obs_magics.session.dress import joined

if TYPE_CHECKING:
    from obs_magics.session.changes import Changes
    from obs_magics.session.correlate import CorrelationReport

_FEW = 3
_ALIKE = 0.6  # correlation of what is named though it may be chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What was compared, and what moved together.

    Args:
        frame: The correlation frame.
        target: Short name of the target in `series`.
        series: A metrics frame of the target and all that it was compared with.
        units: By the short name of a series.
        compared: With how many series.
        anomalies: What is unusual in the target.
        changes: What happened shortly before that; None where it was not asked.
        notes: What else to know.
        failed: Questions that were not answered.
        looked: Whether changes were asked for.
    """

    frame: pd.DataFrame = field(repr=False)
    target: str
    series: pd.DataFrame = field(repr=False)
    units: Mapping[str, str]
    compared: int
    anomalies: pd.DataFrame = field(default_factory=empty_anomalies, repr=False)
    changes: Changes | None = None
    notes: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    looked: bool = False

    @property
    def metric(self) -> str:
        """The metric of the target; empty when it has none."""
        series = split_series(self.series)
        return pick(series, short_names(series), self.target).metric


def of_report(report: CorrelationReport) -> Compared:
    """What a session compared."""
    return Compared(
        frame=report.frame,
        target=report.target,
        series=report.series,
        units=report.units,
        compared=report.compared,
        notes=report.notes,
        failed=report.failed,
    )


def count_series(frame: pd.DataFrame) -> int:
    """How many series a frame has, or makes."""
    return len(split_series(series_of(frame)[0]))


def as_series(frame: pd.DataFrame, series: str | None, name: str) -> pd.DataFrame:
    """The series of a frame that is meant, as a metrics frame; one that has no name gets that of the frame."""
    metrics, _ = series_of(frame)
    rows = named(_rows_of(metrics, _target(metrics, series)), name)
    rows.attrs = frame.attrs
    return rows


def within(
    frame: pd.DataFrame, other: pd.DataFrame | None, *, series: str | None, max_lag: str, limit: int
) -> Compared:
    """Compare a series of a frame with the others of the frame, or with those of another frame.

    Raises:
        UsageError: It is not clear which series is meant.
    """
    metrics, unit = series_of(frame)
    chosen = _target(metrics, series)
    own = _rows_of(metrics, chosen)
    parts = [metrics] if other is None else [own, series_of(other)[0]]
    whole = joined(parts)
    everything = split_series(whole)
    names = short_names(everything)
    identity = split_series(own)[0].identity
    length = timedelta(microseconds=parse_duration(max_lag) // 1000)
    units = (
        {}
        if other is not None
        else {name: _unit(unit, one.metric) for name, one in zip(names, everything, strict=True)}
    )
    target = next(name for name, one in zip(names, everything, strict=True) if one.identity == identity)
    return Compared(
        frame=correlate(whole, own, max_lag=length, limit=limit),
        target=target,
        series=whole,
        units={target: _unit(unit, everything[names.index(target)].metric), **units},
        compared=len(names) - 1,
    )


def _unit(unit: str | Mapping[str, str], metric: str) -> str:
    return unit if isinstance(unit, str) else unit.get(metric, "")


def _target(metrics: pd.DataFrame, series: str | None) -> str:
    """The series that is named, the only one, or the one that is most unusual."""
    names = short_names(split_series(metrics))
    if not names:
        raise UsageError("the frame has no series")
    if series is not None:
        everything = split_series(metrics)
        return names[everything.index(pick(everything, names, series))]
    if len(names) == 1:
        return names[0]
    found = found_in(examined(metrics, sensitivity="medium", since_ns=None).events)
    if not found:
        few = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        raise UsageError(
            f"which of the {len(names)} series is meant? None of them is unusual: {few}",
            hint=f"name one: --series {names[0]!r}",
        )
    return found[0].series


def _rows_of(metrics: pd.DataFrame, name: str) -> pd.DataFrame:
    series = split_series(metrics)
    chosen = series[short_names(series).index(name)]
    return metrics.iloc[chosen.rows].reset_index(drop=True)


def unusual(compared: Compared) -> pd.DataFrame:
    """What is unusual in the target, told from the range alone."""
    found = examined(_rows_of(compared.series, compared.target), sensitivity="medium", since_ns=None).events
    return found.assign(series=compared.target)


def with_changes(compared: Compared, anomalies: pd.DataFrame, changes: Changes | None) -> Compared:
    """The same with what happened before the target became unusual."""
    return dataclasses.replace(compared, anomalies=anomalies, changes=changes, looked=True)


def correlate_panel(compared: Compared, *, title: str, zone: tzinfo, now_ns: int, sources: Sources) -> Panel:
    """What is shown under a cell that asked what moved together.

    Args:
        compared: What was compared, and what moved.
        title: What was asked about.
        zone: In which times are shown.
        now_ns: What counts as now.
        sources: Whom the next cells ask.
    """
    zone_text = zone_name(zone)
    moved = moved_in(compared.frame)
    target = plain_name(compared.target)
    return Panel(
        headline=f"{title}: {len(moved)} of {count_text(compared.compared, 'series', 'series')} moved with it",
        chart=correlation_strip(
            compared.series,
            compared.target,
            compared.frame,
            unit=compared.units,
            anomalies=compared.anomalies,
            events=events_of_interest(compared.anomalies, compared.changes),
            title=f"what moved with {target}",
            zone=zone_text,
        ),
        sentences=[_examined(compared, zone_text), *(_sentences(moved, target) if moved else _alike(compared, target))],
        sections=[
            *([correlation_table(compared.frame)] if moved else []),
            *_causes(compared, zone_text, now_ns, sources),
        ],
        notes=[*notes_of(failed=compared.failed), *(Note(one, "note") for one in _notes(compared))],
    )


def _examined(compared: Compared, zone: str) -> str:
    times = compared.series["timestamp"].astype("int64")
    start, end = int(times.min()), int(times.max())
    day = several_days(start, end, zone)
    when = f"{clock_text(start // MS, zone, day=day, named=False)}–{clock_text(end // MS, zone, day=day)}"
    return f"compared with {count_text(compared.compared, 'series', 'series')}, {when}"


def _sentences(moved: list[Moved], target: str) -> list[str]:
    first = [one for one in moved if one.lag_seconds < 0]
    told = [f"{plain_name(one.series)} ({one.when()})" for one in first[:_FEW]]
    return [f"moved before {target}: {', '.join(told)}"] if told else []


def _alike(compared: Compared, target: str) -> list[str]:
    """That nothing is sure, and what looks alike all the same: in a short range one incident is one move."""
    told = f"nothing moved with {target} that chance would not do"
    own = _rows_of(compared.series, compared.target)
    every = moved_in(correlate(compared.series, own, limit=None, alpha=1.0))
    near = sorted((one for one in every if abs(one.correlation) >= _ALIKE), key=lambda one: -abs(one.correlation))
    if not near:
        return [told]
    named = ", ".join(f"{plain_name(one.series)} ({one.correlation:.2f}, {one.when()})" for one in near[:_FEW])
    return [told, f"most alike, and too seldom to be sure: {named}; a longer range tells more"]


def _causes(compared: Compared, zone: str, now_ns: int, sources: Sources) -> list[Section]:
    if compared.anomalies.empty:
        return []
    found = found_in(compared.anomalies, compared.units)
    return [
        anomaly_report(
            compared.anomalies,
            now_ns=now_ns,
            unit=compared.units,
            correlated=None if compared.changes is None else compared.changes.frame,
            cells=cells_of(found, sources),
            zone=zone,
        )
    ]


def _notes(compared: Compared) -> list[str]:
    told = [*compared.notes, *(compared.changes.notes if compared.changes else ())]
    if compared.looked and compared.anomalies.empty:
        told.append("nothing is unusual in the target: there is no onset before which to look for changes")
    return told
