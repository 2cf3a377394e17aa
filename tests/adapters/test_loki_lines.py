"""Questions for lines against a Loki in memory: pages, limits, counts, levels, and what happens half-way."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.loki_api import END, START, Entry, FakeLoki, numbers, question
from support.patience import eventually_async
from support.sockets import Step, answer, drop, hang

from obs_magics.adapters.loki import source as source_module
from obs_magics.model.errors import LimitExceeded, QueryError, SourceUnavailable, UsageError
from obs_magics.model.logs import check_logs
from obs_magics.model.query import LogWords
from obs_magics.model.sources import Answer, LogsSource, MetricsSource, Progress
from obs_magics.model.time import SECOND

APPS = ("api", "web", "db")
ENTRIES = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(APPS), st.sampled_from("ab")), max_size=40
)  # many lines of one time, some of them twice


def entries_of(found: list[tuple[int, str, str]]) -> list[Entry]:
    return [Entry(START + ns, line, {"app": app}) for ns, app, line in sorted(found, key=lambda item: item[0])]


def plain(count: int, *, gap: int = SECOND, level: str = "info") -> list[Entry]:
    labels = {"app": "api"}
    return [Entry(START + n * gap, f"line {n}", labels, {"detected_level": level}) for n in range(count)]


async def ask(fake: FakeLoki, text: str = '{app=~".+"}', **asked: object) -> Answer:
    async with fake.source(page_lines=asked.pop("page_lines", 5000)) as (source, _):
        return await source.logs(question(text, **asked))  # type: ignore[arg-type]


def triples(answer: Answer) -> list[tuple[int, str, str]]:
    frame = answer.frame
    check_logs(frame)
    if not len(frame):
        return []
    return list(zip(frame["timestamp"].astype("int64").tolist(), frame["app"].tolist(), frame["message"], strict=True))


@settings(max_examples=60)
@given(ENTRIES, st.integers(1, 50), st.integers(1, 12), st.integers(4, 12), st.booleans())
def test_pages_neither_lose_nor_repeat_lines(
    found: list[tuple[int, str, str]], limit: int, page: int, most: int, categorises: bool
) -> None:
    entries = entries_of(found)
    fake = FakeLoki(entries, most=most, categorises=categorises)
    result = asyncio.run(ask(fake, limit=limit, page_lines=page))
    got = triples(result)
    times = sorted((entry.ns for entry in entries), reverse=True)
    crowded = max((times.count(ns) for ns in times), default=0) >= min(page, most)
    if not crowded:
        # As many lines as there are or were asked for; of the oldest time any, of every other time all.
        assert len(got) == min(limit, len(entries))
        edge = got[0][0] if got else 0
        everything = [(entry.ns, entry.labels["app"], entry.line) for entry in entries]
        assert sorted(item for item in got if item[0] > edge) == sorted(item for item in everything if item[0] > edge)
        rest = list(everything)
        for item in got:
            rest.remove(item)  # each at most as often as it was pushed
        assert bool(result.truncated) == (len(entries) > limit)
    else:
        assert len(got) <= limit
    assert result.total == max(len(entries), len(got))
    assert result.volume is not None
    assert result.volume.total == len(entries)


async def test_a_page_of_one_time_is_asked_for_again_and_larger() -> None:
    entries = [Entry(START + 5, f"x{n}", {"app": "api"}) for n in range(7)] + [Entry(START, "first", {"app": "api"})]
    fake = FakeLoki(entries)
    async with fake.source(page_lines=8) as (source, _):
        found = await source.logs(question(limit=2))
    assert len(found.frame) == 2
    fake.pages.clear()
    async with fake.source(page_lines=4) as (source, _):
        found = await source.logs(question(limit=8))
    assert [page["limit"] for page in fake.pages][:1] == ["4"]
    assert "there may be more than 4 lines" in found.truncated
    assert "2026-11-22T14:00:00.000000005Z" in found.truncated
    assert found.frame["message"].tolist()[0] == "first"  # what came before it is there all the same
    fake.pages.clear()
    async with fake.source(page_lines=100) as (source, _):
        found = await source.logs(question(limit=8))
    assert len(found.frame) == 8
    assert found.truncated == ""


async def test_a_page_grows_only_as_far_as_needed() -> None:
    entries = [Entry(START + 9, f"new {n}", {"app": "api"}) for n in range(2)]
    entries += [Entry(START + 5, f"x{n}", {"app": "api"}) for n in range(7)] + [Entry(START, "first", {"app": "api"})]
    fake = FakeLoki(entries)
    async with fake.source(page_lines=9) as (source, _):
        found = await source.logs(question(limit=10))
    assert len(found.frame) == 10
    assert found.truncated == ""


async def test_the_limit_of_the_server_is_learnt_from_its_words() -> None:
    fake = FakeLoki(plain(30), most=7)
    async with fake.source() as (source, _):
        found = await source.logs(question(limit=25))
        assert len(found.frame) == 25
        assert [page["limit"] for page in fake.pages] == ["25", "7", "7", "7", "7", "1"][: len(fake.pages)]
        fake.pages.clear()
        await source.logs(question(limit=25))
        assert fake.pages[0]["limit"] == "7"  # not asked for too much twice


@pytest.mark.parametrize("status", [413, 500])
async def test_pages_become_smaller_when_so_many_lines_are_too_large_for_the_server(status: int) -> None:
    words = "rpc error: code = ResourceExhausted desc = grpc: received message larger than max (6050583 vs. 4194304)"
    fake = FakeLoki(plain(30))

    def problem(path: str, form: Mapping[str, str]) -> Step | None:
        too_many = form.get("direction") == "backward" and int(form["limit"]) > 8
        return answer(words, status=status, kind="text/plain") if too_many else None

    fake.problem = problem
    async with fake.source() as (source, _):
        found = await source.logs(question(limit=25))
    assert len(found.frame) == 25
    assert max(int(page["limit"]) for page in fake.pages) == 6


async def test_a_line_that_is_too_large_alone_is_told() -> None:
    fake = FakeLoki(plain(3))
    words = "response larger than the max message size (105093682 vs 16777216)"
    fake.problem = lambda _path, form: answer(words, status=413, kind="text/plain") if "limit" in form else None
    async with fake.source() as (source, _):
        with pytest.raises(LimitExceeded, match="larger than the max") as caught:
            await source.logs(question(limit=2))
    assert "page_lines" in caught.value.hint


async def test_what_is_sent_is_what_the_api_takes() -> None:
    fake = FakeLoki(plain(3))
    async with fake.source(tenant="team-a") as (source, stage):
        assert isinstance(source, LogsSource)
        assert isinstance(source, MetricsSource)
        await source.logs(question(limit=2))
    asked = next(item for item in stage.asked if b"direction" in item.body)
    assert asked.method == "POST"
    assert asked.target == "/loki/api/v1/query_range"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.headers["x-scope-orgid"] == "team-a"
    assert asked.headers["x-loki-response-encoding-flags"] == "categorize-labels"
    assert fake.pages[0] == {
        "query": '{app="api"}', "start": str(START), "end": str(END), "limit": "2", "direction": "backward"
    }  # fmt: skip


async def test_progress_is_told_page_by_page() -> None:
    told: list[Progress] = []
    fake = FakeLoki(plain(10))
    async with fake.source(page_lines=4) as (source, _):
        await source.logs(question(limit=100), told.append)
    assert told[0] == Progress(0, 25)
    assert [item.rows for item in told] == [0, 3, 6, 9, 10][: len(told)]
    assert told[-1].done == told[-1].total
    assert told[-1].note == "10 lines"
    assert all(before.done < after.done for before, after in itertools.pairwise(told))


def failing_from(page: int, step: Step) -> FakeLoki:
    """A server that gives so many pages, and then no more."""
    fake = FakeLoki(plain(20))

    def problem(_path: str, form: Mapping[str, str]) -> Step | None:
        return step if "direction" in form and len(fake.pages) >= page else None

    fake.problem = problem
    return fake


@pytest.mark.parametrize("step", [drop, answer("boom", status=500, kind="text/plain"), answer("{", status=200)])
async def test_pages_that_came_are_kept_when_the_server_fails_half_way(step: Step) -> None:
    fake = failing_from(2, step)
    async with fake.source(page_lines=6) as (source, _):
        found = await source.logs(question(limit=18))
    # two pages of six, of which the oldest line of the first came again with the second
    assert found.frame["message"].tolist() == [f"line {n}" for n in range(9, 20)]
    (failed,) = found.failed
    assert failed.startswith("lines before 2026-11-22T14:00:09")
    assert found.truncated == "11 of 20 lines: the source failed half-way"
    assert found.total == 20


async def test_a_server_that_fails_at_once_is_an_error() -> None:
    fake = failing_from(0, answer("boom", status=500, kind="text/plain"))
    with pytest.raises(SourceUnavailable, match="boom"):
        await ask(fake)
    assert len(fake.pages) == 0


async def test_cancelling_lets_go_of_the_server() -> None:
    fake = FakeLoki(plain(3), problem=lambda _path, _form: hang)
    async with fake.source() as (source, stage):
        task = asyncio.create_task(source.logs(question()))
        await eventually_async(lambda: bool(stage.asked))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await stage.all_gone()


# Counts ----------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["info", "error", "odd"])), min_size=3, max_size=30),
    st.integers(0, 3),
    st.integers(5, 40),
    st.sampled_from([1, 3, 7, 40]),
)
def test_the_bars_are_disjoint_and_fill_the_range(
    found: list[tuple[int, str]], first: int, length: int, bar: int
) -> None:
    """Lines on the very edge of bars, ranges that begin anywhere: half-seconds, counted in bars of whole seconds."""
    half = SECOND // 2
    entries = [Entry(START + at * half, "x", {"app": "api"}, {"detected_level": level}) for at, level in sorted(found)]
    start, end = START + first * half + 1, START + (first + length) * half
    result = asyncio.run(ask(FakeLoki(entries), start=start, end=end, limit=1, bar=bar * SECOND))
    inside = [entry for entry in entries if start <= entry.ns < end]
    assert result.total == len(inside)
    assert result.volume is not None
    assert result.volume.start_ns == start
    assert result.volume.total == len(inside)
    names = {"info": "info", "error": "error", "odd": "unknown"}
    for level, name in names.items():
        own = [(entry.ns - start) // (bar * SECOND) for entry in inside if entry.metadata["detected_level"] == level]
        counts = result.volume.counts.get(name, ())
        assert sum(counts) == len(own)
        assert all(count == own.count(number) for number, count in enumerate(counts))


async def test_n_of_all_is_said() -> None:
    found = await ask(FakeLoki(plain(20)), limit=5)
    assert found.truncated == "the newest 5 of 20 lines (--limit)"
    assert found.total == 20
    assert found.signal == "logs"
    exact = await ask(FakeLoki(plain(5)), limit=5)
    assert exact.truncated == ""


async def test_lines_without_a_count_are_still_lines() -> None:
    def problem(_path: str, form: Mapping[str, str]) -> Step | None:
        too_many = "maximum number of series (500) reached for a single query; consider …"
        return answer(too_many, status=400, kind="text/plain") if "count_over_time" in form.get("query", "") else None

    found = await ask(FakeLoki(plain(20), problem=problem), limit=5)
    assert len(found.frame) == 5
    assert found.total is None
    assert found.volume is None
    assert found.truncated == "the newest 5 lines (--limit); there may be more"
    assert any("not counted: maximum number of series" in text for text in found.warnings)


async def test_lines_that_a_parser_cannot_read_are_counted_all_the_same() -> None:
    seen = []

    def problem(_path: str, form: Mapping[str, str]) -> Step | None:
        query = form.get("query", "")
        if "count_over_time" in query:
            seen.append(query)
            if "drop __error__" not in query:
                return answer("pipeline error: 'JSONParserErr' for series: '{}'.", status=400, kind="text/plain")
        return None

    found = await ask(FakeLoki(plain(20), problem=problem), '{app="api"} | json', limit=5)
    assert found.total == 20
    assert "| json | drop __error__, __error_details__ [60s] offset" in seen[-1]


async def test_a_comment_does_not_swallow_the_count() -> None:
    found = await ask(FakeLoki(plain(20)), '{app="api"} # all of them', limit=5)
    assert found.total == 20


async def test_a_count_that_comes_as_lines_is_no_count() -> None:
    def problem(_path: str, form: Mapping[str, str]) -> Step | None:
        body = '{"status":"success","data":{"resultType":"streams","result":[]}}'
        return answer(body) if "count_over_time" in form.get("query", "") else None

    found = await ask(FakeLoki(plain(20), problem=problem), limit=5)
    assert found.total is None


# Levels ----------------------------------------------------------------------------------------------------------


async def test_the_server_leaves_out_what_it_knows_to_be_milder() -> None:
    fake = FakeLoki([*plain(10), *plain(4, gap=3 * SECOND, level="error")])
    found = await ask(fake, '{app="api"} |= "line"', limit=3, level="warn")
    milder = "(?i)trace|debug|dbg|info|information|informational|notice"
    assert found.native_query == f'{{app="api"}} | detected_level!~"{milder}" |= "line"'
    assert found.frame["level"].tolist() == ["error"] * 3
    assert found.total == 4
    assert found.volume is not None
    assert set(found.volume.counts) == {"error"}
    assert found.truncated == "the newest 3 of 4 lines (--limit)"


async def test_a_label_for_the_level_is_used_too() -> None:
    entries = [Entry(START + n, f"x{n}", {"app": "api", "level": level}) for n, level in enumerate(["INFO", "Error"])]
    found = await ask(FakeLoki(entries), level="error")
    assert ' | level!~"(?i)' in found.native_query
    assert found.frame["message"].tolist() == ["x1"]
    assert found.total == 1


async def test_levels_that_only_the_text_tells_are_read_from_it() -> None:
    """A server that knows no levels: pages are looked through until there are enough lines."""
    entries = [
        Entry(START + n * SECOND, f"{'ERROR' if n % 10 == 0 else 'INFO'} line {n}", {"app": "api"}) for n in range(200)
    ]
    found = await ask(FakeLoki(entries), level="error", limit=5, page_lines=20)
    assert found.frame["message"].tolist() == [f"ERROR line {n}" for n in range(150, 200, 10)]
    assert any("does not know the level of any" in text for text in found.warnings)
    whole = await ask(FakeLoki(entries), level="error", limit=100, page_lines=20)
    assert len(whole.frame) == whole.total == 20
    assert whole.volume is not None
    assert whole.volume.total == 20
    assert whole.warnings == ()


async def test_some_levels_are_known_to_the_server_and_some_only_to_the_text() -> None:
    entries = plain(10, level="error") + [Entry(START + 30 * SECOND + n, "ERROR x", {"app": "api"}) for n in range(4)]
    found = await ask(FakeLoki(entries), level="error", limit=6)
    assert found.frame["message"].tolist().count("ERROR x") == 4
    assert any("level of 4 lines" in text for text in found.warnings)
    assert found.total == 10


async def test_it_is_not_searched_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_MOST_LOOKED_AT", 2)
    entries = [Entry(START + n * SECOND, f"INFO line {n}", {"app": "api"}) for n in range(100)]
    found = await ask(FakeLoki(entries), level="error", limit=5, page_lines=10)
    assert len(found.frame) == 0
    assert "were looked at, back to 2026-11-22T14:01:" in found.truncated
    assert "none is known to be at least error" in found.empty_reason


async def test_the_mildest_level_filters_nothing_at_the_server() -> None:
    found = await ask(FakeLoki(plain(3)), level="trace")
    assert found.native_query == '{app=~".+"}'
    assert len(found.frame) == 3


async def test_the_labels_may_fail_and_the_question_goes_on() -> None:
    def problem(path: str, _form: Mapping[str, str]) -> Step | None:
        return answer("no", status=500, kind="text/plain") if path.endswith("/labels") else None

    found = await ask(FakeLoki(plain(3, level="error"), problem=problem), level="error")
    assert len(found.frame) == 3


# Numbers, errors, nothing ----------------------------------------------------------------------------------------

VECTOR = '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"app":"a"},"value":[1,"2"]}]}}'
MATRIX = (
    '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"app":"a"},"values":[[1,"2"]]},'
    '{"metric":{"app":"b"},"values":[[1,"3"]]}]}}'
)


def giving(body: str, seen: list[Mapping[str, str]] | None = None) -> FakeLoki:
    def problem(path: str, form: Mapping[str, str]) -> Step | None:
        if "/query" not in path:
            return None
        if seen is not None:
            seen.append({"path": path, **form})
        return answer(body)

    return FakeLoki([], problem=problem)


async def test_a_question_for_numbers_over_time_is_answered_with_metrics() -> None:
    seen: list[Mapping[str, str]] = []
    found = await ask(giving(MATRIX, seen), 'sum by (app) (rate({app=~".+"}[5m]))')
    assert found.signal == "metrics"
    assert found.frame["value"].tolist() == [2.0, 3.0]
    assert seen == [
        {
            "path": "/loki/api/v1/query_range", "query": 'sum by (app) (rate({app=~".+"}[5m]))',
            "start": str(START), "end": str(END), "step": "60",
        }
    ]  # fmt: skip


async def test_numbers_of_a_level_are_those_of_lines_known_to_have_it() -> None:
    found = await ask(giving(MATRIX), 'rate({app="a"}[5m]) / rate({app="b"} |= "}" [5m])', level="fatal")
    words = "(?i)fatal|crit|critical|panic|alert|emerg|emergency"
    added = f' | detected_level=~"{words}"'
    assert found.native_query == f'rate({{app="a"}}{added}[5m]) / rate({{app="b"}}{added} |= "}}" [5m])'
    assert any("--level" in text for text in found.warnings)


async def test_a_query_that_our_grammar_does_not_know_is_for_the_server_to_judge() -> None:
    found = await ask(giving(MATRIX), "variants(a) of (b)")
    assert found.signal == "metrics"
    fake = FakeLoki(plain(3))
    fake.problem = lambda _path, form: answer(EMPTY) if "novel" in form.get("query", "") else None
    found = await ask(fake, '{app="api"} | novel stage')
    assert found.signal == "logs"
    assert found.empty_reason == ""


EMPTY = '{"status":"success","data":{"resultType":"streams","result":[]}}'


async def test_metrics_in_logql() -> None:
    seen: list[Mapping[str, str]] = []
    async with giving(VECTOR, seen).source(grafana_url="http://grafana:3000") as (source, _):
        found = await source.metrics(numbers('rate({app="a"}[5m])', instant=True))
    assert seen[0] == {"path": "/loki/api/v1/query", "query": 'rate({app="a"}[5m])', "time": str(END)}
    assert found.signal == "metrics"
    assert found.link.startswith("http://grafana:3000/explore?schemaVersion=1&panes=%7B%22obs%22")
    async with giving(MATRIX).source() as (source, _):
        found = await source.metrics(numbers('rate({app="a"}[5m])', limit=1, step=SECOND // 4))
    assert found.truncated == "the first 1 of 2 series (--limit)"
    assert found.frame["app"].tolist() == ["a"]
    assert found.link == ""
    async with giving('{"status":"success","data":{"resultType":"matrix","result":[]}}').source() as (source, _):
        found = await source.metrics(numbers('rate({app="a"}[5m])'))
    assert "no line" in found.empty_reason


async def test_lines_are_no_metrics() -> None:
    async with giving(EMPTY).source() as (source, _):
        for text in ('{app="a"}', "something new"):
            with pytest.raises(QueryError, match="gives lines") as caught:
                await source.metrics(numbers(text))
            assert "obs_logs" in caught.value.hint


async def test_ranges_and_limits_that_make_no_sense() -> None:
    async with FakeLoki([]).source() as (source, stage):
        with pytest.raises(UsageError, match="ends before"):
            await source.logs(question(start=END, end=START))
        with pytest.raises(UsageError, match="limit of 0"):
            await source.logs(question(limit=0))
        with pytest.raises(UsageError, match="limit of -1"):
            await source.metrics(numbers("1", limit=-1))
        assert not stage.asked


async def test_an_empty_range_has_no_lines() -> None:
    found = await ask(FakeLoki(plain(3)), start=START, end=START)
    assert len(found.frame) == 0
    assert found.total == 0


REASONS = {
    '{ap="api"}': "no stream has a label ap; did you mean app?",
    '{zzz="api"}': "no stream has a label zzz; there are app, env",
    '{app="apy"}': 'no stream has app="apy" in this range; did you mean api? there are api, web',
    '{app=~"x.+"}': 'no stream has app=~"x.+" in this range; there are api, web',
    '{app="api", env="dev"}': "no stream has all of these labels at once in this range",
    '{app="api"} |= "zzz"': "the streams have lines in this range, but the query's filters keep none of them",
}


@pytest.mark.parametrize(("text", "reason"), REASONS.items())
async def test_why_there_is_nothing(text: str, reason: str) -> None:
    entries = [Entry(START, "x", {"app": "api", "env": "prod"}), Entry(START, "x", {"app": "web", "env": "dev"})]
    found = await ask(FakeLoki(entries), text)
    assert found.empty_reason == reason


async def test_why_there_is_nothing_of_a_level() -> None:
    found = await ask(FakeLoki(plain(3)), '{app="api"} |= "line"', level="error")
    assert found.empty_reason.endswith("keep none of them, at the level error and above")


async def test_why_there_is_nothing_when_there_is_nothing_at_all_or_nobody_tells() -> None:
    assert (await ask(FakeLoki([]))).empty_reason == "there are no logs at all in this range"
    fake = FakeLoki([])
    fake.problem = lambda path, _form: answer("x", status=500) if path.endswith("/labels") else None
    assert (await ask(fake)).empty_reason == ""
    one = FakeLoki(plain(1))
    one.problem = lambda _path, form: answer(EMPTY) if "direction" in form else None
    assert (await ask(one, '{app="api"}')).empty_reason == "the streams exist, but have no line in this range"


async def test_words_become_a_query() -> None:
    async with FakeLoki(plain(1)).source() as (source, _):
        assert await source.words_query(LogWords()) == '{app=~".+"}'
        words = LogWords(services=("api",), phrases=("pool exhausted", "1.5 (s)"))
        assert await source.words_query(words) == r'{app="api"} |~ "(?i)pool exhausted" |~ `(?i)1\.5 \(s\)`'
        either = LogWords(phrases=("x",), any_of=(("1.5", "b"),))
        assert await source.words_query(either) == r'{app=~".+"} |~ "(?i)x" |~ `(?i)1\.5|b`'
        assert await source.words_query(LogWords(services=("a.b", "c"))) == r"{app=~`a\.b|c`}"
    async with FakeLoki([]).source() as (source, _):
        assert await source.words_query(LogWords(services=("api",))) == '{service_name="api"}'


async def test_a_server_that_gives_lines_from_elsewhere_is_not_believed() -> None:
    fake = giving(
        f'{{"status":"success","data":{{"resultType":"streams","result":[{{"stream":{{}},"values":[["{END}","x"]]}}]}}}}'
    )
    with pytest.raises(Exception, match="outside of the range"):
        await ask(fake, limit=1)


async def test_other_limits_of_the_server_are_told() -> None:
    words = "max entries limit per query exceeded, limit > max_entries_limit_per_query (5 > 9)"
    fake = FakeLoki([], problem=lambda _path, _form: answer(words, status=400, kind="text/plain"))
    with pytest.raises(LimitExceeded, match="max entries limit"):
        await ask(fake, limit=5)
