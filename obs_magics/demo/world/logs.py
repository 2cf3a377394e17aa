"""Writes the logs of the demo world: each program in its own manner, most lines from the spans that were sampled.

What is an error in the story is written at level error, and nothing else is: 32 lines of payment-api, 12 of
user-service and 3 of order-service between 14:00 and 14:30, few after that. The programs limit how often they say the
same: the counters know all failed requests, the logs do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from obs_magics.demo.world import chance
from obs_magics.demo.world.clock import Axis, at
from obs_magics.demo.world.manners import WRITERS, Said, logfmt, milliseconds, written_time
from obs_magics.demo.world.population import Pod
from obs_magics.demo.world.topology import DEPLOYS, NAMESPACE, OUT_OF_MEMORY, SERVICE
from obs_magics.demo.world.traces import Pods, Spans, hexadecimal, pod_of


@dataclass(frozen=True, slots=True)
class Line:
    """A log line: time in nanoseconds, the text as it was written, and what is known of it without reading it."""

    time: int
    level: str
    service: str
    message: str
    trace_id: str = ""
    span_id: str = ""
    pod: str = ""
    node: str = ""


_STACK = (
    "\njava.util.concurrent.TimeoutException: Timed out after 2000 ms waiting for a connection from pool redis"
    " (active=20, idle=0, max=20, waiting={waiting})"
    "\n\tat com.shop.redis.ConnectionPool.acquire(ConnectionPool.java:214)"
    "\n\tat com.shop.payment.IdempotencyStore.claim(IdempotencyStore.java:61)"
    "\n\tat com.shop.payment.PaymentService.{method}(PaymentService.java:{line})"
    "\n\tat java.base/java.lang.Thread.run(Thread.java:1583)"
)


# What auto_explain adds to a slow statement: the whole table is read for three articles.
_SCAN = (
    "\n\tSeq Scan on inventory  (cost=0.00..91743.00 rows=3 width=112) (actual rows=3 loops=1)"
    "\n\t  Filter: (sku = ANY ('{$1,$2,$3}'::text[]))"
    "\n\t  Rows Removed by Filter: 1999997"
)


@dataclass(frozen=True, slots=True)
class _Outburst:
    """Error lines of the story: so many of a service between two times; the text may be finished by a counter."""

    service: str
    first: str
    last: str
    lines: int


# Of these, all before 14:30 are what the truth counts.
OUTBURSTS: tuple[_Outburst, ...] = (
    _Outburst("payment-api", "14:23:02", "14:27:58", 32),
    _Outburst("user-service", "14:24:41", "14:28:52", 12),
    _Outburst("order-service", "14:26:07", "14:27:49", 3),
    _Outburst("payment-api", "14:31:12", "14:46:31", 9),
    _Outburst("user-service", "14:33:40", "14:45:20", 4),
)


def all_lines(axis: Axis, found: Sequence[Spans], pods: Pods) -> list[Line]:
    """Every line of the hours of detail, in order of time."""
    lines = [line for spans in found for line in _of_spans(spans, pods)]
    for number, outburst in enumerate(OUTBURSTS):
        lines += _of_outburst(outburst, number, pods)
    lines += _of_databases(axis, found)
    lines += _of_lives(pods)
    begin, end = axis.fine_ms * 1_000_000, axis.end_ms * 1_000_000
    inside = [line for line in lines if begin <= line.time <= end]
    return sorted(inside, key=lambda line: (line.time, line.service, line.trace_id, line.message))


def _of_spans(spans: Spans, pods: Pods) -> Iterator[Line]:
    """What a service says when it has answered: at info, or at warn when it was slow or failed."""
    step = spans.step
    pool = step.operation == "redis.pool.acquire"
    if not pool and step.kind not in {"server", "consumer"}:
        return
    write = WRITERS[step.service]
    for index, trace in enumerate(spans.traces):
        time = int(spans.start[index] + spans.duration[index])
        seconds, failed = float(spans.duration[index]) / 1e9, bool(spans.failed[index])
        if pool and seconds < 0.25:
            continue
        pod = pod_of(pods, step.service, trace, time // 1_000_000)
        level, text, fields = _wait(trace, seconds) if pool else _answer(step.operation, trace, seconds, failed)
        said = Said(time, level, text, fields, trace, spans.ids[index], pod)
        yield _line(said, write(said))


def _line(said: Said, message: str) -> Line:
    return Line(
        said.time, said.level, said.pod.service.name, message, said.trace, said.span, said.pod.name, said.pod.node
    )


_Words = tuple[str, str, tuple[tuple[str, str], ...]]


def _wait(trace: str, seconds: float) -> _Words:
    waiting = int(trace[8:10], 16) % 30 + 20
    return "warn", f"Waited {seconds * 1000:.0f} ms for a redis connection (active=20, max=20, waiting={waiting})", ()


def _answer(operation: str, trace: str, seconds: float, failed: bool) -> _Words:
    method, _, path = operation.partition(" ")
    path = path.replace("{id}", str(int(trace[10:14], 16))).replace("{sku}", f"sku-{int(trace[10:14], 16)}")
    status = "500" if failed else "201" if method == "POST" else "200"
    fields = (("method", method), ("path", path), ("status", status), ("seconds", f"{seconds:.3f}"))
    if failed:
        return "warn", "request failed", fields
    return ("warn", "slow request", fields) if seconds > 5 else ("info", "request done", fields)


def _of_outburst(outburst: _Outburst, number: int, pods: Pods) -> Iterator[Line]:
    first, last = at(outburst.first) * 1_000_000, at(outburst.last) * 1_000_000
    steps = (np.arange(outburst.lines) + 0.8 * chance.uniform(outburst.lines, "outburst", number)) / outburst.lines
    times = first + np.floor(steps * (last - first)).astype(np.int64)
    times[0], times[-1] = first, last
    traces = hexadecimal(outburst.lines, 16, "outburst", number)
    ids = hexadecimal(outburst.lines, 8, "outburst span", number)
    for index, time in enumerate(times.tolist()):
        pod = pod_of(pods, outburst.service, traces[index], time // 1_000_000)
        text, fields = _ERRORS[outburst.service](index)
        said = Said(time, "error", text, fields, traces[index], ids[index], pod)
        yield _line(said, WRITERS[outburst.service](said))


def _exhausted(index: int) -> tuple[str, tuple[tuple[str, str], ...]]:
    refund = index % 6 == 4
    path = "/api/refunds" if refund else "/api/payments"
    stack = _STACK.format(waiting=31 + index % 17, method="refund" if refund else "pay", line=142 if refund else 97)
    return "Connection pool exhausted", (("path", path), ("suppressed", str(17 + 5 * index % 41)), ("stack", stack))


def _timed_out(index: int) -> tuple[str, tuple[tuple[str, str], ...]]:
    return "Connection timeout after 30s", (("peer", "payment-api.shop.svc:8080"), ("path", "/api/users/me/wallet"))


def _not_acquired(index: int) -> tuple[str, tuple[tuple[str, str], ...]]:
    return "Unable to acquire connection", (
        ("peer", "payment-api"),
        ("path", "/api/orders"),
        ("attempt", str(3 + index)),
    )


_ERRORS = {"payment-api": _exhausted, "user-service": _timed_out, "order-service": _not_acquired}


def _of_databases(axis: Axis, found: Sequence[Spans]) -> Iterator[Line]:
    """Write what postgres says of slow statements and of itself, and when redis saves."""
    for spans in found:
        statement = dict(spans.step.attributes).get("db.query.text", "")
        if "FROM inventory" not in statement:
            continue
        for index in np.flatnonzero(spans.duration > 1_000_000_000):
            time = int(spans.start[index] + spans.duration[index])
            took = float(spans.duration[index]) / 1e6
            text = f"LOG:  duration: {took:.3f} ms  plan:\n\tQuery Text: {statement}{_SCAN}"
            yield _postgres(time, text, 300 + int(index) % 40)
    for minute in range(axis.fine_ms // 60_000, axis.end_ms // 60_000):
        time = minute * 60_000_000_000
        if minute % 5 == 0:
            buffers = 900 + minute * 37 % 400
            text = (
                f"LOG:  checkpoint complete: wrote {buffers} buffers (1.1%); write=26.{minute % 10}12 s, sync=0.004 s"
            )
            yield _postgres(time + 27_113_000_000, text, 62)
            yield _redis(time + 3_000_000_000, "10 changes in 300 seconds. Saving...")
            yield _redis(time + 3_412_000_000, "Background saving terminated with success")
    table = 'automatic vacuum of table "shop.public.orders": index scans: 1'
    yield _postgres(at("14:16:24") * 1_000_000, f"LOG:  {table}", 911)
    change = "STATEMENT:  DROP INDEX inventory_sku_idx"
    yield _postgres(at("12:38:04") * 1_000_000, change, 318)
    yield _postgres(at("12:59:45") * 1_000_000, "STATEMENT:  CREATE INDEX inventory_sku_idx ON inventory (sku)", 320)


def _postgres(time: int, text: str, process: int) -> Line:
    when = written_time(time, "%Y-%m-%d %H:%M:%S.") + milliseconds(time)
    message = f"{when} UTC [{process}] {text}"
    return Line(time, "info", "postgres", message, pod="postgres-0", node="node-1")


def _redis(time: int, text: str) -> Line:
    when = written_time(time, "%d %b %Y %H:%M:%S.") + milliseconds(time)
    return Line(time, "info", "redis", f"1:M {when} * {text}", pod="redis-0", node="node-3")


def _of_lives(pods: Pods) -> Iterator[Line]:
    """Programs say that they start, stop, and take over a new configuration."""
    started = {(deploy.service, deploy.version) for deploy in DEPLOYS}
    for (service, _), generations in pods.items():
        for pod in generations:
            if (service, pod.version) in started:
                yield _own(pod, pod.start_ms + 4_000, "info", f"started {service} {pod.version}")
            for killed in pod.killed_ms:
                yield _own(pod, killed + 42_000, "info", f"started {service} {pod.version}")
    for time, size, before in (("14:13:00", 20, 100), ("14:47:00", 100, 20)):
        for replica in range(SERVICE["payment-api"].replicas):
            pod = next(one for one in pods["payment-api", replica] if one.start_ms <= at(time) < one.end_ms)
            text = f"configuration changed: redis.pool.max_connections {before} -> {size}"
            yield _own(pod, at(time) + 400 * replica + 210, "info", text)
    for time in (time for _, _, times in OUT_OF_MEMORY for time in times):
        generations = pods["search-service", 1]
        for pod in generations:
            if pod.start_ms <= at(time) < pod.end_ms:
                yield _own(pod, at(time) - 9_000, "warn", "heap usage above 98 %")


def _own(pod: Pod, time_ms: int, level: str, text: str) -> Line:
    """A line about the program itself, in the gateway's case not an access log."""
    said = Said(time_ms * 1_000_000, level, text, (), "", "", pod)
    write = logfmt if pod.service.name == "api-gateway" else WRITERS[pod.service.name]
    return _line(said, write(said))


def logs_table(lines: Sequence[Line]) -> pa.Table:
    """The logs frame of `model`, as Arrow; messages as they were written, levels in order of severity in words."""

    def text(values: list[str]) -> pa.Array:
        return pa.array([value or None for value in values], pa.string())

    return pa.table(
        {
            "timestamp": pa.array([line.time for line in lines], pa.timestamp("ns", tz="UTC")),
            "level": text([line.level for line in lines]),
            "service": text([line.service for line in lines]),
            "message": text([line.message for line in lines]),
            "trace_id": text([line.trace_id for line in lines]),
            "span_id": text([line.span_id for line in lines]),
            "namespace": pa.array([NAMESPACE] * len(lines), pa.string()),
            "pod": text([line.pod for line in lines]),
            "node": text([line.node for line in lines]),
        }
    )
