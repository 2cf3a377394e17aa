"""Measures questions of a session: which query a measure is in a source, and the frame that answers it."""

from __future__ import annotations

import asyncio
import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from obs_magics.config.measures import MeasureQuery
from obs_magics.language.measures import TABLE, Measure, Resolved, Resolver, Row, find_measure
from obs_magics.model.errors import ObsError, UsageError
from obs_magics.model.query import MetricsQuery
from obs_magics.model.sources import Answer, ProgressListener, no_progress
from obs_magics.model.time import HOUR, MINUTE, SECOND, TimeRange, format_duration, parse_range
from obs_magics.session.core import Core
from obs_magics.session.dress import dressed
from obs_magics.session.plan import SCRAPE_INTERVAL_NS, MetricsOptions, Plan, checked_text
from obs_magics.session.words import Spoken, in_words, is_measure, is_query, with_time
from obs_magics.syntax.grafana import expand_time_variables

if TYPE_CHECKING:
    import pandas as pd

_LOOKED_BACK_NS = 20 * MINUTE
_INTERVALS_NS = tuple(seconds * SECOND for seconds in (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200))
_RATE_INTERVAL = "$__rate_interval"
# Scrapes are jittered and targets come and go: only what is clearly rarer than usual counts.
_RARER = 1.5


@dataclass(frozen=True, slots=True)
class CustomMeasures:
    """What the configuration adds: rows before those of the table, and measures that the table does not know."""

    rows: tuple[Row, ...] = ()
    measures: tuple[Measure, ...] = ()


def custom_measures(configured: Mapping[str, Sequence[MeasureQuery]]) -> CustomMeasures:
    """Rows and measures of the configuration's section `measures`.

    A name that is understood (`errors`, `p95`) means that measure, `latency` every quantile; any other is a new one.
    """
    rows: list[Row] = []
    measures: list[Measure] = []
    for name, queries in configured.items():
        known = find_measure(name)
        if known is None:
            first = queries[0]
            title = name.replace("_", " ")
            measures.append(Measure(name=name, title=title, unit=first.unit or "", direction=first.bad or "either"))
        key = name if known is None or name == known.family else known.name
        rows += [
            Row(
                measure=key,
                name=one.name or f"measures.{name}",
                query=one.query,
                unit=one.unit or "",
                direction=one.bad or "",
                only=one.service,
            )
            for one in queries
        ]
    return CustomMeasures(tuple(rows), tuple(measures))


class MeasuresDesk:
    """Answers measures questions for one session.

    Args:
        core: Asks the sources.
        custom: What the configuration adds.
    """

    def __init__(self, core: Core, custom: CustomMeasures) -> None:
        self._core = core
        self._custom = custom
        self._intervals: dict[tuple[str, str, int], int] = {}

    @property
    def own_names(self) -> frozenset[str]:
        """Measures that the configuration adds."""
        return frozenset(measure.name for measure in self._custom.measures)

    def resolver(self, source: str | None) -> Resolver:
        """Finds the queries of one source.

        Raises:
            UsageError: There is no such source, or it has no catalog.
        """
        catalog = self._core.book.catalog_source(source).catalog
        return Resolver(catalog, rows=(*self._custom.rows, *TABLE), measures=self._custom.measures)

    async def resolve(
        self, measure: str, service: str, *, source: str | None, by: Sequence[str] = (), using: str | None = None
    ) -> Resolved:
        """The query of a measure of a service; asks nothing but the catalog."""
        resolver = self.resolver(source)
        return await resolver.resolve(resolver.measure(measure), service, by=by, using=using)

    async def available(self, service: str, *, source: str | None) -> list[Resolved]:
        """Every measure that there is of a service."""
        return await self.resolver(source).available(service)

    async def table(self, service: str, *, source: str | None) -> pd.DataFrame:
        """The same as a frame; see `Session.measures`."""
        import pandas as pd

        from obs_magics.model.frames import STRING_DTYPE

        found = await self.available(service, source=source)
        if not found:
            resolver = self.resolver(source)
            await resolver.resolve(resolver.measure("throughput"), service)  # says which services there are
        columns = {
            "measure": [one.measure for one in found],
            "query": [one.query for one in found],
            "unit": [one.unit for one in found],
            "direction": [one.direction for one in found],
            "metric": [one.metric for one in found],
            "row": [one.row for one in found],
            "others": [", ".join(one.others) for one in found],
        }
        return pd.DataFrame(columns, dtype=STRING_DTYPE)

    async def timed(self, text: str, options: MetricsOptions, *, source: str | None) -> Spoken:
        """The question without the time that it names in words, as the source's now and the session's zone have it."""
        now_ns = await self._core.now_of(source)
        zone = self._core.zone
        return with_time(
            checked_text(text),
            options,
            own=self.own_names,
            is_range=lambda phrase: parse_range(phrase, now_ns=now_ns, zone=zone),
        )

    async def metrics(
        self, question: str, options: MetricsOptions, *, source: str | None, progress: ProgressListener
    ) -> pd.DataFrame:
        """Ask a query, or what plain words name: "p99 latency of payment-api since 14:00"; see `Session.metrics`."""
        plan, resolved = await self._read(question, options, source)
        if resolved is None:
            return await self._core.ask(plan, progress=progress)
        return await self.ask_plan(resolved, plan, progress=progress)

    async def metrics_plan(self, question: str, options: MetricsOptions, *, source: str | None) -> Plan:
        """What `metrics` would ask of whom; of words the catalog is asked."""
        plan, _ = await self._read(question, options, source)
        return plan

    async def _read(self, question: str, options: MetricsOptions, source: str | None) -> tuple[Plan, Resolved | None]:
        """What is asked, and the measure that the words named; None where they are a query, right or wrong."""
        text = checked_text(question)
        if is_query(text):
            return await self._core.plan(question, options, source=source), None
        spoken = await self.timed(text, options, source=source)
        name, service = in_words(spoken.text, None, self.own_names)
        if service is None:
            if not is_query(name) and is_measure(name, self.own_names):
                known = self.resolver(source).measure(name)
                raise UsageError(
                    f"{name!r} is a measure, and no service is named",
                    hint=f"say whose: {name} of NAME; or of all: %obs_anomalies {known.name}",
                )
            plan = await self._core.plan(spoken.text, spoken.options, source=source)
            return dataclasses.replace(plan, notes=(*spoken.notes, *plan.notes)), None
        resolved = await self.resolve(name, service, source=source)
        plan = await self.plan(resolved, spoken.options, source=source)
        passed = () if spoken.when else spoken.notes
        when = f", {spoken.when}" if spoken.when else ""
        told = f"read as {plan.question}{when} → {plan.native_query}"
        return dataclasses.replace(plan, notes=(told, *passed, *plan.notes)), resolved

    async def measure(
        self,
        measure: str,
        service: str,
        options: MetricsOptions,
        *,
        by: Sequence[str],
        using: str | None,
        source: str | None,
        progress: ProgressListener,
    ) -> pd.DataFrame:
        """Find the query of a measure of a service and ask it; see `Session.measure`."""
        resolved = await self.resolve(measure, service, source=source, by=by, using=using)
        return await self.ask(resolved, options, source=source, progress=progress)

    async def ask(
        self, resolved: Resolved, options: MetricsOptions, *, source: str | None, progress: ProgressListener
    ) -> pd.DataFrame:
        """The answer; the frame's `metric` is the measure, and every series has the column `service`."""
        return await self.ask_plan(resolved, await self.plan(resolved, options, source=source), progress=progress)

    async def plan(self, resolved: Resolved, options: MetricsOptions, *, source: str | None) -> Plan:
        """What `ask` would ask of whom; asks how often the metric is scraped, where the query has a rate."""
        plan = await self._core.plan(resolved.query, options, source=source)
        query = plan.query
        assert isinstance(query, MetricsQuery)  # noqa: S101 - for the type checker
        notes = [*plan.notes]
        if _RATE_INTERVAL in resolved.query:
            scrape_ns = await self.scrape_interval_ns(resolved.selector, query.range.end_ns, source=source)
            if scrape_ns > _RARER * SCRAPE_INTERVAL_NS:
                query = self.rewritten(resolved, query, scrape_ns)
                notes.append(f"it is scraped every {format_duration(scrape_ns)}: rates look back that much longer")
        return dataclasses.replace(
            plan,
            question=f"{resolved.measure} of {resolved.service or ', '.join(resolved.services)}",
            query=query,
            translated_by=f"measures: {resolved.row}",
            notes=tuple(notes) + ((f"would do too: {', '.join(resolved.others)}",) if resolved.others else ()),
        )

    async def ask_plan(self, resolved: Resolved, plan: Plan, *, progress: ProgressListener) -> pd.DataFrame:
        """Ask what `plan` gave."""

        def dress(answer: Answer) -> Answer:
            frame = dressed(answer.frame, metric=resolved.measure, service=resolved.service, label=resolved.label)
            return dataclasses.replace(answer, frame=frame, unit=resolved.unit)

        return await self._core.ask(plan, progress=progress, dress=dress)

    def rewritten(self, resolved: Resolved, query: MetricsQuery, scrape_ns: int) -> MetricsQuery:
        """The query with rates that look back far enough for how often the metric is scraped."""
        text = expand_time_variables(
            resolved.query, step_ns=query.step_ns, range_ns=query.range.duration_ns, scrape_ns=scrape_ns
        )
        return dataclasses.replace(query, text=text)

    async def scrape_interval_ns(self, selector: str, at_ns: int, *, source: str | None) -> int:
        """How often these series were scraped before a time, in nanoseconds; the usual 15 s when that cannot be told.

        A rate over less than two scrapes is empty, which nobody should take for "no requests".
        """
        target = self._core.book.metrics_source(source)
        key = (target.name, selector, at_ns // HOUR)
        if key not in self._intervals and selector:
            self._intervals[key] = await self._counted(selector, at_ns, source=target.name)
        return self._intervals.get(key, SCRAPE_INTERVAL_NS)

    async def _counted(self, selector: str, at_ns: int, *, source: str) -> int:
        window = format_duration(_LOOKED_BACK_NS)
        query = MetricsQuery(
            text=f"max(count_over_time({selector}[{window}]))",
            range=_moment(at_ns),
            step_ns=SECOND,
            instant=True,
        )
        try:
            answer = await self._core.book.metrics_source(source).metrics(query, no_progress)
        except ObsError:
            return SCRAPE_INTERVAL_NS  # the question itself will say what is wrong
        most = await asyncio.to_thread(lambda: answer.frame["value"].max() if len(answer.frame) else 0.0)
        return _usual(_LOOKED_BACK_NS / most) if most >= 1 else SCRAPE_INTERVAL_NS


def _usual(distance_ns: float) -> int:
    """The usual scrape interval that is nearest to what was counted: targets come late, and pods come and go."""
    return min(_INTERVALS_NS, key=lambda usual: abs(math.log(usual / distance_ns)))


def _moment(at_ns: int) -> TimeRange:
    return TimeRange(at_ns, at_ns)
