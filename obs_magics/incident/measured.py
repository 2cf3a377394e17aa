"""Measures of several services at once: from whichever source tells them, as one frame and as series to look at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from obs_magics.incident.parts import Parts
from obs_magics.incident.reach import Desks, Reach
from obs_magics.incident.shifts import Points
from obs_magics.language.measures import DEFAULT_SCAN, Resolved
from obs_magics.model import provenance
from obs_magics.model.durations import SECOND
from obs_magics.model.frames import empty_metrics
from obs_magics.model.provenance import Provenance
from obs_magics.model.query import choose_step
from obs_magics.model.ranges import TimeRange
from obs_magics.model.series import split_series
from obs_magics.model.sources import no_progress
from obs_magics.net.tasks import together
from obs_magics.session.dress import joined
from obs_magics.session.plan import MetricsOptions

_MOST_POINTS = 720  # of a series
_LEAST_STEP_NS = 15 * SECOND
_MEASURES_AT_ONCE = 8
_TITLES: Mapping[str, str] = {"throughput": "requests", "cpu_usage": "CPU", "memory_usage": "memory"}


@dataclass(frozen=True, slots=True)
class Measured:
    """Measures of services.

    Args:
        frame: A metrics frame whose `metric` is the measure, with a column `service`.
        points: Its series.
        questions: Where each part of the frame comes from.
        missing: Measures of the service itself that no source tells.
    """

    frame: pd.DataFrame
    points: tuple[Points, ...]
    questions: tuple[Provenance, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answered:
    frame: pd.DataFrame
    resolved: Resolved


async def measured(
    desks: Desks,
    found: Reach,
    services: Sequence[str],
    span: TimeRange,
    parts: Parts,
    *,
    measures: Sequence[str] = DEFAULT_SCAN,
    step_ns: int | None = None,
) -> Measured:
    """Ask for measures of services; what a source does not tell, the next one is asked for.

    Args:
        desks: Where questions are answered.
        found: Whom to ask.
        services: The first is the one in question.
        span: From when to when.
        parts: Told what did not come.
        measures: Names of measures.
        step_ns: Distance between points; None for `step_of` the span.
    """
    wanted = {measure: list(services) for measure in measures}
    asked: list[tuple[str, Resolved]] = []
    for name in found.metrics:
        told = await parts.run(f"metrics of {name}", _resolved(desks, name, wanted))
        asked += [(name, one) for one in told or ()]
    step_s = (step_ns or step_of(span)) / SECOND
    room = asyncio.Semaphore(_MEASURES_AT_ONCE)

    async def ask(name: str, one: Resolved) -> _Answered | None:
        options = MetricsOptions(start=span.start_ns, end=span.end_ns, step=step_s)
        async with room:
            work = desks.measures.ask(one, options, source=name, progress=no_progress)
            frame = await parts.run(f"{one.measure} from {name}", work)
        return None if frame is None else _Answered(frame, one)

    answers = await together(ask(name, one) for name, one in asked)
    whole = [answer for answer in answers if answer is not None]
    frame = await asyncio.to_thread(joined, [one.frame for one in whole]) if whole else empty_metrics()
    points = await asyncio.to_thread(lambda: tuple(point for one in whole for point in _points(one)))
    parts.rows += len(frame)
    own = {point.measure for point in points if point.service == services[0]}
    origins = tuple(origin for one in whole if (origin := provenance.of(one.frame)) is not None)
    return Measured(frame, points, origins, tuple(one for one in measures if one not in own))


def step_of(span: TimeRange) -> int:
    """The distance between points in nanoseconds: at most 720 of them, and no finer than most are scraped."""
    return max(choose_step(span, _MOST_POINTS), _LEAST_STEP_NS)


async def _resolved(desks: Desks, name: str, wanted: dict[str, list[str]]) -> list[Resolved]:
    """The queries of what is still wanted; takes from `wanted` what this source tells."""
    resolver = desks.measures.resolver(name)
    found: list[Resolved] = []
    for measure, services in wanted.items():
        if services:
            told = await resolver.every(resolver.measure(measure), services)
            found += told
            there = {service for one in told for service in one.services}
            services[:] = [service for service in services if service not in there]
    return found


def _points(answered: _Answered) -> list[Points]:
    one = answered.resolved
    return [
        Points(
            service=series.labels.get("service", one.service),
            measure=one.measure,
            title=measure_title(
                one.measure, {name: value for name, value in series.labels.items() if name != "service"}
            ),
            unit=one.unit,
            direction=one.direction,
            times_ns=series.timestamps_ns,
            values=series.values,
        )
        for series in split_series(answered.frame)
    ]


def measure_title(measure: str, labels: Mapping[str, str] | None = None) -> str:
    """A measure in a word or two, with what tells its series apart.

    >>> measure_title("latency_p99"), measure_title("saturation", {"pool": "redis"})
    ('p99 latency', 'saturation of pool redis')
    """
    family, _, quantile = measure.partition("_")
    title = (
        f"{quantile} latency" if family == "latency" and quantile else _TITLES.get(measure, measure.replace("_", " "))
    )
    told = ", ".join(f"{name} {value}" for name, value in (labels or {}).items())
    return f"{title} of {told}" if told else title


def within(found: Measured, span: TimeRange) -> Measured:
    """The same with the points of a stretch of time alone."""
    kept = found.frame["timestamp"].astype("int64").between(span.start_ns, span.end_ns)
    return replace(found, frame=found.frame[kept].reset_index(drop=True))
