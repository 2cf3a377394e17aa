"""What the services say of their requests: http_requests_total, the duration histogram, requests in flight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from obs_magics.demo.world import chance, story
from obs_magics.demo.world.clock import Axis, daily
from obs_magics.demo.world.population import Pod
from obs_magics.demo.world.recorder import Recorder
from obs_magics.demo.world.topology import Route, Service

Array = np.ndarray[Any, Any]

# The default buckets of Prometheus client libraries, in seconds.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LE = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf")
_MIDDLES = np.array([0.003, 0.0075, 0.0175, 0.0375, 0.072, 0.16, 0.35, 0.7, 1.5, 3.5, 7.0, 12.0])
_NEAR_P99 = 0.0098  # share of requests in the bucket where the 99th percentile lies
_CLIENT_ERRORS = 0.011


def expected_rate(service: Service, route: Route, axis: Axis) -> Array:
    """Requests a second of a route over all replicas."""
    usual = route.rps * daily(axis.times_ms) * chance.wander(axis.times_ms, 0.03, "traffic", service.name, route.path)
    rate: Array = usual * story.traffic(service, axis.times_ms)
    return rate


def record_requests(recorder: Recorder, service: Service, replicas: Sequence[Sequence[Pod]]) -> Array:
    """Record the requests of a service; gives the requests a second of each replica, (replicas, rows)."""
    _describe(recorder)
    rates = np.zeros((len(replicas), len(recorder.axis)))
    for number, pods in enumerate(replicas):
        share = 1 / len(replicas) * (0.96 + 0.08 * chance.stream("share", service.name, number).random())
        busy = np.zeros(len(recorder.axis))
        for route in service.routes:
            rate = expected_rate(service, route, recorder.axis) * share
            mean = _record_route(recorder, service, route, pods, rate)
            rates[number] += rate
            busy += rate * mean
        in_flight = chance.counts(busy, "in flight", service.name, number)
        for pod in pods:
            recorder.gauge(pod, "http_requests_in_flight", pod.target, in_flight)
    return rates


def _record_route(recorder: Recorder, service: Service, route: Route, pods: Sequence[Pod], rate: Array) -> Array:
    """Record one route of one replica; gives the mean duration over time in seconds."""
    axis, name = recorder.axis, (service.name, route.method, route.path, pods[0].replica)
    requests = chance.counts(rate * axis.dt, "requests", *name)
    failed = np.floor(requests * story.errors(service, route, axis.times_ms) + chance.uniform(len(axis), "5xx", *name))
    failed = np.minimum(failed, requests)
    refused = np.floor((requests - failed) * _CLIENT_ERRORS + chance.uniform(len(axis), "4xx", *name))
    refused = np.minimum(refused, requests - failed)
    codes = {_ok(route): requests - failed - refused, "404" if route.method == "GET" else "422": refused}
    codes["503" if service.name == "payment-api" else "500"] = failed
    buckets = _bucket_counts(service, route, axis, requests, name)
    sums = np.diff(buckets, axis=0, prepend=0).T @ _MIDDLES
    sums = np.round(sums * (0.98 + 0.04 * chance.uniform(len(axis), "sum", *name)), 4)
    for pod in pods:
        labels = {**pod.target, "method": route.method, "route": route.path}
        for code, increments in codes.items():
            recorder.counter(pod, "http_requests_total", {**labels, "code": code}, increments)
        for le, increments in zip(_LE, buckets, strict=True):
            recorder.counter(pod, "http_request_duration_seconds_bucket", {**labels, "le": le}, increments)
        recorder.counter(pod, "http_request_duration_seconds_count", labels, requests)
        recorder.counter(pod, "http_request_duration_seconds_sum", labels, sums)
    mean: Array = np.divide(sums, requests, out=np.full(len(axis), route.median), where=requests > 0)
    return mean


def _ok(route: Route) -> str:
    return "201" if route.method == "POST" else "200"


def _bucket_counts(service: Service, route: Route, axis: Axis, requests: Array, name: tuple[Any, ...]) -> Array:
    """Cumulative requests per bucket, (buckets, rows)."""
    median, p99 = story.latency(service, route, axis.times_ms)
    wobble = chance.wander(axis.times_ms, 0.03, "latency", *name[:3], every_ms=180_000)
    shares = bucket_shares(median * wobble, p99 * wobble)
    counted = np.floor(requests * shares + chance.uniform(len(axis), "buckets", *name))
    stacked: Array = np.vstack([np.minimum(counted, requests), requests])
    return stacked


def bucket_shares(median: Array, p99: Array) -> Array:
    """Share of requests at or below each of `BOUNDS`, (bounds, rows).

    Log-logistic, but bent where the 99th percentile lies: there the shares are such that the straight line which
    `histogram_quantile` draws inside a bucket meets 0.99 at `p99` exactly (nearly, where the median is in it too).
    """
    bounds = np.array(BOUNDS)
    high = np.clip(np.searchsorted(bounds, p99), 1, len(bounds) - 1)
    low_bound, high_bound = bounds[high - 1], bounds[high]
    inside = (p99 - low_bound) / (high_bound - low_bound)
    raw = _log_logistic(bounds[:, None], median, p99)
    at_low = _log_logistic(low_bound, median, p99)
    lowest = (0.9899 - inside) / np.maximum(1 - inside, 1e-9)  # else more than all would have to be at or below `high`
    at_low = np.where(median > low_bound, at_low, np.maximum(at_low, lowest))
    at_low = np.minimum(at_low, 0.99 - inside * _NEAR_P99)
    at_high = np.minimum(at_low + (0.99 - at_low) / np.maximum(inside, 1e-9), 1 - 1e-4)
    below = raw * at_low / _log_logistic(low_bound, median, p99)
    above = 1 - (1 - raw) * (1 - at_high) / (1 - _log_logistic(high_bound, median, p99))
    rows = np.arange(len(bounds))[:, None]
    shares = np.where(rows < high - 1, below, np.where(rows > high, above, np.where(rows == high, at_high, at_low)))
    rounded: Array = np.round(shares, 9)
    return rounded


def _log_logistic(seconds: Array, median: Array, p99: Array) -> Array:
    steepness = np.log(99.0) / np.log(p99 / median)
    share: Array = 1 / (1 + (seconds / median) ** -steepness)
    return share


def _describe(recorder: Recorder) -> None:
    recorder.describe("http_requests_total", "counter", "", "Requests answered, by route and status code.")
    recorder.describe("http_requests_in_flight", "gauge", "", "Requests being worked on.")
    text = "Time to answer a request."
    for suffix in ("", "_bucket", "_count", "_sum"):
        unit = "s" if suffix in {"", "_sum"} else ""
        recorder.describe(f"http_request_duration_seconds{suffix}", "histogram", unit, text)
