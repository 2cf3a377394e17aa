"""Measures: names as people type them, services as labels have them, and what is said when nothing fits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.measure_worlds import World, value_of

from obs_magics.language.measures import MEASURES, TABLE, Resolver, Row, find_measure, measure_named, measure_names
from obs_magics.language.measures.failures import failed_matcher
from obs_magics.language.measures.near import nearest_metrics
from obs_magics.language.measures.services import find_service, service_of
from obs_magics.language.measures.vocabulary import SYNONYMS
from obs_magics.model.errors import TranslationError, UsageError
from obs_magics.syntax.promql import parse


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("error_rate", "error_rate"),
        ("Error Rate", "error_rate"),
        ("errors", "error_rate"),
        ("rps", "throughput"),
        ("traffic", "throughput"),
        ("latency", "latency_p99"),
        ("p95", "latency_p95"),
        ("p95 latency", "latency_p95"),
        ("latency-p50", "latency_p50"),
        ("p99.9", "latency_p999"),
        ("latency_p999", "latency_p999"),
        ("P75", "latency_p75"),
        ("p5", "latency_p5"),
        ("median latency", "latency_p50"),
        ("CPU", "cpu_usage"),
        ("ram", "memory_usage"),
        ("uptime", "availability"),
    ],
)
def test_measures_are_understood_as_people_call_them(text: str, name: str) -> None:
    assert measure_named(text).name == name


@pytest.mark.parametrize(
    ("text", "quantile", "title"),
    [("p5", "0.05", "5th"), ("p50", "0.5", "50th"), ("p99", "0.99", "99th"), ("p999", "0.999", "99.9th"),
     ("p9999", "0.9999", "99.99th"), ("p91", "0.91", "91st"), ("p12", "0.12", "12th")],
)  # fmt: skip
def test_percentiles_become_quantiles(text: str, quantile: str, title: str) -> None:
    measure = measure_named(text)
    assert (measure.quantile, measure.key, measure.unit, measure.direction) == (quantile, "latency", "s", "up")
    assert measure.title.startswith(f"{title} percentile")


@given(st.integers(1, 99999))
def test_a_percentile_reads_its_own_name(number: int) -> None:
    measure = find_measure(f"latency_p{number}")
    if measure is None:
        assert number == 100
        return
    again = measure_named(measure.name)
    assert (again.name, again.quantile) == (measure.name, measure.quantile)
    assert 0 < float(measure.quantile) < 1


@pytest.mark.parametrize(
    "text", ["p0", "p00", "p100", "p", "latency_pxx", "", "errorrrs of payment", "http_requests_total"]
)
def test_what_is_no_measure_is_none(text: str) -> None:
    assert find_measure(text) is None


def test_a_mistyped_measure_gets_a_hint() -> None:
    with pytest.raises(UsageError, match=r"(?s)no measure called 'eror_rate'.*did you mean error_rate"):
        measure_named("eror_rate")
    with pytest.raises(UsageError, match=r"(?s)no measure called 'zzz'.*error_rate, latency_p50.*queue_depth"):
        measure_named("zzz", ["queue_depth"])


def test_no_word_means_two_measures_and_all_are_listed() -> None:
    words = [word for words in SYNONYMS.values() for word in words]
    assert len(set(words)) == len(words)
    assert not set(words) & {measure.name for measure in MEASURES}
    assert measure_names()[:2] == ["error_rate", "latency_p50"]
    assert all(find_measure(name) is not None for name in [*measure_names(), *SYNONYMS])


@pytest.mark.parametrize(
    ("label", "value", "service"),
    [
        ("pod", "payment-api-7d8f9c6b5d-x2kqz", "payment-api"),
        ("pod", "cart-0", "cart"),
        ("pod", "node-agent-x2kqz", "node-agent"),
        ("pod", "standalone", "standalone"),
        ("job", "shop/cart-service", "cart-service"),
        ("job", "cart-service", "cart-service"),
        ("instance", "redis-0:9121", "redis-0"),
        ("instance", "plain", "plain"),
        ("service", "payment@docker", "payment"),
    ],
)
def test_the_service_in_a_label(label: str, value: str, service: str) -> None:
    assert service_of(label, value) == service
    found = find_service(label, [value, "other"], service)
    assert found is not None
    parse(f"up{{{found.matcher}}}")
    assert find_service(label, [value], "nobody") is None


@pytest.mark.parametrize(
    ("label", "values", "matcher"),
    [
        ("code", ["200", "201", "404"], 'code=~"5.."'),
        ("status", ["2xx", "5xx"], 'status=~"5xx"'),
        ("status", ["2XX", "4xx"], 'status=~"5XX|5xx"'),
        ("envoy_response_code_class", ["2", "5"], 'envoy_response_code_class="5"'),
        ("grpc_code", ["OK", "NotFound"],
         'grpc_code=~"Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"'),
        ("grpc_status", ["OK", "UNAVAILABLE"],
         'grpc_status=~"UNKNOWN|DEADLINE_EXCEEDED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS"'),
        ("rpc_grpc_status_code", ["0", "5"], 'rpc_grpc_status_code=~"2|4|12|13|14|15"'),
        ("outcome", ["SUCCESS", "CLIENT_ERROR", "UNKNOWN"], 'outcome=~"SERVER_ERROR"'),
        ("outcome", ["SUCCESS", "SERVER_ERROR"], 'outcome="SERVER_ERROR"'),
        ("classification", ["success", "failure"], 'classification="failure"'),
        ("result", ["error", "failed", "ok"], 'result=~"error|failed"'),
        ("status_code", ["STATUS_CODE_UNSET"], 'status_code=~"STATUS_CODE_ERROR"'),
        ("success", ["true", "false"], 'success="false"'),
        ("error", ["true", "false"], 'error="true"'),
        ("job", ["api"], ""),
        ("status", [], ""),
        ("code", ["1", "2"], ""),
    ],
)  # fmt: skip
def test_failed_requests_are_told_by_what_a_label_holds(label: str, values: list[str], matcher: str) -> None:
    assert failed_matcher(label, values) == matcher


def test_a_label_with_dots_is_quoted_in_its_matcher() -> None:
    assert failed_matcher("a.b", ["500"], shown='"a.b"') == '"a.b"=~"5.."'


def http(labels: Mapping[str, str]) -> World:
    world = World()
    for service in ("payment-api", "cart"):
        own = {name: text.format(service) for name, text in labels.items()}
        world.counter({"__name__": "http_requests_total", **own, "code": "200", "route": "/a"}, 3.0)
        world.counter({"__name__": "http_requests_total", **own, "code": "503", "route": "/b"}, 1.0)
    return world


@pytest.mark.parametrize(
    ("labels", "matcher"),
    [
        ({"service": "{}", "job": "{}"}, 'service="payment-api"'),
        ({"job": "shop/{}"}, 'job=~"(.+/)?payment-api"'),
        ({"app": "{}", "job": "kubernetes-pods"}, 'app="payment-api"'),
        ({"job": "kubernetes-pods", "pod": "{}-7d8f9c6b5d-x2kqz"}, 'pod=~"payment-api-[a-z0-9]+(-[a-z0-9]+)?"'),
        ({"service": "shop", "container": "{}"}, 'container="payment-api"'),
        ({"instance": "{}:8080"}, 'instance=~"payment-api(:[0-9]+)?"'),
    ],
)
async def test_a_service_is_found_by_the_label_that_has_its_name(
    labels: dict[str, str], matcher: str, tmp_path: Path
) -> None:
    source = http(labels).source(tmp_path)
    resolver = Resolver(source.catalog)
    found = await resolver.resolve(measure_named("errors"), "payment-api")
    assert f"http_requests_total{{{matcher}" in found.query
    assert list((await value_of(source, found.query)).values()) == [pytest.approx(0.25)]
    together = await resolver.every(measure_named("errors"), ["cart", "payment-api"])
    assert sorted(name for one in together for name in one.services) == ["cart", "payment-api"]
    values = [value for one in together for value in (await value_of(source, one.query)).values()]
    assert values == [pytest.approx(0.25)] * 2


async def test_several_services_are_asked_in_one_query_that_names_them_only_where_there_are_others(
    tmp_path: Path,
) -> None:
    resolver = Resolver(http({"service": "{}"}).source(tmp_path).catalog)
    (whole,) = await resolver.every(measure_named("rps"), ["cart", "payment-api"])
    assert whole.query == "sum by (service) (rate(http_requests_total[$__rate_interval]))"
    (some,) = await resolver.every(measure_named("rps"), ["cart"])
    assert some.query == 'sum by (service) (rate(http_requests_total{service=~"cart"}[$__rate_interval]))'
    assert (some.label, some.services, some.service) == ("service", ("cart",), "")
    assert await resolver.services() == ["cart", "payment-api"]
    assert str(whole) == "throughput from http_requests_total (Prometheus client, HTTP requests)"


async def test_labels_may_be_kept_apart_and_unknown_ones_are_said(tmp_path: Path) -> None:
    source = http({"service": "{}"}).source(tmp_path)
    resolver = Resolver(source.catalog)
    found = await resolver.resolve(measure_named("errors"), "cart", by=["route"])
    assert await value_of(source, found.query) == {"/a": 0.0, "/b": 1.0}
    with pytest.raises(UsageError, match=r"(?s)http_requests_total has no label called 'rout'.*did you mean route"):
        await resolver.resolve(measure_named("errors"), "cart", by=["rout"])


async def test_names_with_dots_are_asked_for(tmp_path: Path) -> None:
    world = World()
    labels = {"service.name": "cart"}
    world.histogram("http.server.request.duration", {**labels, "http.response.status_code": "200"}, 4.0)
    source = world.source(tmp_path)
    resolver = Resolver(source.catalog)
    found = await resolver.resolve(measure_named("p50"), "cart")
    assert '{__name__="http.server.request.duration_bucket","service.name"="cart"}' in found.query
    assert list((await value_of(source, found.query)).values()) == [pytest.approx(0.1)]
    errors = await resolver.resolve(measure_named("errors"), "cart")
    assert '"http.response.status_code"=~"5.."' in errors.query
    assert list((await value_of(source, errors.query)).values()) == [0.0]
    (together,) = await resolver.every(measure_named("rps"), ["cart"])
    assert 'sum by ("service.name")' in together.query
    assert await value_of(source, together.query) == {"cart": pytest.approx(4.0)}


async def test_of_several_ways_the_first_of_the_table_is_taken_and_the_others_are_told(tmp_path: Path) -> None:
    world = http({"service": "{}"})
    world.histogram("http_request_duration_seconds", {"service": "cart", "code": "200"}, 2.0)
    source = world.source(tmp_path)
    resolver = Resolver(source.catalog)
    found = await resolver.resolve(measure_named("throughput"), "cart")
    assert (found.row, found.others) == ("Prometheus client, HTTP requests", ("Prometheus client, HTTP durations",))
    assert "would do too: Prometheus client, HTTP durations" in str(found)
    other = await resolver.resolve(measure_named("throughput"), "cart", using="Prometheus client, HTTP durations")
    assert await value_of(source, other.query) == {"": pytest.approx(2.0)}
    with pytest.raises(UsageError, match=r"(?s)throughput has no row called .*did you mean Prometheus client, HTTP"):
        await resolver.resolve(measure_named("throughput"), "cart", using="Prometheus client, HTTP")


async def test_a_pattern_that_gives_the_same_query_again_changes_nothing(tmp_path: Path) -> None:
    world = World()
    labels = {"service_name": "cart", "http_response_status_code": "200", "rpc_grpc_status_code": "0"}
    world.histogram("http_server_request_duration_seconds", labels, 2.0)
    world.histogram("rpc_server_duration_milliseconds", labels, 1.0, 1000.0)
    resolver = Resolver(world.source(tmp_path).catalog)
    found = {one.measure: one for one in await resolver.available("cart", ["p99", "rps", "errors"])}
    assert {one.row for one in found.values()} == {"OpenTelemetry HTTP server"}
    assert found["latency_p99"].others == ("OpenTelemetry RPC server, before 1.38",)


async def test_a_service_that_is_not_there_gets_near_names(tmp_path: Path) -> None:
    resolver = Resolver(http({"service": "{}"}).source(tmp_path).catalog)
    with pytest.raises(UsageError, match=r"(?s)no service called 'paymnt-api'.*did you mean payment-api"):
        await resolver.resolve(measure_named("errors"), "paymnt-api")
    with pytest.raises(UsageError, match=r"(?s)no service called 'zzz'.*the services are: cart, payment-api"):
        await resolver.resolve(measure_named("errors"), "zzz")


async def test_a_measure_that_nothing_tells_says_what_was_looked_for(tmp_path: Path) -> None:
    world = http({"service": "{}"})
    world.gauge({"__name__": "cart_queue_duration_seconds_max", "service": "cart"}, 1.0)
    world.histogram("http_request_duration_seconds", {"service": "payment-api"}, 2.0)
    world.gauge({"__name__": "request_duration_seconds", "service": "cart", "quantile": "0.5"}, 1.0)
    resolver = Resolver(world.source(tmp_path).catalog)
    with pytest.raises(TranslationError) as caught:
        await resolver.resolve(measure_named("p99"), "cart")
    text = str(caught.value)
    assert text.startswith("nothing here tells the 99th percentile of how long requests take of cart; looked for http_")
    assert "http_request_duration_seconds_bucket: tells nothing of cart" in text
    assert "request_duration_seconds: has no 0.99 quantile, only 0.5" in text
    assert "near names here: request_duration_seconds" in text
    assert "measures.latency_p99" in text
    other = World()
    other.gauge({"__name__": "temperature_celsius"}, 20.0)
    only = Resolver(other.source(tmp_path / "other").catalog)
    with pytest.raises(UsageError, match="nothing here counts requests"):
        await only.resolve(measure_named("p99"), "cart")


CART = {"service": "cart"}


@pytest.mark.parametrize(
    ("measure", "metrics", "labels", "reason"),
    [
        ("saturation", ["redis_connected_clients"], CART, "needs redis_config_maxclients too"),
        ("errors", ["istio_requests_total"], {"destination_workload": "cart", "reporter": "source"},
         'has no reporter="destination"'),
        ("errors", ["http_requests_total"], CART, "has no label that tells which requests failed"),
        ("p99", ["http_request_duration_seconds", "http_request_duration_seconds_count"], CART,
         "is no native histogram"),
        ("p99", ["http_request_duration_seconds"], {**CART, "quantile": "all"}, "has no 0.99 quantile, only all"),
    ],
)  # fmt: skip
async def test_why_a_row_does_not_fit(
    measure: str, metrics: list[str], labels: dict[str, str], reason: str, tmp_path: Path
) -> None:
    world = World()
    for name in metrics:
        world.counter({"__name__": name, **labels}, 1.0)
    world.counter({"__name__": "requests_total", "service": "cart", "code": "x"}, 1.0)
    resolver = Resolver(world.source(tmp_path).catalog)
    with pytest.raises(TranslationError) as caught:
        await resolver.resolve(measure_named(measure), "cart")
    assert reason in str(caught.value)


async def test_what_a_service_asks_of_others_is_not_taken_for_its_own_requests(tmp_path: Path) -> None:
    world = World()
    world.counter({"__name__": "shop_http_requests_total", "service": "cart", "code": "200"}, 1.0)
    world.counter({"__name__": "a_client_http_requests_total", "service": "cart", "code": "200"}, 9.0)
    found = await Resolver(world.source(tmp_path).catalog).resolve(measure_named("rps"), "cart")
    assert found.metric == "shop_http_requests_total"


async def test_matchers_that_keep_out_empty_labels_stand_only_where_the_label_is(tmp_path: Path) -> None:
    world = World()
    world.counter({"__name__": "container_cpu_usage_seconds_total", "name": "cart"}, 0.5)
    source = world.source(tmp_path)
    found = await Resolver(source.catalog).resolve(measure_named("cpu"), "cart")
    assert found.query == 'sum(rate(container_cpu_usage_seconds_total{name="cart"}[$__rate_interval]))'
    assert await value_of(source, found.query) == {"": pytest.approx(0.5)}


async def test_a_query_of_ones_own_stands_before_the_table_for_the_services_it_is_for(tmp_path: Path) -> None:
    source = http({"service": "{}"}).source(tmp_path)
    mine = Row(measure="throughput", name="mine", query='sum(http_requests_total{service="$service"})', only="pay*")
    gone = Row(measure="throughput", name="gone", query='sum(nowhere{service="$service"})')
    resolver = Resolver(source.catalog, rows=(gone, mine, *TABLE))
    found = await resolver.resolve(measure_named("rps"), "payment-api")
    assert (found.row, found.query, found.metric) == (
        "mine",
        'sum(http_requests_total{service="payment-api"})',
        "http_requests_total",
    )
    other = await resolver.resolve(measure_named("rps"), "cart")
    assert other.row == "Prometheus client, HTTP requests"
    together = await resolver.every(measure_named("rps"), ["cart", "payment-api"])
    assert [(one.row, one.services) for one in together] == [
        ("mine", ("payment-api",)),
        ("Prometheus client, HTTP requests", ("cart",)),
    ]


async def test_what_there_is_of_a_service_comes_in_the_order_of_the_measures(tmp_path: Path) -> None:
    resolver = Resolver(http({"service": "{}"}).source(tmp_path).catalog)
    assert [one.measure for one in await resolver.available("cart")] == ["error_rate", "throughput"]
    assert await resolver.available("nobody") == []
    assert [one.measure for one in await resolver.available("cart", ["rps", "p99"])] == ["throughput"]


def test_near_metrics_know_short_words_as_words() -> None:
    names = ["up", "updates_total", "shop_cpu_seconds", "cpuid"]
    assert nearest_metrics("availability", ["up"], names) == ["up"]
    assert nearest_metrics("cpu_usage", [], names) == ["shop_cpu_seconds"]
    assert nearest_metrics("queue_depth", [], ["jobs_queue_depth", "other"]) == ["jobs_queue_depth"]
    assert nearest_metrics("restarts", [], ["other"]) == []
