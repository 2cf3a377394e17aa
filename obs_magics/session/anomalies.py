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
from obs_magics.config.settings import AnomalyDetection, ThresholdRule, WatchedMetric
from obs_magics.language.measures import DEFAULT_SCAN, Direction, Resolved, Resolver, find_measure
from obs_magics.model import provenance
from obs_magics.model.anomalies import SENSITIVITIES, Sensitivity
from obs_magics.model.bus import ANOMALY_DETECTED
from obs_magics.model.errors import ObsError, UsageError, did_you_mean
from obs_magics.model.provenance import Provenance
from obs_magics.model.sources import Progress, ProgressListener
from obs_magics.model.time import MINUTE, TimeRange, parse_duration
from obs_magics.session.anomaly_report import AnomalyReport, Examined, judged, together, without_ignored
from obs_magics.session.core import Core
from obs_magics.session.dress import joined
from obs_magics.session.finish import with_provenance
from obs_magics.session.history import Fetched, Historian, Question
from obs_magics.session.measures import MeasuresDesk
from obs_magics.session.pieces import Pieces
from obs_magics.session.plan import MetricsOptions, Plan, checked_text
from obs_magics.session.scan import CHUNK, Part, Terms, examine_part, from_frames, mapped, silences
from obs_magics.session.traits import renamed
from obs_magics.syntax.grafana import expand_time_variables
from obs_magics.syntax.promql import tree_of
from obs_magics.syntax.promql_split import selector_text
from obs_magics.syntax.promql_tree import selections

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.analysis.anomaly import Threshold

_AT_ONCE = 4
_SCANNED = 3  # chunks in memory at once: fetched, examined, waiting; the step must not depend on their size
MOST_SERVICES = 60
"""Services that a scan looks at which names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalySettings:
    """What the configuration says of anomalies.

    Args:
        sensitivity: Where a question says none.
        baseline_ns: Where a question says none.
        measures: What a scan of a service looks at.
        rules: Limits that are anomalies when they are passed.
    """

    sensitivity: str = "medium"
    baseline_ns: int
    measures: tuple[str, ...] = DEFAULT_SCAN
    rules: tuple[ThresholdRule, ...] = ()

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """The rules as the analysis takes them; a synonym of a measure means the measure."""
        from obs_magics.analysis.anomaly import Threshold

        return tuple(
            Threshold(
                metric=known.name if (known := find_measure(rule.metric)) else rule.metric,
                labels={} if rule.service == "*" else {"service": rule.service},
                above=rule.above,
                below=rule.below,
                for_duration=str(rule.for_),
                severity=rule.severity,
            )
            for rule in self.rules
        )


def anomaly_settings(configured: AnomalyDetection) -> AnomalySettings:
    """From the configuration's section `anomaly_detection`."""
    return AnomalySettings(
        sensitivity=configured.sensitivity,
        baseline_ns=int(configured.baseline_window),
        measures=tuple(one.name for one in configured.metrics) or DEFAULT_SCAN,
        rules=(*(_watched(one) for one in configured.metrics if one.threshold is not None), *configured.thresholds),
    )


def _watched(metric: WatchedMetric) -> ThresholdRule:
    """The threshold of a watched metric: the least it may be where less is bad, else the most."""
    known = find_measure(metric.name)
    side = "below" if known is not None and known.direction == "down" else "above"
    return ThresholdRule.model_validate({"metric": metric.name, side: metric.threshold})


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
        terms = self._terms(options)
        questions, notes = await self.questions(text, options, source=source)
        plans = [await self._history.plan(one, options.range, terms.baseline_ns, source=source) for one in questions]
        fetched, failed = await self._fetch(questions, plans, terms.baseline_ns, progress)
        span = _span(plans)
        terms = dataclasses.replace(terms, since_ns=span.start_ns)
        asked, ignored = await self._without_ignored(await self._examine(fetched, terms, progress))
        report = AnomalyReport(
            frame=await asyncio.to_thread(together, [one.events for one in asked]),
            asked=tuple(asked),
            range=span,
            baseline_ns=terms.baseline_ns,
            sensitivity=terms.sensitivity,
            ignored=ignored,
            notes=(*notes, *_notes(plans, [note for one in fetched for note in one.notes]), *_ignored_notes(ignored)),
            failed=failed,
        )
        with_provenance(report.frame, _provenance(report, plans, text))
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
        questions, notes = await self.questions(text, options, source=source)
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
        entries = await asyncio.to_thread(read_ignored, self.ignore_file)
        events, ignored = without_ignored(found, entries)
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
                *notes,
                *_notes(plans, pieces.notes),
                *_ignored_notes(ignored),
            ),
        )
        with_provenance(events, _provenance(report, plans, text))
        self._emit(events)
        return events

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
            return [Question(typed, selector=_selector(typed))], ()
        resolver = self._measures.resolver(source)
        names = [typed] if typed else list(options.measures or self._settings.measures)
        if options.service is not None:
            return await self._of_service(resolver, names, options.service, strict=bool(typed))
        return await self._of_all(resolver, names)

    def _terms(self, options: AnomalyOptions) -> Terms:
        """How series are examined; from when on is not known yet."""
        return Terms(
            sensitivity=_sensitivity(options.sensitivity or self._settings.sensitivity),
            baseline_ns=parse_duration(options.baseline) if options.baseline else self._settings.baseline_ns,
            since_ns=0,
            thresholds=self._settings.thresholds,
        )

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
                whole = await asyncio.to_thread(joined, [one.normal, one.frame])
                async for piece in from_frames([whole]):
                    owners.append(number)
                    yield piece

        parts = await mapped(examine_part, pieces(), terms, executor=self._executor, progress=progress)
        own: list[list[Part]] = [[] for _ in fetched]
        for owner, part in zip(owners, parts, strict=True):
            own[owner].append(part)
        return [await asyncio.to_thread(_examined, one, mine, terms) for one, mine in zip(fetched, own, strict=True)]

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


def _examined(fetched: Fetched, parts: Sequence[Part], terms: Terms) -> Examined:
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


def _selector(text: str) -> str:
    """The selector that a query reads first, to ask how often its series are scraped."""
    plain = expand_time_variables(text, step_ns=MINUTE, range_ns=MINUTE, scrape_ns=MINUTE)
    tree = tree_of(plain)
    found = selections(tree) if tree is not None else []
    return selector_text(found[0]) if found else ""


def _sensitivity(text: str) -> Sensitivity:
    for known in SENSITIVITIES:
        if text == known:
            return known
    hint = did_you_mean(text, SENSITIVITIES) or f"it takes {', '.join(SENSITIVITIES)}"
    raise UsageError(f"--sensitivity takes low, medium or high, not {text!r}", hint=hint)


def _span(plans: Sequence[Plan]) -> TimeRange:
    return TimeRange(min(plan.range.start_ns for plan in plans), max(plan.range.end_ns for plan in plans))


def _ignored_notes(ignored: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(
        f"ignored {count} {'anomaly' if count == 1 else 'anomalies'}, {words}" for words, count in ignored.items()
    )


def _notes(plans: Sequence[Plan], history: Sequence[str]) -> tuple[str, ...]:
    """What the sources and the history have to say, each sentence once."""
    return tuple(dict.fromkeys([*(note for plan in plans for note in plan.notes), *history]))


def _provenance(report: AnomalyReport, plans: Sequence[Plan], text: str) -> Provenance:
    """Where the events come from: the questions that they were found in."""
    first = plans[0]
    frames = [provenance.of(one.frame) for one in report.asked]
    return Provenance(
        signal="anomalies",
        source=first.source,
        platform=first.platform,
        address=first.address,
        question=text or ", ".join(dict.fromkeys(one.name for one in report.asked)),
        native_query="; ".join(
            dict.fromkeys([one.query for one in report.asked] or [one.native_query for one in plans])
        ),
        translated_by="measures" if any(one.measure for one in report.asked) else "",
        start=report.range.start.isoformat(),
        end=report.range.end.isoformat(),
        fetched_at=next((origin.fetched_at for origin in frames if origin), ""),
        rows=len(report.frame),
        notes=report.notes,
        failed=report.failed,
    )
