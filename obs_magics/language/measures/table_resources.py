"""The table, third part: what a service uses of pools, CPU, memory and disks, its restarts, and whether it is there."""

from __future__ import annotations

from obs_magics.language.measures.rows import APP, KUBE, NODE, Row


def _row(
    measure: str,
    name: str,
    metrics: str,
    query: str,
    *,
    services: tuple[str, ...] = APP,
    by: tuple[str, ...] = (),
    unit: str = "",
) -> Row:
    return Row(
        measure=measure, name=name, metrics=tuple(metrics.split()), query=query, services=services, by=by, unit=unit
    )


_SUM = "sum by ($by) ($metric{$selector})"
_RATE = "sum by ($by) (rate($metric{$selector}[$window]))"
# cAdvisor counts a pod as a whole (no container) and its sandbox (POD) beside the containers
_REAL = 'container!="",container!="POD"'


def _share(limit: str, used: str = "$selector", whole: str = "$selector") -> str:
    """The fullest: how much of a limit is used, where there is a limit (0 or -1 stand for none)."""
    return f"max by ($by) ($metric{{{used}}} / ({limit}{{{whole}}} > 0))"


def _pool(used: str, maximum: str) -> str:
    """As `_share`, for a metric that has one series a state of a connection."""
    return f"max by ($by) (sum without (state) ($metric{{$selector,{used}}}) / ({maximum}{{$selector}} > 0))"


# HikariCP by Micrometer, OpenTelemetry's database clients, client_golang's DBStatsCollector, sqlstats, Tomcat, Jetty,
# executors of Micrometer, Puma, then what a container may use
SATURATION: tuple[Row, ...] = (
    _row("saturation", "HikariCP", "hikaricp_connections_active", _share("hikaricp_connections_max"), by=("pool",)),
    _row(
        "saturation",
        "connection pools",
        "db_pool_connections_active",
        _share("db_pool_connections_max"),
        by=("pool",),
    ),
    _row(
        "saturation",
        "OpenTelemetry database client",
        "db_client_connection_count db.client.connection.count",
        'max by ($by) (sum without (db_client_connection_state) ($metric{$selector,db_client_connection_state="used"})'
        " / (db_client_connection_max{$selector} > 0))",
        by=("db_client_connection_pool_name",),
    ),
    _row(
        "saturation",
        "OpenTelemetry database client, before 1.26",
        "db_client_connections_usage",
        _pool('state="used"', "db_client_connections_max"),
        by=("pool_name",),
    ),
    _row("saturation", "Go database/sql", "go_sql_in_use_connections", _share("go_sql_max_open_connections"),
         by=("db_name",)),
    _row("saturation", "Go sqlstats", "go_sql_stats_connections_in_use", _share("go_sql_stats_connections_max_open"),
         by=("db_name",)),
    _row("saturation", "JDBC pool", "jdbc_connections_active", _share("jdbc_connections_max"), by=("name",)),
    _row("saturation", "Tomcat threads", "tomcat_threads_busy_threads", _share("tomcat_threads_config_max_threads")),
    _row("saturation", "Jetty threads", "jetty_threads_busy", _share("jetty_threads_config_max")),
    _row("saturation", "executor threads", "executor_active_threads", _share("executor_pool_max_threads"),
         by=("name",)),
    _row(
        "saturation",
        "container memory limit",
        "container_memory_working_set_bytes",
        _share("container_spec_memory_limit_bytes", f"$selector,{_REAL}", f"$selector,{_REAL}"),
        services=KUBE,
    ),
    _row(
        "saturation",
        "container memory limit by kube-state-metrics",
        "container_memory_working_set_bytes",
        f"max by ($by) ($metric{{$selector,{_REAL}}} / on (namespace, pod, container) group_left ()"
        ' (max by (namespace, pod, container) (kube_pod_container_resource_limits{resource="memory"}) > 0))',
        services=KUBE,
    ),
    _row(
        "saturation",
        "CPU throttling",
        "container_cpu_cfs_throttled_periods_total",
        f"{_RATE} / (sum by ($by) (rate(container_cpu_cfs_periods_total{{$selector}}[$window])) > 0)",
        services=KUBE,
    ),
    _row(
        "saturation",
        "JVM heap",
        "jvm_memory_used_bytes",
        'max by ($by) (sum by ($by, instance) ($metric{$selector,area="heap"})'
        ' / (sum by ($by, instance) (jvm_memory_max_bytes{$selector,area="heap"}) > 0))',
    ),
    _row(
        "saturation",
        "OpenTelemetry JVM heap",
        "jvm_memory_used_bytes",
        'max by ($by) (sum by ($by, instance) ($metric{$selector,jvm_memory_type="heap"})'
        ' / (sum by ($by, instance) (jvm_memory_limit_bytes{$selector,jvm_memory_type="heap"}) > 0))',
    ),
    _row("saturation", "open files", "process_open_fds", _share("process_max_fds")),
    _row(
        "saturation",
        "node_exporter, fullest disk",
        "node_filesystem_avail_bytes",
        'max by ($by) (1 - $metric{$selector,fstype!~"tmpfs|overlay|squashfs"}'
        ' / (node_filesystem_size_bytes{$selector,fstype!~"tmpfs|overlay|squashfs"} > 0))',
        services=NODE,
        by=("mountpoint",),
    ),
)  # fmt: skip

CPU: tuple[Row, ...] = (
    _row(
        "cpu_usage",
        "cAdvisor",
        "container_cpu_usage_seconds_total",
        f"sum by ($by) (rate($metric{{$selector,{_REAL}}}[$window]))",
        services=KUBE,
    ),
    _row("cpu_usage", "OpenTelemetry kubelet", "k8s_pod_cpu_usage k8s.pod.cpu.usage", _SUM, services=KUBE),
    _row("cpu_usage", "process", "process_cpu_seconds_total", _RATE),
    _row("cpu_usage", "OpenTelemetry process", "process_cpu_time_seconds_total process.cpu.time", _RATE),
    _row("cpu_usage", "OpenTelemetry JVM", "jvm_cpu_time_seconds_total", _RATE),
    _row("cpu_usage", "Micrometer process, share of cores", "process_cpu_usage",
         "avg by ($by) ($metric{$selector})", unit="1"),
    _row(
        "cpu_usage",
        "node_exporter, share of cores",
        "node_cpu_seconds_total",
        '1 - sum by ($by) (rate($metric{$selector,mode="idle"}[$window]))'
        " / (sum by ($by) (rate($metric{$selector}[$window])) > 0)",
        services=NODE,
        unit="1",
    ),
)  # fmt: skip

MEMORY: tuple[Row, ...] = (
    _row(
        "memory_usage",
        "cAdvisor, working set",
        "container_memory_working_set_bytes",
        f"sum by ($by) ($metric{{$selector,{_REAL}}})",
        services=KUBE,
    ),
    _row(
        "memory_usage",
        "cAdvisor",
        "container_memory_rss container_memory_usage_bytes",
        f"sum by ($by) ($metric{{$selector,{_REAL}}})",
        services=KUBE,
    ),
    _row(
        "memory_usage",
        "OpenTelemetry kubelet",
        "k8s_pod_memory_working_set_bytes k8s_pod_memory_working_set k8s.pod.memory.working_set",
        _SUM,
        services=KUBE,
    ),
    _row("memory_usage", "process", "process_resident_memory_bytes", _SUM),
    _row("memory_usage", "OpenTelemetry process", "process_memory_usage_bytes process.memory.usage", _SUM),
    _row("memory_usage", "JVM", "jvm_memory_used_bytes jvm.memory.used", _SUM),
    _row(
        "memory_usage",
        "node_exporter",
        "node_memory_MemAvailable_bytes",
        "sum by ($by) (node_memory_MemTotal_bytes{$selector}) - sum by ($by) ($metric{$selector})",
        services=NODE,
    ),
)

# https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics; a process that begins again has another start
LIFE: tuple[Row, ...] = (
    _row(
        "restarts",
        "kube-state-metrics",
        "kube_pod_container_status_restarts_total",
        "sum by ($by) (changes($metric{$selector}[$window]))",
        services=KUBE,
    ),
    _row(
        "restarts",
        "OpenTelemetry cluster receiver",
        "k8s_container_restarts k8s.container.restarts",
        "sum by ($by) (changes($metric{$selector}[$window]))",
        services=KUBE,
    ),
    _row(
        "restarts",
        "process start",
        "process_start_time_seconds",
        "sum by ($by) (changes($metric{$selector}[$window]))",
    ),
    _row(
        "availability",
        "kube-state-metrics, deployment",
        "kube_deployment_status_replicas_available",
        "sum by ($by) ($metric{$selector}) / (sum by ($by) (kube_deployment_spec_replicas{$selector}) > 0)",
        services=("deployment", *KUBE),
    ),
    _row(
        "availability",
        "kube-state-metrics, stateful set",
        "kube_statefulset_status_replicas_ready",
        "sum by ($by) ($metric{$selector}) / (sum by ($by) (kube_statefulset_replicas{$selector}) > 0)",
        services=("statefulset", *KUBE),
    ),
    _row("availability", "targets that answer", "up", "avg by ($by) ($metric{$selector})"),
    _row("availability", "blackbox_exporter", "probe_success", "avg by ($by) ($metric{$selector})"),
)

RESOURCES: tuple[Row, ...] = (*SATURATION, *CPU, *MEMORY, *LIFE)
