"""What a metric measures, by the words in its name, and which way is the bad one."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

Role = Literal[
    "errors",
    "success",
    "latency",
    "busy",
    "saturation",
    "cpu",
    "memory",
    "disk",
    "network",
    "restarts",
    "traffic",
    "other",
]

# In order: the first that fits. Words are those of OpenTelemetry, Prometheus exporters, CloudWatch and Istio.
_WORDS: tuple[tuple[Role, str], ...] = (
    ("other", r"^(node|host|kube_node)(?![a-z])|^Node[A-Z]"),  # of all that runs there
    ("restarts", r"restart|crash|oom|evict"),
    ("cpu", r"cpu\w*throttl|throttl\w*(cpu|cfs)"),
    ("traffic", r"commands?_processed"),
    ("success", r"success|availab|ready|healthy|hit_?ratio|apdex|flushed|processed|delivered"),
    (
        "errors",
        r"error|fail|[45]xx|_[45]\d\d_|unauthori|throttl|reject|exception|panic|timeout|drop|denied|abort|retr(y|ies)|miss"
        r"|(^|[_.])errs?([_.]|$)|retrans|deadlock|conflict",
    ),
    ("latency", r"slow_?(quer|log|op)|exec(ution)?_time"),
    ("busy", r"goroutines|threads?_(busy|running|active)|busy_|in_?flight|active_requests|stat_activity|DBLoad"),
    (
        "saturation",
        r"pool|wait|queue|backlog|lag|oldest|pending|saturat|in_?use|connections|threads|quota|limit"
        r"|connected_clients|blocked|(^|[_.])locks?([_.]|$)|MessagesVisible",
    ),
    (
        "latency",
        r"latenc|duration|(^|_)lat(_|$)|response_?time|elapsed|(^|_)p\d\d|seconds_(p|sum|bucket|max)|rtt|pause_seconds",
    ),
    ("cpu", r"cpu|load(1|5|15|avg)|throttled"),
    ("memory", r"mem|heap|rss|swap|gc_"),
    ("disk", r"disk|iops|inode|filesystem|volume"),
    ("network", r"network|receive|transmit|bytes|packets|(^|_)(rx|tx)(_|$)|bandwidth"),
    (
        "traffic",
        r"request|rps|qps|ops|workload|throughput|calls|hits|per_?(sec|min)|rate|consumed|(^|_)lod(_|$)"
        r"|quer(y|ies)|xact|commit|tup_|rows_|(current|end)_offset|MessagesSent|commands",
    ),
)
_PATTERNS = tuple((role, re.compile(words, 0 if role == "other" else re.IGNORECASE)) for role, words in _WORDS)

OUTCOMES: frozenset[Role] = frozenset({"errors", "success", "latency"})
"""What callers feel: these go up the call graph."""

CARRIED: frozenset[Role] = OUTCOMES | {"busy"}
"""What goes up the call graph, felt or not: who waits is busy, by Little's law."""

BAD: dict[Role, int] = {
    "errors": 1,
    "success": -1,
    "latency": 1,
    "busy": 1,
    "saturation": 1,
    "cpu": 1,
    "memory": 1,
    "disk": 0,
    "network": 0,
    "restarts": 1,
    "traffic": 0,
    "other": 0,
}
"""The bad direction of each role; 0 where either may be."""


@lru_cache(maxsize=4096)
def role_of(metric: str) -> Role:
    """What a metric measures.

    >>> role_of("http_server_duration_p99_ms"), role_of("PodSuccessRate(%)"), role_of("db_pool_in_use")
    ('latency', 'success', 'saturation')
    """
    return next((role for role, pattern in _PATTERNS if pattern.search(metric)), "other")
