"""What a Loki says when it refuses, and what stands at an address that is no Loki."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from support.loki_api import START, Entry, FakeLoki, numbers, question, source_at
from support.servers import nobody
from support.sockets import Step, answer, serving

from obs_magics.adapters import ADAPTERS
from obs_magics.adapters.loki import ADAPTER, LokiSettings
from obs_magics.adapters.loki.errors import place, refused
from obs_magics.adapters.loki.level_filter import Filtered, only_severe, without_milder
from obs_magics.model.errors import (
    AuthError,
    BadAnswer,
    LimitExceeded,
    ObsError,
    QueryError,
    RateLimited,
    SourceTimeout,
    SourceUnavailable,
)
from obs_magics.model.sources import Answer


async def ask(step: Step, text: str = '{app="x"}', **settings: object) -> Answer:
    async with serving(step) as stage, source_at(stage.url, timeout="60s", **settings) as source:
        return await source.logs(question(text))


def text(words: str, status: int = 400) -> Step:
    return answer(words, status=status, kind="text/plain; charset=utf-8")


REFUSALS: list[tuple[str, int, type[ObsError], str]] = [
    ("no org id\n", 401, AuthError, "tenant"),
    ("multiple org IDs present", 500, AuthError, "one tenant at a time"),
    ("multiple org IDs present", 400, AuthError, "multi_tenant_queries_enabled"),
    ("tenant ID 'a b' contains unsupported character ' '", 400, AuthError, "tenant:"),
    ("too many outstanding requests", 429, RateLimited, "ask again"),
    ("query time range exceeds the limit (query length: 744h0m0s, limit: 30d1h)", 400, LimitExceeded, "shorter range"),
    ("the query would read too many bytes (query: 2TB, limit: 1GB)", 400, LimitExceeded, "narrow"),
    ("query too large to execute on a single querier: (query: 5GB, limit: 1GB)", 500, LimitExceeded, "narrow"),
    ("the query hit the max number of series limit (limit: 500 series)", 400, LimitExceeded, "aggregate"),
    ("maximum of series (500) reached for a single query", 400, LimitExceeded, "topk"),
    ("exceeded maximum resolution of 11,000 points per time series", 400, LimitExceeded, "--step"),
    ("context deadline exceeded", 504, SourceTimeout, "narrow"),
    ("request timed out: context deadline exceeded", 500, SourceTimeout, "narrow"),
    ("empty ring", 500, SourceUnavailable, "ask again later"),
    ("boom", 500, SourceUnavailable, "log"),
    ("bad gateway", 502, SourceUnavailable, "starting"),
    ("nobody knows what this is", 400, QueryError, "--dry-run"),
    ("forbidden", 403, AuthError, "auth"),
    ("log queries are not supported as an instant query type", 400, QueryError, "obs_logs"),
    ("no org id", 400, AuthError, "tenant"),
    ("cardinality limit exceeded for {}; 100001 entries, more than limit of 100000", 400, LimitExceeded, "narrow"),
    ("the query hit the max number of chunks limit (limit: 2000000 chunks)", 400, LimitExceeded, "narrow"),
    ("max streams matchers per query exceeded, matchers-count > limit (1500 > 1000)", 400, LimitExceeded, "narrow"),
    ("[interval] value exceeds limit", 400, LimitExceeded, "[5m]"),
    ("this data is no longer available, it is past now - max_query_lookback (24h)", 400, LimitExceeded, "later"),
    ("invalid query, through < from (1 < 2)", 400, QueryError, "range"),
    ("stream selector is missing required matchers [app], labels present", 400, QueryError, "required_labels"),
    ("stream selector has less label matchers than required: (present: [a])", 400, QueryError, "minimum_labels"),
    ("request timed out, decrease the duration of the request or add more label", 504, SourceTimeout, "narrow"),
    ("the request was cancelled by the client", 499, SourceTimeout, "narrow"),
    ("query blocked by policy", 400, QueryError, "blocked_queries"),
    ("querying is disabled, please contact your Loki operator", 400, SourceUnavailable, "max_query_parallelism"),
    ("parse error : invalid aggregation sum_over_time without unwrap", 400, QueryError, "| unwrap"),
    ("parse error : invalid aggregation count_over_time with unwrap", 400, QueryError, "without unwrap"),
]


@pytest.mark.parametrize("name", ["error", "message"])
@pytest.mark.parametrize("status", [400, 422, 200])
async def test_gateways_tell_errors_as_json(name: str, status: int) -> None:
    said = (
        '{"status":"error","errorType":"bad_data","%s":"parse error at line 1, col 2: syntax error: unexpected $end"}'
    )
    found = answer(said % name, status=status)
    with pytest.raises(BadAnswer if (status, name) == (200, "message") else QueryError) as caught:
        await ask(found)
    assert "errorType" not in str(caught.value)
    if isinstance(caught.value, QueryError):
        assert caught.value.position == 1
        assert caught.value.query == '{app="x"}'
        assert caught.value.where.startswith("loki (")


async def test_json_that_tells_no_error_is_shown_as_it_is() -> None:
    for body in ('{"reason": 5}', '{"error": '):
        with pytest.raises(QueryError) as caught:
            await ask(answer(body, status=400))
        assert body.strip() in str(caught.value)


async def test_an_error_in_a_good_answer_keeps_its_kind() -> None:
    with pytest.raises(SourceTimeout, match="deadline") as caught:
        await ask(answer('{"status":"error","errorType":"timeout","error":"context deadline exceeded"}'))
    assert caught.value.where.startswith("loki (")


@pytest.mark.parametrize(("words", "status", "expected", "way_out"), REFUSALS)
async def test_refusals_and_the_way_out(words: str, status: int, expected: type[ObsError], way_out: str) -> None:
    with pytest.raises(expected) as caught:
        await ask(text(words, status))
    error = caught.value
    assert type(error) is expected
    assert way_out in error.hint
    assert error.where.startswith("loki (http://127.0.0.1:")
    assert words.strip().removeprefix("parse error : ").split(" (")[0][:40] in str(error)


async def test_a_failure_after_long_work_is_not_repeated() -> None:
    async with serving(text("multiple org IDs present", 500)) as stage, source_at(stage.url) as source:
        with pytest.raises(AuthError):
            await source.metrics(numbers('rate({app="x"}[5m])'))
        assert len(stage.asked) == 1


async def test_a_busy_gateway_is_asked_again() -> None:
    good = answer('{"status":"success","data":{"resultType":"matrix","result":[]}}')
    async with serving(text("busy", 503), good) as stage, source_at(stage.url) as source:
        found = await source.metrics(numbers('rate({app="x"}[5m])'))
        assert len(stage.asked) == 2
        assert len(found.frame) == 0


async def test_pages_of_gateways_are_no_answers() -> None:
    page = answer("<html><title>Sign in</title></html>", kind="text/html")
    with pytest.raises(BadAnswer, match="Sign in"):
        await ask(page)
    with pytest.raises(SourceUnavailable, match="HTML"):
        await ask(answer("<html><title>oops</title></html>", kind="text/html", status=500))


async def test_a_dead_server() -> None:
    with nobody() as address:
        async with source_at(address, timeout="60s") as source:
            with pytest.raises(SourceUnavailable, match="refused"):
                await source.logs(question())
            with pytest.raises(SourceUnavailable):
                await source.health()


async def test_a_mistake_is_marked_in_what_was_typed_though_more_was_sent() -> None:
    typed = '# ä\n{app="x"} |= '
    sent = without_milder(typed, "error", [])  # this server does not tell its labels
    column = len(sent.text.split("\n")[1]) + 1
    words = f"parse error at line 2, col {column}: syntax error: unexpected $end, expecting STRING or ip"
    async with serving(text(words)) as stage, source_at(stage.url) as source:
        with pytest.raises(QueryError) as caught:
            await source.logs(question(typed, level="error"))
    error = caught.value
    assert error.query == typed
    assert error.words == words
    assert error.position == len(typed)


async def test_our_own_parser_knows_what_may_have_been_meant() -> None:
    words = "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER"
    with pytest.raises(QueryError) as caught:
        await ask(text(words), 'count_over_tim({app="x"}[5m])')
    assert "count_over_time" in caught.value.hint


@pytest.mark.parametrize(
    ("words", "query", "position"),
    [
        ("parse error at line 1, col 14: x", '{app="x"} |= ', 13),
        ("parse error at line 2, col 2: x", "ab\ncd", 4),
        ("parse error at line 3, col 1: x", "ab\ncd", None),
        ("parse error at line 1, col 9: x", "ab", None),
        ("parse error : queries require", "ab", None),
    ],
)
def test_places_in_the_words_of_loki(words: str, query: str, position: int | None) -> None:
    assert place(words, query) == position
    error = refused(words, query=query)
    assert isinstance(error, QueryError)
    assert error.position == position
    assert "parse error" not in error.message


def test_places_before_in_and_behind_what_was_put_in() -> None:
    typed = 'a({x="1"}) / b({y="}"} |= `}` /* } */ // }\n # }\n)'
    sent = only_severe(typed, "fatal", ["level"])
    assert sent.text.count(sent.inserted) == 2
    for place_in_sent, letter in enumerate(sent.text):
        original = sent.original_place(place_in_sent)
        if original is not None:
            assert typed[original] == letter
    assert sum(sent.original_place(at) is not None for at in range(len(sent.text))) == len(typed)
    assert Filtered("ab", "ab").original_place(1) == 1
    assert sent.original_place(None) is None


# Who is it? ------------------------------------------------------------------------------------------------------

PROMETHEUS = '{"status":"success","data":{"version":"2.42.0"}}'
BUILD = '{"version":"3.4.2","revision":"x","branch":"","buildUser":"","buildDate":"","goVersion":""}'
UNSUPPORTED = text('unsupported path requested: "/loki/api/v1/status/buildinfo"')


def by_path(answers: dict[str, Step], other: Step) -> Step:
    async def step(asked: object, writer: object) -> None:
        path = asked.target.partition("?")[0]  # type: ignore[attr-defined]
        await answers.get(path, other)(asked, writer)  # type: ignore[arg-type]

    return step


NOT_FOUND = text("404 page not found\n", 404)
SERVERS = {
    "prometheus": by_path({"/api/v1/status/buildinfo": answer(PROMETHEUS)}, NOT_FOUND),
    "loki": by_path({"/loki/api/v1/status/buildinfo": answer(BUILD)}, NOT_FOUND),
    "old loki": by_path({"/loki/api/v1/labels": answer('{"status":"success"}')}, NOT_FOUND),
    "victorialogs": by_path({"/select/logsql/field_names": answer('{"values":[]}')}, UNSUPPORTED),
    "nothing we know": answer("<html>hello</html>", kind="text/html"),
    "json of somebody": answer("{}"),
}


OURS = [item for item in ADAPTERS if item.type in {"prometheus", "loki", "victorialogs"}]


@pytest.mark.parametrize("who", SERVERS)
async def test_every_server_is_known_by_its_own_adapter_only(who: str) -> None:
    async with serving(SERVERS[who]) as stage:
        known = [item.type for item in OURS if item.detect and await item.detect("x", item.settings(url=stage.url))]
    assert known == {"nothing we know": [], "json of somebody": []}.get(who, [who.removeprefix("old ")])


async def test_victoriametrics_is_no_logs_server() -> None:
    header = {"x-server-hostname": "vm"}
    answers = {"/api/v1/status/buildinfo": answer('{"status":"success","data":{"version":"x"}}', headers=header)}
    async with serving(by_path(answers, UNSUPPORTED)) as stage:
        known = [item.type for item in OURS if item.detect and await item.detect("x", item.settings(url=stage.url))]
    assert known == ["prometheus"]


@pytest.mark.parametrize(
    ("step", "expected"), [(text("no org id\n", 401), AuthError), (text("slow", 429), RateLimited)]
)
async def test_a_server_that_lets_nobody_in_is_told(step: Step, expected: type[ObsError]) -> None:
    assert ADAPTER.detect is not None
    async with serving(step) as stage:
        with pytest.raises(expected):
            await ADAPTER.detect("x", LokiSettings(url=stage.url))


async def test_health() -> None:
    async with serving(SERVERS["loki"]) as stage, source_at(stage.url) as source:
        health = await source.health()
        assert (health.ok, health.version) == (True, "Loki 3.4.2")
        assert source.now_ns() is None
    async with serving(SERVERS["old loki"]) as stage, source_at(stage.url) as source:
        assert (await source.health()).version == "Loki"
    for body in ("{}", "[]", '{"status":"error"}'):
        labels = by_path({"/loki/api/v1/labels": answer(body)}, NOT_FOUND)
        async with serving(labels) as stage, source_at(stage.url) as source:
            with pytest.raises(BadAnswer):
                await source.health()


# The catalog -----------------------------------------------------------------------------------------------------


async def test_the_catalog_is_asked_once_a_minute() -> None:
    fake = FakeLoki([Entry(START, "x", {"app": "api", "pod": "a b"})])
    async with fake.source() as (source, stage):
        catalog = source.log_catalog
        assert await catalog.label_names() == ["app", "pod"]
        assert await catalog.label_values("pod") == ["a b"]
        assert await catalog.services() == ["api"]
        before = len(stage.asked)
        assert await catalog.label_names() == ["app", "pod"]
        assert len(stage.asked) == before
        assert await catalog.field_names() == []  # an older Loki does not detect any


async def test_the_catalog_looks_at_the_range_that_was_asked_for_when_the_last_week_has_nothing() -> None:
    def problem(path: str, form: Mapping[str, str]) -> Step | None:
        recent = "start" in form and int(form["start"]) != START
        return answer('{"status":"success"}') if recent and path.endswith(("labels", "values")) else None

    fake = FakeLoki([Entry(START, "x", {"app": "api"})], problem=problem)
    async with fake.source() as (source, _):
        assert await source.log_catalog.label_names() == []
        assert await source.log_catalog.services() == []
        assert await source.log_catalog.field_names() == []
        await source.logs(question())
        assert await source.log_catalog.label_names() == ["app"]
        assert await source.log_catalog.services() == ["api"]


async def test_fields_that_loki_detects() -> None:
    fields = '{"fields":[{"label":"status","type":"int"},{"label":"msg"}],"limit":1000}'
    fake = FakeLoki([Entry(START, "x", {"app": "api"})])
    fake.problem = lambda path, _form: answer(fields) if path.endswith("detected_fields") else None
    async with fake.source() as (source, _):
        assert await source.log_catalog.field_names() == ["msg", "status"]


async def test_answers_of_the_catalog_that_make_no_sense() -> None:
    for body, says in (("{}", "shape"), ('{"status":"error"}', "not one of"), ("<", "JSON"), ('{"status":1}', "shape")):
        async with serving(answer(body)) as stage, source_at(stage.url) as source:
            with pytest.raises(BadAnswer, match=says):
                await source.log_catalog.label_names()
            with pytest.raises((BadAnswer, QueryError)):
                await source.details.index_volume("{}", question().range)
