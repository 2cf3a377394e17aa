"""Correlation questions of a session: what moved with a series."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from obs_magics.model import provenance
from obs_magics.model.errors import ObsError, UsageError
from obs_magics.model.gaps import gap_notes
from obs_magics.model.provenance import Provenance
from obs_magics.model.query import MetricsQuery
from obs_magics.model.sources import Progress, ProgressListener, no_progress
from obs_magics.model.time import SECOND, TimeRange, parse_duration
from obs_magics.session.anomalies import AnomaliesDesk, AnomalyOptions
from obs_magics.session.core import Core
from obs_magics.session.dress import joined
from obs_magics.session.finish import with_provenance
from obs_magics.session.history import STEP_NS, Question
from obs_magics.session.measures import MeasuresDesk
from obs_magics.session.plan import MetricsOptions, Plan

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.model.series import Series

_AT_ONCE = 4
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


class CorrelationDesk:
    """Answers correlation questions for one session.

    Args:
        core: Asks the sources.
        measures: Finds the queries of measures.
        anomalies: Reads what a question means.
    """

    def __init__(self, core: Core, measures: MeasuresDesk, anomalies: AnomaliesDesk) -> None:
        self._core = core
        self._measures = measures
        self._anomalies = anomalies

    async def plans(self, text: str, options: AnomalyOptions, *, source: str | None) -> tuple[Plan, ...]:
        """The questions that an examination would ask about its range; asks the catalog alone."""
        bare, options, said = await self._anomalies.timed(text, options, source=source)
        questions, notes = await self._anomalies.questions(bare, options, source=source)
        plans = [await self._core.plan(one.query, options.range, source=source) for one in questions]
        named = zip(questions, plans, strict=True)
        return tuple(
            dataclasses.replace(plan, question=one.name, notes=tuple(dict.fromkeys([*said, *plan.notes, *notes])))
            for one, plan in named
        )

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
            asked = AnomalyOptions(service=options.service, range=options.range)
            bare, asked, said = await self._anomalies.timed(target, asked, source=source)
            if not bare.strip():
                raise UsageError("there is no target", hint="name a measure, a metric, a query or a frame")
            own, notes = await self._anomalies.questions(bare, asked, source=source)
            wanted = asked.range
            notes = (*said, *await self._gaps(own, wanted, source), *notes)
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

    async def _gaps(self, own: Sequence[Question], wanted: MetricsOptions, source: str | None) -> tuple[str, ...]:
        """That an end of the range was typed as a time which the clocks jumped over."""
        span = (await self._core.plan(own[0].query, wanted, source=source)).range
        return gap_notes(
            start=wanted.start, end=wanted.end, start_ns=span.start_ns, end_ns=span.end_ns, zone=self._core.zone
        )

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
