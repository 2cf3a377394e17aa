"""What metrics are called: by stacks of services, and by exporters of databases, caches and queues.

Each metric is a quantity of the world under a name, as a gauge or as a counter, in a unit of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from support.rca_worlds.graph import Node

Quantity = Literal[
    "p50",
    "p90",
    "p99",
    "mean",
    "time",
    "errors",
    "error_share",
    "success",
    "requests",
    "cpu",
    "cpu_time",
    "memory",
    "restarts",
    "busy",
    "pool_used",
    "pool_waiting",
    "network",
    "gc",
    "throttled",
    "disk",
    "locks",
    "slow",
    "lag",
    "age",
    "retransmits",
    "rows",
    "clients",
    "wander",
]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its name, what it tells, whether it is a counter, and what its values are multiplied by."""

    name: str
    quantity: Quantity
    counter: bool = False
    scale: float = 1.0


def _gauges(**named: Quantity) -> tuple[Metric, ...]:
    return tuple(Metric(name, quantity) for name, quantity in named.items())


SERVICES: Mapping[str, tuple[Metric, ...]] = {
    "otel": (
        Metric("http_server_request_duration_seconds_p99", "p99", scale=1e-3),
        Metric("http_server_request_duration_seconds_p50", "p50", scale=1e-3),
        Metric("http_server_error_ratio", "error_share"),
        Metric("http_server_requests_per_second", "requests"),
        Metric("process_cpu_utilization", "cpu"),
        Metric("process_memory_usage_bytes", "memory", scale=1e6),
        Metric("db_client_connections_usage", "pool_used"),
        Metric("db_client_connections_pending_requests", "pool_waiting"),
        Metric("system_filesystem_utilization", "disk"),
        Metric("process_open_file_descriptors", "wander", scale=80.0),
    ),
    "prom": (
        Metric("istio_requests_total", "requests", counter=True),
        Metric("istio_request_errors_total", "errors", counter=True),
        Metric("istio_request_duration_milliseconds_sum", "time", counter=True),
        Metric("istio_request_duration_milliseconds_p95", "p90"),
        Metric("container_cpu_usage_seconds_total", "cpu_time", counter=True),
        Metric("container_cpu_cfs_throttled_seconds_total", "throttled", counter=True),
        Metric("container_memory_working_set_bytes", "memory", scale=1e6),
        Metric("container_network_receive_bytes_total", "network", counter=True, scale=2e3),
        Metric("kube_pod_container_status_restarts_total", "restarts", counter=True),
        Metric("go_goroutines", "busy", scale=7.0),
        Metric("go_sql_in_use_connections", "pool_used"),
        Metric("go_memstats_next_gc_bytes", "wander", scale=2e7),
    ),
    "cloudwatch": (
        Metric("TargetResponseTime_p99", "p99", scale=1e-3),
        Metric("TargetResponseTime_Average", "mean", scale=1e-3),
        Metric("HTTPCode_Target_5XX_Count", "errors", scale=60.0),
        Metric("RequestCount", "requests", scale=60.0),
        Metric("CPUUtilization", "cpu", scale=100.0),
        Metric("MemoryUtilization", "memory", scale=0.1),
        Metric("NetworkPacketsIn", "network", scale=3.0),
        Metric("VolumeQueueLength", "wander"),
    ),
    "datadog": (
        Metric("trace.http.request.duration.p95", "p90", scale=1e6),
        Metric("trace.http.request.errors", "errors"),
        Metric("trace.http.request.hits", "requests"),
        Metric("docker.cpu.usage", "cpu", scale=100.0),
        Metric("docker.mem.rss", "memory", scale=1e6),
        Metric("kubernetes.containers.restarts", "restarts", counter=True),
        Metric("system.net.tcp.retrans_segs", "retransmits"),
        Metric("system.disk.in_use", "disk"),
        Metric("system.load.norm.5", "wander"),
    ),
    "spring": (
        Metric("http_server_requests_seconds_count", "requests", counter=True),
        Metric("http_server_requests_seconds_sum", "time", counter=True, scale=1e-3),
        Metric("http_server_requests_seconds_max", "p99", scale=2e-3),
        Metric("http_server_requests_errors_total", "errors", counter=True),
        Metric("process_cpu_usage", "cpu"),
        Metric("jvm_memory_used_bytes", "memory", scale=1e6),
        Metric("jvm_gc_pause_seconds_sum", "gc", counter=True),
        Metric("jvm_threads_live_threads", "wander", scale=60.0),
        Metric("tomcat_threads_busy_threads", "busy"),
        Metric("hikaricp_connections_active", "pool_used"),
        Metric("hikaricp_connections_pending", "pool_waiting"),
    ),
    "short": _gauges(lat_p50="p50", lat_p99="p99", err="error_share", rps="requests", cpu="cpu", mem="memory"),
}

STORES: Mapping[str, tuple[tuple[Metric, ...], ...]] = {
    "db": (
        (
            Metric("pg_stat_activity_count", "clients"),
            Metric("pg_locks_count", "locks"),
            Metric("pg_stat_database_tup_fetched", "rows", counter=True),
            Metric("pg_stat_database_xact_commit", "requests", counter=True),
            Metric("pg_stat_statements_mean_exec_time_ms", "mean"),
            Metric("node_filesystem_used_ratio", "disk"),
            Metric("pg_stat_bgwriter_buffers_alloc", "wander", counter=True, scale=20.0),
        ),
        (
            Metric("mysql_global_status_threads_running", "clients"),
            Metric("mysql_global_status_slow_queries", "slow", counter=True),
            Metric("mysql_global_status_innodb_row_lock_waits", "locks", counter=True),
            Metric("mysql_global_status_queries", "requests", counter=True),
            Metric("mysql_global_status_innodb_rows_read", "rows", counter=True),
            Metric("mysql_disk_usage_percent", "disk", scale=100.0),
        ),
        (
            Metric("DatabaseConnections", "clients"),
            Metric("ReadLatency", "mean", scale=1e-3),
            Metric("CPUUtilization", "cpu", scale=100.0),
            Metric("DiskSpaceUsedPercent", "disk", scale=100.0),
            Metric("DBLoad", "locks"),
        ),
    ),
    "cache": (
        (
            Metric("redis_connected_clients", "clients"),
            Metric("redis_commands_processed_total", "requests", counter=True),
            Metric("redis_commands_duration_seconds_p99", "p99", scale=1e-3),
            Metric("redis_memory_used_bytes", "memory", scale=1e6),
            Metric("redis_cpu_usage", "cpu"),
        ),
    ),
    "queue": (
        (
            Metric("kafka_consumergroup_lag", "lag"),
            Metric("kafka_topic_partition_current_offset", "requests", counter=True),
            Metric("kafka_log_size_ratio", "disk"),
        ),
        (
            Metric("ApproximateAgeOfOldestMessage", "age"),
            Metric("NumberOfMessagesSent", "requests"),
            Metric("ApproximateNumberOfMessagesVisible", "lag"),
        ),
    ),
}


def metrics_of(node: Node) -> tuple[Metric, ...]:
    """What is measured of a node; which exporter a store has follows from its name."""
    if node.kind in {"gateway", "service"}:
        return SERVICES[node.stack]
    choices = STORES[node.kind]
    return choices[sum(map(ord, node.name)) % len(choices)]


LATENCIES: tuple[Quantity, ...] = ("p99", "p90", "mean", "p50", "time")
FAILURES: tuple[Quantity, ...] = ("error_share", "errors", "success")
