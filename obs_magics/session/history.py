"""A metrics question with the history before it, at one step: what is normal is told by what is measured alike.

Rates look back equally far everywhere. Only where the history was scraped more rarely (it was downsampled, or the
scraping was changed) they look back further; that history is asked apart, and made as noisy as the rest before it is
compared with it.
"""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from obs_magics.language.measures import Resolved
from obs_magics.model import provenance
from obs_magics.model.errors import ObsError
from obs_magics.model.frames import empty_metrics
from obs_magics.model.query import MetricsQuery, choose_step
from obs_magics.model.sources import ProgressListener, no_progress
from obs_magics.model.time import HOUR, MINUTE, SECOND, TimeRange, format_duration
from obs_magics.session.core import Core
from obs_magics.session.dress import joined
from obs_magics.session.finish import with_provenance
from obs_magics.session.measures import MeasuresDesk
from obs_magics.session.plan import MetricsOptions, Plan
from obs_magics.syntax.grafana import expand_time_variables, rate_interval_ns

if TYPE_CHECKING:
    import pandas as pd

STEP_NS = MINUTE
"""The least step of a question that names none: an anomaly of less than a minute is seldom one."""
_MOST_TIMES = 10
"""A question with its history has up to so many times the configured points, when it is about few series."""
_CELLS = 5_000_000
"""Points of one question, all series together."""
_RARER = 1.5  # times the newest distance of two scrapes


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a measure, or a query as it was typed.

    Args:
        text: As typed, time variables and all; the name of the measure.
        measure: How it is asked.
        selector: Of the series that a rate of the query reads; empty where that is not clear.
    """

    text: str
    measure: Resolved | None = None
    selector: str = ""

    @property
    def query(self) -> str:
        """What is asked, with its time variables."""
        return self.measure.query if self.measure else self.text

    @property
    def scraped(self) -> str:
        """The series whose scrapes tell how far a rate has to look back; empty where there is no such rate."""
        if "$__rate_interval" not in self.query and "${__rate_interval}" not in self.query:
            return ""
        return self.measure.selector if self.measure else self.selector

    @property
    def name(self) -> str:
        """As it is called in the answer."""
        return self.measure.measure if self.measure else self.text

    @property
    def series(self) -> int:
        """About how many series the answer has; 0 when nobody can tell."""
        return len(self.measure.services) * (4 if self.measure.by else 1) if self.measure else 0


@dataclass(frozen=True, slots=True)
class Fetched:
    """The range that was asked for, and what lies before it.

    Args:
        question: What was asked.
        name: The measure, or the query as it was typed, without secrets.
        query: Of the range, without the secrets that may have been typed into it.
        frame: The range.
        history: What lies before it, as it was measured.
        normal: The same as the range is to be compared with it: as noisy.
        notes: What to know of the history.
    """

    question: Question
    name: str
    query: str
    frame: pd.DataFrame
    history: pd.DataFrame
    normal: pd.DataFrame
    notes: tuple[str, ...] = ()


class Historian:
    """Fetches questions with their history.

    Args:
        core: Asks the sources.
        measures: Knows how often a metric is scraped.
        max_points: The configured points of a series.
    """

    def __init__(self, core: Core, measures: MeasuresDesk, max_points: int) -> None:
        self._core = core
        self._measures = measures
        self._max_points = max_points

    async def plan(
        self, question: Question, options: MetricsOptions, baseline_ns: int, *, source: str | None, series: int = 0
    ) -> Plan:
        """The question about the range alone, at the step at which it is examined.

        Args:
            question: What is asked.
            options: When; without a step the one is taken at which the range and its history have not too many points.
            baseline_ns: How far back the history goes.
            source: Whom.
            series: About how many series there are in memory at once; 0 asks how many the answer has.
        """
        plan = await self._core.plan(question.query, options, source=source)
        if options.step is not None:
            return plan
        whole = TimeRange(_query(plan).range.start_ns - baseline_ns, _query(plan).range.end_ns)
        count = series or question.series or await self._count(plan)
        points = min(max(_CELLS // max(count, 1), self._max_points), _MOST_TIMES * self._max_points)
        scrape_ns = await self._scrape_ns(question, whole.end_ns, plan.source)  # finer points would tell nothing more
        step_ns = max(_query(plan).step_ns, choose_step(whole, points), STEP_NS, scrape_ns)
        plan = await self._core.plan(question.query, dataclasses.replace(options, step=step_ns / SECOND), source=source)
        query = _query(plan)
        late = query.range.end_ns % step_ns if options.start is None and options.end is None else 0
        span = TimeRange(query.range.start_ns - late, query.range.end_ns - late)
        return dataclasses.replace(plan, query=dataclasses.replace(query, range=span))

    async def fetch(
        self, question: Question, plan: Plan, baseline_ns: int, *, progress: ProgressListener = no_progress
    ) -> Fetched:
        """Ask for the range and its history.

        Raises:
            ObsError: The range could not be asked; history that is not to be had is only noted.
        """
        query = _query(plan)
        back_ns, notes = self._bounded(query, baseline_ns)
        first_ns = query.range.start_ns - back_ns // query.step_ns * query.step_ns
        scrape_ns = await self._scrape_ns(question, query.range.end_ns, plan.source)
        begun_ns = await self._begun(question, plan, first_ns, scrape_ns)
        near = TimeRange(min(begun_ns, query.range.start_ns), query.range.end_ns)
        try:
            fine = await self._ask(question, plan, near, scrape_ns, progress)
            rare, old_ns = await self._rare(question, plan, TimeRange(first_ns, near.start_ns), progress)
        except ObsError as problem:
            fine = await self._ask(question, plan, query.range, scrape_ns, progress)
            rare, old_ns = empty_metrics(), 0
            notes = (f"without its history of {format_duration(back_ns)}: {problem.message}",)
        if len(rare):
            notes = (*notes, f"before {_clock(near.start_ns)} it was scraped every {format_duration(old_ns)} alone")
            fine = _from(fine, near.start_ns + rate_interval_ns(query.step_ns, scrape_ns))
        shown = (self._core.hidden(question.name), self._core.hidden(_text(question, query, scrape_ns)))
        return await asyncio.to_thread(_fetched, (question, *shown), _query(plan).range, (rare, fine), notes)

    def _bounded(self, query: MetricsQuery, baseline_ns: int) -> tuple[int, tuple[str, ...]]:
        """How far back the history goes at this step, and a note where that is less than was asked."""
        room_ns = max(_MOST_TIMES * self._max_points * query.step_ns - query.range.duration_ns, 0)
        if room_ns >= baseline_ns:
            return baseline_ns, ()
        told = f"the history goes back {format_duration(room_ns)}, not {format_duration(baseline_ns)}"
        return room_ns, (f"{told}: at a step of {format_duration(query.step_ns)} it would have too many points",)

    async def _begun(self, question: Question, plan: Plan, first_ns: int, scrape_ns: int) -> int:
        """Since when it is scraped as often as now, to the hour; the history's start when that is all along."""
        low, high = first_ns, _query(plan).range.end_ns
        if not question.scraped or high - low < HOUR:
            return low
        limit = _RARER * scrape_ns
        if await self._scrape_ns(question, low + HOUR, plan.source) <= limit:
            return low
        while high - low > HOUR // 2:
            middle = low + (high - low) // 2
            if await self._scrape_ns(question, middle, plan.source) > limit:
                low = middle
            else:
                high = middle
        start_ns, step_ns = _query(plan).range.start_ns, _query(plan).step_ns
        return start_ns - max(start_ns - high, 0) // step_ns * step_ns

    async def _rare(
        self, question: Question, plan: Plan, span: TimeRange, progress: ProgressListener
    ) -> tuple[pd.DataFrame, int]:
        """What lies before the part that is scraped as often as now, and how often it was scraped then."""
        step_ns = _query(plan).step_ns
        if span.duration_ns < step_ns:
            return empty_metrics(), 0
        before = TimeRange(span.start_ns, span.end_ns - step_ns)
        scrape_ns = await self._scrape_ns(question, before.start_ns + before.duration_ns // 2, plan.source)
        return await self._ask(question, plan, before, scrape_ns, progress), scrape_ns

    async def _ask(
        self, question: Question, plan: Plan, span: TimeRange, scrape_ns: int, progress: ProgressListener
    ) -> pd.DataFrame:
        query = _query(plan)
        query = dataclasses.replace(query, text=_text(question, query, scrape_ns), range=span)
        asked = dataclasses.replace(plan, query=query)
        if question.measure:
            return await self._measures.ask_plan(question.measure, asked, progress=progress)
        return await self._core.ask(asked, progress=progress)

    async def _scrape_ns(self, question: Question, at_ns: int, source: str) -> int:
        return await self._measures.scrape_interval_ns(question.scraped, at_ns, source=source)

    async def _count(self, plan: Plan) -> int:
        """How many series an answer has now; 1 when that cannot be asked: the question itself will say why."""
        query = _query(plan)
        now = TimeRange(query.range.end_ns, query.range.end_ns)
        asked = MetricsQuery(text=f"count({query.text})", range=now, step_ns=SECOND, instant=True)
        try:
            answer = await self._core.book.metrics_source(plan.source).metrics(asked)
        except ObsError:
            return 1
        return int(answer.frame["value"].sum()) if len(answer.frame) else 1


def _query(plan: Plan) -> MetricsQuery:
    assert isinstance(plan.query, MetricsQuery)  # noqa: S101 - for the type checker
    return plan.query


def _text(question: Question, query: MetricsQuery, scrape_ns: int) -> str:
    """The query with its time variables; its rates look further back for rarer scrapes."""
    return expand_time_variables(
        question.query, step_ns=query.step_ns, range_ns=query.range.duration_ns, scrape_ns=scrape_ns
    )


def _fetched(
    asked: tuple[Question, str, str], span: TimeRange, parts: tuple[pd.DataFrame, pd.DataFrame], notes: tuple[str, ...]
) -> Fetched:
    """The parts put together: the range by itself, and what lies before it, as it is and as noisy as the range."""
    import pandas as pd

    from obs_magics.analysis.noise import as_noisy

    rare, fine = parts
    earlier = fine["timestamp"] < pd.Timestamp(span.start_ns, tz="UTC")
    before = fine[earlier].reset_index(drop=True)
    history = joined([rare, before])
    normal = joined([as_noisy(rare, fine), before]) if len(rare) else history
    return Fetched(*asked, _told(fine, fine[~earlier].reset_index(drop=True), span), history, normal, notes)


def _from(frame: pd.DataFrame, start_ns: int) -> pd.DataFrame:
    """The frame without its first points: rates that look back to where scrapes were rarer see a part of them alone."""
    kept = frame[frame["timestamp"].astype("int64") >= start_ns].reset_index(drop=True)
    kept.attrs = frame.attrs
    return kept


def _told(fine: pd.DataFrame, asked: pd.DataFrame, span: TimeRange) -> pd.DataFrame:
    """The asked part of a frame, with a provenance that speaks of it alone."""
    origin = provenance.of(fine)
    assert origin is not None  # noqa: S101 - the session has just written it
    told = dataclasses.replace(origin, start=span.start.isoformat(), end=span.end.isoformat(), rows=len(asked))
    return with_provenance(asked, told)


def _clock(at_ns: int) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(at_ns / SECOND, UTC):%Y-%m-%d %H:%M} UTC"
