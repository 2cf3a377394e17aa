"""A metrics question with the history before it, at two steps: fine close to the range, coarse as far as the baseline.

Rates look back equally far at both steps, so that the history is as noisy as what it is compared with; only where it
was scraped more rarely they look back further.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from obs_magics.language.measures import Resolved
from obs_magics.model import provenance
from obs_magics.model.errors import ObsError
from obs_magics.model.frames import empty_metrics
from obs_magics.model.query import MetricsQuery, choose_step
from obs_magics.model.sources import ProgressListener, no_progress
from obs_magics.model.time import DAY, MINUTE, SECOND, TimeRange, format_duration
from obs_magics.session.core import Core
from obs_magics.session.dress import joined
from obs_magics.session.finish import with_provenance
from obs_magics.session.measures import MeasuresDesk
from obs_magics.session.plan import MetricsOptions, Plan
from obs_magics.syntax.grafana import expand_time_variables

if TYPE_CHECKING:
    import pandas as pd

STEP_NS = MINUTE
"""The step of a question that names none: an anomaly of less than a minute is seldom one."""
_MOST_LEAD_NS = DAY


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


@dataclass(frozen=True, slots=True)
class Fetched:
    """The range that was asked for, and what lies before it; `query` is that of the range."""

    question: Question
    query: str
    frame: pd.DataFrame
    history: pd.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Grid:
    """When, at which step, and how often the metric was scraped then."""

    span: TimeRange
    step_ns: int
    scrape_ns: int


class Historian:
    """Fetches questions with their history.

    Args:
        core: Asks the sources.
        measures: Knows how often a metric is scraped.
        max_points: Of a series in one question.
    """

    def __init__(self, core: Core, measures: MeasuresDesk, max_points: int) -> None:
        self._core = core
        self._measures = measures
        self._max_points = max_points

    async def plan(self, question: Question, options: MetricsOptions, *, source: str | None) -> Plan:
        """The question about the range alone, at the step at which it is examined."""
        plan = await self._core.plan(question.query, options, source=source)
        step_ns = max(_query(plan).step_ns, STEP_NS)
        if options.step is not None:
            return plan
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
        room_ns = max(self._max_points - 1, 1) * query.step_ns - query.range.duration_ns
        lead_ns = max(0, min(room_ns, baseline_ns, _MOST_LEAD_NS)) // query.step_ns * query.step_ns
        scrape_ns = await self._scrape_ns(question, query.range.end_ns, plan.source)
        near = TimeRange(query.range.start_ns - lead_ns, query.range.end_ns)
        fine = await self._ask(question, plan, _Grid(near, query.step_ns, scrape_ns), progress)
        first_ns = _first_ns(fine, near.start_ns, query.range.start_ns)
        coarse, notes = await self._before(question, plan, first_ns, baseline_ns, progress)
        earlier = fine["timestamp"] < _timestamp(query.range.start_ns)
        asked = fine[~earlier].reset_index(drop=True)
        return Fetched(
            question=question,
            query=_text(question, query, scrape_ns),
            frame=_told(fine, asked, query.range),
            history=joined([coarse, fine[earlier].reset_index(drop=True)]),
            notes=notes,
        )

    async def _before(
        self, question: Question, plan: Plan, until_ns: int, baseline_ns: int, progress: ProgressListener
    ) -> tuple[pd.DataFrame, tuple[str, ...]]:
        """The coarse part of the history: from the baseline's start up to where the fine part begins."""
        query = _query(plan)
        start_ns = query.range.start_ns - baseline_ns
        length = TimeRange(start_ns, max(until_ns - query.step_ns, start_ns))
        if length.duration_ns < query.step_ns:
            return empty_metrics(), ()
        step_ns = max(choose_step(length, self._max_points), query.step_ns)
        scrape_ns = await self._scrape_ns(question, start_ns + length.duration_ns // 2, plan.source)
        try:
            frame = await self._ask(question, plan, _Grid(length, step_ns, scrape_ns), progress)
        except ObsError as problem:
            return empty_metrics(), (f"without the history of {format_duration(baseline_ns)}: {problem.message}",)
        return frame, ()

    async def _ask(self, question: Question, plan: Plan, grid: _Grid, progress: ProgressListener) -> pd.DataFrame:
        query = _query(plan)
        text = _text(question, query, grid.scrape_ns)
        query = dataclasses.replace(query, text=text, range=grid.span, step_ns=grid.step_ns)
        asked = dataclasses.replace(plan, query=query)
        if question.measure:
            return await self._measures.ask_plan(question.measure, asked, progress=progress)
        return await self._core.ask(asked, progress=progress)

    async def _scrape_ns(self, question: Question, at_ns: int, source: str) -> int:
        return await self._measures.scrape_interval_ns(question.scraped, at_ns, source=source)


def _query(plan: Plan) -> MetricsQuery:
    assert isinstance(plan.query, MetricsQuery)  # noqa: S101 - for the type checker
    return plan.query


def _text(question: Question, query: MetricsQuery, scrape_ns: int) -> str:
    """The query with its time variables; its rates look back as far at every step, and further for rarer scrapes."""
    return expand_time_variables(
        question.query, step_ns=query.step_ns, range_ns=query.range.duration_ns, scrape_ns=scrape_ns
    )


def _first_ns(frame: pd.DataFrame, start_ns: int, at_most_ns: int) -> int:
    """When the fine part begins: a source may keep detail for less long than it was asked about."""
    first = start_ns if frame.empty else int(frame["timestamp"].astype("int64").min())
    return min(first, at_most_ns)


def _timestamp(at_ns: int) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(at_ns, tz="UTC")


def _told(fine: pd.DataFrame, asked: pd.DataFrame, span: TimeRange) -> pd.DataFrame:
    """The asked part of a frame, with a provenance that speaks of it alone."""
    origin = provenance.of(fine)
    assert origin is not None  # noqa: S101 - the session has just written it
    told = dataclasses.replace(origin, start=span.start.isoformat(), end=span.end.isoformat(), rows=len(asked))
    return with_provenance(asked, told)
