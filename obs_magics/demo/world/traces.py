"""Makes the spans of the demo world, all traces of one journey at a time, as columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from obs_magics.demo.world import chance, story
from obs_magics.demo.world.clock import Axis, curve, daily
from obs_magics.demo.world.journeys import JOURNEYS, MESSAGE, Journey, Step
from obs_magics.demo.world.population import Pod, pod_at
from obs_magics.demo.world.topology import SERVICE

Array = np.ndarray[Any, Any]
Pods = Mapping[tuple[str, int], list[Pod]]

_TEXTS = (
    "http.request.method", "http.route", "db.system.name", "db.query.text", "db.client.connection.pool.name",
    "messaging.system", "messaging.destination.name", "server.address",
)  # fmt: skip
_LINK = pa.list_(pa.struct([("trace_id", pa.string()), ("span_id", pa.string())]))
_SPREAD = 3.3  # of log-logistic step times: the slowest of a hundred takes four times the median
_POOL_TIMEOUT = 2.0
_CALL_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans of one step in many traces: one entry per trace that has it. Times in nanoseconds."""

    step: Step
    traces: Sequence[str]
    ids: Sequence[str]
    parents: Sequence[str] | None
    start: Array
    duration: Array
    failed: Array
    links: Sequence[tuple[str, str]] | None = None


@dataclass(slots=True)
class _Batch:
    """All traces of one journey while they are made."""

    journey: Journey
    times_ms: Array
    fails: Array
    traces: list[str]
    found: list[Spans]


def all_spans(axis: Axis) -> list[Spans]:
    """Every span of the hours of detail, step by step."""
    found: list[Spans] = []
    for journey in JOURNEYS:
        batch = _Batch(journey, *_occasions(journey, axis), [], found)
        batch.traces = hexadecimal(len(batch.times_ms), 16, "trace", journey.name)
        plan = _durations(batch, journey.root)
        everything = np.ones(len(batch.times_ms), dtype=bool)
        _place(batch, plan, batch.times_ms * 1_000_000, everything, None)
    found += _messages([spans for spans in found if spans.step.kind == "producer"])
    return found


def _occasions(journey: Journey, axis: Axis) -> tuple[Array, Array]:
    """When the journey is made (ms), and which of them fail."""
    seconds = np.arange(axis.fine_ms, axis.end_ms, 1000, dtype=np.int64)
    rate = journey.per_second * daily(seconds) * curve(seconds, story.CAMPAIGN)
    number = np.floor(rate + chance.uniform(len(seconds), "journey", journey.name)).astype(np.int64)
    starts = np.repeat(seconds, number)
    times = starts + np.floor(1000 * chance.uniform(len(starts), "moment", journey.name)).astype(np.int64)
    if journey.fails_like is None:
        return times, np.zeros(len(times), dtype=bool)
    name, path = journey.fails_like
    route = next(route for route in SERVICE[name].routes if route.path == path)
    share = np.where(curve(times, story.STARVED) > 0, story.errors(SERVICE[name], route, times), 0.0)
    return times, chance.uniform(len(times), "fails", journey.name) < share


@dataclass(frozen=True, slots=True)
class _Planned:
    """A step with its durations in seconds: its own and with all that it calls; `there` where it happens at all."""

    step: Step
    own: Array
    whole: Array
    there: Array
    broken: Array
    calls: tuple[_Planned, ...]


def _durations(batch: _Batch, step: Step, path: str = "") -> _Planned:
    path = f"{path}/{step.service} {step.operation}"
    size = len(batch.times_ms)
    median = np.maximum(curve(batch.times_ms, step.slow), step.median) if step.slow else step.median
    luck = np.clip(chance.uniform(size, "took", batch.journey.name, path), 0.002, 0.995)
    own = np.round(median * (luck / (1 - luck)) ** (1 / _SPREAD), 6)
    broken = batch.fails & bool(step.breaks)
    if step.breaks:
        own = np.where(broken, _POOL_TIMEOUT, np.minimum(own, _POOL_TIMEOUT))
    there = np.ones(size, dtype=bool)
    whole = own.copy()
    calls = []
    for call in step.calls:
        planned = _durations(batch, call, path)
        planned = _Planned(
            planned.step, planned.own, planned.whole, there & planned.there, planned.broken, planned.calls
        )
        calls.append(planned)
        whole = whole + np.where(there, planned.whole, 0.0)
        broken = broken | (there & planned.broken)
        there = there & ~planned.broken
    if step.kind == "client" and step.service == "user-service" and step.calls:
        whole = np.where(broken, _CALL_TIMEOUT, whole)  # nobody answers in time
    return _Planned(step, own, whole, np.ones(size, dtype=bool), broken, tuple(calls))


def _place(batch: _Batch, plan: _Planned, start_ns: Array, there: Array, parents: list[str] | None) -> None:
    """Make the spans of a step and of what it calls, one after the other, after half of its own time."""
    step = plan.step
    ids = hexadecimal(len(start_ns), 8, "span", batch.journey.name, step.service, step.operation, len(batch.found))
    rows = np.flatnonzero(there)
    batch.found.append(
        Spans(
            step,
            [batch.traces[row] for row in rows],
            [ids[row] for row in rows],
            None if parents is None else [parents[row] for row in rows],
            start_ns[rows],
            np.floor(plan.whole[rows] * 1e9).astype(np.int64),
            plan.broken[rows],
        )
    )
    begin = start_ns + np.floor(plan.own * 0.5e9).astype(np.int64)
    for call in plan.calls:
        _place(batch, call, begin, there & call.there, ids)
        begin = begin + np.where(call.there, np.floor(call.whole * 1e9), 0).astype(np.int64)


def _messages(producers: Sequence[Spans]) -> list[Spans]:
    """What notification-service makes of each message, some seconds later, linked to who sent it."""
    found: list[Spans] = []
    for producer in producers:
        size = len(producer.ids)
        waited = np.floor((0.2 + 3 * chance.uniform(size, "waited")) * 1e9).astype(np.int64)
        start = producer.start + producer.duration + waited
        batch = _Batch(Journey("message", 0.0, MESSAGE), start // 1_000_000, np.zeros(size, dtype=bool), [], [])
        batch.traces = hexadecimal(size, 16, "trace", "message")
        _place(batch, _durations(batch, MESSAGE), start, np.ones(size, dtype=bool), None)
        root = batch.found[0]
        links = list(zip(producer.traces, producer.ids, strict=True))
        batch.found[0] = Spans(root.step, root.traces, root.ids, None, root.start, root.duration, root.failed, links)
        found += batch.found
    return found


def hexadecimal(number: int, width: int, *name: object) -> list[str]:
    """Ids of `width` bytes in lower-case hexadecimal."""
    text = chance.stream("id", *name).bytes(number * width).hex()
    return [text[at : at + 2 * width] for at in range(0, len(text), 2 * width)]


def pod_of(pods: Pods, service: str, trace: str, time_ms: int) -> Pod:
    """Which pod of a service worked on a trace."""
    replicas = SERVICE[service].replicas
    return pod_at(pods[service, int(trace[:6], 16) % replicas], time_ms)


def spans_table(found: Sequence[Spans], pods: Pods) -> pa.Table:
    """The spans frame of `model`, as Arrow, in order of start."""
    columns: dict[str, list[Any]] = {name: [] for name, _ in _COLUMNS}
    for spans in found:
        for name, (_, fill) in _FILL.items():
            columns[name] += fill(spans)
        at = [
            pod_of(pods, spans.step.service, trace, int(start) // 1_000_000)
            for trace, start in zip(spans.traces, spans.start, strict=True)
        ]
        columns["k8s.pod.name"] += [pod.name for pod in at]
        columns["k8s.node.name"] += [pod.node for pod in at]
        columns["service.version"] += [pod.version for pod in at]
    table = pa.table({name: pa.array(columns[name], kind) for name, kind in _COLUMNS})
    return table.take(pa.array(np.argsort(table["start"].to_numpy(), kind="stable")))


def _code(spans: Spans) -> list[int | None]:
    if spans.step.kind not in {"server", "client"} or "http.request.method" not in dict(spans.step.attributes):
        return [None] * len(spans.ids)
    good = 201 if dict(spans.step.attributes)["http.request.method"] == "POST" else 200
    bad = 503 if "payment-api" in (spans.step.service, spans.step.operation.split()[-1]) else 500
    return [bad if failed else good for failed in spans.failed]


def _message(step: Step) -> str:
    if step.breaks:
        return step.breaks
    if step.service == "user-service" and step.kind == "client":
        return "Connection timeout after 30s"
    return "503 Service Unavailable" if step.service == "payment-api" else "500 Internal Server Error"


def _attribute(name: str) -> Callable[[Spans], list[Any]]:
    return lambda spans: [dict(spans.step.attributes).get(name)] * len(spans.ids)


_FILL: dict[str, tuple[pa.DataType, Callable[[Spans], list[Any]]]] = {
    "trace_id": (pa.string(), lambda spans: list(spans.traces)),
    "span_id": (pa.string(), lambda spans: list(spans.ids)),
    "parent_id": (pa.string(), lambda spans: [None] * len(spans.ids) if spans.parents is None else list(spans.parents)),
    "service": (pa.string(), lambda spans: [spans.step.service] * len(spans.ids)),
    "operation": (pa.string(), lambda spans: [spans.step.operation] * len(spans.ids)),
    "kind": (pa.string(), lambda spans: [spans.step.kind] * len(spans.ids)),
    "start": (pa.timestamp("ns", tz="UTC"), lambda spans: spans.start.tolist()),
    "duration": (pa.duration("ns"), lambda spans: spans.duration.tolist()),
    "status": (pa.string(), lambda spans: ["error" if failed else "unset" for failed in spans.failed]),
    "status_message": (
        pa.string(),
        lambda spans: [_message(spans.step) if failed else None for failed in spans.failed],
    ),
    "http.response.status_code": (pa.int64(), _code),
    **{name: (pa.string(), _attribute(name)) for name in _TEXTS},
    "links": (
        _LINK,
        lambda spans: (
            [[{"trace_id": trace, "span_id": span}] for trace, span in spans.links]
            if spans.links
            else [[]] * len(spans.ids)
        ),
    ),
}
_COLUMNS: tuple[tuple[str, pa.DataType], ...] = (
    *((name, kind) for name, (kind, _) in _FILL.items()),
    ("k8s.pod.name", pa.string()),
    ("k8s.node.name", pa.string()),
    ("service.version", pa.string()),
)
