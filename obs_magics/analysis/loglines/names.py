"""Under which names labels, attributes and keys of bodies tell the level, the service, and the ids of trace and span.

Names are compared without case and without what joins their words: `service.name`, `service_name` and `serviceName` are
one. Each table is in order of trust: the first name that tells wins.
"""

from __future__ import annotations

from collections.abc import Iterable

_JOINTS = str.maketrans("", "", "._-/ @")

# `level` by its own name, then the names of single libraries, numbers, and last what the platform itself guessed.
LEVEL_NAMES = (
    "level", "severity", "severitytext", "loglevel", "levelname", "lvl", "logseverity", "syslogseverity",
    "severitynumber", "levelno", "priority", "detectedlevel",
)  # fmt: skip

# What is called a service; then the application, by Kubernetes' recommended label before the short one that is used for
# everything; then the container, which may be a sidecar's; and last the scrape job, which may gather many services.
# The order of Loki's own `service_name` (discover_service_name in its limits), with `name` left out: it names anything.
SERVICE_NAMES = (
    "service", "servicename", "ddservice", "appkubernetesioname", "app", "application", "appname", "k8sapp",
    "container", "containername", "k8scontainername", "component", "workload", "job", "k8sjobname",
    "kuberneteslabelsapp", "kubernetescontainername", "servicecontextservice", "resourceservicename",
    "resourcelabelsservicename", "resourcelabelscontainername", "syslogidentifier", "program",
)  # fmt: skip

TRACE_NAMES = (
    "traceid", "oteltraceid", "xb3traceid", "b3traceid", "xtraceid", "ddtraceid", "logginggoogleapiscomtrace",
    "traceparent", "ubertraceid", "xamzntraceid", "xraytraceid", "awstraceid",
)  # fmt: skip
SPAN_NAMES = (
    "spanid", "otelspanid", "xb3spanid", "b3spanid", "xspanid", "ddspanid", "logginggoogleapiscomspanid",
    "traceparent", "ubertraceid",
)  # fmt: skip

# What stands in for a service that nobody named: https://opentelemetry.io/docs/specs/semconv/resource/#service
NO_SERVICE = ("unknown_service", "unknown", "-", "null", "none")


def squashed(name: str) -> str:
    """A name as the tables have it.

    >>> squashed("app.kubernetes.io/name")
    'appkubernetesioname'
    """
    return name.lower().translate(_JOINTS)


def present(names: Iterable[str], table: tuple[str, ...]) -> list[str]:
    """Those of the names that the table has, in the table's order; of one name in two spellings the shorter first."""
    ranked = {name: squashed(name) for name in names}
    found = [name for name, short in ranked.items() if short in table]
    return sorted(found, key=lambda name: (table.index(ranked[name]), len(name), name))
