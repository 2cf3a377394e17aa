"""A summary of traces as sentences: why they were slow, where they failed first, what repeats."""

from __future__ import annotations

from datetime import datetime, timedelta

from obs_magics.display.clock import clock_text
from obs_magics.display.units import count_text, seconds_text
from obs_magics.model.series import clip
from obs_magics.model.trace_summary import Bottleneck, ErrorOrigin, Fault, FaultKind, TraceSummary

_TEXT_LENGTH = 120

# What a fault is called: who, what, how often at most, in how many traces.
_FAULTS: dict[FaultKind, str] = {
    "n_plus_one": "{service} calls `{what}` up to {count} times from one span (N+1), in {traces}",
    "fan_out": "{service} calls up to {count} others at once in {what}, in {traces}",
    "retries": "{service} repeats {what} after a failure, {count} times in {traces}",
    "timeouts": "{count} spans of {service} ({what}) end at {timeout}: that looks like a timeout, in {traces}",
}


def trace_sentences(summary: TraceSummary, *, zone: str = "UTC") -> list[str]:
    """What a summary says, a sentence without a full stop each, the reason for the time first."""
    if not summary.traces:
        return ["no traces"]
    told = [_head(summary)]
    told += [_bottleneck(summary.bottleneck, zone)] if summary.bottleneck else []
    told += [_origin(summary.origin, summary.failed)] if summary.origin else []
    return [*told, *map(_fault, summary.faults)]


def _head(summary: TraceSummary) -> str:
    spans = f"{count_text(summary.spans, 'span')} in {count_text(summary.services, 'service')}"
    longest = _lasted(summary.longest)
    if summary.traces == 1:
        failed = f", {count_text(summary.errors, 'span')} failed" if summary.errors else ""
        return f"1 trace, {spans}: {longest}{failed}"
    failed = f", {summary.failed:,} failed" if summary.failed else ""
    times = f"median {_lasted(summary.median)}, p95 {_lasted(summary.p95)}, longest {longest}"
    return f"{count_text(summary.traces, 'trace')}, {spans}{failed}: {times}"


def _bottleneck(found: Bottleneck, zone: str) -> str:
    """``inventory is the bottleneck: 81 % of the time …; `SELECT …` 4.1 s on average; since 12:40``."""
    parts = [f"{_name(found.service)} is the bottleneck: {_percent(found.share)} of the time on the critical path"]
    if found.step is not None:
        step = clip(found.step.text, _TEXT_LENGTH)
        name = f"`{step}`" if found.step.kind == "query" else step
        parts.append(f"{name} {_lasted(found.step.average)} on average ({count_text(found.step.calls, 'call')})")
    if found.since is not None:
        parts.append(f"since {_clock(found.since, zone)}")
    return "; ".join(parts)


def _origin(found: ErrorOrigin, failed: int) -> str:
    says = f": “{clip(found.message, _TEXT_LENGTH)}”" if found.message else ""
    where = f"{_name(found.service)}, {clip(found.operation, _TEXT_LENGTH)}"
    return f"{found.traces:,} of {count_text(failed, 'failed trace')} failed first in {where}{says}"


def _fault(found: Fault) -> str:
    return _FAULTS[found.kind].format(
        service=_name(found.service),
        what=clip(found.what, _TEXT_LENGTH),
        count=f"{found.count:,}",
        traces=count_text(found.traces, "trace"),
        timeout="" if found.timeout is None else _lasted(found.timeout),
    )


def _name(service: str) -> str:
    return clip(service, _TEXT_LENGTH) or "a service without name"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _lasted(duration: timedelta) -> str:
    return seconds_text(duration.total_seconds())


def _clock(moment: datetime, zone: str) -> str:
    return clock_text(int(moment.timestamp()) // 60 * 60_000, zone)
