"""What goes wrong between a Prometheus and us: each time the right error, with the way out, in a few lines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from support.patience import eventually_async
from support.prometheus_api import START, question, source_at
from support.servers import nobody
from support.sockets import Asked, Step, answer, serving

from obs_magics.adapters.prometheus import ADAPTER, PrometheusSettings
from obs_magics.adapters.prometheus.errors import refused
from obs_magics.config.load import platform_settings
from obs_magics.model.errors import (
    AuthError,
    BadAnswer,
    ConfigError,
    LimitExceeded,
    ObsError,
    QueryError,
    RateLimited,
    SourceTimeout,
    SourceUnavailable,
    UsageError,
)
from obs_magics.model.sources import Progress

BUILD = answer('{"status":"success","data":{"version":"2.42.0"}}')
UP = '[{"metric":{"__name__":"up"},"value":[1795356000,"1"]}]'
ONE = f'{{"status":"success","data":{{"resultType":"vector","result":{UP}}}}}'
MIMIR = answer('{"status":"success","data":{"application":"Grafana Mimir","version":"2.10.0"}}')
HTML = "<!doctype html><html><head><title>Sign in</title></head></html>"


def refusal(words: str, kind: str = "execution", status: int = 422) -> Step:
    return answer(json.dumps({"status": "error", "errorType": kind, "error": words}), status=status)


def by_path(answers: dict[str, Any]) -> Step:
    """Answer by path (without the query); a list is used up step by step, its last step stays."""
    waiting = {path: iter([*steps[:-1]]) if isinstance(steps, list) else iter(()) for path, steps in answers.items()}

    async def step(asked: Asked, writer: Any) -> None:
        path = asked.target.partition("?")[0]
        steps = answers.get(path, answer("nothing here", status=404, kind="text/plain"))
        last = steps[-1] if isinstance(steps, list) else steps
        await next(waiting.get(path, iter(())), last)(asked, writer)

    return step


async def ask(step: Any, query: Any = None, **settings: Any) -> Any:
    answers = {"/api/v1/status/buildinfo": BUILD, "/api/v1/query": step}
    async with serving(by_path(answers)) as stage, source_at(stage.url, **settings) as source:
        return await source.metrics(query or question("up", instant=True))


MANY = "query processing would load too many samples into memory in query execution"
PAIRS = "found duplicate series for the match group {}; many-to-many matching not allowed"
STREAMS = '{"status":"success","data":{"resultType":"streams","result":[]}}'
CASES: list[tuple[str, Any, type[ObsError], str]] = [
    ("html", answer(HTML, kind="text/html"), BadAnswer, "Sign in"),
    ("half a body", answer(ONE[:90], announced=len(ONE)), BadAnswer, "broke off"),
    ("half a json", answer(ONE[:90]), BadAnswer, "not whole JSON"),
    ("too many samples", refusal(MANY), LimitExceeded, "too many samples"),
    ("timeout", refusal("expanding series: context deadline exceeded"), SourceTimeout, "deadline"),
    ("engine's timeout", refusal("query timed out in evaluation", "timeout", 503), SourceTimeout, "gave up"),
    ("many to many", refusal(PAIRS), QueryError, "many-to-many"),
    ("internal", refusal("TSDB not ready", "internal", 500), SourceUnavailable, "TSDB not ready"),
    ("429", answer("slow down", status=429, kind="text/plain", headers={"retry-after": "0"}), RateLimited, "too often"),
    ("503", answer("starting", status=503, kind="text/plain"), SourceUnavailable, "starting"),
    ("503 of its own", refusal("not ready", "unavailable", 503), SourceUnavailable, "not ready"),
    ("401", answer("no org id", status=401, kind="text/plain"), AuthError, "no org id"),
    ("text 400", answer("nonsense", status=400, kind="text/plain"), QueryError, "nonsense"),
    ("another json", answer('{"message":"no"}', status=422), QueryError, "message"),
    ("other api", answer(STREAMS), BadAnswer, "streams"),
    (
        "wrong path",
        answer('unsupported path requested: "/x"', status=400, kind="text/plain"),
        BadAnswer,
        "no Prometheus",
    ),
]


@pytest.mark.parametrize(("step", "expected", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_each_failure_is_the_right_error_with_a_way_out(step: Any, expected: type[ObsError], words: str) -> None:
    with pytest.raises(expected, match=words) as caught:
        await ask(step, timeout="60s")
    error = caught.value
    assert type(error) is expected
    assert error.where.startswith("prom (http://127.0.0.1:")
    assert error.hint
    assert len(str(error).splitlines()) <= 5


async def test_a_dead_server() -> None:
    with nobody() as address:
        async with source_at(address, timeout="60s") as source:
            with pytest.raises(SourceUnavailable, match="refused") as caught:
                await source.metrics(question("up"))
            assert caught.value.hint
            with pytest.raises(SourceUnavailable):
                await source.health()


async def test_asked_too_often_and_then_fine() -> None:
    later = answer("slow down", status=429, kind="text/plain", headers={"retry-after": "0"})
    result = await ask([later, answer(ONE)])
    assert result.frame["value"].tolist() == [1.0]


async def test_a_server_that_hides_its_version_is_asked_all_the_same() -> None:
    forbidden = answer("no", status=403, kind="text/plain")
    steps = by_path({"/api/v1/status/buildinfo": forbidden, "/api/v1/query": answer(ONE)})
    async with serving(steps) as stage, source_at(stage.url) as source:
        found = await source.metrics(question("up", instant=True))
        assert found.frame["metric"].tolist() == ["up"]
        with pytest.raises(AuthError):
            await source.health()


async def test_the_place_of_a_mistake_is_marked_in_characters() -> None:
    words = 'invalid parameter "query": 2:13: parse error: unexpected identifier "b"'
    query = "# ä\nsum(rate(ä b))"
    with pytest.raises(QueryError) as caught:
        await ask(refusal(words, "bad_data", 400), question(query, instant=True))
    error = caught.value
    assert error.words == words
    assert query[error.position or 0 :].startswith("b))")
    assert str(error).splitlines()[2].index("^") == str(error).splitlines()[1].index("b))")


async def test_an_unknown_function_brings_those_that_may_be_meant() -> None:
    words = 'invalid parameter "query": 1:1: parse error: unknown function with name "ratee"'
    with pytest.raises(QueryError, match=r"did you mean.*rate") as caught:
        await ask(refusal(words, "bad_data", 400), question("ratee(x[5m])", instant=True))
    assert (caught.value.position, caught.value.length) == (0, 5)


@pytest.mark.parametrize(
    ("words", "query", "position"),
    [
        ('argList: unexpected token "foo"; unparsed data: "foo"', "sum(rate(x[5m]) foo", 16),
        ('unexpected token; unparsed data: "\\"a\\""', 'sum("a"', 4),
        ('unexpected token; unparsed data: "\\x00"', "up", None),
        ('unexpected token; unparsed data: "other"', "up", None),
        ("1:3: parse error: unexpected end of input", "up", 2),
        ("9:1: parse error: unexpected end of input", "up", None),
        ("1:9: parse error: unexpected end of input", "up", None),
        ("no place at all", "up", None),
    ],
)
def test_places_in_the_words_of_servers(words: str, query: str, position: int | None) -> None:
    error = refused(words, query=query)
    assert isinstance(error, QueryError)
    assert error.position == position


@pytest.mark.parametrize("limit", [0, -3])
async def test_a_limit_that_makes_no_sense(limit: int) -> None:
    with pytest.raises(UsageError, match="limit"):
        await ask(answer(ONE), question("up", instant=True, limit=limit))


def matrix(asked: Asked) -> str:
    """One point at each step of what was asked, its value the second."""
    form = {key: values[0] for key, values in parse_qs(asked.body.decode()).items()}
    start, end, step = (round(float(form[key]) * 1000) for key in ("start", "end", "step"))
    times = range(start, end + 1, step)
    pairs = ",".join(f'[{time / 1000:.3f},"{time // 1000}"]' for time in times)
    result = f'[{{"metric":{{"a":"1"}},"values":[{pairs}]}}]'
    return f'{{"status":"success","data":{{"resultType":"matrix","result":{result}}}}}'


def points_or(problem: Callable[[Asked], Step | None]) -> Step:
    async def step(asked: Asked, writer: Any) -> None:
        await (problem(asked) or answer(matrix(asked)))(asked, writer)

    return step


async def split_ask(problem: Callable[[Asked], Step | None], parts: int = 4) -> tuple[Any, list[Progress], Any]:
    told: list[Progress] = []
    answers = {"/api/v1/status/buildinfo": BUILD, "/api/v1/query_range": points_or(problem)}
    async with serving(by_path(answers)) as stage, source_at(stage.url, timeout="60s") as source:
        wanted = question("x @ end()", START, START + parts * 11_000 - 1, 1)
        return await source.metrics(wanted, told.append), told, stage


async def test_parts_are_put_together_without_a_seam() -> None:
    found, told, stage = await split_ask(lambda _: None)
    seconds = found.frame["timestamp"].astype("int64") // 10**9
    assert seconds.tolist() == list(range(START, START + 44_000))
    assert (found.frame["value"] == seconds).all()
    assert [item.done for item in told] == [0, 1, 2, 3, 4]
    assert told[-1].rows == 44_000
    asked = [parse_qs(item.body.decode()) for item in stage.asked if item.target.endswith("query_range")]
    assert {form["query"][0] for form in asked} == {f"x @ {START + 43_999}"}
    assert found.native_query == "x @ end()"
    assert not found.truncated


async def test_a_part_that_fails_does_not_take_the_others_with_it() -> None:
    def problem(asked: Asked) -> Step | None:
        broken = f"start={START + 22_000}" in asked.body.decode()
        return refusal("query processing would load too many samples into memory") if broken else None

    found, _, _ = await split_ask(problem)
    assert len(found.frame) == 33_000
    assert found.truncated == "1 of 4 parts did not come"
    assert len(found.failed) == 1
    assert "did not come: query processing would load too many samples" in found.failed[0]
    assert found.failed[0].startswith("2026-11-22T20:06:40Z to ")


async def test_when_all_parts_fail_the_error_is_raised() -> None:
    with pytest.raises(LimitExceeded):
        await split_ask(lambda _: refusal("query processing would load too many samples into memory"))


async def test_a_query_that_is_none_is_not_asked_on() -> None:
    words = 'invalid parameter "query": 1:1: parse error: nonsense'
    with pytest.raises(QueryError, match="nonsense"):
        await split_ask(lambda _: refusal(words, "bad_data", 400), parts=40)


async def test_an_interrupt_ends_all_parts() -> None:
    def problem(_asked: Asked) -> Step:
        return answer("{}", delay=30)

    answers = {"/api/v1/status/buildinfo": BUILD, "/api/v1/query_range": points_or(problem)}
    async with serving(by_path(answers)) as stage, source_at(stage.url) as source:
        task = asyncio.create_task(source.metrics(question("up", START, START + 44_000, 1)))
        await eventually_async(lambda: len(stage.asked) >= 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await source.close()
        await stage.all_gone()


async def test_a_cluster_with_a_missing_node_and_a_limit_are_told() -> None:
    result = ",".join(f'{{"metric":{{"a":"{at}"}},"value":[1,"1"]}}' for at in range(3))
    body = f'{{"status":"success","isPartial":true,"data":{{"resultType":"vector","result":[{result}]}}}}'
    found = await ask(answer(body), question("up", instant=True, limit=2))
    assert len(found.frame) == 2
    assert "a part of its data" in found.truncated
    assert "the first 2 of 3 series" in found.truncated
    body = (
        '{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["results truncated due to limit"]}'
    )
    found = await ask(answer(body), question("up", instant=True, limit=2))
    assert "the server kept 0 series" in found.truncated


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"/api/v1/status/buildinfo": BUILD}, True),
        (
            {
                "/api/v1/status/buildinfo": answer(
                    '{"status":"success","data":{"application":"Grafana Mimir","version":"2"}}'
                )
            },
            True,
        ),
        ({"/api/v1/query": answer('{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}')}, True),
        ({"/api/v1/status/buildinfo": answer('{"status":"success","data":{}}')}, False),
        ({"/api/v1/status/buildinfo": answer('{"version":"3.0"}')}, False),
        ({"/api/v1/status/buildinfo": answer(HTML, kind="text/html")}, False),
        ({"/api/v1/status/buildinfo": answer("", status=500)}, False),
        ({}, False),
    ],
)
async def test_detection_knows_its_own_and_never_fails_for_others(answers: dict[str, Step], expected: bool) -> None:
    assert ADAPTER.detect is not None
    async with serving(by_path(answers)) as stage:
        assert await ADAPTER.detect("new", PrometheusSettings(url=stage.url, timeout="60s")) is expected


async def test_detection_tells_when_credentials_are_wanted() -> None:
    assert ADAPTER.detect is not None
    locked = answer("who are you", status=401, kind="text/plain")
    async with serving(by_path({"/api/v1/status/buildinfo": locked})) as stage:
        with pytest.raises(AuthError):
            await ADAPTER.detect("new", PrometheusSettings(url=stage.url))


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"type": "basic", "user": "${WHO}", "password": "pass"}, "authorization", "Basic YW5uOnBhc3M="),
        ({"type": "bearer", "token": "${TOKEN}"}, "authorization", "Bearer s3cret"),
        ({"type": "header", "name": "X-Key", "value": "${TOKEN}"}, "x-key", "s3cret"),
        ({"type": "none"}, "x-scope-orgid", "team-a"),
    ],
)
async def test_credentials_and_tenant_are_sent(
    auth: dict[str, str], header: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHO", "ann")
    monkeypatch.setenv("TOKEN", "s3cret")
    answers = {"/select/0/prometheus/api/v1/status/buildinfo": BUILD, "/select/0/prometheus/api/v1/query": answer(ONE)}
    async with serving(by_path(answers)) as stage:
        settings = {"auth": auth, "tenant": "team-a", "headers": {"X-More": "${TOKEN}"}}
        async with source_at(f"{stage.url}/select/0/prometheus", **settings) as source:
            await source.metrics(question("up", instant=True))
        asked = stage.asked[-1]
        sent = {name.lower(): text for name, text in asked.headers.items()}
        assert sent[header] == value
        assert sent["x-more"] == "s3cret"


async def test_a_missing_secret_is_told_when_the_source_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_THERE", raising=False)
    async with source_at("http://127.0.0.1:1", auth={"type": "bearer", "token": "${NOT_THERE}"}) as source:
        with pytest.raises(ConfigError, match="NOT_THERE"):
            await source.metrics(question("up"))


def test_an_entry_without_an_address() -> None:
    with pytest.raises(ConfigError, match="needs a url"):
        platform_settings("prom", {"type": "prometheus"}, {"prometheus": ADAPTER})
    assert not PrometheusSettings(enabled=False).enabled  # an entry that is switched off may be half written


def test_a_function_that_only_the_server_does_not_know() -> None:
    error = refused('unknown function with name "rate"', query="rate(x[5m])")
    assert error.hint == "look at the query; --dry-run shows what is sent"


async def test_a_refusal_without_words() -> None:
    with pytest.raises(QueryError, match="refused"):
        await ask(answer("", status=400))
