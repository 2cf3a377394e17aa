"""Whatever step of a question Ctrl-C cuts, nothing of it stays behind, and the next question gets through."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from support import alertmanager_api, jaeger_api, loki_api, prometheus_api, tempo_api, victorialogs_api
from support.patience import eventually_async
from support.sockets import Asked, Step, answer, hang, serving

from obs_magics.adapters.prometheus import source as prometheus_source
from obs_magics.model.query import EventsQuery, LogsQuery, TracesQuery
from obs_magics.model.sources import Answer
from obs_magics.model.time import SECOND, TimeRange

HOUR = TimeRange(loki_api.START, loki_api.END)
NOW = TimeRange(jaeger_api.NOW_NS - 3600 * SECOND, jaeger_api.NOW_NS + 3600 * SECOND)
# Loop steps after which a question is cut: connecting, sending, waiting for the head, reading, the next request.
STEPS = (0, 1, 2, 3, 5, 8, 12, 17, 23, 30, 38)


def told(answers: dict[str, Any]) -> Step:
    """Answer by path."""

    async def step(asked: Asked, writer: Any) -> None:
        found = answers.get(asked.target.partition("?")[0])
        await (answer("404", status=404) if found is None else answer(json.dumps(found)))(asked, writer)

    return step


def prometheus() -> Step:
    series = [{"metric": {"__name__": "up"}, "values": [[prometheus_api.START, "1"]]}]
    return told(
        {
            "/api/v1/status/buildinfo": {"status": "success", "data": {"version": "2.42.0"}},
            "/api/v1/query_range": {"status": "success", "data": {"resultType": "matrix", "result": series}},
            "/api/v1/metadata": {"status": "success", "data": {}},
            "/api/v1/rules": {"status": "success", "data": {"groups": []}},
        }
    )


def loki() -> Step:
    return loki_api.FakeLoki([loki_api.Entry(loki_api.START + n, f"line {n}", {"app": "api"}) for n in range(20)]).step


def victorialogs() -> Step:
    rows = [{"_time": loki_api.START + n, "_msg": f"line {n}", "_stream": "{}", "level": "info"} for n in range(20)]
    return victorialogs_api.FakeVictoriaLogs(rows).step


def tempo() -> Step:
    return tempo_api.FakeTempo({f"{n:032x}": [tempo_api.span(f"{n:032x}")] for n in range(1, 8)}).step


def jaeger() -> Step:
    return jaeger_api.FakeJaeger([jaeger_api.Call(n, service=f"s{n % 3}", start_ms=n) for n in range(1, 8)]).step


def alertmanager() -> Step:
    return told({f"/api/v2/{name}": [] for name in ("alerts", "alerts/groups", "silences")})


async def logs(source: Any) -> Answer:
    return await source.logs(LogsQuery(text="*", range=HOUR, limit=15, step_ns=60 * SECOND, volume_step_ns=60 * SECOND))


async def events(source: Any) -> Answer:
    return await source.events(EventsQuery(range=HOUR, limit=100))


async def traces(source: Any) -> Answer:
    return await source.traces(TracesQuery(text="", range=NOW, limit=20, step_ns=60 * SECOND))


CASES: dict[str, tuple[Callable[[], Step], Callable[[str], Any], Callable[[Any], Awaitable[Answer]]]] = {
    "metrics of Prometheus": (
        prometheus,
        lambda url: prometheus_api.open_source("it", prometheus_api.PrometheusSettings(url=url)),
        lambda source: source.metrics(prometheus_api.question("up", step=0.1)),  # in parts
    ),
    "alerts of Prometheus": (
        prometheus,
        lambda url: prometheus_api.open_source("it", prometheus_api.PrometheusSettings(url=url)),
        events,
    ),
    "Loki": (
        loki,
        lambda url: loki_api.open_source("it", loki_api.LokiSettings(url=url, page_lines=6)),
        lambda source: source.logs(loki_api.question(limit=15)),
    ),
    "VictoriaLogs": (
        victorialogs,
        lambda url: victorialogs_api.open_source("it", victorialogs_api.VictoriaLogsSettings(url=url, page_lines=6)),
        logs,
    ),
    "Tempo": (tempo, lambda url: tempo_api.open_source("it", tempo_api.TempoSettings(url=url)), traces),
    "Jaeger": (jaeger, lambda url: jaeger_api.open_source("it", jaeger_api.JaegerSettings(url=url)), traces),
    "Alertmanager": (
        alertmanager,
        lambda url: alertmanager_api.open_source("it", alertmanager_api.AlertmanagerSettings(url=url)),
        events,
    ),
}


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("silent", [True, False], ids=["nobody answers", "answers come"])
@pytest.mark.parametrize("name", CASES)
async def test_cancelling_leaves_nothing_behind(name: str, silent: bool, steps: int) -> None:
    make, opened, ask = CASES[name]
    answering, hanging = make(), [silent]

    async def step(asked: Asked, writer: Any) -> None:
        await (hang if hanging[0] else answering)(asked, writer)

    async with serving(step) as stage:
        source = opened(stage.url)
        task = asyncio.create_task(ask(source))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        left = [one for one in asyncio.all_tasks() if "obs_magics" in one.get_coro().cr_code.co_filename]
        assert left == []
        if silent:
            await stage.all_gone()
        hanging[0] = False
        async with asyncio.timeout(60):
            assert isinstance(await ask(source), Answer)
        await source.close()
        await stage.all_gone()


async def test_a_unit_that_comes_late_is_there_at_the_next_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus_source, "_UNIT_SECONDS", 0.01)
    answering, may_answer = prometheus(), asyncio.Event()
    metadata = answer('{"status":"success","data":{"disk":[{"type":"gauge","unit":"bytes","help":""}]}}')

    async def step(asked: Asked, writer: Any) -> None:
        if "metadata" in asked.target:
            await may_answer.wait()
            await metadata(asked, writer)
        else:
            await answering(asked, writer)

    async with serving(step) as stage, prometheus_api.source_at(stage.url) as source:
        assert (await source.metrics(prometheus_api.question("disk"))).unit == ""
        may_answer.set()
        await eventually_async(lambda: not source._late)
        assert (await source.metrics(prometheus_api.question("disk"))).unit == "By"
        assert sum("metadata" in asked.target for asked in stage.asked) == 1
