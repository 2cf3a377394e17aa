"""Correlation questions of a session: what moved with a series, and which events came just before an anomaly."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from obs_magics.config.settings import Correlation
from obs_magics.model import provenance
from obs_magics.model.bus import CORRELATION_FOUND
from obs_magics.model.errors import ObsError, UsageError
from obs_magics.model.provenance import Provenance
from obs_magics.model.query import MetricsQuery
from obs_magics.model.sources import Progress, ProgressListener, no_progress
from obs_magics.model.time import DAY, MINUTE, SECOND, TimeRange, parse_duration
from obs_magics.session.anomalies import AnomaliesDesk, AnomalyOptions
from obs_magics.session.core import Core
from obs_magics.session.dress import joined
from obs_magics.session.events import EventsDesk
from obs_magics.session.finish import with_provenance
from obs_magics.session.history import STEP_NS, Question
from obs_magics.session.measures import MeasuresDesk
from obs_magics.session.plan import MetricsOptions, Plan
from obs_magics.session.plan_events import EventsOptions
from obs_magics.session.plan_traces import TracesOptions
from obs_magics.session.traces import TracesDesk

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.analysis.correlation import Relations, Windows
    from obs_magics.model.series import Series

_AT_ONCE = 4
_LOOKED_BACK_NS = 7 * DAY  # for how usual an event is
_AROUND_NS = 15 * MINUTE  # an onset, for who calls whom
_TRACES = 200
DEFAULT_LIMIT, DEFAULT_LAG = 20, "10m"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelateOptions:
    """What can be said beside the target; see `Session.correlate`."""

    service: str | None = None
    against: Sequence[str] = ()
    series: str | None = None
    max_lag: str = DEFAULT_LAG
    limit: int = DEFAULT_LIMIT
    range: MetricsOptions = field(default_factory=MetricsOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationReport:
    """What `Session.correlation_report` gives.

    Args:
        frame: What moved with the target (see `analysis.correlation.correlate`), with its provenance.
        target: The short name of the target in `series`.
        series: A metrics frame with the target and everything it was compared with.
        units: UCUM, by the short name of the series.
        range: From when to when.
        compared: How many series it was compared with.
        notes: What else to know.
        failed: Questions that were not answered, a sentence each.
    """

    frame: pd.DataFrame
    target: str
    series: pd.DataFrame
    units: Mapping[str, str]
    range: TimeRange
    compared: int
    notes: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What `Session.changes_before` gives.

    Args:
        frame: `anomaly`, `start`, `event_type`, `event`, `event_time`, `service`, `time_offset`, `confidence`, `reason`
            (see `analysis.correlation.correlate_with_events`).
        events: The events frame in which they were looked for.
        notes: What could not be asked.
    """

    frame: pd.DataFrame
    events: pd.DataFrame
    notes: tuple[str, ...] = ()


class CorrelationDesk:
    """Answers correlation questions for one session.

    Args:
        core: Asks the sources.
        measures: Finds the queries of measures.
        anomalies: Reads what a question means.
        events: Asks for events.
        traces: Asks for traces, which tell who calls whom.
        settings: How far back events are looked for.
        calls: Who calls whom, beside what traces tell: callees by caller.
        max_range_ns: The longest range that may be asked for.
    """

    def __init__(
        self,
        core: Core,
        *,
        measures: MeasuresDesk,
        anomalies: AnomaliesDesk,
        events: EventsDesk,
        traces: TracesDesk,
        settings: Correlation,
        calls: Mapping[str, Sequence[str]],
        max_range_ns: int,
    ) -> None:
        self._core = core
        self._measures = measures
        self._anomalies = anomalies
        self._events = events
        self._traces = traces
        self._settings = settings
        self._calls = [(caller, callee) for caller, callees in calls.items() for callee in callees]
        self._max_range_ns = max_range_ns

    async def plans(self, text: str, options: AnomalyOptions, *, source: str | None) -> tuple[Plan, ...]:
        """The questions that an examination would ask about its range; asks the catalog alone."""
        questions, notes = await self._anomalies.questions(text, options, source=source)
        plans = [await self._core.plan(one.query, options.range, source=source) for one in questions]
        named = zip(questions, plans, strict=True)
        return tuple(
            dataclasses.replace(plan, question=one.name, notes=tuple(dict.fromkeys([*plan.notes, *notes])))
            for one, plan in named
        )

    # ── what moved with it ───────────────────────────────────────────────────────────────────────────────────────────

    async def report(
        self,
        target: str | pd.DataFrame,
        options: CorrelateOptions,
        *,
        source: str | None,
        progress: ProgressListener,
    ) -> CorrelationReport:
        """Ask for the target and for what it is compared with, and correlate.

        Raises:
            UsageError: The options do not go together, or it is not clear which series is meant.
            ObsError: The target could not be asked.
        """
        if isinstance(target, str):
            own, notes = await self._anomalies.questions(target, AnomalyOptions(service=options.service), source=source)
            if not target.strip():
                raise UsageError("there is no target", hint="name a measure, a metric, a query or a frame")
            wanted = options.range
        else:
            own, notes = [], ()
            wanted = _range_of(target, options.range)
        others, more = await self._candidates(options, source)
        fetched, failed = await self._ask([*own, *others], len(own), wanted, source=source, progress=progress)
        frames = fetched if isinstance(target, str) else [target, *fetched]
        first = frames[: max(len(own), 1)]
        progress(Progress(1, 1, note="comparing"))
        found = await asyncio.to_thread(_correlated, first, frames[len(first) :], options)
        origin = provenance.of(fetched[0]) if fetched else None
        report = CorrelationReport(
            frame=found.frame,
            target=found.target,
            series=found.series,
            units=found.units,
            range=found.range,
            compared=found.compared,
            notes=tuple(dict.fromkeys([*notes, *more])),
            failed=tuple(failed),
        )
        if origin is not None:
            with_provenance(report.frame, _provenance(report, origin, target if isinstance(target, str) else ""))
        return report

    async def _candidates(
        self, options: CorrelateOptions, source: str | None
    ) -> tuple[list[Question], tuple[str, ...]]:
        """What the target is compared with: what was named, else the configured measures of all services."""
        if not options.against:
            return await self._anomalies.questions("", AnomalyOptions(), source=source)
        found: list[Question] = []
        notes: list[str] = []
        for text in options.against:
            questions, said = await self._anomalies.questions(text, AnomalyOptions(), source=source)
            found += questions
            notes += said
        return found, tuple(notes)

    async def _ask(
        self,
        questions: Sequence[Question],
        needed: int,
        options: MetricsOptions,
        *,
        source: str | None,
        progress: ProgressListener,
    ) -> tuple[list[pd.DataFrame], list[str]]:
        """The answers in order, and a sentence on each question that was not answered."""
        gate = asyncio.Semaphore(_AT_ONCE)
        done = 0

        async def one(question: Question) -> pd.DataFrame | ObsError:
            nonlocal done
            async with gate:
                try:
                    return await self._answer(question, options, source)
                except ObsError as problem:
                    return problem
                finally:
                    done += 1
                    progress(Progress(done, len(questions), note="asking"))

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(question)) for question in questions]
        answers = [task.result() for task in tasks]
        needless = next((one for one in answers[:needed] if isinstance(one, ObsError)), None)
        if needless is not None:
            raise needless
        failed = [
            f"{question.name}: {answer.message}"
            for question, answer in zip(questions, answers, strict=True)
            if isinstance(answer, ObsError)
        ]
        failed += [
            f"{question.name}: no values in this range"
            for question, answer in zip(questions[needed:], answers[needed:], strict=True)
            if not isinstance(answer, ObsError) and answer.empty
        ]
        return [answer for answer in answers if not isinstance(answer, ObsError)], failed

    async def _answer(self, question: Question, options: MetricsOptions, source: str | None) -> pd.DataFrame:
        plan = await self._core.plan(question.query, options, source=source)
        query = plan.query
        assert isinstance(query, MetricsQuery)  # noqa: S101 - for the type checker
        step_ns = query.step_ns if options.step is not None else max(query.step_ns, STEP_NS)
        span = MetricsOptions(
            start=_moment(query.range.start_ns), end=_moment(query.range.end_ns), step=step_ns / SECOND
        )
        if question.measure is not None:
            return await self._measures.ask(question.measure, span, source=source, progress=no_progress)
        return await self._core.metrics(question.text, span, source=source, progress=no_progress)

    # ── what changed just before ─────────────────────────────────────────────────────────────────────────────────────

    async def changes(self, anomalies: pd.DataFrame, *, source: str | None, progress: ProgressListener) -> Changes:
        """The events in their windows before the onsets of anomalies; the bus is told of each.

        Args:
            anomalies: An anomalies frame; what is for the better is looked into as well.
            source: Whose events; None for all that have some.
            progress: Told what is asked.
        """
        progress(Progress(0, 2, note="asking what happened"))
        events, notes = await self._happened(anomalies, source)
        progress(Progress(1, 2, note="asking who calls whom"))
        relations, more = await self._relations(anomalies, events, source)
        frame = await asyncio.to_thread(_before, anomalies, events, windows(self._settings), relations)
        self._emit(anomalies, frame)
        return Changes(frame=frame, events=events, notes=(*notes, *more))

    async def _happened(self, anomalies: pd.DataFrame, source: str | None) -> tuple[pd.DataFrame, list[str]]:
        """The events of the week before the last onset, and what could not be asked."""
        from obs_magics.model.events import empty_events

        if anomalies.empty:
            return empty_events(), []
        starts = anomalies["start"].astype("int64")
        end = int(starts.max()) + 5 * MINUTE
        first = int(starts.min()) - _ns(windows(self._settings).longest)
        start = max(min(first, end - _LOOKED_BACK_NS), end - self._max_range_ns)
        options = EventsOptions(start=_moment(start), end=_moment(end))
        try:
            return await self._events.ask("", options, source=source, progress=no_progress), []
        except ObsError as problem:
            return empty_events(), [f"without events: {problem.message}"]

    async def _relations(
        self, anomalies: pd.DataFrame, events: pd.DataFrame, source: str | None
    ) -> tuple[Relations | None, list[str]]:
        """Who calls whom around the first onset, as traces tell; None where nobody tells or nobody needs to know."""
        from obs_magics.analysis.correlation import Relations

        services = set(events["service"].dropna().astype(str)) | set(anomalies["service"].dropna().astype(str))
        if len(services) < 2 or not anomalies["service"].notna().any():
            return None, []
        onset = int(anomalies["start"].astype("int64").min())
        options = TracesOptions(start=_moment(onset - _AROUND_NS), end=_moment(onset + _AROUND_NS), limit=_TRACES)
        try:
            spans = await self._traces.ask("", options, source=source, progress=no_progress)
        except ObsError as problem:
            told = [] if self._calls else [f"without knowing who calls whom: {problem.message}"]
            return Relations.of(self._calls), told
        return Relations.of([*self._calls, *await asyncio.to_thread(_edges, spans)]), []

    def _emit(self, anomalies: pd.DataFrame, found: pd.DataFrame) -> None:
        rows = {
            (str(row["series"]), row["start"]): _told(row, ("series", "metric", "service", "start", "severity"))
            for row in anomalies.to_dict("records")
        }
        for row in found.to_dict("records"):
            event = _told(row, ("event_type", "event", "event_time", "service", "confidence"))
            event["time_offset"] = row["time_offset"].total_seconds()
            self._core.bus.emit(
                CORRELATION_FOUND, anomaly=rows[str(row["anomaly"]), row["start"]], correlated_event=event
            )


def _before(
    anomalies: pd.DataFrame, events: pd.DataFrame, looked: Windows, relations: Relations | None
) -> pd.DataFrame:
    """Events and changes of traffic before the onsets; of each the most confident first."""
    import pandas as pd

    from obs_magics.analysis.correlation import correlate_with_events, traffic_before

    parts = [
        correlate_with_events(anomalies, events, windows=looked, relations=relations),
        traffic_before(anomalies),
    ]
    kept = [part.astype({"event_type": "str", "service": "str"}) for part in parts if len(part)]
    if len(kept) < 2:
        return next((part for part in parts if len(part)), parts[0])
    whole = pd.concat(kept, ignore_index=True)
    missing = whole["service"].isin(["nan", ""])
    whole = whole.assign(
        event_type=whole["event_type"].astype("category"),
        service=whole["service"].mask(missing).astype("category"),
    )
    order = {key: place for place, key in enumerate(zip(anomalies["series"], anomalies["start"], strict=True))}
    ranks = [order[key] for key in zip(whole["anomaly"], whole["start"], strict=True)]
    ranked = whole.assign(_rank=ranks).sort_values(["_rank", "confidence"], ascending=[True, False], kind="stable")
    return ranked.drop(columns="_rank").reset_index(drop=True)


def windows(settings: Correlation) -> Windows:
    """How far back each kind of event is looked for, as configured."""
    from obs_magics.analysis.correlation import Windows

    given = {
        "deployment": settings.deployment_window,
        "config_change": settings.config_change_window,
        "feature_flag": settings.config_change_window,
        "alert": settings.alert_window,
    }
    return Windows().replaced({kind: timedelta(microseconds=int(ns) // 1000) for kind, ns in given.items()})


@dataclass(frozen=True, slots=True)
class _Correlated:
    frame: pd.DataFrame
    target: str
    series: pd.DataFrame
    units: Mapping[str, str]
    range: TimeRange
    compared: int


def _correlated(own: Sequence[pd.DataFrame], others: Sequence[pd.DataFrame], options: CorrelateOptions) -> _Correlated:
    """The comparison, and the frame that it was made in."""
    from obs_magics.analysis.correlation import correlate
    from obs_magics.model.series import short_names, split_series

    target = named(joined(own))
    one = _one_series(target, options.series)
    whole = joined([target, *(frame for frame in others if len(frame))])
    whole = whole.drop_duplicates([name for name in whole.columns if name != "value"], ignore_index=True)
    series = split_series(whole)
    names = short_names(series)
    identity = split_series(one)[0].identity
    frame = correlate(
        whole,
        one,
        max_lag=timedelta(microseconds=parse_duration(options.max_lag) // 1000),
        limit=options.limit,
    )
    times = one["timestamp"].astype("int64")
    return _Correlated(
        frame=frame,
        target=next(name for one, name in zip(series, names, strict=True) if one.identity == identity),
        series=whole,
        units=_units(dict(zip(names, series, strict=True)), [*own, *others]),
        range=TimeRange(int(times.min()), int(times.max())),
        compared=len(series) - 1,
    )


def named(frame: pd.DataFrame, name: str = "target") -> pd.DataFrame:
    """The frame; a series that has neither metric nor labels gets a name, to be told from the others."""
    import numpy as np

    from obs_magics.model.frames import categories, label_columns

    if frame.empty or frame["metric"].notna().any() or label_columns(frame):
        return frame
    return frame.assign(metric=categories([name], np.array([len(frame)])))


def _one_series(frame: pd.DataFrame, name: str | None) -> pd.DataFrame:
    """The rows of the one series that is meant.

    Raises:
        UsageError: There is none, or it is not clear which.
    """
    from obs_magics.analysis.correlation.series import pick
    from obs_magics.model.series import short_names, split_series

    series = split_series(frame)
    if not series:
        raise UsageError("the target has no values in this range", hint="look further back: --last 6h")
    names = short_names(series)
    if name is None and len(series) > 1:
        few = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        raise UsageError(f"the target is {len(series)} series: {few}", hint=f"name one: --series {names[0]!r}")
    chosen = series[0] if name is None else pick(series, names, name)
    return frame.iloc[chosen.rows].reset_index(drop=True)


def _range_of(frame: pd.DataFrame, options: MetricsOptions) -> MetricsOptions:
    """The range of a frame that somebody has, at its step."""
    if frame.empty:
        raise UsageError("the target has no rows")
    times = frame["timestamp"].astype("int64")
    return dataclasses.replace(options, last=None, start=_moment(int(times.min())), end=_moment(int(times.max())))


def _units(series: Mapping[str, Series], frames: Sequence[pd.DataFrame]) -> dict[str, str]:
    """The units of series by their names, as the frames in which they came tell them."""
    from obs_magics.model.series import selector, split_series

    known: dict[str, str] = {}
    for frame in frames:
        origin = provenance.of(frame)
        if origin is not None and origin.unit:
            known |= {selector(one.identity): origin.unit for one in split_series(frame)}
    return {name: known.get(selector(one.identity), "") for name, one in series.items()}


def _edges(spans: pd.DataFrame) -> Iterable[tuple[str, str]]:
    """Callers with their callees."""
    from obs_magics.analysis.spans import call_graph

    if spans.empty or "span_id" not in spans.columns:
        return []
    graph = call_graph(spans)
    return [(str(caller), str(callee)) for caller, callee in zip(graph["caller"], graph["callee"], strict=True)]


def _told(row: Mapping[Any, Any], names: Sequence[str]) -> dict[str, Any]:
    """Some of a row as plain values: times in ISO 8601, nothing for what is missing."""
    told: dict[str, Any] = {}
    for name in names:
        value = row[name]
        if isinstance(value, datetime):
            told[name] = value.isoformat()
        elif isinstance(value, float) and name == "confidence":
            told[name] = value
        else:
            told[name] = value if isinstance(value, str) else ""
    return told


def _provenance(report: CorrelationReport, origin: Provenance, question: str) -> Provenance:
    return dataclasses.replace(
        origin,
        signal="correlation",
        question=question or report.target,
        start=report.range.start.isoformat(),
        end=report.range.end.isoformat(),
        rows=len(report.frame),
        unit="",
        step=0.0,
        link="",
        notes=report.notes,
        failed=report.failed,
        fingerprint="",
    )


def _moment(ns: int) -> datetime:
    return datetime.fromtimestamp(ns / SECOND, UTC)


def _ns(length: timedelta) -> int:
    return length // timedelta(microseconds=1) * 1000
