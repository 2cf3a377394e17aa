"""From a measure and a service to the query that a source can answer, by asking its catalog what there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from obs_magics.language.measures.fill import filled
from obs_magics.language.measures.fit import Facts, Fit, Misfit, Wanted, fit
from obs_magics.language.measures.near import nearest_metrics
from obs_magics.language.measures.rows import Row
from obs_magics.language.measures.services import service_of
from obs_magics.language.measures.table import TABLE
from obs_magics.language.measures.vocabulary import Direction, Measure, measure_named, measure_names
from obs_magics.model.catalog import Catalog
from obs_magics.model.errors import TranslationError, UsageError, did_you_mean
from obs_magics.syntax.promql_split import one_of

_TOLD = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """How a measure is asked for.

    Args:
        measure: Its name: `latency_p99`.
        title: In words: "99th percentile of how long requests take".
        service: Of whom; empty for several, which `label` then tells apart.
        services: All of whom it tells, sorted.
        query: PromQL; rates look back `$__rate_interval`.
        unit: UCUM as OpenTelemetry writes it.
        direction: Which way is bad.
        metric: The metric that it is made of.
        row: The row of the table that was taken.
        label: The label that holds the service's name; empty where the query has a matcher of its own.
        selector: The metric and the matchers of the service, to ask how often it is scraped.
        by: Labels that the answer keeps beside the service.
        others: Rows that would do as well, in order.
    """

    measure: str
    title: str
    service: str
    services: tuple[str, ...]
    query: str
    unit: str
    direction: Direction
    metric: str
    row: str
    label: str = ""
    selector: str = ""
    by: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        of = f" of {self.service}" if self.service else ""
        also = f"; would do too: {', '.join(self.others[:_TOLD])}" if self.others else ""
        return f"{self.measure}{of} from {self.metric} ({self.row}){also}"


class Resolver:
    """Finds the query of a measure in one source.

    Args:
        catalog: What the source has.
        rows: The table; the first row that fits is taken.
        measures: Measures beside the known ones, which `rows` has too.
    """

    def __init__(self, catalog: Catalog, *, rows: Sequence[Row] = TABLE, measures: Sequence[Measure] = ()) -> None:
        self._catalog = catalog
        self._rows = rows
        self._measures = {measure.name: measure for measure in measures}

    def measure(self, text: str) -> Measure:
        """The measure that a text names.

        Raises:
            UsageError: It names none.
        """
        return self._measures.get(text.strip()) or measure_named(text, self._measures)

    @property
    def names(self) -> Sequence[str]:
        """Every measure that is listed."""
        return list(dict.fromkeys([*measure_names(), *self._measures]))

    async def resolve(
        self, measure: Measure, service: str, *, by: Sequence[str] = (), using: str | None = None
    ) -> Resolved:
        """The query of a measure of one service.

        Args:
            measure: Which.
            service: Its name, as a label has it.
            by: Labels to keep apart.
            using: The row of the table to take, by its name; None for the first that fits.

        Raises:
            UsageError: There is no such service, row or label.
            TranslationError: Nothing there tells this measure of the service.
        """
        facts = await self._facts()
        rows = self._rows_of(measure, using)
        fits, misfits = await self._fits(rows, Wanted(measure, service, tuple(by)), facts)
        if not fits:
            raise await self._unavailable(measure, service, rows, misfits, facts)
        return _resolved(measure, service, fits)

    async def available(self, service: str, names: Sequence[str] | None = None) -> list[Resolved]:
        """What there is for one service, of these measures (None: of all), in their order; empty when nothing is."""
        facts = await self._facts()
        found = []
        for name in self.names if names is None else names:
            measure = self.measure(name)
            fits, _ = await self._fits(self._rows_of(measure, None), Wanted(measure, service), facts)
            if fits:
                found.append(_resolved(measure, service, fits))
        return found

    async def every(self, measure: Measure, services: Sequence[str]) -> list[Resolved]:
        """The queries that give a measure of several services: one each row of the table that tells of some of them."""
        facts = await self._facts()
        missing = set(services)
        found: list[Resolved] = []
        for row in self._rows_of(measure, None):
            if not missing:
                break
            told = await self._together(row, measure, sorted(missing), facts)
            found += told
            missing -= {name for one in told for name in one.services}
        return found

    async def services(self) -> list[str]:
        """The services that requests are counted of, sorted; where there are none, those that any row tells of."""
        facts = await self._facts()
        names = await self._named([row for row in self._rows if row.measure == "throughput"], facts)
        return sorted(names or await self._named(self._rows, facts))

    async def _facts(self) -> Facts:
        return Facts(self._catalog, frozenset(await self._catalog.metric_names()))

    def _rows_of(self, measure: Measure, using: str | None) -> list[Row]:
        rows = [row for row in self._rows if row.measure in {measure.name, measure.key}]
        if using is None:
            return rows
        chosen = [row for row in rows if row.name == using]
        if not chosen:
            names = list(dict.fromkeys(row.name for row in rows))
            hint = did_you_mean(using, names) or f"there are: {', '.join(names)}"
            raise UsageError(f"{measure.name} has no row called {using!r}", hint=hint)
        return chosen

    async def _fits(self, rows: Sequence[Row], wanted: Wanted, facts: Facts) -> tuple[list[Fit], list[Misfit]]:
        outcomes = [await fit(row, wanted, facts) for row in rows]
        fits: dict[str, Fit] = {}
        for one in outcomes:
            if isinstance(one, Fit):
                fits.setdefault(one.query(), one)  # a pattern of the table may give what a name before it gave
        return list(fits.values()), [one for one in outcomes if isinstance(one, Misfit)]

    async def _together(self, row: Row, measure: Measure, services: Sequence[str], facts: Facts) -> list[Resolved]:
        """One query for all services that a row tells of, grouped by their label; one each where that cannot be."""
        for name in facts.candidates(row):
            label, values = await self._best_label(row, facts.subject(row, name), services, facts)
            told = [service for service in services if any(service_of(label, value) == service for value in values)]
            if not label or not told:
                continue
            if set(told) <= set(values) and "$selector" in row.query:
                whole = await fit(row, Wanted(measure, told[0], (label,)), facts, name=name)
                if isinstance(whole, Misfit):
                    continue
                selector = "" if len(told) == len(values) else one_of(label, told)
                return [_grouped(measure, whole, label, selector, told)]
            return await self._one_by_one(row, measure, told, facts)
        if "$selector" not in row.query:
            return await self._one_by_one(row, measure, services, facts)
        return []

    async def _one_by_one(self, row: Row, measure: Measure, services: Sequence[str], facts: Facts) -> list[Resolved]:
        outcomes = [(service, await fit(row, Wanted(measure, service), facts)) for service in services]
        return [_resolved(measure, service, [one]) for service, one in outcomes if isinstance(one, Fit)]

    async def _best_label(
        self, row: Row, subject: str, services: Sequence[str], facts: Facts
    ) -> tuple[str, Sequence[str]]:
        """The label that names most of the services, the first of equals."""
        labels = await facts.labels(subject)
        best: tuple[int, str, Sequence[str]] = (0, "", ())
        for label in row.services:
            if label in labels:
                values = await facts.values(label, subject)
                count = len({service_of(label, value) for value in values} & set(services))
                if count > best[0]:
                    best = (count, label, values)
        return best[1:]

    async def _named(self, rows: Sequence[Row], facts: Facts) -> set[str]:
        names: set[str] = set()
        seen: set[str] = set()
        for row in rows:
            for metric in facts.candidates(row):
                subject = facts.subject(row, metric)
                if subject in seen:
                    continue
                seen.add(subject)
                labels = await facts.labels(subject)
                label = next((label for label in row.services if label in labels), "")
                values = await facts.values(label, subject) if label else ()
                names |= {service_of(label, value) for value in values}
        return names - {""}

    async def _unavailable(
        self, measure: Measure, service: str, rows: Sequence[Row], misfits: Sequence[Misfit], facts: Facts
    ) -> TranslationError | UsageError:
        known = await self.services()
        elsewhere = service not in known and await self.available(service)
        if service not in known and not elsewhere:
            hint = did_you_mean(service, known) or (f"the services are: {', '.join(known[:20])}" if known else "")
            return UsageError(f"there is no service called {service!r}", hint=hint or "nothing here counts requests")
        told = list(dict.fromkeys(f"{one.metric}: {one.reason}" for one in misfits if one.reason))[:_TOLD]
        wanted = list(dict.fromkeys(name for row in rows for name in row.metrics))
        near = nearest_metrics(measure.key, wanted, facts.names)
        looked = f"looked for {', '.join(wanted[:_TOLD])}" + (
            f" and {len(wanted) - _TOLD} more" if len(wanted) > _TOLD else ""
        )
        hint = f"near names here: {', '.join(near)}; " if near else ""
        return TranslationError(
            f"nothing here tells the {measure.title} of {service}; {looked}",
            candidates=told,
            hint=f"{hint}a query of your own can stand under measures.{measure.name} in the configuration",
        )


def _resolved(measure: Measure, service: str, fits: Sequence[Fit]) -> Resolved:
    first, *rest = fits
    return Resolved(
        measure=measure.name,
        title=measure.title,
        service=service,
        services=(service,),
        query=first.query(),
        unit=first.row.unit or measure.unit,
        direction=first.row.direction or measure.direction,
        metric=first.subject,
        row=first.row.name,
        label=first.label,
        selector=first.scraped,
        by=first.by,
        others=tuple(dict.fromkeys(one.row.name for one in rest)),
    )


def _grouped(measure: Measure, whole: Fit, label: str, selector: str, services: Sequence[str]) -> Resolved:
    return Resolved(
        measure=measure.name,
        title=measure.title,
        service="",
        services=tuple(services),
        query=whole.query(selector=selector),
        unit=whole.row.unit or measure.unit,
        direction=whole.row.direction or measure.direction,
        metric=whole.subject,
        row=whole.row.name,
        label=label,
        selector=filled("$metric{$selector}", metric=whole.subject, selector=selector),
        by=whole.by,
    )
