"""What redis, postgres, the nodes and the queue say, and the alerts that fired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from obs_magics.demo.world import chance, story
from obs_magics.demo.world.clock import Axis, at, curve, daily
from obs_magics.demo.world.happenings import ALERTS
from obs_magics.demo.world.population import Host
from obs_magics.demo.world.recorder import Recorder
from obs_magics.demo.world.runtime import MIB, Replica
from obs_magics.demo.world.topology import NAMESPACE, NODES
from obs_magics.model.catalog import MetricType

Array = np.ndarray[Any, Any]
GIB = 1024 * MIB

METADATA: tuple[tuple[str, MetricType, str, str], ...] = (
    ("redis_up", "gauge", "", "1 when redis answers."),
    ("redis_connected_clients", "gauge", "", "Client connections."),
    ("redis_maxclients", "gauge", "", "Connections redis accepts."),
    ("redis_memory_used_bytes", "gauge", "By", "Memory that redis uses."),
    ("redis_commands_processed_total", "counter", "", "Commands processed."),
    ("redis_commands_duration_seconds_total", "counter", "s", "Time spent on commands."),
    ("redis_keyspace_hits_total", "counter", "", "Look-ups that found their key."),
    ("redis_keyspace_misses_total", "counter", "", "Look-ups that did not."),
    ("pg_up", "gauge", "", "1 when postgres answers."),
    ("pg_settings_max_connections", "gauge", "", "Connections postgres accepts."),
    ("pg_stat_activity_count", "gauge", "", "Connections by state."),
    ("pg_stat_database_xact_commit", "counter", "", "Transactions committed."),
    ("pg_stat_database_xact_rollback", "counter", "", "Transactions rolled back."),
    ("pg_stat_user_tables_seq_tup_read", "counter", "", "Rows read by sequential scans, by table."),
    ("pg_stat_user_tables_idx_tup_fetch", "counter", "", "Rows fetched through an index, by table."),
    ("pg_locks_count", "gauge", "", "Locks held, by mode."),
    ("pg_database_size_bytes", "gauge", "By", "Size of the database."),
    ("node_cpu_seconds_total", "counter", "s", "Time the CPUs spent in each mode."),
    ("node_load1", "gauge", "", "Load average over one minute."),
    ("node_memory_MemTotal_bytes", "gauge", "By", "Memory of the node."),
    ("node_memory_MemAvailable_bytes", "gauge", "By", "Memory that programs can have."),
    ("node_filesystem_size_bytes", "gauge", "By", "Size of the file system."),
    ("node_filesystem_avail_bytes", "gauge", "By", "Space left for users."),
    ("node_disk_io_time_seconds_total", "counter", "s", "Time the disk was busy."),
    ("node_network_receive_bytes_total", "counter", "By", "Bytes received."),
    ("node_network_transmit_bytes_total", "counter", "By", "Bytes sent."),
    ("orders_created_total", "counter", "", "Orders accepted."),
    ("notifications_sent_total", "counter", "", "Messages handed to a provider, by provider and outcome."),
    ("queue_depth", "gauge", "", "Messages that wait in the queue."),
    ("ALERTS", "gauge", "", "Alerts that are pending or firing."),
)

_CORES = 8
_MEMORY = 32 * GIB
_DISK = 200 * GIB


def record_infrastructure(recorder: Recorder, replicas: Sequence[Replica]) -> None:
    """Record everything that is not a service."""
    for name, kind, unit, text in METADATA:
        recorder.describe(name, kind, unit, text)
    rates = _rates(replicas, len(recorder.axis))
    _record_redis(recorder, rates)
    _record_postgres(recorder, rates)
    for number, node in enumerate(NODES):
        _record_node(recorder, node, number, replicas)
    _record_business(recorder, rates)
    _record_alerts(recorder)


def _rates(replicas: Sequence[Replica], rows: int) -> Mapping[str, Array]:
    totals: dict[str, Array] = {}
    for replica in replicas:
        name = replica.service.name
        totals[name] = totals.get(name, np.zeros(rows)) + replica.rate
    return totals


def _record_redis(recorder: Recorder, rates: Mapping[str, Array]) -> None:
    axis, redis = recorder.axis, Host("redis")
    labels = {"job": "redis", "service": "redis", "namespace": NAMESPACE, "instance": "redis-0:9121"}
    commands = rates["payment-api"] * 3.2 + rates["cart-service"] * 2.4 + rates["recommendation-service"] * 1.6
    starved = curve(axis.times_ms, story.STARVED)
    counted = chance.counts(commands * (1 - 0.12 * starved) * axis.dt, "redis commands")
    held = (
        rates["payment-api"] * 2.15 * 1.45 + 6 + rates["cart-service"] * 0.3 + rates["recommendation-service"] * 0.5 + 8
    )
    limit = story.pool_size("payment-api", "redis", 100, axis.times_ms) * 3
    clients = np.round(np.where(limit < 100, np.minimum(held, limit + rates["cart-service"] * 0.8), held))
    hits = np.floor(counted * 0.58)
    memory = 412 * MIB * (0.9 + 0.12 * daily(axis.times_ms)) * chance.wander(axis.times_ms, 0.01, "redis memory")
    gauges: dict[str, Array | float] = {
        "redis_up": 1.0,
        "redis_connected_clients": clients,
        "redis_maxclients": 10_000.0,
        "redis_memory_used_bytes": np.floor(memory / 1024) * 1024,
    }
    counters = {
        "redis_commands_processed_total": counted,
        "redis_commands_duration_seconds_total": np.round(counted * 0.000021, 5),
        "redis_keyspace_hits_total": hits,
        "redis_keyspace_misses_total": np.floor((counted - hits) * 0.11),
    }
    _record(recorder, redis, labels, gauges, counters)


def _record_postgres(recorder: Recorder, rates: Mapping[str, Array]) -> None:
    axis, postgres = recorder.axis, Host("postgres")
    labels = {"job": "postgres", "service": "postgres", "namespace": NAMESPACE, "instance": "postgres-0:9187"}
    missing, vacuum = curve(axis.times_ms, story.INDEX_MISSING), curve(axis.times_ms, story.VACUUM)
    queries = rates["payment-api"] + rates["inventory-service"] + rates["order-service"] + 0.4 * rates["user-service"]
    commits = chance.counts(queries * axis.dt, "pg commits")
    reserve = rates["inventory-service"] * 14 / 44
    _record(
        recorder,
        postgres,
        labels,
        {"pg_up": 1.0, "pg_settings_max_connections": 300.0},
        {},
    )
    shop = {**labels, "datname": "shop"}
    recorder.counter(postgres, "pg_stat_database_xact_commit", shop, commits)
    recorder.counter(postgres, "pg_stat_database_xact_rollback", shop, np.floor(commits * 0.002))
    active = np.round(3 + queries * 0.035 + missing * (41 + 9 * chance.uniform(len(axis), "pg active")))
    idle = np.round(34 + queries * 0.05)
    for state, values in {"active": active, "idle": idle, "idle in transaction": np.round(1 + 2 * missing)}.items():
        recorder.gauge(postgres, "pg_stat_activity_count", {**shop, "state": state}, values)
    tables = {
        "inventory": (missing * reserve * 2_000_000, reserve * (1 - missing) * 4.2),
        "orders": (0.3 * rates["order-service"], rates["order-service"] * 6),
        "payments": (0.2 * rates["payment-api"], rates["payment-api"] * 3),
        "users": (0.1 * rates["user-service"], rates["user-service"] * 0.9),
    }
    for table, (scanned, fetched) in tables.items():
        names = {**shop, "relname": table}
        scans = np.floor(scanned * axis.dt)
        recorder.counter(postgres, "pg_stat_user_tables_seq_tup_read", names, scans)
        fetches = chance.counts(fetched * axis.dt, "pg fetched", table)
        recorder.counter(postgres, "pg_stat_user_tables_idx_tup_fetch", names, fetches)
    locks = np.round(4 + queries * 0.06 + 22 * missing + 3 * vacuum)
    recorder.gauge(postgres, "pg_locks_count", {**shop, "mode": "accesssharelock"}, locks)
    grown = 41.2 * GIB + np.cumsum(np.floor(commits * 310))
    recorder.gauge(postgres, "pg_database_size_bytes", shop, np.floor(grown / 8192) * 8192)


def _record_node(recorder: Recorder, node: str, number: int, replicas: Sequence[Replica]) -> None:
    axis, target = recorder.axis, Host(node)
    labels = {"job": "node", "instance": f"10.0.0.{number + 11}:9100", "node": node}
    here = [replica for replica in replicas if replica.pods[-1].node == node]
    cores = 0.35 + sum((replica.rate * replica.service.cpu for replica in here), np.zeros(len(axis)))
    job = story.hourly_job(axis.times_ms) if node == "node-2" else np.zeros(len(axis))
    database = (curve(axis.times_ms, story.INDEX_MISSING) * 3.1 + 0.5) if node == "node-1" else np.zeros(len(axis))
    busy = np.minimum((cores + database) * chance.wander(axis.times_ms, 0.05, "node cpu", node) + 2.6 * job, 7.8)
    vacuum = curve(axis.times_ms, story.VACUUM) if node == "node-1" else np.zeros(len(axis))
    waiting = 0.04 + 0.25 * vacuum + 0.12 * (database > 1)
    modes = {"user": busy * 0.78, "system": busy * 0.22, "iowait": waiting, "idle": _CORES - busy - waiting}
    for mode, share in modes.items():
        spent = np.round(np.maximum(share, 0) * axis.dt, 2)
        recorder.counter(target, "node_cpu_seconds_total", {**labels, "cpu": "all", "mode": mode}, spent)
    traffic = sum((replica.rate for replica in here), np.zeros(len(axis)))
    used = (
        (9.5 + 1.8 * daily(axis.times_ms) + 1.2 * job) * GIB * chance.wander(axis.times_ms, 0.02, "node memory", node)
    )
    gauges: dict[str, Array | float] = {
        "node_load1": np.round(busy * (0.96 + 0.08 * chance.uniform(len(axis), "load", node)), 2),
        "node_memory_MemTotal_bytes": _MEMORY,
        "node_memory_MemAvailable_bytes": np.floor((_MEMORY - used) / 4096) * 4096,
    }
    counters = {"node_disk_io_time_seconds_total": np.round((0.03 + waiting * 1.6) * axis.dt, 3)}
    _record(recorder, target, labels, gauges, counters)
    disk = {**labels, "device": "/dev/nvme0n1p1", "mountpoint": "/", "fstype": "ext4"}
    recorder.gauge(target, "node_filesystem_size_bytes", disk, _DISK)
    recorder.gauge(target, "node_filesystem_avail_bytes", disk, _free_space(axis, node))
    card = {**labels, "device": "eth0"}
    recorder.counter(target, "node_network_receive_bytes_total", card, np.floor(traffic * 2_900 * axis.dt))
    recorder.counter(target, "node_network_transmit_bytes_total", card, np.floor(traffic * 11_400 * axis.dt))


def _free_space(axis: Axis, node: str) -> Array:
    """node-3 fills up slowly and nobody has to hurry: it has been above 80 % for days."""
    days = (axis.times_ms - axis.times_ms[0]) / 86_400_000
    used = 0.79 + 0.006 * days if node == "node-3" else 0.41 + 0.002 * days
    free: Array = np.floor(_DISK * (1 - used) / 4096) * 4096
    return free


def _record_business(recorder: Recorder, rates: Mapping[str, Array]) -> None:
    axis = recorder.axis
    shop = {"namespace": NAMESPACE}
    failing = curve(axis.times_ms, story.STARVED)
    orders = chance.counts(rates["order-service"] * 14 / 26 * (1 - 0.04 * failing) * axis.dt, "orders")
    order = {**shop, "job": "order-service", "service": "order-service"}
    recorder.counter(Host("order-service"), "orders_created_total", order, orders)
    limited = curve(axis.times_ms, story.PROVIDER_LIMITS)
    sender = {**shop, "job": "notification-service", "service": "notification-service"}
    target = Host("notification-service")
    for provider, share in {"mail": 0.8, "sms": 0.2}.items():
        wanted = rates["notification-service"] * share
        refused = wanted * (0.21 * limited if provider == "mail" else 0.0 * limited)
        outcomes = {"sent": wanted - refused, "rate_limited": refused}
        for outcome, rate in outcomes.items():
            labels = {**sender, "provider": provider, "outcome": outcome}
            increments = chance.counts(rate * axis.dt, "notifications", provider, outcome)
            recorder.counter(target, "notifications_sent_total", labels, increments)
    depth = np.floor(3 + limited * 240 * curve(axis.times_ms, (("14:05:30", 0.2), ("14:19:30", 1.0))))
    recorder.gauge(target, "queue_depth", {**sender, "queue": "notifications"}, depth)


def _record_alerts(recorder: Recorder) -> None:
    for alert in ALERTS:
        labels = {"alertname": alert.name, "severity": alert.severity, "service": alert.service, "namespace": NAMESPACE}
        pending, firing, end = (
            at(alert.pending),
            at(alert.firing),
            at(alert.end) if alert.end else recorder.axis.end_ms + 1,
        )
        for state, first, last in (("pending", pending, firing), ("firing", firing, end)):
            target = _Span(first, last)
            recorder.gauge(target, "ALERTS", {**labels, "alertstate": state}, 1.0)


@dataclass(frozen=True, slots=True)
class _Span:
    """Something that a rule wrote between two times."""

    first_ms: int
    last_ms: int

    @property
    def offset_ms(self) -> int:
        return Host("rules").offset_ms

    def lives(self, axis: Axis) -> list[tuple[int, int]]:
        first, last = axis.position(self.first_ms), axis.position(self.last_ms)
        return [(first, last)] if first < last else []


def _record(
    recorder: Recorder,
    target: Host,
    labels: Mapping[str, str],
    gauges: Mapping[str, Array | float],
    counters: Mapping[str, Array],
) -> None:
    for name, values in gauges.items():
        recorder.gauge(target, name, labels, values)
    for name, increments in counters.items():
        recorder.counter(target, name, labels, increments)
