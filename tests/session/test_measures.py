"""Measures through the public session: the demo world, what the configuration adds, and rarely scraped metrics."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.measure_worlds import World

from obs_magics import AsyncSession, Session
from obs_magics.config.show import effective
from obs_magics.demo.world.clock import at
from obs_magics.model.errors import ConfigError, TranslationError, UsageError
from obs_magics.model.frames import check_metrics


def test_the_measures_of_a_service_are_a_table(shop: Session) -> None:
    table = shop.measures("payment-api")
    assert list(table.columns) == ["measure", "query", "unit", "direction", "metric", "row", "others"]
    by_name = table.set_index("measure")
    assert table["measure"].to_list() == [
        *("error_rate", "latency_p50", "latency_p90", "latency_p95", "latency_p99", "latency_p999", "throughput"),
        *("saturation", "cpu_usage", "memory_usage", "restarts", "availability"),
    ]
    assert by_name.loc["latency_p99", "query"] == (
        "histogram_quantile(0.99, sum by (le) "
        '(rate(http_request_duration_seconds_bucket{service="payment-api"}[$__rate_interval])))'
    )
    assert by_name.loc["saturation", ["unit", "direction", "metric", "row", "others"]].to_list() == [
        "1", "up", "db_pool_connections_active", "connection pools",
        "container memory limit, container memory limit by kube-state-metrics",
    ]  # fmt: skip
    assert by_name.loc["throughput", "direction"] == "either"
    assert by_name.loc["availability", "direction"] == "down"


@pytest.mark.parametrize(
    ("measure", "unit", "before", "during"),
    [
        ("p99", "s", (0.3, 0.5), (2.1, 2.5)),
        ("errors", "1", (0.0, 0.003), (0.04, 0.12)),
        ("rps", "{request}/s", (22, 30), (30, 42)),
        ("cpu", "{cpu}", (0.2, 0.45), (0.4, 0.6)),
        ("memory", "By", (2e9, 3e9), (2e9, 3e9)),
        ("restarts", "{restart}", (0, 0), (0, 0)),
        ("availability", "1", (1, 1), (1, 1)),
    ],
)
def test_a_measure_is_asked_whatever_its_metric_is_called(
    shop: Session, measure: str, unit: str, before: tuple[float, float], during: tuple[float, float]
) -> None:
    frame = shop.measure(measure, "payment-api", start="2026-11-22 14:00", end="2026-11-22 14:30", step="1m")
    check_metrics(frame)
    origin = frame.obs.provenance
    assert origin.unit == unit
    assert origin.question.endswith(" of payment-api")
    assert origin.translated_by.startswith("measures: ")
    assert frame["service"].unique().tolist() == ["payment-api"]
    assert frame["metric"].unique().tolist() == [origin.question.split()[0]]
    values = frame.set_index("timestamp")["value"]
    assert before[0] <= values[:"2026-11-22 14:12"].median() <= before[1]
    assert during[0] <= values["2026-11-22 14:24":"2026-11-22 14:27"].median() <= during[1]


def test_pools_are_kept_apart_and_labels_may_be(shop: Session) -> None:
    pools = shop.measure("saturation", "payment-api", start="2026-11-22 14:20", end="2026-11-22 14:25", step="1m")
    assert pools.groupby("pool", observed=True)["value"].max().round(2)["redis"] == 1.0
    routes = shop.measure("errors", "payment-api", by=["route"], start="2026-11-22 14:24", end="2026-11-22 14:26")
    assert set(routes["route"]) == {"/api/payments", "/api/refunds", "/api/payments/{id}"}
    other = shop.measure("saturation", "payment-api", using="container memory limit", last="10m", step="1m")
    assert "container_spec_memory_limit_bytes" in other.obs.provenance.native_query


def test_rates_of_what_is_scraped_rarely_look_back_further(shop: Session) -> None:
    frame = shop.measure("rps", "payment-api", start="2026-11-20 10:00", end="2026-11-20 12:00", step="5m")
    assert len(frame) == 25
    assert "[20m]" in frame.obs.provenance.native_query
    assert "it is scraped every 5m: rates look back that much longer" in frame.obs.provenance.notes


def test_what_is_not_there_is_said(shop: Session) -> None:
    with pytest.raises(UsageError, match=r"(?s)no service called 'paiment-api'.*did you mean payment-api"):
        shop.measures("paiment-api")
    with pytest.raises(TranslationError, match=r"(?s)nothing here tells the share of failed requests of redis"):
        shop.measure("errors", "redis")
    with pytest.raises(UsageError, match="no measure called 'latencyy'"):
        shop.measure("latencyy", "payment-api")
    assert list(shop.measures("redis")["measure"]) == ["throughput", "saturation", "memory_usage", "availability"]


async def test_the_asynchronous_face_says_the_same(demo_folder: Path) -> None:
    async with AsyncSession(zone="UTC", environ={}) as session:
        await session.connect("demo", str(demo_folder))
        frame = await session.measure("p99", "payment-api", last="10m", step="1m")
        assert frame.obs.provenance.question == "latency_p99 of payment-api"
        assert "latency_p99" in set((await session.measures("payment-api"))["measure"])


CONFIGURED = """
observability:
  measures:
    errors:
      - query: sum(rate(http_requests_total{service="$service",code="503"}[$__rate_interval]))
        service: payment-*
        name: only 503
        unit: "{request}/s"
    latency: >-
      histogram_quantile($quantile, sum by (le)
      (rate(http_request_duration_seconds_bucket{service="$service",route="/api/cart"}[5m])))
    queue_depth: {query: 'max(queue_depth{service="$service"})', unit: "{message}", bad: up}
"""


@pytest.fixture
def configured(tmp_path: Path, demo_folder: Path) -> Session:
    """A session whose configuration adds measures."""
    file = tmp_path / "obs.yaml"
    file.write_text(CONFIGURED)
    session = Session(file, zone="UTC", environ={})
    session.connect("demo", str(demo_folder))
    return session


def test_the_configuration_adds_measures_and_ways_of_answering_them(configured: Session) -> None:
    with configured as session:
        own = session.measure("error_rate", "payment-api", last="10m", step="1m").obs.provenance
        assert (own.translated_by, own.unit) == ("measures: only 503", "{request}/s")
        assert "would do too: Prometheus client, HTTP requests" in own.notes
        other = session.measure("error_rate", "cart-service", last="10m", step="1m").obs.provenance
        assert other.translated_by == "measures: Prometheus client, HTTP requests"
        p75 = session.measure("p75", "cart-service", last="10m", step="1m").obs.provenance
        assert p75.native_query.startswith("histogram_quantile(0.75, ")
        assert p75.translated_by == "measures: measures.latency"
        depth = session.measure("queue_depth", "notification-service", last="10m", step="1m")
        assert (depth.obs.provenance.unit, depth["metric"].iloc[0]) == ("{message}", "queue_depth")
        assert session.measures("notification-service")["measure"].iloc[-1] == "queue_depth"


def test_where_measures_are_configured_is_shown(configured: Session) -> None:
    with configured as session:
        rows = {row.key: (row.value, row.origin.rpartition("/")[2]) for row in effective(session.settings)}
    assert rows["measures.errors[0].name"] == ("only 503", "obs.yaml:7")
    assert rows["measures.queue_depth[0].unit"] == ("{message}", "obs.yaml:12")
    assert rows["measures.queue_depth[0].service"] == ("*", "default")
    assert rows["measures.latency[0].query"][1] == "obs.yaml:9"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("measures: {Errors: up}", "measures.Errors: is no name for a measure"),
        ("measures: {x: 'sum(rate(a{$selector}[5m]))'}", r"must name its metrics and labels: \$selector is"),
        ("measures: {x: 'sum('}", "measures.x.*query: must be PromQL"),
        ("measures: {x: {query: up, bad: sideways}}", "bad: must be up, down or either"),
        ("anomaly_detection: {thresholds: [{metric: a}]}", r"thresholds\[0\]: needs above or below"),
        (
            "anomaly_detection: {thresholds: [{metric: a, above: 1, for: 5}]}",
            r"thresholds\[0\].for: must be a duration",
        ),
        ("anomaly_detection: {thresholds: [{metric: a, abov: 1}]}", r"(?s)thresholds\[0\].abov.*did you mean above"),
        ("anomaly_detection: {thresholds: [{metric: a, above: 1, zz: 1}]}", "known are metric, above, below, for,"),
    ],
)
def test_mistakes_of_the_configuration_name_the_key(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "obs.yaml"
    file.write_text(f"observability:\n  {text}\n")
    with pytest.raises(ConfigError, match=message):
        Session(file, environ={})


def test_a_source_that_is_scraped_once_a_minute_is_asked_with_longer_rates(tmp_path: Path) -> None:
    world = World()
    world.counter({"__name__": "http_requests_total", "service": "cart", "code": "200"}, 2.0)
    series = world.series[0]
    series["values"] = [[at("15:00") / 1000 + 60 * n, str(120 * n)] for n in range(61)]
    world.source(tmp_path)
    with Session(zone="UTC", environ={}) as session:
        session.connect("rare", str(tmp_path))
        frame = session.measure("rps", "cart", last="30m", step="1m")
        assert "[4m]" in frame.obs.provenance.native_query
        assert frame["value"].round(3).unique().tolist() == [2.0]
