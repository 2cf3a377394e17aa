"""Traces around an incident: those that fail, the slowest, and some from before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from obs_magics.incident.parts import Parts
from obs_magics.incident.reach import Desks
from obs_magics.model import provenance
from obs_magics.model.durations import MINUTE
from obs_magics.model.incident import Shift
from obs_magics.model.provenance import Provenance
from obs_magics.model.ranges import TimeRange
from obs_magics.model.sources import no_progress
from obs_magics.model.spans import empty_spans
from obs_magics.net.tasks import together
from obs_magics.session.plan_traces import TracesOptions

_SAMPLE = 3  # times the traces that are kept, from which the slowest are taken
_SLICES = 4  # of a stretch of time, each asked for on its own: sources give the newest first


@dataclass(frozen=True, slots=True)
class Traced:
    """Spans frames of whole traces.

    Args:
        failing: Traces in which a span of the service fails.
        slow: Its slowest.
        usual: Some from before, whatever became of them, evenly spread.
        sample: Some of the time of the incident, likewise.
        questions: Where they come from.
    """

    failing: pd.DataFrame
    slow: pd.DataFrame
    usual: pd.DataFrame
    sample: pd.DataFrame
    questions: tuple[Provenance, ...] = ()

    @property
    def every(self) -> pd.DataFrame:
        """All of them, each span once."""
        return joined_spans([self.usual, self.sample, self.slow, self.failing])

    @property
    def fair(self) -> pd.DataFrame:
        """Those that were not chosen by what became of them: shares can be told from them."""
        return joined_spans([self.usual, self.sample])


def joined_spans(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Spans frames end to end, each span once."""
    there = [frame for frame in frames if len(frame)]
    if not there:
        return empty_spans()
    names = [name for name in there[0].columns if all(name in frame.columns for frame in there)]
    whole = pd.concat([frame[names] for frame in there], ignore_index=True)
    for name in ("service", "operation"):
        whole[name] = whole[name].astype("category")
    return whole.drop_duplicates(["trace_id", "span_id"], ignore_index=True)


async def traced(
    desks: Desks,
    sources: Sequence[str],
    service: str,
    span: TimeRange,
    *,
    lasted: TimeRange,
    before_ns: int,
    slowness: Shift | None,
    most: int,
    parts: Parts,
) -> Traced:
    """Ask for traces of a service.

    Args:
        desks: Where questions are answered.
        sources: Names of those with traces.
        service: Whose.
        span: From when to when.
        lasted: From the start of the incident to its end, as far as is known.
        before_ns: From how long before the start usual traces are taken.
        slowness: Its latency, where that left what is usual: slow is what takes longer than usual.
        most: How many traces of each kind.
        parts: Told what did not come.
    """
    if not sources:
        parts.note("no source has traces: the call graph, failing and slow requests are not known")
        return Traced(empty_spans(), empty_spans(), empty_spans(), empty_spans())
    start_ns = lasted.start_ns
    during = TimeRange(start_ns, max(lasted.end_ns, start_ns + MINUTE))
    earlier = TimeRange(start_ns - before_ns, max(start_ns - MINUTE, start_ns - before_ns))
    longer = {"min_duration": slowness.usual} if slowness is not None and slowness.usual > 0 else {}
    asked = {
        "failing traces": _options(service, span, most, status="error"),
        "slow traces": _options(service, during, most * _SAMPLE, min_duration=longer.get("min_duration")),
        **{f"traces {number}": _options(service, one, most) for number, one in enumerate(_parts_of(during), start=1)},
        **{
            f"usual traces {number}": _options(service, one, most)
            for number, one in enumerate(_parts_of(earlier), start=1)
        },
    }
    names = ",".join(sources)
    frames = await together(
        parts.run(name, desks.traces.ask("", options, source=names, progress=no_progress))
        for name, options in asked.items()
    )
    failing, slow, *others = (empty_spans() if frame is None else frame for frame in frames)
    sample, usual = joined_spans(others[:_SLICES]), joined_spans(others[_SLICES:])
    origins = tuple(origin for frame in frames if frame is not None and (origin := provenance.of(frame)) is not None)
    return Traced(failing, slowest(slow, service, most), usual, sample, origins)


def _parts_of(span: TimeRange) -> list[TimeRange]:
    length = span.duration_ns // _SLICES
    return [TimeRange(span.start_ns + place * length, span.start_ns + (place + 1) * length) for place in range(_SLICES)]


def _options(
    service: str, span: TimeRange, limit: int, *, status: str | None = None, min_duration: float | None = None
) -> TracesOptions:
    return TracesOptions(
        service=service, status=status, min_duration=min_duration, start=span.start_ns, end=span.end_ns, limit=limit
    )


def slowest(spans: pd.DataFrame, service: str, most: int) -> pd.DataFrame:
    """The traces in which the longest span of a service is longest, in the frame's order."""
    own = spans[spans["service"] == service]
    longest = own.groupby("trace_id", sort=True, observed=True)["duration"].max()
    kept = longest.sort_values(ascending=False, kind="stable").index[:most]
    return spans[spans["trace_id"].isin(kept)].reset_index(drop=True)
