"""From what a person asked to look at to the questions that are asked: a query, or measures of one service or all."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from obs_magics.language.measures import Measure, Resolved, Resolver, find_measure
from obs_magics.model.errors import UsageError
from obs_magics.model.time import MINUTE
from obs_magics.session.anomaly_settings import AnomalyOptions, AnomalySettings
from obs_magics.session.core import Core
from obs_magics.session.history import Question
from obs_magics.session.measures import MeasuresDesk
from obs_magics.session.plan import checked_text
from obs_magics.session.words import in_words
from obs_magics.syntax.grafana import expand_time_variables
from obs_magics.syntax.promql import tree_of
from obs_magics.syntax.promql_split import selector_text
from obs_magics.syntax.promql_tree import selections

_WORDS = re.compile(r"[\w.:/'’-]+(?:[ ,]+[\w.:/'’-]+)+\??")  # nothing that a query is made of
MOST_SERVICES = 60
"""Services that a scan looks at which names none."""


class AnomalyQuestions:
    """Finds the questions of an examination.

    Args:
        core: Has the sources.
        measures: Finds the queries of measures.
        settings: What is looked at where nothing is named.
    """

    def __init__(self, core: Core, measures: MeasuresDesk, settings: AnomalySettings) -> None:
        self._core = core
        self._measures = measures
        self._settings = settings

    async def timed(
        self, text: str, options: AnomalyOptions, *, source: str | None
    ) -> tuple[str, AnomalyOptions, tuple[str, ...]]:
        """The question without the time that it names in words, the options with it, and how it was read."""
        spoken = await self._measures.timed(text, options.range, source=source)
        return spoken.text, dataclasses.replace(options, range=spoken.options), spoken.notes

    async def ask(
        self, text: str, options: AnomalyOptions, *, source: str | None
    ) -> tuple[list[Question], tuple[str, ...]]:
        """What will be asked, and what to know about it; asks the catalog alone.

        Raises:
            UsageError: A service stands beside a query of its own, or is not there.
            TranslationError: Nothing in the source tells the measure that was named.
        """
        typed, service = in_words(checked_text(text), options.service, self._measures.own_names)
        options = dataclasses.replace(options, service=service)
        if typed and not await self._is_measure(typed, source):
            if options.service is not None:
                raise UsageError(
                    "a service goes with a measure, and this is a query of its own",
                    hint="write the service into the query, or name a measure: error_rate, latency_p99",
                )
            if _WORDS.fullmatch(typed) and tree_of(typed) is None:
                raise UsageError(
                    f"{typed!r} is no measure and no query",
                    hint="name a measure, and where and when behind it: errors --service payment-api --last 3h",
                )
            return [Question(typed, selector=_selector(typed))], ()
        resolver = self._measures.resolver(source)
        names = [typed] if typed else [resolver.measure(name).name for name in options.measures]
        names = names or list(self._settings.measures)
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
        measures, others = self._told_apart(resolver, names)
        if strict:
            return [Question(one.name, await resolver.resolve(one, service)) for one in measures], ()
        there = {one.measure: one for one in await resolver.available(service, [one.name for one in measures])}
        if not there:
            await resolver.resolve(measures[0] if measures else resolver.measure("throughput"), service)  # says why
        missing = [one.name for one in measures if one.name not in there]
        notes = [f"nothing here tells {', '.join(missing)} of {service}"] if missing else []
        notes += [f"{name} is no measure, and is not looked at of one service" for name in others]
        return [Question(name, found) for name, found in there.items()], tuple(notes)

    async def _of_all(self, resolver: Resolver, names: Sequence[str]) -> tuple[list[Question], tuple[str, ...]]:
        services = await resolver.services()
        if not services:
            raise UsageError("this source knows no services", hint="name a metric or write a query")
        chosen = services[:MOST_SERVICES]
        notes = [f"{len(chosen)} of {len(services)} services, in order of their names"] if chosen != services else []
        measures, others = self._told_apart(resolver, names)
        found: list[Resolved] = []
        for measure in measures:
            found += await resolver.every(measure, chosen)
        if not found and not others:
            raise UsageError("nothing here tells any of the measures", hint=f"looked for {', '.join(names)}")
        missing = [measure.name for measure in measures if all(one.measure != measure.name for one in found)]
        if missing:
            notes.append(f"nothing here tells {', '.join(missing)}")
        plain = [Question(name, selector=_selector(name)) for name in others]
        return [*(Question(one.measure, one) for one in found), *plain], tuple(notes)

    def _told_apart(self, resolver: Resolver, names: Sequence[str]) -> tuple[list[Measure], list[str]]:
        """Measures, and what is none: the configuration may name metrics and queries too."""
        own = self._measures.own_names
        measures = [resolver.measure(name) for name in names if find_measure(name) is not None or name in own]
        return measures, [name for name in names if find_measure(name) is None and name not in own]


def _selector(text: str) -> str:
    """The selector that a query reads first, to ask how often its series are scraped."""
    plain = expand_time_variables(text, step_ns=MINUTE, range_ns=MINUTE, scrape_ns=MINUTE)
    tree = tree_of(plain)
    found = selections(tree) if tree is not None else []
    return selector_text(found[0]) if found else ""
