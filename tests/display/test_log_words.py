"""A summary of logs as sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.fake_logs import Line, lines_frame

from obs_magics.analysis.log_summary import service_table, summarize_logs
from obs_magics.display.log_words import log_sentences
from obs_magics.model.log_summary import TrafficShift
from obs_magics.model.logs import empty_logs

POOL = "ERROR Connection pool exhausted path=/api/{} id={}"


def outburst() -> list[Line]:
    errors: list[Line] = [
        (2000 - 10 * number, "error", "payment-api", POOL.format("refunds" if number % 5 == 0 else "payments", number))
        for number in range(30)
    ]
    late: list[Line] = [(1900 - 10 * number, "error", "user-service", "timeout after 30s") for number in range(10)]
    echo: list[Line] = [(1850, "error", "order-service", "Unable to acquire connection")]
    calm: list[Line] = [(2200 - number, "info", "cart-service", "request done") for number in range(50)]
    return [*errors, *late, *echo, *calm]


def test_the_whole_story_in_sentences() -> None:
    summary = summarize_logs(lines_frame(outburst()), total=200)
    assert log_sentences(summary) == [
        "41 errors in 3 services, among the newest 91 of 200 lines; besides: 50 info; times in UTC",
        "payment-api (30): “Connection pool exhausted” 15:26–15:32, on /api/payments and /api/refunds",
        "user-service (10): “timeout after <*>” 15:28–15:30; began after payment-api",
        "order-service (1): “Unable to acquire connection” at 15:29; began after user-service;"
        " isolated, likely cascade",
    ]


def test_among_the_newest_lines_nobody_is_said_to_have_begun_first() -> None:
    cut = [line for line in outburst() if line[1] == "error"]
    told = " ".join(log_sentences(summarize_logs(lines_frame(cut), total=2000)))
    assert "began after" not in told
    assert "cascade" not in told
    assert "began after" in " ".join(log_sentences(summarize_logs(lines_frame(cut), total=len(cut))))


def test_times_are_those_of_the_reader() -> None:
    told = log_sentences(summarize_logs(lines_frame(outburst())), zone="Europe/Berlin")
    assert told[0].endswith("times in Europe/Berlin")
    assert "16:26–16:32" in told[1]


def test_more_than_a_day_names_the_days() -> None:
    lines: list[Line] = [(0, "error", "a", "it broke"), (40 * 3600, "error", "a", "it broke")]
    assert "20 Nov 23:59" not in log_sentences(summarize_logs(lines_frame(lines)))[1]
    assert "21 Nov 00:00–22 Nov 16:00" in log_sentences(summarize_logs(lines_frame(lines)))[1]


def test_without_errors_warnings_are_the_subject_and_without_those_all_lines() -> None:
    warned: list[Line] = [(10, "warn", "a", "slow"), (9, "info", None, "done"), (8, None, None, "what")]
    assert log_sentences(summarize_logs(lines_frame(warned)))[0] == (
        "1 warning in 1 service; besides: 1 info, 1 unknown; times in UTC"
    )
    calm = log_sentences(summarize_logs(lines_frame(warned[1:])))
    assert calm == ["2 lines; levels: 1 info, 1 unknown; times in UTC", "lines that name no service (2): “done” 1× at"
                    " 15:59, “what” 1× at 15:59"]  # fmt: skip


def test_what_is_too_much_to_tell_is_counted() -> None:
    lines: list[Line] = [
        (service * 10 + number, "error", f"s{service}", f"{'abcdefgh'[number]} broke at /x/{'abcdefgh'[number]}")
        for service in range(7)
        for number in range(5)
    ]
    told = log_sentences(summarize_logs(lines_frame(lines)))
    assert "and 2 more services with fewer" in told
    assert any("more message" in sentence for sentence in told)


@pytest.mark.parametrize(
    ("factor", "words"), [(3.04, "3.0× normal since 15:00"), (0.5, "0.5× what it was before, since 15:00")]
)
def test_traffic_is_told(factor: float, words: str) -> None:
    shift = TrafficShift(factor=factor, since="2026-11-22T15:00:00Z")
    summary = replace(summarize_logs(lines_frame(outburst())), traffic=shift)
    assert log_sentences(summary)[-1] == f"traffic (lines of every level) {words}"


def test_nothing_is_said_of_nothing() -> None:
    assert log_sentences(summarize_logs(empty_logs())) == ["no lines"]
    assert service_table(empty_logs()).empty


def test_a_path_in_a_column_counts_before_one_in_the_text() -> None:
    frame = lines_frame([(5, "error", "a", "GET /wrong failed")], http_route=["/api/items/123"])
    assert summarize_logs(frame).shown[0].paths == ("/api/items/<*>",)


def test_the_table_of_services_puts_errors_first() -> None:
    table = service_table(lines_frame(outburst()))
    assert table[["service", "lines", "errors", "warnings"]].to_numpy().tolist() == [
        ["payment-api", 30, 30, 0],
        ["user-service", 10, 10, 0],
        ["order-service", 1, 1, 0],
        ["cart-service", 50, 0, 0],
    ]
    assert table["says"].tolist() == [
        "Connection pool exhausted",
        "timeout after <*>",
        "Unable to acquire connection",
        "request done",
    ]


def test_lines_without_a_text_and_a_part_of_all_lines_are_said_as_such() -> None:
    lines: list[Line] = [(number, "info", "api", "") for number in range(3)]
    told = log_sentences(summarize_logs(lines_frame(lines), total=9))
    assert told[0] == "3 lines in 1 service, the newest of 9 lines; levels: 3 info; times in UTC"
    assert told[1].startswith("api (3): nothing (empty lines) ")
