"""The story of the demo world comes out when one asks: every number of the truth, by a query."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from obs_magics.demo.world.clock import at
from obs_magics.local.source import FolderSource
from obs_magics.model.query import MetricsQuery
from obs_magics.model.time import SECOND, TimeRange

P99 = 'histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{service="payment-api"}[5m])))'
CHECKOUT = '{service="checkout-api",route="/api/checkout"}'


async def _at(shop: FolderSource, text: str, time: str) -> pd.DataFrame:
    end = at(time) * 1_000_000
    answer = await shop.metrics(MetricsQuery(text=text, range=TimeRange(end, end), step_ns=SECOND, instant=True))
    return answer.frame


async def _value(shop: FolderSource, text: str, time: str) -> float:
    frame = await _at(shop, text, time)
    assert len(frame) == 1, (text, time, frame)
    return float(frame["value"].iloc[0])


async def _by(shop: FolderSource, label: str, text: str, time: str) -> dict[str, float]:
    frame = await _at(shop, text, time)
    return dict(zip(frame[label].astype(str), frame["value"], strict=True))


async def test_p99_of_payment_api_rises_at_1415_and_recovers_before_1500(shop: FolderSource) -> None:
    for time in ("12:00", "13:00", "14:05", "14:12", "14:14", "14:57", "15:30"):
        assert await _value(shop, P99, time) == pytest.approx(0.4, rel=0.15), time
    for time in ("14:20", "14:25", "14:30", "14:37", "14:45"):
        assert await _value(shop, P99, time) == pytest.approx(2.3, rel=0.06), time
    assert await _value(shop, P99.replace("5m", "1m"), "14:14:45") < 0.6
    assert await _value(shop, P99.replace("5m", "1m"), "14:16:15") > 1.9


async def test_the_redis_pool_is_small_between_1413_and_1447(shop: FolderSource) -> None:
    pool = 'max(db_pool_connections_max{service="payment-api",pool="redis"})'
    sizes = {time: await _value(shop, pool, time) for time in ("14:12:45", "14:13:30", "14:46:45", "14:47:30")}
    assert sizes == {"14:12:45": 100.0, "14:13:30": 20.0, "14:46:45": 20.0, "14:47:30": 100.0}
    waiting = 'min(db_pool_connections_pending{service="payment-api",pool="redis"})'
    used = 'min(db_pool_connections_active{service="payment-api",pool="redis"})'
    assert await _value(shop, waiting, "14:10") == 0
    assert await _value(shop, waiting, "14:25") >= 30
    assert await _value(shop, used, "14:25") == 20
    assert 20 < await _value(shop, used, "14:50") < 40  # the campaign goes on: more than the small pool, and harmless
    timeouts = 'sum(increase(db_pool_acquire_timeouts_total{service="payment-api",pool="redis"}[5m]))'
    assert await _value(shop, timeouts, "14:14") == 0
    assert await _value(shop, timeouts, "14:28") > 300


async def test_traffic_grows_by_forty_percent_at_1414(shop: FolderSource) -> None:
    gateway = 'sum(rate(http_requests_total{service="api-gateway"}[5m]))'
    before = await _value(shop, gateway, "14:13:30")
    for time in ("14:20", "14:40", "15:10"):
        assert await _value(shop, gateway, time) / before == pytest.approx(1.4, rel=0.03), time
    assert await _value(shop, gateway, "15:50") / before == pytest.approx(1.0, rel=0.03)


async def test_payments_and_refunds_fail_most_between_1423_and_1428(shop: FolderSource) -> None:
    failing = (
        'sum by (route) (rate(http_requests_total{service="payment-api",code=~"5.."}[2m]))'
        ' / sum by (route) (rate(http_requests_total{service="payment-api"}[2m]))'
    )
    worst = await _by(shop, "route", failing, "14:27")
    assert worst["/api/payments"] == pytest.approx(0.12, abs=0.02)
    assert worst["/api/refunds"] == pytest.approx(0.12, abs=0.05)
    assert worst["/api/payments/{id}"] < 0.01
    assert (await _by(shop, "route", failing, "14:12"))["/api/payments"] < 0.005
    assert 0.02 < (await _by(shop, "route", failing, "14:40"))["/api/payments"] < 0.05
    assert (await _by(shop, "route", failing, "14:56"))["/api/payments"] < 0.005


async def test_errors_spread_to_user_then_order_service(shop: FolderSource) -> None:
    text = 'sum by (service) (rate(http_requests_total{code=~"5.."}[1m])) > 0.15'
    seen = {time: set(await _by(shop, "service", text, time)) for time in ("14:24", "14:25:45", "14:27:30")}
    assert "payment-api" in seen["14:24"]
    assert not {"user-service", "order-service"} & seen["14:24"]
    assert {"payment-api", "user-service"} <= seen["14:25:45"]
    assert {"payment-api", "user-service", "order-service"} <= seen["14:27:30"]


async def test_checkout_takes_over_five_seconds_from_1240_to_1300(shop: FolderSource) -> None:
    slow = (
        f'1 - sum(rate(http_request_duration_seconds_bucket{CHECKOUT[:-1]},le="5"}}[2m]))'
        f" / sum(rate(http_request_duration_seconds_count{CHECKOUT}[2m]))"
    )
    for time in ("12:43", "12:50", "12:59"):
        assert await _value(shop, slow, time) > 0.5, time
    for time in ("12:39", "13:04", "14:30"):
        assert await _value(shop, slow, time) < 0.01, time
    scanned = (
        'sum(rate(pg_stat_user_tables_seq_tup_read{relname="inventory"}[5m]))'
        ' / sum(rate(http_requests_total{route="/api/inventory/reserve"}[5m]))'
    )
    assert await _value(shop, scanned, "12:50") == pytest.approx(2_000_000, rel=0.1)
    assert await _value(shop, scanned, "12:30") == 0


async def test_the_deploy_replaces_the_pods_and_is_innocent(shop: FolderSource) -> None:
    pods = 'count by (version) (up{service="payment-api"})'
    assert await _by(shop, "version", pods, "14:11") == {"v2.4.0": 3.0}
    assert await _by(shop, "version", pods, "14:13:30") == {"v2.4.1": 3.0}
    assert await _by(shop, "version", pods, "14:40") == {"v2.4.0": 3.0}
    names = 'count(count by (pod) (count_over_time(up{service="payment-api"}[6h])))'
    assert await _value(shop, names, "16:00") == 9
    assert await _value(shop, P99.replace("5m", "1m"), "14:14") < 0.75
    assert await _value(shop, P99.replace("5m", "1m"), "14:41") > 2.0  # the old version is no faster


def _p99(service: str) -> str:
    return P99.replace("payment-api", service).replace("5m", "10m")


@pytest.mark.parametrize(
    "text",
    [
        _p99("recommendation-service"),
        _p99("cart-service"),
        _p99("search-service"),
        "sum(rate(redis_commands_duration_seconds_total[5m])) / sum(rate(redis_commands_processed_total[5m]))",
        "sum(pg_up) + sum(redis_up)",
    ],
)
async def test_what_is_innocent_does_not_change(shop: FolderSource, text: str) -> None:
    assert await _value(shop, text, "14:30") == pytest.approx(await _value(shop, text, "13:50"), rel=0.15)


async def test_red_herrings_are_there(shop: FolderSource) -> None:
    restarts = 'sum(increase(kube_pod_container_status_restarts_total{service="search-service"}[10m]))'
    assert await _value(shop, restarts, "11:40") > 0.5
    down = 'count_over_time(up{service="search-service"}[2m])'
    assert min((await _at(shop, down, "11:38:30"))["value"]) < 8
    memory = 'max(container_memory_working_set_bytes{service="search-service"} / container_spec_memory_limit_bytes)'
    assert await _value(shop, memory, "11:37") > 0.85
    busy = 'sum(rate(node_cpu_seconds_total{node="node-2",mode!~"idle|iowait"}[2m]))'
    assert await _value(shop, busy, "13:33") > 1.5 * await _value(shop, busy, "13:20")
    assert await _value(shop, busy, "11:33") > 1.5 * await _value(shop, busy, "11:20")
    disk = 'node_filesystem_avail_bytes{node="node-3"} / node_filesystem_size_bytes'
    assert await _value(shop, disk, "10:30") < 0.2
    limited = 'sum(rate(notifications_sent_total{outcome="rate_limited"}[5m]))'
    assert await _value(shop, limited, "14:15") > 1
    assert await _value(shop, limited, "14:28") == 0


async def test_alerts_ring_and_end(shop: FolderSource) -> None:
    ringing = 'ALERTS{alertstate="firing"}'
    assert "PaymentLatencyHigh" in await _by(shop, "alertname", ringing, "14:30")
    assert set(await _by(shop, "alertname", ringing, "15:10")) == {"DiskFillsUp"}


async def test_seven_days_of_history_have_the_rhythm_of_the_day(shop: FolderSource) -> None:
    rate = 'sum(rate(http_requests_total{service="api-gateway"}[15m]))'
    noon = await _value(shop, rate, "11-19 13:00")
    assert await _value(shop, rate, "11-19 04:00") / noon == pytest.approx(0.23, abs=0.05)
    assert await _value(shop, rate, "11-16 13:00") / noon == pytest.approx(1.0, abs=0.08)
    assert (await _at(shop, "up", "11-15 09:00")).empty


async def test_names_have_types_and_units(shop: FolderSource) -> None:
    catalog = shop.catalog
    names = await catalog.metric_names()
    for name in ("http_requests_total", "process_resident_memory_bytes", "container_cpu_usage_seconds_total", "up"):
        assert name in names
    infos = [await catalog.metric(name) for name in names]
    assert all(info.help for info in infos), [info.name for info in infos if not info.help]
    assert (await catalog.metric("container_memory_working_set_bytes")).unit == "By"
    assert len(await catalog.label_values("service", "http_requests_total")) == 10


def test_the_log_lines_are_those_of_the_truth(world: Path) -> None:
    truth = json.loads((world / "truth.json").read_text())
    logs = pd.read_parquet(world / "logs.parquet")
    counted = truth["incidents"][1]["error_lines"]
    asked = logs["timestamp"].between(pd.Timestamp(counted.pop("start")), pd.Timestamp(counted.pop("end")))
    errors = logs[asked & (logs["level"] == "error")]
    assert errors["service"].value_counts().to_dict() == counted == {
        "payment-api": 32,
        "user-service": 12,
        "order-service": 3,
    }  # fmt: skip
    payments = errors[errors["service"] == "payment-api"]
    assert payments["message"].str.contains("Connection pool exhausted").all()
    assert payments["timestamp"].min() >= pd.Timestamp("2026-11-22T14:23Z")
    assert payments["timestamp"].max() <= pd.Timestamp("2026-11-22T14:28Z")
    assert payments["message"].str.contains("\n\tat ").all()
    paths = payments["message"].str.extract(r"path=(\S+)")[0].unique()
    assert set(paths) == {"/api/payments", "/api/refunds"}
    first = errors.groupby("service")["timestamp"].min().sort_values()
    assert first.index.tolist() == ["payment-api", "user-service", "order-service"]
    others = logs[logs["level"] == "error"]["service"].unique()
    assert set(others) <= set(counted)


def test_logs_speak_in_many_manners(world: Path) -> None:
    logs = pd.read_parquet(world / "logs.parquet")
    assert 30_000 < len(logs) < 150_000
    assert logs["timestamp"].is_monotonic_increasing
    lines = logs.groupby("service")["message"].first()
    assert json.loads(lines["checkout-api"])["trace_id"]
    assert json.loads(lines["cart-service"])["level"] == 30
    assert lines["user-service"].startswith("ts=2026-11-22T")
    assert " - - [22/Nov/2026:" in lines["api-gateway"]
    assert " UTC [" in lines["postgres"]
    assert lines["redis"].startswith("1:M 22 Nov 2026")
    slow = logs[logs["message"].str.contains("Seq Scan on inventory")]
    assert slow["timestamp"].between(pd.Timestamp("2026-11-22T12:39Z"), pd.Timestamp("2026-11-22T13:01Z")).all()
    assert len(slow) > 100


def test_traces_have_parents_errors_and_links(world: Path) -> None:
    spans = pd.read_parquet(world / "spans.parquet")
    ids = set(zip(spans["trace_id"], spans["span_id"], strict=True))
    assert len(ids) == len(spans)
    assert spans["trace_id"].str.fullmatch("[0-9a-f]{32}").all()
    assert spans["span_id"].str.fullmatch("[0-9a-f]{16}").all()
    children = spans[spans["parent_id"].notna()]
    assert set(zip(children["trace_id"], children["parent_id"], strict=True)) <= ids
    linked = spans[spans["links"].map(len) > 0]
    assert set(linked["kind"]) == {"consumer"}
    assert {(link["trace_id"], link["span_id"]) for links in linked["links"] for link in links} <= ids
    failed = spans[spans["status"] == "error"]
    assert {"Connection pool exhausted", "Connection timeout after 30s"} <= set(failed["status_message"])
    assert failed["start"].between(pd.Timestamp("2026-11-22T14:14Z"), pd.Timestamp("2026-11-22T14:50Z")).all()


def test_slow_checkouts_wait_for_the_inventory(world: Path) -> None:
    spans = pd.read_parquet(world / "spans.parquet")
    times = (pd.Timestamp("2026-11-22T12:41Z"), pd.Timestamp("2026-11-22T12:59Z"))
    roots = spans[(spans["operation"] == "POST /api/checkout") & (spans["service"] == "checkout-api")]
    slow = roots[roots["start"].between(*times)]
    assert slow["duration"].median() > pd.Timedelta("5s")
    inside = spans[spans["trace_id"].isin(slow["trace_id"])]
    reserve = inside[(inside["service"] == "inventory-service") & (inside["kind"] == "server")]
    share = reserve.set_index("trace_id")["duration"] / slow.set_index("trace_id")["duration"]
    assert share.median() > 0.75
    select = inside[inside["db.query.text"].fillna("").str.startswith("SELECT * FROM inventory WHERE sku IN (")]
    assert 3.5 < select["duration"].dt.total_seconds().median() < 4.5
    assert roots["duration"][
        ~roots["start"].between(times[0] - pd.Timedelta("3min"), times[1])
    ].median() < pd.Timedelta("1s")


def test_parents_hold_their_children(world: Path) -> None:
    spans = pd.read_parquet(world / "spans.parquet", columns=["trace_id", "span_id", "parent_id", "start", "duration"])
    both = spans.merge(spans, left_on=["trace_id", "parent_id"], right_on=["trace_id", "span_id"], suffixes=("", "_p"))
    late = both["start"] + both["duration"] > both["start_p"] + both["duration_p"] + pd.Timedelta("1us")
    assert not late.any()
    assert not (both["start"] < both["start_p"]).any()


def test_events_are_those_of_the_truth(world: Path) -> None:
    events = pd.read_parquet(world / "events.parquet")
    truth: dict[str, Any] = json.loads((world / "truth.json").read_text())
    known = set(zip(events["timestamp"], events["kind"], events["service"], strict=True))
    causes = [incident["cause"] for incident in truth["incidents"]]
    dated = [one for one in truth["innocent"] if one["kind"] in set(events["kind"]) and "time" in one]
    assert len(dated) >= 5
    for one in [*causes, *dated]:
        assert (pd.Timestamp(one["time"]), one["kind"], one["service"]) in known, one
    assert {
        "deployment",
        "config_change",
        "feature_flag",
        "alert",
        "incident",
        "restart",
        "scale",
        "annotation",
    } == set(events["kind"])
    assert events["timestamp"].is_monotonic_increasing
    redis = dict(events[events["title"].str.startswith("redis pool")]["attributes"].iloc[0])
    assert (redis["old"], redis["new"]) == ("100", "20")
    assert np.all(events["end"].isna() | (events["end"] >= events["timestamp"]))
