"""The catalog: cached, shared between those who ask at the same time, fast with many names."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from support.prometheus_api import source_at
from support.sockets import Asked, Step, answer, serving

from obs_magics.adapters.prometheus.catalog import Shared, path_name, selector
from obs_magics.adapters.prometheus.product import Product
from obs_magics.model.catalog import MetricInfo
from obs_magics.model.errors import BadAnswer, SourceUnavailable

BUILD = answer('{"status":"success","data":{"version":"3.1.0"}}')
NAMES = "/api/v1/label/__name__/values"


def at(paths: dict[str, Any]) -> Step:
    async def step(asked: Asked, writer: Any) -> None:
        path, _, query = asked.target.partition("?")
        found = paths.get(path, answer("no", status=404, kind="text/plain"))
        await (found(query) if path == "/api/v1/metadata" else found)(asked, writer)

    return step


def metadata(known: dict[str, Any]) -> Any:
    def reply(query: str) -> Step:
        name = query.partition("metric=")[2]
        return answer(json.dumps({"status": "success", "data": {name: [known[name]]} if name in known else {}}))

    return reply


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_answers_are_kept_for_a_while_and_shared() -> None:
    clock, asked = Clock(), []

    async def ask() -> int:
        asked.append(clock.now)
        await asyncio.sleep(0)
        return len(asked)

    shared = Shared(60, clock)
    assert await asyncio.gather(*(shared.get("a", ask) for _ in range(5))) == [1] * 5
    assert await shared.get("b", ask) == 2
    clock.now = 59
    assert await shared.get("a", ask) == 1
    clock.now = 60
    assert await shared.get("a", ask) == 3


async def test_failures_are_not_kept() -> None:
    tries: list[int] = []

    async def ask() -> int:
        tries.append(1)
        await asyncio.sleep(0)
        if len(tries) == 1:
            raise SourceUnavailable("away")
        return 7

    shared = Shared()
    both = await asyncio.gather(shared.get("a", ask), shared.get("a", ask), return_exceptions=True)
    assert [type(item) for item in both] == [SourceUnavailable] * 2
    assert await shared.get("a", ask) == 7


async def test_one_that_gives_up_does_not_stop_the_others() -> None:
    let = asyncio.Event()

    async def ask() -> str:
        await let.wait()
        return "here"

    shared = Shared()
    first = asyncio.create_task(shared.get("a", ask))
    second = asyncio.create_task(shared.get("a", ask))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    let.set()
    assert await second == "here"
    assert first.cancelled()


async def test_what_nobody_waits_for_any_more_is_stopped() -> None:
    asked: list[str] = []

    async def ask() -> str:
        asked.append("began")
        try:
            await asyncio.Event().wait()
        finally:
            asked.append("ended")
        return "never"

    async def at_once() -> str:
        return "here"

    shared = Shared()
    both = [asyncio.create_task(shared.get("a", ask)) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for task in both:
        task.cancel()
    await asyncio.gather(*both, return_exceptions=True)
    assert asked == ["began", "ended"]
    assert await shared.get("a", at_once) == "here"


async def test_closing_stops_what_is_under_way() -> None:
    shared = Shared()
    waiting = asyncio.create_task(shared.get("a", asyncio.Event().wait))
    await asyncio.sleep(0)
    await shared.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_hundred_thousand_names() -> None:
    names = [f"service_{number % 500}_some_longer_metric_name_{number}_total" for number in range(100_000)]
    body = json.dumps({"status": "success", "data": names})
    async with serving(at({"/api/v1/status/buildinfo": BUILD, NAMES: answer(body)})) as stage:
        async with source_at(stage.url) as source:
            first = await source.catalog.metric_names()
            again = await source.catalog.metric_names()
        assert sum(asked.target.startswith(NAMES) for asked in stage.asked) == 1
    assert first == sorted(names)
    assert first is again


async def test_names_are_asked_for_once_by_many() -> None:
    slow = answer('{"status":"success","data":["up"]}', delay=0.05)
    async with serving(at({"/api/v1/status/buildinfo": BUILD, NAMES: slow})) as stage:
        async with source_at(stage.url) as source:
            found = await asyncio.gather(*(source.catalog.metric_names() for _ in range(10)))
        assert found == [["up"]] * 10
        assert len([asked for asked in stage.asked if asked.target.startswith(NAMES)]) == 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("up", MetricInfo("up", "gauge", "", "Is it up?")),
        ("latency_bucket", MetricInfo("latency_bucket", "histogram", "s", "How long.")),
        ("latency_sum", MetricInfo("latency_sum", "histogram", "s", "How long.")),
        ("odd", MetricInfo("odd", "histogram", "widgets", "")),
        ("strange_total", MetricInfo("strange_total", "counter", "", "")),
        ("nobody_knows_bytes", MetricInfo("nobody_knows_bytes", "unknown", "By", "")),
    ],
)
async def test_what_is_told_comes_before_what_is_guessed(name: str, expected: MetricInfo) -> None:
    known = {
        "up": {"type": "gauge", "help": "Is it up?", "unit": ""},
        "latency": {"type": "histogram", "help": "How long.", "unit": "seconds"},
        "odd": {"type": "gaugehistogram", "help": "", "unit": "widgets"},
        "strange_total": {"type": "unknown", "help": "", "unit": ""},
    }
    steps = at({"/api/v1/status/buildinfo": BUILD, "/api/v1/metadata": metadata(known)})
    async with serving(steps) as stage, source_at(stage.url) as source:
        assert await source.catalog.metric(name) == expected


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<html>", "HTML page"),
        ("nope", "not JSON"),
        ('{"status":"success","data":{"a":1}}', "shape"),
        ('{"status":"odd"}', "not one of"),
    ],
)
async def test_answers_that_are_none(body: str, words: str) -> None:
    steps = at({"/api/v1/status/buildinfo": BUILD, NAMES: answer(body)})
    async with serving(steps) as stage, source_at(stage.url) as source:
        with pytest.raises(BadAnswer, match=words):
            await source.catalog.metric_names()


async def test_no_data_is_no_names() -> None:
    """Some proxies leave empty lists out."""
    steps = at({"/api/v1/status/buildinfo": BUILD, NAMES: answer('{"status":"success"}')})
    async with serving(steps) as stage, source_at(stage.url) as source:
        assert await source.catalog.metric_names() == []


def test_names_that_are_not_words_are_quoted() -> None:
    assert selector("http_requests:rate5m") == "http_requests:rate5m"
    assert selector('http.requests"\\\n') == '{__name__="http.requests\\"\\\\\\n"}'
    prometheus, victoria = Product("Prometheus", "3.1.0"), Product("VictoriaMetrics")
    assert path_name("service", prometheus) == "service"
    assert path_name("service.name_x", prometheus) == "U__service_2e_name__x"
    assert path_name("0a", prometheus) == "U___30_a"
    assert path_name("a/b c", victoria) == "a%2Fb%20c"


def test_links_by_product() -> None:
    end = "2026-11-22 15:00:00"
    assert (
        Product("Prometheus", "3.1.0")
        .link("http://p", "up", None, end)
        .startswith("http://p/query?g0.expr=up&g0.tab=1")
    )
    assert Product("Prometheus", "2.42.0").link("http://p", "up", None, end).startswith("http://p/graph?")
    assert Product("Thanos", "0.34.0").link("http://p", "up", None, end).startswith("http://p/graph?")
    assert Product("Grafana Mimir", "2.10").link("http://p", "up", None, end) == ""
    assert Product().title == "Prometheus API"
