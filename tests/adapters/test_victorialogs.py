"""Questions for lines and numbers against a VictoriaLogs in memory, and its query language as far as it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sockets import Step, answer, drop
from support.victorialogs_api import FakeVictoriaLogs

from obs_magics.adapters.victorialogs import VictoriaLogsSettings
from obs_magics.adapters.victorialogs.answers import parse_answer
from obs_magics.adapters.victorialogs.errors import place, refused
from obs_magics.adapters.victorialogs.query import only_severe, pipes_of, with_stats, without_milder
from obs_magics.adapters.victorialogs.settings import tenant_headers
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
)  # fmt: skip
from obs_magics.model.logs import Level, check_logs
from obs_magics.model.query import LogsQuery, LogWords, MetricsQuery
from obs_magics.model.sources import Answer, LogsSource, MetricsSource
from obs_magics.model.time import SECOND, TimeRange

START, END = 1_795_356_000 * SECOND, 1_795_359_600 * SECOND


def question(text: str = "*", *, start: int = START, end: int = END, limit: int = 1000,
             level: Level | None = None) -> LogsQuery:  # fmt: skip
    return LogsQuery(text=text, range=TimeRange(start, end), limit=limit, level=level, step_ns=60 * SECOND,
                     volume_step_ns=60 * SECOND)  # fmt: skip


def rows(count: int, *, level: str = "info", gap: int = SECOND) -> list[dict[str, Any]]:
    return [
        {"_time": START + n * gap, "_msg": f"line {n}", "_stream": '{app="api"}', "app": "api", "level": level}
        for n in range(count)
    ]


async def ask(fake: FakeVictoriaLogs, text: str = "*", *, page_lines: int = 10_000, **asked: Any) -> Answer:
    async with fake.source(page_lines=page_lines) as (source, _):
        return await source.logs(question(text, **asked))


@settings(max_examples=40)
@given(st.lists(st.integers(0, 6), max_size=30), st.integers(1, 40), st.integers(1, 12))
def test_pages_neither_lose_nor_repeat_lines(times: list[int], limit: int, page: int) -> None:
    found = [{"_time": START + at, "_msg": f"{number}", "app": "api"} for number, at in enumerate(times)]
    result = asyncio.run(ask(FakeVictoriaLogs(found), limit=limit, page_lines=page))
    check_logs(result.frame)
    got = result.frame["message"].tolist()
    assert len(set(got)) == len(got)
    if max((times.count(at) for at in times), default=0) < page:
        assert len(got) == min(limit, len(times))
        newest = sorted(times)[len(times) - len(got) :]
        assert (result.frame["timestamp"].astype("int64") - START).tolist() == newest
    assert result.volume is not None
    assert result.volume.total == len(times)
    assert result.total == len(times)


async def test_the_answer_has_order_labels_counts_and_a_link() -> None:
    fake = FakeVictoriaLogs(rows(30))
    found = await ask(fake, limit=10)
    assert found.signal == "logs"
    assert found.frame["message"].tolist() == [f"line {n}" for n in range(20, 30)]
    assert str(found.frame["app"].dtype) == "category"
    assert found.truncated == "the newest 10 of 30 lines (--limit)"
    assert found.link.endswith(
        "/select/vmui/?#/?query=%2A&g0.range_input=3600s&g0.end_input=2026-11-22T15%3A00%3A00&g0.relative_time=none"
    )
    assert found.volume is not None
    assert found.volume.counts == {"info": (30, *[0] * 59)}


async def test_the_tenant_goes_into_headers_of_its_own() -> None:
    fake = FakeVictoriaLogs(rows(3))
    async with fake.source(tenant="1:2", headers={"X-Team": "a"}) as (source, stage):
        assert isinstance(source, LogsSource)
        assert isinstance(source, MetricsSource)
        found = await source.logs(question())
    headers = stage.asked[0].headers
    assert (headers["accountid"], headers["projectid"], headers["x-team"]) == ("1", "2", "a")
    assert "x-scope-orgid" not in headers
    assert found.link.endswith("&accountID=1&projectID=2")
    assert tenant_headers("") == {}
    assert VictoriaLogsSettings(url="http://x", tenant=7).tenant == "7"  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must be an account"):
        VictoriaLogsSettings(url="http://x", tenant="team-a")


async def test_the_server_leaves_out_what_it_knows_to_be_milder() -> None:
    fake = FakeVictoriaLogs([*rows(10), *rows(4, level="error"), {"_time": START, "_msg": "ERROR x", "app": "b"}])
    found = await ask(fake, level="error")
    assert found.native_query.startswith('* | filter !level:~"(?i)^(trace|debug|')
    assert found.frame["level"].tolist() == ["error"] * 5
    assert found.total == 5
    some = await ask(fake, level="error", limit=2)
    assert some.total == 4
    assert any("level of 1 lines" in text for text in some.warnings)
    assert (await ask(fake, level="trace")).native_query == "*"


def failing(endpoint: str, step: Step, *, after: int = 0) -> FakeVictoriaLogs:
    fake = FakeVictoriaLogs(rows(20))

    def problem(path: str, _form: Mapping[str, str]) -> Step | None:
        return step if path == endpoint and sum(name == endpoint for name, _ in fake.asked) > after else None

    fake.problem = problem
    return fake


async def test_pages_that_came_are_kept_when_the_server_fails_half_way() -> None:
    found = await ask(failing("query", drop, after=2), page_lines=6, limit=18)
    assert found.frame["message"].tolist() == [f"line {n}" for n in range(9, 20)]
    assert found.failed[0].startswith("lines before 2026-11-22T14:00:09")
    assert found.truncated == "11 of 20 lines: the source failed half-way"


async def test_lines_without_a_count_are_still_lines() -> None:
    found = await ask(failing("stats_query_range", answer("no", status=400, kind="text/plain")), limit=5)
    assert len(found.frame) == 5
    assert found.total is None
    assert any("not counted" in text for text in found.warnings)


MATRIX = '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"n"},"values":[[1,"2"]]}]}}'


async def test_a_stats_pipe_is_answered_with_metrics() -> None:
    fake = FakeVictoriaLogs([], problem=lambda _path, _form: answer(MATRIX))
    found = await ask(fake, "* | stats count() n", level="error")
    assert found.signal == "metrics"
    assert found.native_query.startswith('* | filter level:~"(?i)^(err|error|fatal|')
    assert found.native_query.endswith(" | stats count() n")
    assert any("--level" in text for text in found.warnings)
    span = TimeRange(START, END)
    async with fake.source() as (source, _):
        for instant in (True, False):
            query = MetricsQuery(text="* | stats count() n", range=span, step_ns=60 * SECOND, instant=instant, limit=1)
            assert (await source.metrics(query)).frame["value"].tolist() == [2.0]
        with pytest.raises(QueryError, match="lines, not numbers"):
            await source.metrics(MetricsQuery(text="error", range=span, step_ns=SECOND))
        with pytest.raises(UsageError):
            await source.logs(question(start=END, end=START))
    assert [endpoint for endpoint, _ in fake.asked[1:]] == ["stats_query", "stats_query_range"]


async def test_more_series_than_were_asked_for_are_cut() -> None:
    series = ",".join(f'{{"metric":{{"a":"{n}"}},"values":[[1,"2"]]}}' for n in range(3))
    body = f'{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}'
    fake = FakeVictoriaLogs([], problem=lambda _path, _form: answer(body))
    async with fake.source() as (source, _):
        query = MetricsQuery(text="* | stats by (a) count()", range=TimeRange(START, END), step_ns=SECOND, limit=2)
        found = await source.metrics(query)
    assert found.truncated == "the first 2 of 3 series (--limit)"


async def test_rows_without_a_time_are_numbers_or_nothing_we_know() -> None:
    fake = FakeVictoriaLogs(
        [], problem=lambda _path, _form: answer('{"app":"api","hits":"7"}\n{"app":"b","hits":"2"}\n')
    )
    found = await ask(fake, "* | top 2 by (app)")
    assert found.signal == "metrics"
    assert found.frame[["metric", "app", "value"]].values.tolist() == [["hits", "api", 7.0], ["hits", "b", 2.0]]
    fake = FakeVictoriaLogs([], problem=lambda _path, _form: answer('{"app":"api"}\n'))
    with pytest.raises(QueryError, match="neither a time nor numbers") as caught:
        await ask(fake, "* | fields app")
    assert caught.value.query == "* | fields app"
    assert caught.value.where


FILTERED = "there are lines in this range, but the query's filters keep none of them"
REASONS = {
    "nothing": FILTERED,
    "nothing ap:api": "no line has a field ap; did you mean app?",
    "nothing zz:api": "no line has a field zz; there are app, level",
    'nothing {app="apy"}': "no line has app:apy in this range; did you mean api? there are api",
    'nothing app:="zzzz"': "no line has app:zzzz in this range; there are api",
    'nothing !app:zzz _msg:x level:in("a") app:~"z" app:ap*': FILTERED,
}


@pytest.mark.parametrize(("text", "reason"), REASONS.items())
async def test_why_there_is_nothing(text: str, reason: str) -> None:
    assert (await ask(FakeVictoriaLogs(rows(3)), text)).empty_reason == reason


async def test_why_there_is_nothing_at_all_or_nobody_tells() -> None:
    assert (await ask(FakeVictoriaLogs([]))).empty_reason == "there are no logs at all in this range"
    found = await ask(failing("field_names", answer("x", status=500)), "nothing")
    assert found.empty_reason == ""
    odd = FakeVictoriaLogs([{"_time": START, "_msg": "hello"}])
    assert "none is known to be at least error" in (await ask(odd, level="error")).empty_reason


async def test_the_catalog_and_words() -> None:
    long_ago = SECOND  # of 1970
    fake = FakeVictoriaLogs([{**row, "_time": long_ago} for row in rows(1)])
    async with fake.source() as (source, _):
        assert await source.log_catalog.label_names() == []  # the last week has nothing
        await source.log_catalog.services()
        assert await source.log_catalog.services() == []
        await source.logs(question(start=0, end=2 * SECOND))
        assert "app" in await source.log_catalog.label_names()
        assert await source.log_catalog.field_names() == ["app", "level"]
        assert await source.log_catalog.label_values("app") == ["api"]
        assert await source.log_catalog.services() == ["api"]
        words = LogWords(services=("api", "b"), phrases=('say "x"',))
        assert await source.words_query(words) == 'app:in("api", "b") i("say \\"x\\"")'
        assert await source.words_query(LogWords(any_of=(("a", "b"),))) == '(i("a") or i("b"))'
        assert await source.words_query(LogWords()) == "*"
        health = await source.health()
        assert (health.version, source.now_ns()) == ("VictoriaLogs 1.24.0", None)
    quiet = FakeVictoriaLogs([], problem=lambda path, _form: answer("no", status=404) if path == "metrics" else None)
    async with quiet.source() as (source, _):
        assert (await source.health()).version == "VictoriaLogs"


async def test_hits_that_make_no_sense() -> None:
    for body in ("{}", '{"hits":[{"fields":{},"timestamps":[],"values":[1]}]}', "<"):
        fake = FakeVictoriaLogs([], problem=lambda _path, _form, body=body: answer(body))
        async with fake.source() as (source, _):
            with pytest.raises(BadAnswer):
                await source.hits("*", TimeRange(START, END), SECOND)
            with pytest.raises(BadAnswer):
                await source.log_catalog.label_names()


REFUSALS: list[tuple[str, int, type[ObsError]]] = [
    ("cannot parse query [x]: missing query; context: []", 400, QueryError),
    ("cannot execute query [x]: timeout exceeded -search.maxQueryDuration", 503, SourceTimeout),
    ("too big time range: -search.maxQueryTimeRange", 400, LimitExceeded),
    ("cannot process more than N rows: -search.maxRows", 400, LimitExceeded),
    ("boom", 500, SourceUnavailable),
    ("who are you", 401, AuthError),
    ("slow down", 429, RateLimited),
    ("what", 400, QueryError),
]


@pytest.mark.parametrize(("words", "status", "expected"), REFUSALS)
async def test_refusals_and_the_way_out(words: str, status: int, expected: type[ObsError]) -> None:
    fake = FakeVictoriaLogs([], problem=lambda _path, _form: answer(words, status=status, kind="text/plain"))
    with pytest.raises(expected) as caught:
        await ask(fake)
    assert type(caught.value) is expected
    assert caught.value.hint


async def test_pages_of_gateways_are_no_answers() -> None:
    fake = FakeVictoriaLogs([], problem=lambda _path, _form: answer("<html></html>", kind="text/html"))
    with pytest.raises(BadAnswer, match="HTML"):
        await ask(fake)
    async with fake.source() as (source, _):
        with pytest.raises(BadAnswer):
            await source.health()


def test_places_in_the_words_of_victorialogs() -> None:
    words = "cannot parse query [app:( x]: missing filter after '('; context: [app:(]"
    assert place(words, "app:( x") == 5
    assert place(words, "app:( app:(") is None
    assert place("no context", "x") is None
    assert isinstance(refused(words), QueryError)


@pytest.mark.parametrize(
    ("text", "kept", "names"),
    [
        ("error", "error", ()),
        (
            '"a | b" (c | d) `|` \'|\' {x="|"} | fields a | sort by (b)',
            '"a | b" (c | d) `|` \'|\' {x="|"}',
            ("fields", "sort"),
        ),
        ("user:in(error | fields user) | stats count()", "user:in(error | fields user)", ("stats",)),
        ("error # a | b\n| limit 1", "error # a | b", ("limit",)),
    ],
)
def test_queries_are_taken_apart_at_their_pipes(text: str, kept: str, names: tuple[str, ...]) -> None:
    found = pipes_of(text)
    assert (found.filter, found.names) == (kept, names)
    assert found.gives_numbers == ("stats" in names)


def test_filters_stand_in_front_of_all_pipes_and_behind_comments() -> None:
    assert without_milder("a or b | fields x", "debug").startswith("a or b | filter !level:~")
    assert without_milder("a or b | fields x", "debug").endswith(" | fields x")
    assert "# c\n| filter level:~" in only_severe("a # c", "fatal")
    assert with_stats("a # c").startswith("a # c\n| stats by (level,")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"_time":"x"}\n', "is no time"),
        (b'{"_time":1}\n', "not lines of JSON"),
        (b'{"_time":"2026-11-22T14:00:00Z"}\n{"_ti', "broke off"),
        (b"<html>\n", "not lines of JSON"),
        (b'{"_msg":"\xff"}\n', "not lines of JSON"),
    ],
)
def test_what_is_no_answer_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(BadAnswer, match=says):
        parse_answer(body, END)


def test_secrets_that_are_not_there() -> None:
    from obs_magics.adapters.victorialogs.connection import open_client

    with pytest.raises(ConfigError):
        open_client("vl", VictoriaLogsSettings(url="http://x", tenant="${NOT_THERE_AT_ALL}"))
