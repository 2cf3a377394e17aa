"""Anomaly questions of a session: what to look at, how far back, what was found, and which way it went."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from obs_magics.config.ignore import read_ignored
from obs_magics.language.measures import Direction
from obs_magics.model import provenance
from obs_magics.model.bus import ANOMALY_DETECTED
from obs_magics.model.errors import ObsError, UsageError
from obs_magics.model.provenance import Provenance
from obs_magics.model.sources import Progress, ProgressListener
from obs_magics.model.time import TimeRange, parse_duration
from obs_magics.session.anomaly_questions import AnomalyQuestions
from obs_magics.session.anomaly_report import AnomalyReport, Examined, judged, together, without_ignored, without_small
from obs_magics.session.anomaly_settings import AnomalyOptions, AnomalySettings, anomaly_settings, checked_sensitivity
from obs_magics.session.core import Core
from obs_magics.session.dress import joined
from obs_magics.session.finish import with_provenance
from obs_magics.session.history import Fetched, Historian, Question
from obs_magics.session.measures import MeasuresDesk
from obs_magics.session.pieces import Pieces
from obs_magics.session.plan import Plan
from obs_magics.session.scan import CHUNK, Part, Terms, examine_part, from_frames, mapped, silences
from obs_magics.session.traits import renamed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AnomaliesDesk", "AnomalyOptions", "anomaly_settings"]

_AT_ONCE = 4
_SCANNED = 3  # chunks in memory at once: fetched, examined, waiting; the step must not depend on their size


class AnomaliesDesk:
    """Looks for anomalies for one session.

    Args:
        core: Asks the sources.
        measures: Finds the queries of measures.
        settings: Defaults.
        max_points: Of a series in one question.
        ignore_file: What the project ignores; need not be there.
        executor: Who computes; None for threads of this process.
    """

    def __init__(
        self,
        core: Core,
        measures: MeasuresDesk,
        settings: AnomalySettings,
        *,
        max_points: int,
        ignore_file: Path,
        executor: Executor | None = None,
    ) -> None:
        self._core = core
        self._settings = settings
        self._questions = AnomalyQuestions(core, measures, settings)
        self._history = Historian(core, measures, max_points)
        self._executor = executor
        self.ignore_file = ignore_file

    async def report(
        self, text: str, options: AnomalyOptions, *, source: str | None, progress: ProgressListener
    ) -> AnomalyReport:
        """Ask, examine, judge, and tell the bus of every event that is not for the better.

        Raises:
            UsageError: The options do not go together.
            TranslationError: Nothing in the source tells the measure.
            ObsError: The first question's error, when none could be answered.
        """
        terms = self._terms(options)
        bare, options, said = await self.timed(text, options, source=source)
        questions, notes = await self.questions(bare, options, source=source)
        plans = [await self._history.plan(one, options.range, terms.baseline_ns, source=source) for one in questions]
        fetched, failed = await self._fetch(questions, plans, terms.baseline_ns, progress)
        span = _span(plans)
        terms = dataclasses.replace(terms, since_ns=span.start_ns)
        asked = await self._examine(fetched, terms, progress)
        kept, ignored, left_out = await self._kept([one.events for one in asked])
        asked = [dataclasses.replace(one, events=events) for one, events in zip(asked, kept, strict=True)]
        report = AnomalyReport(
            frame=await asyncio.to_thread(together, kept),
            asked=tuple(asked),
            range=span,
            baseline_ns=terms.baseline_ns,
            sensitivity=terms.sensitivity,
            ignored=ignored,
            notes=(*said, *notes, *_notes(plans, [note for one in fetched for note in one.notes]), *left_out),
            failed=failed,
        )
        queries = [one.query for one in asked]
        with_provenance(report.frame, _provenance(report, plans, self._core.hidden(text), queries))
        self._emit(report.frame)
        return report

    async def scan(
        self, text: str, options: AnomalyOptions, *, source: str | None, chunk: int, progress: ProgressListener
    ) -> pd.DataFrame:
        """As `report`, for very many series: asked and examined in chunks, of which none is kept.

        The history is asked with each chunk. What the project ignores is left out, and the bus is told, as ever.
        """
        if chunk < 1:
            raise UsageError(f"a chunk has 1 series or more, not {chunk}")
        terms = self._terms(options)
        bare, options, said = await self.timed(text, options, source=source)
        questions, notes = await self.questions(bare, options, source=source)
        plans = [
            await self._history.plan(one, options.range, terms.baseline_ns, source=source, series=_SCANNED * CHUNK)
            for one in questions
        ]
        terms = dataclasses.replace(terms, since_ns=_span(plans).start_ns)
        pieces = Pieces(self._core.book.metrics_source(source), self._history, terms.baseline_ns, chunk)
        for question, plan in zip(questions, plans, strict=True):
            await pieces.add(question, plan)
        parts = await mapped(
            examine_part, pieces.frames(), terms, executor=self._executor, progress=progress, total=pieces.count
        )
        found = await asyncio.to_thread(_scanned, questions, pieces.owned(parts), terms)
        (events,), ignored, left_out = await self._kept([found])
        series = sum(part.series for part in parts)
        report = AnomalyReport(
            frame=events,
            asked=(),
            range=_span(plans),
            baseline_ns=terms.baseline_ns,
            sensitivity=terms.sensitivity,
            ignored=ignored,
            notes=(
                *(f"{series:,} series in {len(parts):,} chunks",),
                *said,
                *notes,
                *_notes(plans, pieces.notes),
                *left_out,
            ),
        )
        queries = [self._core.hidden(plan.native_query) for plan in plans]
        with_provenance(events, _provenance(report, plans, self._core.hidden(text), queries))
        self._emit(events)
        return events

    async def timed(
        self, text: str, options: AnomalyOptions, *, source: str | None
    ) -> tuple[str, AnomalyOptions, tuple[str, ...]]:
        """The question without the time that it names in words, the options with it, and how it was read."""
        return await self._questions.timed(text, options, source=source)

    async def questions(
        self, text: str, options: AnomalyOptions, *, source: str | None
    ) -> tuple[list[Question], tuple[str, ...]]:
        """What will be asked, and what to know about it; asks the catalog alone."""
        return await self._questions.ask(text, options, source=source)

    def _terms(self, options: AnomalyOptions) -> Terms:
        """How series are examined; from when on is not known yet."""
        return Terms(
            sensitivity=checked_sensitivity(options.sensitivity or self._settings.sensitivity),
            baseline_ns=parse_duration(options.baseline) if options.baseline else self._settings.baseline_ns,
            since_ns=0,
            thresholds=self._settings.thresholds,
        )

    async def _fetch(
        self, questions: Sequence[Question], plans: Sequence[Plan], baseline_ns: int, progress: ProgressListener
    ) -> tuple[list[Fetched], tuple[str, ...]]:
        """What came, in order of the questions, and a sentence on each that was not answered."""
        gate = asyncio.Semaphore(_AT_ONCE)
        done = 0

        async def one(question: Question, plan: Plan) -> Fetched | ObsError:
            nonlocal done
            async with gate:
                try:
                    return await self._history.fetch(question, plan, baseline_ns)
                except ObsError as problem:
                    return problem
                finally:
                    done += 1
                    progress(Progress(done, len(questions), note="asking"))

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(*pair)) for pair in zip(questions, plans, strict=True)]
        outcomes = [task.result() for task in tasks]
        fetched = [outcome for outcome in outcomes if isinstance(outcome, Fetched)]
        errors = [outcome for outcome in outcomes if isinstance(outcome, ObsError)]
        if not fetched:
            raise errors[0]
        failed = tuple(
            f"{self._core.hidden(question.name)}: {outcome.message}"
            for question, outcome in zip(questions, outcomes, strict=True)
            if isinstance(outcome, ObsError)
        )
        return fetched, failed

    async def _examine(self, fetched: Sequence[Fetched], terms: Terms, progress: ProgressListener) -> list[Examined]:
        """The answers of all questions, examined together: their chunks share the workers."""
        owners: list[int] = []

        async def pieces() -> AsyncIterator[pd.DataFrame]:
            for number, one in enumerate(fetched):
                whole = await asyncio.to_thread(joined, [one.normal, one.frame])
                async for piece in from_frames([whole]):
                    owners.append(number)
                    yield piece

        parts = await mapped(examine_part, pieces(), terms, executor=self._executor, progress=progress)
        own: list[list[Part]] = [[] for _ in fetched]
        for owner, part in zip(owners, parts, strict=True):
            own[owner].append(part)
        return [await asyncio.to_thread(_examined, one, mine, terms) for one, mine in zip(fetched, own, strict=True)]

    async def _kept(self, events: Sequence[pd.DataFrame]) -> tuple[list[pd.DataFrame], dict[str, int], tuple[str, ...]]:
        """The events of each question without small changes and what the project ignores; what was left out is told.

        Returns:
            The events, how many each entry of the ignore file kept out, and notes.
        """
        entries = await asyncio.to_thread(read_ignored, self.ignore_file)
        small: Counter[str] = Counter()
        ignored: Counter[str] = Counter()
        kept = []
        for one in events:
            large, few = without_small(one, self._settings.least_changes)
            own, held = without_ignored(large, entries)
            small.update(few)
            ignored.update(held)
            kept.append(own)
        told = (
            f"left out {_count(count)} of {name}: smaller than its change_threshold" for name, count in small.items()
        )
        return kept, dict(ignored), (*told, *(f"ignored {_count(count)}, {words}" for words, count in ignored.items()))

    def _emit(self, events: pd.DataFrame) -> None:
        """Tell the bus of every event that is not for the better."""
        told = events[~events["improvement"]]
        names = told["metric"].astype(object).where(told["metric"].notna(), told["series"])
        for name, value, severity in zip(names, told["value"].to_list(), told["severity"], strict=True):
            self._core.bus.emit(ANOMALY_DETECTED, metric=str(name), value=value, severity=str(severity))


def _examined(fetched: Fetched, parts: Sequence[Part], terms: Terms) -> Examined:
    measure = fetched.question.measure
    direction: Direction = measure.direction if measure else "either"
    origin = provenance.of(fetched.frame)
    unit = measure.unit if measure else origin.unit if origin else ""
    return Examined(
        name=fetched.name,
        query=fetched.query,
        unit=unit,
        direction=direction,
        frame=fetched.frame,
        history=fetched.history,
        events=found_in(parts, terms, direction, unit),
        series=sum(part.series for part in parts),
        skipped=tuple(reason for part in parts for reason in part.skipped),
        measure=measure,
    )


def _scanned(questions: Sequence[Question], own: Sequence[Sequence[Part]], terms: Terms) -> pd.DataFrame:
    """The judged events of all questions of a scan."""
    judgements = [
        found_in(
            parts, terms, one.measure.direction if one.measure else "either", one.measure.unit if one.measure else ""
        )
        for one, parts in zip(questions, own, strict=True)
    ]
    return together(judgements)


def found_in(parts: Sequence[Part], terms: Terms, direction: Direction, unit: str) -> pd.DataFrame:
    """The judged events of one question, from its chunks."""
    traits = [part.traits for part in parts]
    events = [*(part.events for part in parts), silences(parts, terms)]
    return together([judged(renamed(one, traits), direction, unit) for one in events])


def _span(plans: Sequence[Plan]) -> TimeRange:
    return TimeRange(min(plan.range.start_ns for plan in plans), max(plan.range.end_ns for plan in plans))


def _count(count: int) -> str:
    return "1 anomaly" if count == 1 else f"{count:,} anomalies"


def _notes(plans: Sequence[Plan], history: Sequence[str]) -> tuple[str, ...]:
    """What the sources and the history have to say, each sentence once."""
    return tuple(dict.fromkeys([*(note for plan in plans for note in plan.notes), *history]))


def _provenance(report: AnomalyReport, plans: Sequence[Plan], text: str, queries: Sequence[str]) -> Provenance:
    """Where the events come from: the questions that they were found in."""
    first = plans[0]
    frames = [provenance.of(one.frame) for one in report.asked]
    return Provenance(
        signal="anomalies",
        source=first.source,
        platform=first.platform,
        address=first.address,
        question=text or ", ".join(dict.fromkeys(one.name for one in report.asked)),
        native_query="; ".join(dict.fromkeys(queries)),
        translated_by="measures" if any(one.measure for one in report.asked) else "",
        start=report.range.start.isoformat(),
        end=report.range.end.isoformat(),
        fetched_at=next((origin.fetched_at for origin in frames if origin), ""),
        rows=len(report.frame),
        notes=report.notes,
        failed=report.failed,
    )
