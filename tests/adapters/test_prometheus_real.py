"""Against real servers: Prometheus 2.42 over blocks that promtool made, and VictoriaMetrics."""

from __future__ import annotations

import math
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest
from support.prometheus_api import question, source_at
from support.servers import prometheus, victoria_metrics

from obs_magics.adapters.prometheus import ADAPTER, PrometheusSettings
from obs_magics.model.errors import AuthError, LimitExceeded, QueryError
from obs_magics.model.frames import check_metrics

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("prometheus")]

T0 = 1_795_356_000
POINTS = 900  # every 15 s: 3 h 45 min
SPECIAL = {5: math.nan, 6: math.inf, 7: -math.inf, 8: -0.0, 9: 1e-300, 10: 1e300, 11: 9007199254740992.0, 12: 0.1 + 0.2}
# bcrypt of s3cret, cost 4
BCRYPT = "$2y$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG"


def value_at(index: int) -> float:
    return SPECIAL.get(index, float(index) / 3)


def text_of(value: float) -> str:
    return "NaN" if math.isnan(value) else f"{value:+}".replace("inf", "Inf") if math.isinf(value) else repr(value)


def openmetrics() -> str:
    lines = ["# TYPE odd gauge"]
    lines += [f'odd{{kind="special"}} {text_of(value_at(at))} {T0 + 15 * at}' for at in range(POINTS)]
    lines += [f'odd{{kind="gaps"}} {at} {T0 + 15 * at}' for at in range(POINTS) if not 100 <= at < 300]
    lines += ["# TYPE shop_requests counter"]
    lines += [
        f'shop_requests_total{{service="{name}",path="/ä\\"x"}} {at * (place + 1)} {T0 + 15 * at}'
        for place, name in enumerate(("api", "cart", "web"))
        for at in range(POINTS)
    ]
    lines += ["# TYPE pair gauge", f'pair{{a="1",b="1"}} 1 {T0}', f'pair{{a="2",b="2"}} 1 {T0}']
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="module")
def server(prometheus_binary: str) -> Iterator[str]:
    with prometheus(openmetrics(), options=["--query.max-samples=200000"]) as url:
        yield url


@pytest.fixture(scope="module")
def victoria(victoria_metrics_binary: str) -> Iterator[str]:
    lines = [f'shop_requests_total{{service="api"}} {at} {(T0 + 15 * at) * 1000}' for at in range(POINTS)]
    with victoria_metrics("\n".join([*lines, ""])) as url:
        yield url


async def test_values_come_to_the_bit(server: str) -> None:
    async with source_at(server) as source:
        asked = question('odd{kind="special"}', T0, T0 + 15 * (POINTS - 1), 15)
        answer = await source.metrics(asked)
    check_metrics(answer.frame)
    expected = np.asarray([value_at(at) for at in range(POINTS)])
    assert answer.frame["value"].to_numpy().tobytes() == expected.tobytes() or np.array_equal(
        answer.frame["value"].to_numpy(), expected, equal_nan=True
    )
    assert math.copysign(1, answer.frame["value"].iloc[8]) == -1
    assert (answer.frame["timestamp"].astype("int64") == (T0 + 15 * np.arange(POINTS)) * 10**9).all()
    assert not answer.warnings


async def test_gaps_stay_gaps(server: str) -> None:
    async with source_at(server) as source:
        answer = await source.metrics(question('odd{kind="gaps"}', T0, T0 + 15 * (POINTS - 1), 15))
    stamps = (answer.frame["timestamp"].astype("int64") // 10**9 - T0) // 15
    assert not stamps.between(121, 299).any()  # the server itself fills five minutes
    assert len(answer.frame) < POINTS


async def test_a_range_selector_gives_the_samples_as_scraped(server: str) -> None:
    async with source_at(server) as source:
        answer = await source.metrics(question("shop_requests_total[1m]", T0, T0 + 600.25, instant=True))
    assert len(answer.frame) == 3 * 4
    assert answer.link.startswith(f"{server}/graph?")


async def test_parts_of_a_long_range_are_as_one(server: str) -> None:
    """22,501 points by three requests, against the same range asked for in slices of our own."""
    start, step, points = T0 + 0.5, 0.5, 22_501
    asked = question("shop_requests_total @ end() + shop_requests_total", start, start + step * (points - 1), step)
    async with source_at(server) as source:
        whole = (await source.metrics(asked)).frame
        slices = []
        for first in range(0, points, 7_000):
            last = min(first + 7_000, points) - 1
            text = f"shop_requests_total @ {start + step * (points - 1)} + shop_requests_total"
            slices.append((await source.metrics(question(text, start + step * first, start + step * last, step))).frame)
    keys = ["service", "timestamp"]
    expected = pd.concat(slices).sort_values(keys, key=lambda column: column.astype(str), ignore_index=True)
    found = whole.sort_values(keys, key=lambda column: column.astype(str), ignore_index=True)
    assert not whole.duplicated(keys).any()
    assert found["timestamp"].equals(expected["timestamp"])
    assert np.array_equal(found["value"], expected["value"])
    assert len(whole) == 3 * points
    first = whole[whole["service"] == "api"]["timestamp"].astype("int64").to_numpy()
    assert (np.diff(first) == 500_000_000).all()


async def test_places_of_mistakes_are_where_the_server_means(server: str) -> None:
    async with source_at(server) as source:
        for query, mark in {
            'sum(rate(up{a="ä"}[5m]) foo': "foo",
            "ratee(x[5m])": "ratee",
            "# ä\nsum by (a) (up) +\n  rate(up)": "up)",
        }.items():
            with pytest.raises(QueryError) as caught:
                await source.metrics(question(query, instant=True))
            error = caught.value
            assert error.position is not None
            assert query[error.position :].startswith(mark), (query, error.words)
            assert error.hint


async def test_too_many_samples_say_how_to_narrow(server: str) -> None:
    async with source_at(server) as source:
        with pytest.raises(LimitExceeded, match="too many samples") as caught:
            await source.metrics(question("max_over_time(shop_requests_total[3h:100ms])", T0 + 13_000, T0 + 13_400, 60))
    assert "narrow it" in caught.value.hint


@pytest.mark.parametrize(
    ("query", "start", "reason"),
    [
        ("shop_request_total", T0, "no metric is called shop_request_total; did you mean shop_requests_total"),
        (
            'rate(shop_requests_total{service="carts"}[5m])',
            T0,
            'has service="carts"; did you mean cart? there are api, cart, web',
        ),
        ('shop_requests_total{region="eu"}', T0, "it has no label region"),
        ('shop_requests_total{service=~"a.*",path="/none"}', T0, 'has path="/none"'),
        ('odd{kind!~"special|gaps"}', T0, 'has kind!~"special|gaps"; it has gaps, special'),
        ('pair{a="1",b="2"}', T0, "no series of pair has all of these labels at once"),
        ("shop_requests_total", T0 + 10**7, "exists, but has no data in this range"),
        ("shop_requests_total > 1e12", T0, "the expression keeps none of their points"),
        ('{job="x"}', T0, ""),
        ("vector(1) > 2", T0, ""),
    ],
)
async def test_an_empty_answer_says_why(server: str, query: str, start: int, reason: str) -> None:
    async with source_at(server) as source:
        answer = await source.metrics(question(query, start, start + 3600, 60))
    assert len(answer.frame) == 0
    assert reason in answer.empty_reason
    assert bool(reason) == bool(answer.empty_reason)


async def test_the_catalog(server: str) -> None:
    async with source_at(server) as source:
        assert {"odd", "shop_requests_total"} <= set(await source.catalog.metric_names())
        assert await source.catalog.label_names("shop_requests_total") == ["path", "service"]
        assert await source.catalog.label_values("service") == ["api", "cart", "web"]
        assert await source.catalog.label_values("kind", "odd") == ["gaps", "special"]
        info = await source.catalog.metric("shop_requests_total")
        assert (info.type, info.unit) == ("counter", "")


async def test_health_detection_and_link(server: str) -> None:
    assert ADAPTER.detect is not None
    assert await ADAPTER.detect("prom", PrometheusSettings(url=server))
    async with source_at(server) as source:
        assert (await source.health()).version == "Prometheus 2.42.0"
        answer = await source.metrics(question("rate(shop_requests_total[5m])", T0, T0 + 3600, 60))
    assert answer.unit == "1/s"
    assert answer.native_query == "rate(shop_requests_total[5m])"
    link = urlsplit(answer.link)
    assert link.path == "/graph"
    assert parse_qs(link.query) == {
        "g0.expr": ["rate(shop_requests_total[5m])"],
        "g0.tab": ["0"],
        "g0.range_input": ["3600s"],
        "g0.end_input": ["2026-11-22 15:00:00"],
        "g0.moment_input": ["2026-11-22 15:00:00"],
    }


async def test_basic_auth(prometheus_binary: str) -> None:
    with prometheus(web_config=f"basic_auth_users: {{ann: '{BCRYPT}'}}\n") as url:
        async with source_at(url, auth={"type": "basic", "user": "ann", "password": "s3cret"}) as source:
            answer = await source.metrics(question("vector(1)", instant=True))
            assert answer.frame["value"].tolist() == [1.0]
        async with source_at(url, auth={"type": "basic", "user": "ann", "password": "wr0ng"}) as source:
            with pytest.raises(AuthError) as caught:
                await source.metrics(question("vector(1)", instant=True))
            assert "wr0ng" not in str(caught.value)
            assert caught.value.hint
        assert ADAPTER.detect is not None
        with pytest.raises(AuthError):
            await ADAPTER.detect("prom", PrometheusSettings(url=url))


async def test_victoria_metrics_keeps_our_grid(victoria: str) -> None:
    """It would move start and end to multiples of the step by itself when there are 50 points or more."""
    start = T0 + 7
    async with source_at(victoria) as source:
        answer = await source.metrics(question("shop_requests_total", start, start + 15 * 799, 15))
        assert (answer.frame["timestamp"].astype("int64") == (start + 15 * np.arange(800)) * 10**9).all()
        long = await source.metrics(question("shop_requests_total", start, start + 13_000, 0.5))
        stamps = long.frame["timestamp"].astype("int64").to_numpy()
        assert len(stamps) == 26_001
        assert (np.diff(stamps) == 500_000_000).all()
        assert answer.link == ""


async def test_victoria_metrics_speaks_for_itself(victoria: str) -> None:
    assert ADAPTER.detect is not None
    assert await ADAPTER.detect("vm", PrometheusSettings(url=victoria))
    async with source_at(victoria) as source:
        assert (await source.health()).version.startswith("VictoriaMetrics")
        assert await source.catalog.metric_names() == ["shop_requests_total"]
        assert await source.catalog.label_values("not.a.word") == []
        with pytest.raises(QueryError) as caught:
            await source.metrics(question("sum(rate(shop_requests_total[5m]) foo", instant=True))
        assert caught.value.query[caught.value.position or 0 :] == "foo"
        with pytest.raises(LimitExceeded, match="too long query"):
            await source.metrics(question(f'up{{a="{"x" * 20_000}"}}', instant=True))
        found = await source.metrics(question("range_median(shop_requests_total)", T0, T0 + 600, 60))
        assert len(found.frame) == 11


async def test_a_wrong_prefix_of_victoria_metrics_says_so(victoria: str) -> None:
    async with source_at(f"{victoria}/select/9/prometheus") as source:
        with pytest.raises(Exception, match="no Prometheus API") as caught:
            await source.metrics(question("up", instant=True))
    assert "prefix" in str(caught.value)
