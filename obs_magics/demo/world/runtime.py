"""What processes, containers and Kubernetes say: process_*, container_*, kube_*, up, build info, connection pools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from obs_magics.demo.world import chance, story
from obs_magics.demo.world.clock import HOUR_MS, Axis, curve, daily
from obs_magics.demo.world.population import Host, Pod
from obs_magics.demo.world.recorder import Recorder
from obs_magics.demo.world.topology import NAMESPACE, POOLS, Service
from obs_magics.model.catalog import MetricType

Array = np.ndarray[Any, Any]

MIB = 1024.0 * 1024.0
_KSM = Host("kube-state-metrics")
_LEAK_MS = 24 * HOUR_MS  # how long search-service takes from its base to its limit

METADATA: tuple[tuple[str, MetricType, str, str], ...] = (
    ("up", "gauge", "", "1 when the target answered the scrape."),
    ("app_build_info", "gauge", "", "Constant 1, labelled with the version that runs."),
    ("process_cpu_seconds_total", "counter", "s", "User and system CPU time spent."),
    ("process_resident_memory_bytes", "gauge", "By", "Resident memory size."),
    ("process_open_fds", "gauge", "", "Open file descriptors."),
    ("process_start_time_seconds", "gauge", "s", "Start time of the process since the epoch."),
    ("jvm_gc_pause_seconds_count", "counter", "", "Garbage collections."),
    ("jvm_gc_pause_seconds_sum", "counter", "s", "Time spent in garbage collection pauses."),
    ("container_cpu_usage_seconds_total", "counter", "s", "CPU time consumed."),
    ("container_memory_working_set_bytes", "gauge", "By", "Current working set."),
    ("container_spec_memory_limit_bytes", "gauge", "By", "Memory limit."),
    ("kube_pod_info", "gauge", "", "Constant 1, labelled with the node of the pod."),
    ("kube_pod_status_ready", "gauge", "", "1 when the pod is ready to serve."),
    ("kube_pod_container_status_restarts_total", "counter", "", "Restarts of the container."),
    ("kube_pod_container_resource_limits", "gauge", "By", "Limits of the container, by resource."),
    ("kube_deployment_spec_replicas", "gauge", "", "Wanted pods."),
    ("kube_deployment_status_replicas_available", "gauge", "", "Available pods."),
    ("db_pool_connections_max", "gauge", "", "Connections the pool may open."),
    ("db_pool_connections_active", "gauge", "", "Connections in use."),
    ("db_pool_connections_idle", "gauge", "", "Open connections that nobody uses."),
    ("db_pool_connections_pending", "gauge", "", "Requests that wait for a connection."),
    ("db_pool_acquire_timeouts_total", "counter", "", "Requests that gave up waiting for a connection."),
    ("db_pool_acquire_duration_seconds_count", "counter", "", "Connections acquired."),
    ("db_pool_acquire_duration_seconds_sum", "counter", "s", "Time spent waiting for a connection."),
)


@dataclass(frozen=True, slots=True)
class Replica:
    """One replica of a service over time: the pods that it was, and its requests a second on the axis."""

    service: Service
    number: int
    pods: Sequence[Pod]
    rate: Array


def record_runtime(recorder: Recorder, replicas: Sequence[Replica]) -> None:
    """Record everything that is not a request."""
    for name, kind, unit, text in METADATA:
        recorder.describe(name, kind, unit, text)
    for replica in replicas:
        usage = _usage(recorder.axis, replica)
        for pod in replica.pods:
            _record_up(recorder, pod)
            _record_process(recorder, pod, usage, replica)
            _record_container(recorder, pod, usage)
            _record_pod_object(recorder, pod)
        _record_pools(recorder, replica)
    _record_deployments(recorder, replicas)


def _usage(axis: Axis, replica: Replica) -> Mapping[str, Array]:
    """CPU cores and memory in bytes of a replica over time."""
    service, name = replica.service, (replica.service.name, replica.number)
    cores = (0.02 + replica.rate * service.cpu) * chance.wander(axis.times_ms, 0.06, "cpu", *name)
    memory = (
        service.memory * (0.94 + 0.10 * daily(axis.times_ms)) * chance.wander(axis.times_ms, 0.015, "memory", *name)
    )
    if service.name == "search-service":
        memory = memory + _leak(axis, replica)
    return {"cpu": np.round(cores * axis.dt, 3), "memory": np.floor(memory * 256) * 4096.0}


def _leak(axis: Axis, replica: Replica) -> Array:
    """MiB that search-service has lost since its process began."""
    starts = sorted({time for pod in replica.pods for time in (pod.start_ms, *pod.killed_ms)})
    begun = np.asarray(starts)[np.searchsorted(starts, axis.times_ms, side="right") - 1]
    lost: Array = np.minimum((axis.times_ms - begun) / _LEAK_MS, 1.0) * replica.service.memory * 0.62
    return lost


def _record_up(recorder: Recorder, pod: Pod) -> None:
    recorder.gauge(pod, "up", pod.target, 1.0)
    recorder.gauge(pod, "app_build_info", {**pod.target, "language": pod.service.language}, 1.0)


def _record_process(recorder: Recorder, pod: Pod, usage: Mapping[str, Array], replica: Replica) -> None:
    axis = recorder.axis
    recorder.counter(pod, "process_cpu_seconds_total", pod.target, np.round(usage["cpu"] * 0.97, 3))
    recorder.gauge(pod, "process_resident_memory_bytes", pod.target, np.floor(usage["memory"] / 4096 * 0.93) * 4096)
    recorder.gauge(pod, "process_open_fds", pod.target, np.floor(28 + replica.rate * 0.8))
    begun = np.asarray([pod.start_ms, *(time + 38_000 for time in pod.killed_ms)])
    starts = begun[np.clip(np.searchsorted(begun, axis.times_ms, side="right") - 1, 0, None)]
    recorder.gauge(pod, "process_start_time_seconds", pod.target, starts / 1000)
    if pod.service.language == "java":
        name = (pod.service.name, pod.replica)
        pauses = chance.counts((0.01 + replica.rate * 0.004) * axis.dt, "gc", *name)
        took = np.round(pauses * (0.011 + 0.006 * chance.uniform(len(axis), "gc pause", *name)), 4)
        recorder.counter(pod, "jvm_gc_pause_seconds_count", pod.target, pauses)
        recorder.counter(pod, "jvm_gc_pause_seconds_sum", pod.target, took)


def memory_limit(service: Service) -> float:
    """Bytes at which a container of the service is killed."""
    return float(-(-service.memory * 1.65 // 64) * 64 * MIB)


def _record_container(recorder: Recorder, pod: Pod, usage: Mapping[str, Array]) -> None:
    recorder.counter(pod, "container_cpu_usage_seconds_total", pod.container, usage["cpu"])
    recorder.gauge(pod, "container_memory_working_set_bytes", pod.container, usage["memory"])
    recorder.gauge(pod, "container_spec_memory_limit_bytes", pod.container, memory_limit(pod.service))


def _record_pod_object(recorder: Recorder, pod: Pod) -> None:
    axis = recorder.axis
    whole = _Whole(pod)  # Kubernetes knows the pod while its container is down
    recorder.gauge(whole, "kube_pod_info", {**pod.object, "node": pod.node, "host_ip": pod.ip}, 1.0)
    ready = np.ones(len(axis))
    restarts = np.zeros(len(axis))
    for killed in pod.killed_ms:
        ready[axis.position(killed) : axis.position(killed + 40_000)] = 0.0
        restarts[axis.position(killed)] += 1
    recorder.gauge(whole, "kube_pod_status_ready", {**pod.object, "condition": "true"}, ready)
    container = {**pod.object, "container": pod.service.name}
    recorder.counter(whole, "kube_pod_container_status_restarts_total", container, restarts)
    limits = {**container, "resource": "memory", "unit": "byte", "node": pod.node}
    recorder.gauge(whole, "kube_pod_container_resource_limits", limits, memory_limit(pod.service))


@dataclass(frozen=True, slots=True)
class _Whole:
    """A pod as Kubernetes sees it: there from beginning to end, whatever its container does."""

    pod: Pod

    @property
    def offset_ms(self) -> int:
        return _KSM.offset_ms

    def lives(self, axis: Axis) -> list[tuple[int, int]]:
        first, last = axis.position(self.pod.start_ms), axis.position(self.pod.end_ms)
        return [(first, last)] if first < last else []


def _record_deployments(recorder: Recorder, replicas: Sequence[Replica]) -> None:
    axis = recorder.axis
    available: dict[str, Array] = {}
    for replica in replicas:
        there = available.setdefault(replica.service.name, np.zeros(len(axis)))
        for pod in replica.pods:
            for first, last in pod.lives(axis):
                there[first:last] += 1
    for replica in replicas:
        if replica.number == 0:
            name = replica.service.name
            labels = {"job": "kube-state-metrics", "namespace": NAMESPACE, "deployment": name, "service": name}
            recorder.gauge(_KSM, "kube_deployment_spec_replicas", labels, replica.service.replicas)
            recorder.gauge(_KSM, "kube_deployment_status_replicas_available", labels, available[name])


def _record_pools(recorder: Recorder, replica: Replica) -> None:
    axis, service = recorder.axis, replica.service.name
    for owner, pool, size, per_request in POOLS:
        if owner != service:
            continue
        name = (service, pool, replica.number)
        limit = story.pool_size(service, pool, size, axis.times_ms)
        wanted = replica.rate * per_request + chance.bell(len(axis), "pool", *name) * 0.8
        active = np.clip(np.round(wanted), 0, limit)
        starved = curve(axis.times_ms, story.STARVED) if (service, pool) == ("payment-api", "redis") else 0.0 * wanted
        active = np.where(starved > 0.5, limit, active)
        pending = np.floor(starved * (38 + 14 * chance.uniform(len(axis), "pending", *name)))
        idle = np.clip(np.round(active * 0.45) + 2, 0, limit - active)
        failing = np.where(starved >= 1.0, 0.5, np.where(starved > 0.65, 0.09, 0.0)) * (starved > 0)
        waited = np.round(replica.rate * axis.dt * (0.0004 + 0.31 * starved), 4)
        values = {"max": limit, "active": active, "idle": idle, "pending": pending}
        acquired = chance.counts(replica.rate * axis.dt, "acquired", *name)
        for pod in replica.pods:
            labels = {**pod.target, "pool": pool}
            for kind, series in values.items():
                recorder.gauge(pod, f"db_pool_connections_{kind}", labels, series)
            timeouts = chance.counts(failing * axis.dt, "timeouts", *name)
            recorder.counter(pod, "db_pool_acquire_timeouts_total", labels, timeouts)
            recorder.counter(pod, "db_pool_acquire_duration_seconds_count", labels, acquired)
            recorder.counter(pod, "db_pool_acquire_duration_seconds_sum", labels, waited)
