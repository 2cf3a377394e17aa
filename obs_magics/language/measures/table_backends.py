"""The table, second part: databases, caches, queues and search, as their exporters tell of them.

These stand before what tells of a process or a target alone: under the name `redis` a process is the exporter's.
"""

from __future__ import annotations

from obs_magics.language.measures.rows import EXPORTER, Row


def _row(
    measure: str, name: str, metric: str, query: str, *, by: tuple[str, ...] = (), unit: str = "", also: str = ""
) -> Row:
    """A row that tells of a backend; `also` names more labels in which its name may stand."""
    return Row(
        measure=measure,
        name=name,
        metrics=(metric,),
        query=query,
        by=by,
        unit=unit,
        services=(*EXPORTER, *also.split()),
    )


_SUM = "sum by ($by) ($metric{$selector})"
_RATE = "sum by ($by) (rate($metric{$selector}[$window]))"
_UP = "min by ($by) ($metric{$selector})"


def _share(limit: str) -> str:
    """How much of a limit is used, where there is a limit (0 stands for none)."""
    return f"max by ($by) ($metric{{$selector}} / ({limit}{{$selector}} > 0))"


# https://github.com/prometheus-community/postgres_exporter, https://github.com/prometheus/mysqld_exporter,
# https://github.com/percona/mongodb_exporter, https://github.com/prometheus-community/pgbouncer_exporter
DATABASES: tuple[Row, ...] = (
    _row("availability", "postgres_exporter", "pg_up", _UP),
    _row(
        "throughput",
        "postgres_exporter, transactions",
        "pg_stat_database_xact_commit",
        f"{_RATE} + sum by ($by) (rate(pg_stat_database_xact_rollback{{$selector}}[$window]))",
        unit="{transaction}/s",
    ),
    _row(
        "error_rate",
        "postgres_exporter, rollbacks",
        "pg_stat_database_xact_rollback",
        f"{_RATE} / (({_RATE} + sum by ($by) (rate(pg_stat_database_xact_commit{{$selector}}[$window]))) > 0)",
    ),
    _row(
        "saturation",
        "postgres_exporter, connections",
        "pg_stat_activity_count",
        f"{_SUM} / (max by ($by) (pg_settings_max_connections{{$selector}}) > 0)",
    ),
    _row(
        "saturation",
        "postgres_exporter, backends",
        "pg_stat_database_numbackends",
        f"{_SUM} / (max by ($by) (pg_settings_max_connections{{$selector}}) > 0)",
    ),
    _row("availability", "mysqld_exporter", "mysql_up", _UP),
    _row("throughput", "mysqld_exporter, queries", "mysql_global_status_queries", _RATE, unit="{query}/s"),
    _row(
        "saturation",
        "mysqld_exporter, connections",
        "mysql_global_status_threads_connected",
        _share("mysql_global_variables_max_connections"),
    ),
    _row("availability", "mongodb_exporter", "mongodb_up", _UP),
    _row("throughput", "mongodb_exporter, operations", "mongodb_ss_opcounters", _RATE, unit="{operation}/s"),
    _row(
        "saturation",
        "mongodb_exporter, connections",
        "mongodb_ss_connections",
        'sum by ($by) ($metric{$selector,conn_type="current"})'
        ' / sum by ($by) ($metric{$selector,conn_type=~"current|available"})',
    ),
    _row(
        "saturation",
        "pgbouncer_exporter, waiting clients",
        "pgbouncer_pools_client_waiting_connections",
        _SUM,
        by=("database",),
        unit="{connection}",
    ),
)

# https://github.com/oliver006/redis_exporter, https://github.com/prometheus/memcached_exporter
CACHES: tuple[Row, ...] = (
    _row("availability", "redis_exporter", "redis_up", _UP),
    _row("throughput", "redis_exporter, commands", "redis_commands_processed_total", _RATE, unit="{command}/s"),
    _row("saturation", "redis_exporter, memory", "redis_memory_used_bytes", _share("redis_memory_max_bytes")),
    _row("saturation", "redis_exporter, clients", "redis_connected_clients", _share("redis_config_maxclients")),
    _row("saturation", "redis_exporter, clients (older)", "redis_connected_clients", _share("redis_maxclients")),
    _row("memory_usage", "redis_exporter", "redis_memory_used_bytes", _SUM),
    _row("cpu_usage", "redis_exporter", "redis_cpu_user_seconds_total",
         f"{_RATE} + sum by ($by) (rate(redis_cpu_sys_seconds_total{{$selector}}[$window]))"),
    _row("availability", "memcached_exporter", "memcached_up", _UP),
    _row("throughput", "memcached_exporter, commands", "memcached_commands_total", _RATE, unit="{command}/s"),
    _row(
        "saturation",
        "memcached_exporter, connections",
        "memcached_current_connections",
        _share("memcached_max_connections"),
    ),
    _row("saturation", "memcached_exporter, memory", "memcached_current_bytes", _share("memcached_limit_bytes")),
    _row("memory_usage", "memcached_exporter", "memcached_current_bytes", _SUM),
)  # fmt: skip

# https://www.rabbitmq.com/docs/prometheus, https://github.com/danielqsj/kafka_exporter, the JMX exporter's names of a
# broker, https://github.com/prometheus-community/elasticsearch_exporter
QUEUES_AND_SEARCH: tuple[Row, ...] = (
    _row(
        "throughput",
        "RabbitMQ, messages received",
        "rabbitmq_global_messages_received_total",
        _RATE,
        unit="{message}/s",
        also="rabbitmq_cluster",
    ),
    _row(
        "throughput",
        "RabbitMQ, messages published",
        "rabbitmq_queue_messages_published_total",
        _RATE,
        unit="{message}/s",
        also="rabbitmq_cluster",
    ),
    _row(
        "saturation",
        "RabbitMQ, memory",
        "rabbitmq_process_resident_memory_bytes",
        _share("rabbitmq_resident_memory_limit_bytes"),
        also="rabbitmq_cluster",
    ),
    _row("memory_usage", "RabbitMQ", "rabbitmq_process_resident_memory_bytes", _SUM, also="rabbitmq_cluster"),
    _row(
        "saturation",
        "RabbitMQ, messages that wait",
        "rabbitmq_queue_messages_ready",
        _SUM,
        by=("queue",),
        unit="{message}",
        also="rabbitmq_cluster",
    ),
    _row(
        "throughput",
        "Kafka broker, messages in",
        "kafka_server_brokertopicmetrics_messagesin_total",
        _RATE,
        unit="{message}/s",
        also="kafka_cluster",
    ),
    _row(
        "saturation",
        "kafka_exporter, consumer lag",
        "kafka_consumergroup_lag",
        "sum by ($by) ($metric{$selector})",
        by=("topic",),
        unit="{message}",
        also="consumergroup",
    ),
    _row(
        "throughput",
        "elasticsearch_exporter, searches",
        "elasticsearch_indices_search_query_total",
        _RATE,
        unit="{query}/s",
    ),
    _row(
        "saturation",
        "elasticsearch_exporter, heap",
        "elasticsearch_jvm_memory_used_bytes",
        'max by ($by) ($metric{$selector,area="heap"}'
        ' / (elasticsearch_jvm_memory_max_bytes{$selector,area="heap"} > 0))',
    ),
    _row(
        "memory_usage",
        "elasticsearch_exporter, heap",
        "elasticsearch_jvm_memory_used_bytes",
        'sum by ($by) ($metric{$selector,area="heap"})',
    ),
    _row(
        "cpu_usage",
        "elasticsearch_exporter",
        "elasticsearch_process_cpu_percent",
        "avg by ($by) ($metric{$selector}) / 100",
        unit="1",
    ),
    _row(
        "saturation",
        "HAProxy, sessions",
        "haproxy_backend_current_sessions",
        _share("haproxy_backend_limit_sessions"),
        also="proxy backend",
    ),
    _row("availability", "HAProxy, active servers", "haproxy_backend_up", _UP, also="proxy backend"),
)

BACKENDS: tuple[Row, ...] = (*DATABASES, *CACHES, *QUEUES_AND_SEARCH)
