"""Anomaly questions of a session: what to look at, how far back, what was found, and which way it went."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from obs_magics.config.ignore import read_ignored
from obs_magics.config.settings import AnomalyDetection
from obs_magics.language.measures import DEFAULT_SCAN, Direction, Resolved, Resolver, find_measure
from obs_magics.model import provenance
from obs_magics.model.anomalies import SENSITIVITIES
from obs_magics.model.bus import ANOMALY_DETECTED
from obs_magics.model.errors import ObsError, UsageError, did_you_mean
from obs_magics.model.provenance import Provenance
from obs_magics.model.sources import Progress, ProgressListener
from obs_magics.model.time import TimeRange, parse_duration
from obs_magics.session.anomaly_report import AnomalyReport, Examined, judged, together, without_ignored
from obs_magics.session.core import Core
from obs_magics.session.dress import joined
from obs_magics.session.finish import with_provenance
from obs_magics.session.history import Fetched, Historian, Question
from obs_magics.session.measures import MeasuresDesk
from obs_magics.session.plan import MetricsOptions, Plan, checked_text
from obs_magics.session.scan import Part, Terms, examine_part, from_frames, mapped

if TYPE_CHECKING:
    import pandas as pd

_AT_ONCE = 4
MOST_SERVICES = 60
"""Services that a scan looks at which names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalySettings:
    """What the configuration says of anomalies.

    Args:
        sensitivity: Where a question says none.
        baseline_ns: Where a question says none.
        measures: What a scan of a service looks at.
        thresholds: Rules, as the analysis takes them.
    """

    sensitivity: str = "medium"
    baseline_ns: int
    measures: tuple[str, ...] = DEFAULT_SCAN


def anomaly_settings(configured: AnomalyDetection) -> AnomalySettings:
    """From the configuration's section `anomaly_detection`."""
    return AnomalySettings(
        sensitivity=configured.sensitivity,
        baseline_ns=int(configured.baseline_window),
        measures=tuple(one.name for one in configured.metrics) or DEFAULT_SCAN,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyOptions:
    """What can be said beside the question; see `Session.anomalies`."""

    service: str | None = None
    measures: Sequence[str] = ()
    sensitivity: str | None = None
    baseline: str | None = None
    range: MetricsOptions = field(default_factory=MetricsOptions)


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
        self._measures = measures
        self._settings = settings
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
        sensitivity = _sensitivity(options.sensitivity or self._settings.sensitivity)
        baseline_ns = parse_duration(options.baseline) if options.baseline else self._settings.baseline_ns
        questions, notes = await self.questions(text, options, source=source)
        plans = [await self._history.plan(one, options.range, source=source) for one in questions]
        fetched, failed = await self._fetch(questions, plans, baseline_ns, progress)
        span = _span(plans)
        terms = Terms(sensitivity=sensitivity, baseline_ns=baseline_ns, since_ns=span.start_ns)
        asked, ignored = await self._without_ignored(await self._examine(fetched, terms, progress))
        report = AnomalyReport(
            frame=await asyncio.to_thread(together, [one.events for one in asked]),
            asked=tuple(asked),
            range=span,
            baseline_ns=baseline_ns,
            sensitivity=sensitivity,
            ignored=ignored,
            notes=(*notes, *_notes(plans, fetched), *_ignored_notes(ignored)),
            failed=failed,
        )
        with_provenance(report.frame, _provenance(report, plans[0], text))
        self._emit(report.frame)
        return report

    async def questions(
        self, text: str, options: AnomalyOptions, *, source: str | None
    ) -> tuple[list[Question], tuple[str, ...]]:
        """What will be asked, and what to know about it."""
        typed = checked_text(text)
        if typed and not await self._is_measure(typed, source):
            if options.service is not None:
                raise UsageError(
                    "a service goes with a measure, and this is a query of its own",
                    hint="write the service into the query, or name a measure: error_rate, latency_p99",
                )
            return [Question(typed)], ()
        resolver = self._measures.resolver(source)
        names = [typed] if typed else list(options.measures or self._settings.measures)
        if options.service is not None:
            return await self._of_service(resolver, names, options.service, strict=bool(typed))
        return await self._of_all(resolver, names)

    async def _is_measure(self, text: str, source: str | None) -> bool:
        """Whether a text names a measure; what is the name of a metric means that metric."""
        if find_measure(text) is None and text not in self._measures.own_names:
            return False
        names = await self._core.book.catalog_source(source).catalog.metric_names()
        return text not in names

    async def _of_service(
        self, resolver: Resolver, names: Sequence[str], service: str, *, strict: bool
    ) -> tuple[list[Question], tuple[str, ...]]:
        measures = [resolver.measure(name) for name in names]
        if strict:
            return [Question(one.name, await resolver.resolve(one, service)) for one in measures], ()
        there = {one.measure: one for one in await resolver.available(service, [one.name for one in measures])}
        if not there:
            await resolver.resolve(measures[0], service)  # says why
        missing = [one.name for one in measures if one.name not in there]
        notes = (f"nothing here tells {', '.join(missing)} of {service}",) if missing else ()
        return [Question(name, found) for name, found in there.items()], notes

    async def _of_all(self, resolver: Resolver, names: Sequence[str]) -> tuple[list[Question], tuple[str, ...]]:
        services = await resolver.services()
        if not services:
            raise UsageError("this source knows no services", hint="name a metric or write a query")
        chosen = services[:MOST_SERVICES]
        notes = [f"{len(chosen)} of {len(services)} services, in order of their names"] if chosen != services else []
        found: list[Resolved] = []
        for name in names:
            found += await resolver.every(resolver.measure(name), chosen)
        if not found:
            raise UsageError("nothing here tells any of the measures", hint=f"looked for {', '.join(names)}")
        missing = [name for name in names if all(one.measure != resolver.measure(name).name for one in found)]
        if missing:
            notes.append(f"nothing here tells {', '.join(missing)}")
        return [Question(one.measure, one) for one in found], tuple(notes)

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
            f"{question.name}: {outcome.message}"
            for question, outcome in zip(questions, outcomes, strict=True)
            if isinstance(outcome, ObsError)
        )
        return fetched, failed

    async def _examine(self, fetched: Sequence[Fetched], terms: Terms, progress: ProgressListener) -> list[Examined]:
        """The answers of all questions, examined together: their chunks share the workers."""
        owners: list[int] = []

        async def pieces() -> AsyncIterator[pd.DataFrame]:
            for number, one in enumerate(fetched):
                whole = await asyncio.to_thread(joined, [one.history, one.frame])
                async for piece in from_frames([whole]):
                    owners.append(number)
                    yield piece

        parts = await mapped(examine_part, pieces(), terms, executor=self._executor, progress=progress)
        own: list[list[Part]] = [[] for _ in fetched]
        for owner, part in zip(owners, parts, strict=True):
            own[owner].append(part)
        return [await asyncio.to_thread(_examined, one, mine) for one, mine in zip(fetched, own, strict=True)]

    async def _without_ignored(self, asked: Sequence[Examined]) -> tuple[list[Examined], dict[str, int]]:
        """The questions without the events that the project ignores, and how many each entry kept out."""
        entries = await asyncio.to_thread(read_ignored, self.ignore_file)
        counts: Counter[str] = Counter()
        kept = []
        for one in asked:
            events, held = without_ignored(one.events, entries)
            counts.update(held)
            kept.append(dataclasses.replace(one, events=events))
        return kept, dict(counts)

    def _emit(self, events: pd.DataFrame) -> None:
        """Tell the bus of every event that is not for the better."""
        told = events[~events["improvement"]]
        names = told["metric"].astype(object).where(told["metric"].notna(), told["series"])
        for name, value, severity in zip(names, told["value"].to_list(), told["severity"], strict=True):
            self._core.bus.emit(ANOMALY_DETECTED, metric=str(name), value=value, severity=str(severity))


def _examined(fetched: Fetched, parts: Sequence[Part]) -> Examined:
    measure = fetched.question.measure
    direction: Direction = measure.direction if measure else "either"
    origin = provenance.of(fetched.frame)
    unit = measure.unit if measure else origin.unit if origin else ""
    return Examined(
        name=fetched.question.name,
        query=fetched.query,
        unit=unit,
        direction=direction,
        frame=fetched.frame,
        history=fetched.history,
        events=together([judged(part.events, direction, unit) for part in parts]),
        series=sum(part.series for part in parts),
        skipped=tuple(reason for part in parts for reason in part.skipped),
        measure=measure,
    )


def _sensitivity(text: str) -> str:
    if text not in SENSITIVITIES:
        hint = did_you_mean(text, SENSITIVITIES) or f"it takes {', '.join(SENSITIVITIES)}"
        raise UsageError(f"--sensitivity takes low, medium or high, not {text!r}", hint=hint)
    return text


def _span(plans: Sequence[Plan]) -> TimeRange:
    return TimeRange(min(plan.range.start_ns for plan in plans), max(plan.range.end_ns for plan in plans))


def _ignored_notes(ignored: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(
        f"ignored {count} {'anomaly' if count == 1 else 'anomalies'}, {words}" for words, count in ignored.items()
    )


def _notes(plans: Sequence[Plan], fetched: Sequence[Fetched]) -> tuple[str, ...]:
    """What the sources and the history have to say, each sentence once."""
    told = [*(note for plan in plans for note in plan.notes), *(note for one in fetched for note in one.notes)]
    return tuple(dict.fromkeys(told))


def _provenance(report: AnomalyReport, plan: Plan, text: str) -> Provenance:
    """Where the events come from: the questions that they were found in."""
    origin = provenance.of(report.asked[0].frame)
    return Provenance(
        signal="anomalies",
        source=plan.source,
        platform=plan.platform,
        address=plan.address,
        question=text or ", ".join(dict.fromkeys(one.name for one in report.asked)),
        native_query="; ".join(dict.fromkeys(one.query for one in report.asked)),
        translated_by="measures" if report.asked[0].measure else "",
        start=report.range.start.isoformat(),
        end=report.range.end.isoformat(),
        fetched_at=origin.fetched_at if origin else "",
        rows=len(report.frame),
        notes=report.notes,
        failed=report.failed,
    )
