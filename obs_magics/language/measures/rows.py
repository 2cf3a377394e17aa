"""The rows of the table: one way of answering a measure each, as a query with places to fill in.

Places of a query:

============  =======================================================================================================
`$metric`     the name found in the catalog (`$metric_bucket`, `$metric_count` and `$metric_sum` are its series)
`$selector`   the matcher of the service: ``service="payment-api"``; stands in braces
`$service`    the name of the service, for a query that brings its own matcher: ``app="$service"``
`$failed`     the matcher of failed requests: ``code=~"5.."``; stands in braces
`$by`         the labels to group by; stands in the brackets of `by ( )`
`$window`     how far back a rate looks: Grafana's `$__rate_interval`
`$quantile`   of a latency: ``0.99``
============  =======================================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from obs_magics.language.measures.vocabulary import LATENCY, Direction

Series = Literal["", "bucket", "count", "native", "summary"]
"""How the metric has to be stored for the row to fit: any way, as a classic histogram (`_bucket`), as anything with a
`_count`, as a native histogram, as a summary with quantiles."""

APP = (
    *("service", "service_name", "service.name", "app", "app_kubernetes_io_name", "application", "exported_service"),
    *("job", "exported_job", "component", "container", "deployment", "workload", "pod", "instance"),
)
"""Where the name of a service stands on what the service itself exports, first choice first."""
KUBE = (
    *("container", "container_name", "workload", "deployment", "statefulset", "daemonset", "label_app", "app"),
    *("exported_container", "container_label_com_docker_compose_service", "name", "k8s_container_name"),
    *("k8s_deployment_name", "pod", "pod_name", "exported_pod", "k8s_pod_name", "service", "service_name"),
)
"""… on what Kubernetes or Docker tell of its containers: there `job` and often `service` name the exporter."""
MESH = ("destination_workload", "destination_canonical_service", "destination_service_name", "destination_app")
EXPORTER = ("service", "service_name", "app", "job", "cluster", "instance")
"""… on what an exporter tells of a database, a queue or a proxy."""
NODE = ("node", "nodename", "kubernetes_node", "host", "host_name", "instance")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way of answering a measure.

    Args:
        measure: Which (`Measure.key`).
        name: What exports it; shown, and unique among the rows of a measure.
        metrics: Names that stand for `$metric`, the first that is there is taken; `*` stands for any letters.
        query: PromQL with the places above.
        series: How the metric has to be stored.
        services: Labels in which the service is looked for, first choice first.
        by: Labels of its own by which the query groups (a pool, a resource), kept beside the service.
        unit: UCUM; empty for the measure's own.
        direction: Empty for the measure's own.
        only: A pattern (`*`) of the services that it is for.
    """

    measure: str
    name: str
    metrics: tuple[str, ...] = ()
    query: str
    series: Series = ""
    services: tuple[str, ...] = APP
    by: tuple[str, ...] = ()
    unit: str = ""
    direction: Direction | Literal[""] = ""
    only: str = "*"


RATE = "sum by ($by) (rate($metric{$selector}[$window]))"
FAILED = (
    "(sum by ($by) (rate($metric{$selector,$failed}[$window])) or 0 * sum by ($by) (rate($metric{$selector}[$window])))"
    " / (sum by ($by) (rate($metric{$selector}[$window])) > 0)"
)
_COUNT_RATE, _COUNT_FAILED = (text.replace("$metric", "$metric_count") for text in (RATE, FAILED))
_NATIVE_RATE, _NATIVE_FAILED = (
    text.replace("sum by ($by) (rate(", "histogram_count(sum by ($by) (rate(").replace("[$window]))", "[$window])))")
    for text in (RATE, FAILED)
)
_QUANTILES: tuple[tuple[Series, str], ...] = (
    ("bucket", "histogram_quantile($quantile, sum by ($by, le) (rate($metric_bucket{$selector}[$window])))"),
    ("native", "histogram_quantile($quantile, sum by ($by) (rate($metric{$selector}[$window])))"),
    ("summary", 'max by ($by) ($metric{$selector,quantile="$quantile"})'),
)


def counted(name: str, *metrics: str, where: str = "", services: tuple[str, ...] = APP) -> tuple[Row, ...]:
    """A counter of requests: throughput, and with a label that tells failures the error rate."""
    return (
        Row(measure="throughput", name=name, metrics=metrics, query=_with(RATE, where), services=services),
        Row(measure="error_rate", name=name, metrics=metrics, query=_with(FAILED, where), services=services),
    )


def timed(
    name: str, *metrics: str, unit: str = "s", where: str = "", services: tuple[str, ...] = APP
) -> tuple[Row, ...]:
    """A histogram or summary of durations: latency, throughput and error rate.

    Args:
        name: What exports it.
        metrics: Names without `_bucket` and `_count`.
        unit: `s` or `ms`; latencies are always given in seconds.
        where: Matchers that are always there: ``reporter="destination"``.
        services: Where the service is looked for.
    """
    scale = {"s": "", "ms": " / 1000"}[unit]
    latency = tuple(
        Row(
            measure=LATENCY,
            name=name if series == "bucket" else f"{name} ({series})",
            metrics=metrics,
            query=_with(query, where) + scale,
            series=series,
            services=services,
        )
        for series, query in _QUANTILES
    )
    counts: tuple[tuple[str, Series, str], ...] = (
        ("throughput", "count", _COUNT_RATE),
        ("error_rate", "count", _COUNT_FAILED),
        ("throughput", "native", _NATIVE_RATE),
        ("error_rate", "native", _NATIVE_FAILED),
    )
    return latency + tuple(
        Row(
            measure=measure,
            name=name + (" (native)" if series == "native" else ""),
            metrics=metrics,
            query=_with(query, where),
            series=series,
            services=services,
        )
        for measure, series, query in counts
    )


def _with(query: str, where: str) -> str:
    return query.replace("$selector", f"$selector,{where}") if where else query
