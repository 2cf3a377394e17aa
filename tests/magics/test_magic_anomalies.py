"""`%obs_anomalies` in a real shell, over the demo world, whose faults are known."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from obs_magics.api import Session
from obs_magics.display.anomalies.found import found_in
from obs_magics.language.measures import find_measure, measure_names
from obs_magics.magics.anomalies import options_first, read_pattern
from obs_magics.magics.anomaly_completion import _KINDS, MEASURES, WORDS
from obs_magics.magics.commands_anomalies import ANOMALIES
from obs_magics.magics.completion import Completer
from obs_magics.magics.context import Context
from obs_magics.magics.names import Names
from obs_magics.model.anomalies import KINDS
from obs_magics.model.errors import UsageError

if TYPE_CHECKING:
    from conftest import Cell, Shell

SLOW = (
    "histogram_quantile(0.99, sum by (service, le) "
    '(rate(http_request_duration_seconds_bucket{service=~"payment-api|cart-service"}[2m])))'
)
AROUND = "--start 13:30 --end 15:30"


@pytest.fixture
def shop(make_shell: Callable[[], Shell], bare_session: Session) -> Shell:
    """A shell with the demo world, whose now is 16:00."""
    bare_session.demo()
    return make_shell()


def said(cell: Cell) -> str:
    assert cell.error is None, cell.error
    return re.sub(r"\s+", " ", cell.text)


def minutes_off(when: pd.Timestamp, clock: str) -> float:
    return abs((when - pd.Timestamp(f"2026-11-22 {clock}", tz="UTC")).total_seconds()) / 60


# ── a service ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_service_is_reported_in_the_shape_of_a_report(shop: Shell) -> None:
    cell = shop.run(f"%obs_anomalies odd << --service payment-api {AROUND} ;")
    told = said(cell)
    assert cell.result is None
    latency = shop.variables["odd"].query("metric == 'latency_p99'").iloc[0]
    assert minutes_off(latency["start"], "14:15") <= 3
    assert latency["value"] > 2
    assert latency["expected_high"] < 0.6
    one = next(one for one in found_in(shop.variables["odd"]) if one.metric == "latency_p99")
    for fact in (
        f"{one.number} {one.marked}: latency_p99 of payment-api",
        "metric latency_p99 service payment-api value 2.3",
        "normal 3",
        f"severity {one.marked.split(' ', 2)[0]} {one.severity}",
        "found by robust level",
        "before, 14:13: config change payment-api: redis pool: max connections 100 → 20 (confidence",
        "before, 14:12: deployment payment-api@v2.4.1",
        "looked at: 9 series, 13:30–15:30 UTC, against the 7d before, at medium sensitivity",
    ):
        assert fact in told
    assert re.search(r"started 14:1[3-8] UTC, 1 h 4\d min ago; over at 14:[45]\d", told)


def test_what_to_look_at_next_are_cells_that_work(shop: Shell) -> None:
    cell = shop.run(f"%obs_anomalies --service payment-api {AROUND}")
    lines = [line.replace("look into it", "").strip() for line in cell.text.splitlines() if "%obs_" in line]
    cells = {line.split()[0]: line for line in reversed(lines)}
    assert set(cells) == {"%obs_logs", "%obs_traces", "%obs_correlate", "%obs_events", "%obs_anomalies"}
    assert "--ignore" in cells.pop("%obs_anomalies")
    for line in cells.values():
        assert shop.run(line).error is None, line


def test_the_picture_has_the_most_severe_series_at_the_top_and_marks_events(shop: Shell) -> None:
    cell = shop.run(f"%obs_anomalies --service payment-api {AROUND}")
    (chart,) = [one.data for one in cell.outputs if "application/vnd.vegalite.v5+json" in one.data]
    spec = chart["application/vnd.vegalite.v5+json"]
    names = [lane["title"]["text"] for lane in spec["vconcat"]]
    assert names == list(dict.fromkeys(one.what for one in found_in(cell.result)))[: len(names)]
    marks = [layer["mark"]["type"] for layer in spec["vconcat"][0]["layer"] if "mark" in layer]
    assert "area" in marks
    assert "rule" in marks
    assert "redis pool" in " ".join(spec["title"]["subtitle"])
    assert "config change payment-api: redis pool" in chart["text/plain"].replace("\n  ", " ")
    assert chart["image/svg+xml"].startswith("<svg role=")


# ── measures, queries, frames ────────────────────────────────────────────────────────────────────────────────────────


def test_a_sustained_rise_of_traffic_is_found_with_history(shop: Shell) -> None:
    cell = shop.run("%obs_anomalies throughput --service payment-api --last 2h")
    told = said(cell)
    (row,) = cell.result.to_dict("records")
    assert row["kind"] == "level_shift"
    assert 1.2 < row["value"] / row["expected_high"] < 1.7
    assert "Campaign" in told
    assert "throughput of payment-api" in told


def test_a_name_that_no_series_has_is_not_called_usual(shop: Shell) -> None:
    text = said(shop.run("%obs_anomalies nothing_like_it_total --last 1h"))
    assert "there is nothing to look at" in text
    assert "Empty: there is no metric 'nothing_like_it_total' here" in text
    assert "nothing unusual" not in text
    assert "did you mean http_requests_total" in said(shop.run("%obs_anomalies http_request_total --last 1h"))
    assert "of measures, did you mean error_rate?" in said(shop.run("%obs_anomalies eror_rate --last 1h"))


def test_a_quiet_hour_leads_to_a_longer_look(shop: Shell) -> None:
    assert "%obs_anomalies --last 6h errors" in shop.run("%obs_anomalies errors").text
    assert "%obs_anomalies --last 30m --sensitivity high errors" in shop.run("%obs_anomalies --last 30m errors").text


def test_series_that_are_too_short_are_not_called_usual(shop: Shell) -> None:
    shop.run("%obs_metrics few << --start 14:00 --end 14:10 --step 1m --no-plot up")
    text = said(shop.run("%obs_anomalies few"))
    assert "few: nothing can be said of" in text
    assert "not enough data: 11 of at least 24 points" in text


def test_a_measure_of_a_service_may_stand_in_words(shop: Shell) -> None:
    words = shop.run("%obs_anomalies errors of payment-api --start 13:45 --end 15:15 --no-plot")
    options = shop.run("%obs_anomalies errors --service payment-api --start 13:45 --end 15:15 --no-plot")
    assert len(words.result)
    pd.testing.assert_frame_equal(words.result, options.result)


def test_words_that_are_no_query_are_told_how_to_ask(shop: Shell) -> None:
    cell = shop.run("%obs_anomalies what is unusual in payment-api since 14:00?")
    assert isinstance(cell.error, UsageError)
    assert "is no measure and no query" in str(cell.error)
    assert "--service payment-api" in str(cell.error)


def test_options_may_stand_behind_a_name(shop: Shell) -> None:
    behind = shop.run("%obs_anomalies errors --service notification-service --start 13:45 --end 14:45")
    before = shop.run("%obs_anomalies --service notification-service --start 13:45 --end 14:45 errors")
    assert len(behind.result)
    pd.testing.assert_frame_equal(behind.result, before.result)
    assert minutes_off(behind.result["start"].iloc[0], "14:05") <= 3


def test_nothing_unusual_is_an_answer(shop: Shell) -> None:
    cell = shop.run("%obs_anomalies --service search-service --last 30m memory_usage")
    told = said(cell)
    assert cell.result.empty
    assert "memory_usage of search-service: nothing unusual in 1 series from demo (folder)" in told
    assert "looked at: 1 series, 15:30–16:00 UTC, against the 7d before, at medium sensitivity" in told
    assert "--service search-service --last 30m --sensitivity high memory_usage" in told
    high = shop.run("%obs_anomalies --service search-service --last 30m --sensitivity high memory_usage")
    assert "--sensitivity high" not in said(high)


def test_a_query_takes_its_service_from_its_selectors(shop: Shell) -> None:
    query = 'sum(rate(http_requests_total{service="payment-api", code=~"5.."}[$__rate_interval]))'
    cell = shop.run(f"%%obs_anomalies odd << {AROUND} --baseline 2d\n{query}")
    told = said(cell)
    assert set(shop.variables["odd"]["service"].astype(str)) == {"payment-api"}
    assert "at the service itself" in told
    assert "against the 2d before" in told
    assert "--status error" not in told  # which traces would tell is not known of a query


def test_a_frame_of_metrics_tells_itself_what_is_normal(shop: Shell) -> None:
    assert shop.run(f"%obs_metrics busy << --start 11:00 --end 15:00 --no-plot {SLOW}").error is None
    cell = shop.run("%obs_anomalies busy --baseline 2h")
    told = said(cell)
    slow = cell.result.query("series == 'payment-api'").iloc[0]
    assert minutes_off(slow["start"], "14:15") <= 3
    assert "against its first 2h" in told
    assert "%obs_logs --source demo" in told
    whole = shop.run("%obs_anomalies busy")
    assert "against the frame itself" in said(whole)


def test_lines_and_spans_are_counted(shop: Shell) -> None:
    shop.run('%obs_logs lines << --start 14:00 --end 14:45 --limit 5000 --level error --no-plot {namespace="shop"} ;')
    cell = shop.run("%obs_anomalies lines")
    assert set(cell.result["metric"]) == {"lines"}
    first = cell.result.iloc[0]
    assert first["service"] == "payment-api"
    assert first["level"] == "error"
    assert minutes_off(first["start"], "14:23") <= 1
    assert minutes_off(first["end"], "14:28") <= 1
    assert "lines" in said(cell)
    shop.run("%obs_traces spans << --service payment-api --start 14:05 --end 14:30 --limit 2000 --no-plot ;")
    counted = shop.run("%obs_anomalies spans")
    assert set(counted.result["metric"].astype(str)) <= {"requests", "errors", "duration_p95"}
    pd.testing.assert_frame_equal(counted.result, shop.variables["spans"].obs.anomalies())


def test_a_name_is_a_measure_where_an_option_asks_a_source(shop: Shell) -> None:
    shop.ip.push({"errors": pd.DataFrame({"x": [1]})})
    assert "frame.obs needs a metrics frame" in str(shop.run("%obs_anomalies errors").error)
    assert shop.run("%obs_anomalies --service payment-api errors").error is None


def test_without_a_panel_no_events_are_asked_for(shop: Shell) -> None:
    asked: list[str] = []
    shop.session.bus.subscribe("observability:query:start", lambda _, payload: asked.append(payload["query"]))
    cell = shop.run(f"%obs_anomalies --service payment-api {AROUND} --no-plot error_rate")
    assert len(cell.result)
    assert cell.outputs[:-1] == []
    assert "" not in asked


def test_the_bus_is_told_of_what_is_found(shop: Shell) -> None:
    heard: list[tuple[str, Any]] = []
    shop.session.bus.subscribe("observability:*", lambda event, payload: heard.append((event, payload)))
    shop.run(f"%obs_anomalies --service payment-api {AROUND} latency_p99")
    (found,) = [payload for event, payload in heard if event.endswith("anomaly:detected")]
    assert found["metric"] == "latency_p99"
    pairs = [payload for event, payload in heard if event.endswith("correlation:found")]
    assert {"anomaly", "correlated_event"} == set(pairs[0])
    assert pairs[0]["anomaly"]["service"] == "payment-api"
    assert any(pair["correlated_event"]["event"].startswith("redis pool") for pair in pairs)


def test_dry_run_asks_nothing(shop: Shell) -> None:
    asked: list[str] = []
    shop.session.bus.subscribe("observability:query:start", lambda _, payload: asked.append(payload["query"]))
    told = said(shop.run("%obs_anomalies --service payment-api --dry-run"))
    assert "Nothing was asked" in told
    assert "(latency_p99)" in told
    assert "as far back as the baseline" in told
    shop.ip.push({"frame": pd.DataFrame({"x": [1]})})
    assert "frame would be examined: 1 rows" in said(shop.run("%obs_anomalies frame --dry-run"))
    assert asked == []


def test_an_interrupt_is_one_line(shop: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(shop.session), "anomaly_report", interrupted)
    assert str(shop.run("%obs_anomalies errors").error) == "interrupted: nothing was looked at"


def test_progress_is_told_while_it_takes_long(shop: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    report = type(shop.session).anomaly_report

    def listening(session: Session, *arguments: Any, progress: Any, **options: Any) -> Any:
        def both(state: Any) -> None:
            told.append(state.note)
            progress(state)

        return report(session, *arguments, progress=both, **options)

    monkeypatch.setattr(type(shop.session), "anomaly_report", listening)
    shop.run("%obs_anomalies --service payment-api --last 1h")
    assert {"asking", "looking for anomalies"} <= set(told)


# ── what is ignored ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_ignored_is_left_out_and_said(shop: Shell) -> None:
    question = "%obs_anomalies --service notification-service --start 13:45 --end 14:45 errors"
    assert len(shop.run(question).result)
    kept = shop.run(
        "%obs_anomalies --ignore metric=errors,service=notification-* --start 14:05 --end 14:20 "
        '--reason "the mail provider\'s limit"'
    )
    told = said(kept)
    assert "ignored from now on: error_rate of notification-* from 2026-11-22T14:05:00Z" in told
    assert "the mail provider's limit" in said(shop.run("%obs_anomalies --ignored"))
    after = shop.run(question)
    assert after.result.empty
    assert "ignored 1 anomaly" in said(after)
    (entry,) = shop.session.ignored()
    assert "no longer ignored: error_rate" in said(shop.run(f"%obs_anomalies --unignore {entry.id}"))
    assert "nothing is ignored" in said(shop.run("%obs_anomalies --ignored"))
    assert len(shop.run(question).result)


def test_frames_keep_to_what_is_ignored_too(shop: Shell) -> None:
    shop.run(f"%obs_metrics busy << --start 11:00 --end 15:00 --no-plot {SLOW}")
    assert len(shop.run("%obs_anomalies busy --baseline 2h").result)
    shop.run('%obs_anomalies --ignore service=payment-api --reason "a campaign"')
    cell = shop.run("%obs_anomalies busy --baseline 2h")
    assert "payment-api" not in set(cell.result["service"])
    assert "a campaign" in said(cell)


@pytest.mark.parametrize(
    ("text", "service", "means"),
    [
        ("error_rate", None, {"metric": "error_rate"}),
        ("errors", None, {"metric": "error_rate"}),
        ("metric=p99, service=mail-*", None, {"metric": "latency_p99", "service": "mail-*"}),
        ("spike", "cart", {"kind": "spike", "service": "cart"}),
        ("series=up{a=b}", None, {"series": "up{a=b}"}),
    ],
)
def test_patterns_are_read(text: str, service: str | None, means: dict[str, str]) -> None:
    assert read_pattern(text, service) == means


# ── what is wrong ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--sensitivity mdium errors", "did you mean medium?"),
        ("--service paymnt-api errors", "did you mean payment-api?"),
        ("--baseline soon errors", "soon"),
        ("--reason why errors", "--reason says why something is ignored"),
        ("--ignore metric=errors", "--ignore needs a reason"),
        ("--ignore servce=a --reason b", "did you mean service"),
        ("--ignore service=a,service=b --reason b", "two patterns for service"),
        ("--ignore service=* --reason b", "would ignore everything"),
        ("--unignore abc", "there is no entry"),
        ("--service cart-service up", "a service goes with a measure"),
        ("rate(http_requests_total[5m) --last 2h", "stands behind the query"),
        ("busy --baseline 9h", "not longer than the baseline"),
        ("nothing", "no rows to look at"),
    ],
)
def test_what_is_wrong_is_said(shop: Shell, line: str, says: str) -> None:
    shop.run("%obs_metrics busy << --start 13:00 --end 15:00 --no-plot sum(up)")
    shop.ip.push({"nothing": shop.variables["busy"].head(0)})
    error = shop.run(f"%obs_anomalies {line}").error
    assert error is not None
    assert says in str(error)


@pytest.mark.parametrize("example", ANOMALIES.examples)
def test_every_example_of_the_help_works(shop: Shell, example: str) -> None:
    assert shop.run(example).error is None


def test_help_is_shown(shop: Shell) -> None:
    assert "Usage" in said(shop.run("%obs_anomalies --help"))


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("errors --last 6h", " --last 6h errors"),
        ("a << errors --last 6h ;", "a << --last 6h errors;"),
        ("errors", "errors"),
        ("errors of payment-api --last 6h --step 1m", " --last 6h --step 1m errors of payment-api"),
        ("a - -b", "a - -b"),
        ("a -b", "a -b"),
        ("rate(a[5m]) --last 6h", "rate(a[5m]) --last 6h"),
        ("--last 6h errors", "--last 6h errors"),
    ],
)
def test_options_are_put_first(typed: str, read: str) -> None:
    assert options_first(typed) == read


def test_wrong_patterns_are_refused() -> None:
    with pytest.raises(UsageError, match="one of metric, service, series, kind"):
        read_pattern("zzzzzz=1")


# ── completion ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("marked", "names"),
    [
        ("%obs_anomalies err¦", ["error_rate", "errors", "errors_seen"]),
        ("%obs_anomalies --service pay¦", ["payment-api"]),
        ("%obs_anomalies --sensitivity ¦", ["low", "medium", "high"]),
        ("%obs_anomalies --baseline 2¦", ["28d"]),
        ("%obs_anomalies errors --sens¦", ["--sensitivity"]),
        ("%obs_anomalies --ignore ser¦", ["series=", "service="]),
        ("%obs_anomalies --ignore metric=err¦", ["metric=error_rate"]),
        ("%obs_anomalies --ignore metric=errors,service=pay¦", ["metric=errors,service=payment-api"]),
        ("%obs_anomalies --ignore kind=sp¦", ["kind=spike"]),
        ("%obs_anomalies --ignore what=¦", []),
        ('%%obs_anomalies\nup{service="pay¦"}', ["payment-api"]),
        ("%obs_correlate --with lat¦", ["latency_p50", "latency_p90", "latency_p95", "latency_p99", "latency_p999"]),
        ("%obs_correlate latency_p99 --max¦", ["--max-lag"]),
        ("%obs_metrics --anomalies --sensitivity h¦", ["high"]),
    ],
)
def test_everything_is_completed(shop: Shell, marked: str, names: list[str]) -> None:
    shop.ip.push({"errors_seen": pd.DataFrame({"x": [1]}), "number": 5})
    completer = Completer(Context(shop.ip, lambda: shop.session), Names(deadline_seconds=30))
    found = completer.complete(marked.replace("¦", ""), marked.index("¦"))
    assert found is not None
    assert list(found.names)[: len(names)] == names
    assert found.names or not names


def test_the_words_of_completion_are_those_of_the_rest() -> None:
    assert list(MEASURES) == list(measure_names())
    assert all(find_measure(word) is not None for word in WORDS)
    assert _KINDS == KINDS
    assert ANOMALIES.option("--sensitivity") is not None


# ── plain words ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("typed", "clocks", "told"),
    [
        ("errors of payment-api since 14:00", ("14:00", "16:00"), "errors of payment-api, since 14:00"),
        ("errors of payment-api in the last 3 hours", ("13:00", "16:00"), "errors of payment-api, last 3 hours"),
        ("errors between 14:00 and 15:00 of payment-api", ("14:00", "15:00"), "between 14:00 and 15:00"),
        ("errors of payment-api at 14:20", ("13:50", "14:50"), "errors of payment-api, around 14:20"),
        ("up since 14:00", ("14:00", "16:00"), "up, since 14:00"),
    ],
)
@pytest.mark.parametrize("magic", ["%obs_anomalies", "%obs_correlate"])
def test_times_in_words_are_read_and_said(
    shop: Shell, magic: str, typed: str, clocks: tuple[str, str], told: str
) -> None:
    text = said(shop.run(f"{magic} --dry-run {typed}"))
    assert f"2026-11-22 {clocks[0]}:00 to 2026-11-22 {clocks[1]}:00 UTC" in text
    assert f"read as {told}" in text or told in text
    assert "read as" in text


def test_a_day_and_a_time_in_words_are_read(shop: Shell) -> None:
    text = said(shop.run("%obs_anomalies --dry-run p99 latency of payment-api yesterday between 14:00 and 15:00"))
    assert "2026-11-21 14:00:00 to 2026-11-21 15:00:00 UTC" in text
    text = said(shop.run("%obs_anomalies --dry-run yesterday"))
    assert "2026-11-21 00:00:00 to 2026-11-22 00:00:00 UTC" in text
    text = said(shop.run("%obs_anomalies --dry-run --start 13:00 --end 14:00 errors of payment-api since 14:00"))
    assert "2026-11-22 13:00:00 to 2026-11-22 14:00:00 UTC" in text
    assert "“since 14:00” passed over: the options say more" in text


def test_the_answer_says_how_the_words_were_read(shop: Shell) -> None:
    text = said(shop.run("odd = %obs_anomalies errors of payment-api between 14:00 and 15:00"))
    assert "read as errors of payment-api, between 14:00 and 15:00" in text
    assert "14:00–15:00 UTC" in text
    assert "--last 6h" not in text
    text = said(shop.run("moved = %obs_correlate p99 of payment-api between 13:30 and 15:00"))
    assert "read as p99 of payment-api, between 13:30 and 15:00" in text


def test_a_time_behind_words_that_mean_nothing_is_not_taken_away(shop: Shell) -> None:
    cell = shop.run("%obs_anomalies foo bar since 14:00")
    assert "'foo bar since 14:00' is no measure and no query" in str(cell.error)
