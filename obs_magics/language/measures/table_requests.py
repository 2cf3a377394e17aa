"""The table, first part: who counts and times requests (error rate, latency, throughput), the first that fits is taken.

Services that tell of themselves come first, then who stands in front of them: the mesh, ingress and proxies, and the
metrics that are made of traces. Failed requests are told by a label of the counter (`failures.py`).
"""

from __future__ import annotations

from obs_magics.language.measures.rows import EXPORTER, MESH, RATE, Row, counted, timed

_INBOUND = 'direction="inbound"'
_SERVER_SPANS = 'span_kind="SPAN_KIND_SERVER"'
_PROXY = ("service", "exported_service", "backend", "proxy", "ingress", "host", "server", "app", "job")

# https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ and …/rpc/rpc-metrics/, as Prometheus writes the names
# (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/), with and without dots and unit
OPEN_TELEMETRY: tuple[Row, ...] = (
    *timed(
        "OpenTelemetry HTTP server",
        *("http_server_request_duration_seconds", "http.server.request.duration_seconds"),
        *("http.server.request.duration", "http_server_request_duration"),
    ),
    *timed("OpenTelemetry HTTP server, before 1.23", "http_server_duration_milliseconds", unit="ms"),
    *timed("OpenTelemetry RPC server", "rpc_server_call_duration_seconds", "rpc.server.call.duration"),
    *timed("OpenTelemetry RPC server, before 1.38", "rpc_server_duration_milliseconds", unit="ms"),
)

# client_golang, client_python, prom-client, simpleclient and client_ruby leave the names to the user; these are the
# ones of their documentation, examples and middlewares (fastapi-instrumentator, express-prom-bundle, prometheus-net)
CLIENT_LIBRARIES: tuple[Row, ...] = (
    *counted(
        "Prometheus client, HTTP requests",
        *("http_requests_total", "http_server_requests_total", "http_requests_received_total", "http_request_total"),
    ),
    *timed("Prometheus client, HTTP durations", "http_request_duration_seconds", "http_requests_duration_seconds"),
    *timed("Prometheus client, HTTP durations in ms", "http_request_duration_milliseconds", unit="ms"),
    *timed("Prometheus client, HTTP durations in ms (older)", "http_request_duration_ms", unit="ms"),
    *counted("Prometheus client, requests", "requests_total", "request_count_total"),
    *timed("Prometheus client, durations", "request_duration_seconds", "request_latency_seconds"),
)

# https://docs.micrometer.io/micrometer/reference/implementations/prometheus.html; Spring Boot, Quarkus, Ktor
FRAMEWORKS: tuple[Row, ...] = (
    *timed("Micrometer HTTP server", "http_server_requests_seconds"),
    *timed("Ktor", "ktor_http_server_requests_seconds"),
    *counted("Flask exporter, requests", "flask_http_request_total"),
    *timed("Flask exporter", "flask_http_request_duration_seconds"),
    *counted("Starlette exporter, requests", "starlette_requests_total"),
    *timed("Starlette exporter", "starlette_request_duration_seconds"),
    *counted("django-prometheus, responses", "django_http_responses_total_by_status_total"),
    *timed("django-prometheus", "django_http_requests_latency_seconds_by_view_method"),
    *counted("axum-prometheus, requests", "axum_http_requests_total"),
    *timed("axum-prometheus", "axum_http_requests_duration_seconds"),
    *counted("go-grpc-middleware, calls", "grpc_server_handled_total"),
    *timed("go-grpc-middleware", "grpc_server_handling_seconds"),
)

_CELERY = "{$selector}[$window]"
JOBS: tuple[Row, ...] = (
    Row(
        measure="throughput",
        name="celery-exporter, tasks received",
        metrics=("celery_task_received_total",),
        query=RATE,
        unit="{task}/s",
    ),
    Row(
        measure="error_rate",
        name="celery-exporter, tasks failed",
        metrics=("celery_task_failed_total",),
        query=(
            f"sum by ($by) (rate($metric{_CELERY})) / ("
            f"(sum by ($by) (rate($metric{_CELERY})) + sum by ($by) (rate(celery_task_succeeded_total{_CELERY}))) > 0)"
        ),
    ),
    *timed("celery-exporter", "celery_task_runtime"),
)

# https://istio.io/latest/docs/reference/config/metrics/, https://linkerd.io/2/reference/proxy-metrics/,
# https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats
MESHES: tuple[Row, ...] = (
    *counted("Istio, requests", "istio_requests_total", where='reporter="destination"', services=MESH),
    *timed(
        "Istio",
        "istio_request_duration_milliseconds",
        unit="ms",
        where='reporter="destination"',
        services=MESH,
    ),
    *counted(
        "Linkerd, responses",
        "response_total",
        where=_INBOUND,
        services=("deployment", "statefulset", "daemonset", "app"),
    ),
    *timed(
        "Linkerd",
        "response_latency_ms",
        unit="ms",
        where=_INBOUND,
        services=("deployment", "statefulset", "daemonset", "app"),
    ),
    *counted(
        "Envoy, requests", "envoy_cluster_upstream_rq_xx", services=("envoy_cluster_name", "cluster_name", *EXPORTER)
    ),
    *timed(
        "Envoy",
        "envoy_cluster_upstream_rq_time",
        unit="ms",
        services=("envoy_cluster_name", "cluster_name", *EXPORTER),
    ),
)

# ingress-nginx, Traefik, HAProxy 2 and its exporter, Kong, Caddy, nginx-vts, nginx-prometheus-exporter
PROXIES: tuple[Row, ...] = (
    *counted("ingress-nginx, requests", "nginx_ingress_controller_requests", services=_PROXY[1:] + _PROXY[:1]),
    *timed("ingress-nginx", "nginx_ingress_controller_request_duration_seconds", services=_PROXY[1:] + _PROXY[:1]),
    *counted("Traefik, requests", "traefik_service_requests_total", services=("exported_service", *_PROXY)),
    *timed("Traefik", "traefik_service_request_duration_seconds", services=("exported_service", *_PROXY)),
    *counted("HAProxy, responses", "haproxy_backend_http_responses_total", services=("proxy", "backend", *_PROXY)),
    *counted("Kong, requests", "kong_http_requests_total", services=_PROXY),
    *timed("Kong", "kong_request_latency_ms", unit="ms", services=_PROXY),
    *timed("Caddy", "caddy_http_request_duration_seconds", services=_PROXY),
    *counted("nginx-vts, responses", "nginx_vts_server_requests_total", services=("host", "zone", *_PROXY)),
    *counted("nginx exporter, requests", "nginx_http_requests_total", services=EXPORTER),
)

# Tempo's metrics generator, and the span metrics connector of the OpenTelemetry Collector:
# https://grafana.com/docs/tempo/latest/metrics-generator/span_metrics/
# https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/connector/spanmetricsconnector
SPAN_METRICS: tuple[Row, ...] = (
    *counted("Tempo span metrics, calls", "traces_spanmetrics_calls_total", where=_SERVER_SPANS),
    *timed("Tempo span metrics", "traces_spanmetrics_latency", where=_SERVER_SPANS),
    *counted(
        "OpenTelemetry span metrics, calls", "traces_span_metrics_calls_total", "calls_total", where=_SERVER_SPANS
    ),
    *timed(
        "OpenTelemetry span metrics in ms",
        *("traces_span_metrics_duration_milliseconds", "duration_milliseconds"),
        unit="ms",
        where=_SERVER_SPANS,
    ),
    *timed("OpenTelemetry span metrics", "traces_span_metrics_duration_seconds", where=_SERVER_SPANS),
)

# Names with the application's own prefix, as the naming conventions want them; last, for a proxy's names look like it
# (https://prometheus.io/docs/practices/naming/)
OWN_NAMES: tuple[Row, ...] = (
    *counted("the application's own requests", "*_http_requests_total", "*_http_request_total"),
    *timed("the application's own durations", "*_http_request_duration_seconds", "*_request_duration_seconds"),
)

REQUESTS: tuple[Row, ...] = (
    *OPEN_TELEMETRY,
    *CLIENT_LIBRARIES,
    *FRAMEWORKS,
    *MESHES,
    *PROXIES,
    *SPAN_METRICS,
    *JOBS,
    *OWN_NAMES,
)
