"""The table of patterns, the list of lines, and the panel around them."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from support.log_panels import (
    HOSTILE,
    MESSAGES,
    MINUTE,
    SECOND,
    STACK,
    START,
    changes,
    frame_of,
    hostile_panel,
    panel,
    patterns_of,
    repeated,
    spark_of,
    story,
    surges_of,
)

from obs_magics.display.logs.lines import log_list
from obs_magics.display.logs.patterns import pattern_table
from obs_magics.display.panel import Note, Panel
from obs_magics.display.text import columns_of
from obs_magics.model.logs import empty_logs

LARGEST = 300_000  # bytes of a panel, whatever comes in
TEXT = st.one_of(st.text(), st.sampled_from(sorted(HOSTILE.values(), key=len)[:-6]))


def size(markup: str) -> int:
    return len(markup.encode())


def said(markup: str) -> str:
    """What a reader of the HTML reads."""
    return html.unescape(re.sub("<[^>]*>", "", re.sub(r"(?s)<style>.*?</style>|<title>.*?</title>", "", markup)))


def table(**options: Any) -> Any:
    return pattern_table(story(), spark_of(story()), **options)


# ── what it looks like ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_table_of_patterns_as_html(snapshot: Any) -> None:
    span = (START, START + 15 * MINUTE)
    assert table(surges=changes(), zone="Europe/Berlin", limit=3, span_ns=span).inside() == snapshot


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_of_patterns_as_text(width: int, snapshot: Any) -> None:
    assert table(surges=changes(), limit=3).to_text(width) == snapshot


def test_the_list_of_lines_as_html(snapshot: Any) -> None:
    shown = log_list(repeated(2), zone="Europe/Berlin", phrases=["connection"], limit=7, total=4711)
    assert shown.inside() == snapshot


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_list_of_lines_as_text(width: int, snapshot: Any) -> None:
    assert log_list(repeated(2), order="severest", limit=7, total=4711).to_text(width) == snapshot


def test_the_whole_panel_as_text(snapshot: Any) -> None:
    assert panel().to_text() == snapshot


def test_a_section_shows_itself() -> None:
    shown = table()._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"}
    assert shown["text/plain"] == repr(table()) == table().to_text(80)
    assert shown["text/html"].count("<style>") == 2
    assert panel().to_html().count("<style>") - panel().to_html(picture=False).count("<style>") <= 1
    assert panel().to_html(picture=False).count("<style>") == 2  # one for both sections, and the panel's own


def test_the_same_frames_give_the_same_bytes() -> None:
    assert panel().to_html() == panel().to_html()
    assert panel().to_text() == panel().to_text()
    assert not re.search(r"\bid=", panel().to_html(picture=False))


def test_another_process_gives_the_same_bytes() -> None:
    code = "import sys; from support.log_panels import panel; sys.stdout.buffer.write(panel().to_html().encode())"
    for seed in "17":
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
        assert done.stdout == panel().to_html().encode()


# ── patterns ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def order_of(section: Any) -> list[str]:
    return re.findall(r'<div class="obs-template"><bdi>(.*?)</bdi>', section.inside())


def test_errors_stand_first_then_what_changed_then_by_lines() -> None:
    rows = [
        {"count": 900},
        {"count": 50},
        {"count": 5, "level": "error"},
        {"count": 7, "level": "fatal"},
        {"count": 50},
    ]
    changed = surges_of([{"kind": "surge", "pattern": "00000004"}])
    shown = order_of(pattern_table(patterns_of(rows), {}, surges=changed))
    assert shown == [f"pattern {number}" for number in (3, 2, 4, 0, 1)]


def test_an_error_that_changed_stands_before_one_with_more_lines() -> None:
    rows = [{"count": 90, "level": "error"}, {"count": 5, "level": "error"}]
    shown = order_of(pattern_table(patterns_of(rows), {}, surges=surges_of([{"pattern": "00000001"}])))
    assert shown == ["pattern 1", "pattern 0"]


def test_what_is_not_shown_is_counted() -> None:
    many = patterns_of([{"count": 100 - number} for number in range(49)])
    shown = pattern_table(many, {}, limit=12)
    for text in (said(shown.to_html()), shown.to_text()):
        assert "12 of 49 patterns in 3,724 lines" in text.replace("\n  ", " ")
        assert f"and 37 more patterns ({sum(100 - number for number in range(12, 49)):,} lines)" in text
    assert "more pattern" not in said(pattern_table(many, {}, limit=49).to_html())
    one_more = pattern_table(patterns_of([{"count": 2}, {"count": 1}]), {}, limit=1)
    assert "and 1 more pattern (1 line)" in one_more.to_text()


def test_no_patterns_are_said() -> None:
    nothing = pattern_table(story().iloc[:0], {})
    assert nothing.to_text() == "no patterns: there are no lines"
    assert "no patterns" in said(nothing.to_html())


def test_every_change_is_told_with_its_figures() -> None:
    text = table(surges=changes()).to_text(120)
    for told in (
        "✚ new since 14:01, began first",
        "✚ new since 14:01 in user-service, began second",
        "▲ surge 14:01–14:09: 3×, 880 lines, 290 expected",
        "▼ drop since 14:01: 3 lines, 40 expected",
        "✕ vanished since 14:01 in payment-api: 0 lines, 12 expected",
        "sync took <*>",
    ):
        assert told in text
        assert told in said(table(surges=changes()).to_html())


def test_unusual_changes() -> None:
    rows = [
        {"pattern": "00000000", "expected": 3.0, "cascade": 4, "count": 1},
        {"pattern": "00000000", "kind": "surge", "cascade": 21},
        {"pattern": "00000000", "kind": "drop", "cascade": 112, "service": None},
        {"pattern": "00000000", "kind": "vanished", "cascade": 3},
        {"pattern": "00000000", "kind": "nobody knows"},
        *[{"pattern": f"gone {number}"} for number in range(7)],
    ]
    shown = pattern_table(
        patterns_of([{"service": "a", "services": ["a", "b", "c", "d", "e"]}]), {}, surges=surges_of(rows)
    )
    for text in (shown.to_text(100), said(shown.to_html())):
        assert "new since 14:01 in payment-api: 1 line, 3 expected, began 4th" in text
        assert "32 lines, none expected, began 21st" in text
        assert "drop since 14:01: 32 lines, none expected, began 112th" in text
        assert "and 1 more changes" in text
        assert "nobody knows" not in text
        assert "and 2 more that changed and have no line here" in text
    assert "a, b, c, d +1" in said(shown.to_html())


def test_a_pattern_opens_to_its_whole_template_values_and_examples() -> None:
    shown = table(limit=1).inside()
    assert order_of(table(limit=1)) == [
        "c.s.PaymentService : Connection pool exhausted path=<var>&lt;*&gt;</var> suppressed=<var>&lt;*&gt;</var>"
    ]
    inside = said(shown[shown.index("<details>") :])
    assert "<*> <*> ERROR [payment-api,<*>,<*>] 1 --- [<*>] c.s.PaymentService : Connection pool" in inside
    assert "<*> 1: 2026-11-22" in inside
    assert "<*> 3: nothing" in inside
    assert STACK in inside


def test_patterns_with_much_to_tell_say_what_is_left_out() -> None:
    rows = [{"values": [["v"]] * 15, "template": "x" * 5000, "level": None, "service": None}]
    shown = pattern_table(patterns_of(rows), {})
    assert "and 3 more wildcards" in said(shown.to_html())
    assert "–" in said(shown.to_html())
    assert size(shown.inside()) < 8000
    assert shown.to_text().endswith("x…")


def test_times_have_their_day_when_there_are_several() -> None:
    rows = [{"last_seen": START + 1440 * MINUTE}]
    assert "22 Nov 14:00–23 Nov 14:00" in pattern_table(patterns_of(rows), {}).to_text()
    assert "22 – 23 Nov 2026, UTC" in pattern_table(patterns_of(rows), {}).to_text(120)


def test_frames_of_arrow_lists_and_of_python_lists_look_the_same() -> None:
    import pyarrow as pa

    frame = story()
    lists = {
        "services": pa.list_(pa.string()),
        "examples": pa.list_(pa.string()),
        "values": pa.list_(pa.list_(pa.string())),
    }
    arrow = frame.assign(
        **{name: pd.Series(frame[name].tolist(), dtype=pd.ArrowDtype(kind)) for name, kind in lists.items()}
    )
    assert pattern_table(arrow, {}).to_html() == pattern_table(frame, {}).to_html()
    arrays = frame.assign(services=[np.array(one, dtype=object) for one in frame["services"]])
    assert pattern_table(arrays, {}).to_html() == pattern_table(frame, {}).to_html()
    missing = frame.assign(values=[None] * len(frame))
    assert pattern_table(missing, {}).to_text() == pattern_table(frame, {}).to_text()


# ── lines ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def stamps(section: Any) -> list[str]:
    return re.findall(r'<span class="obs-when">(.*?)</span>', section.inside())


def test_the_newest_lines_stand_first_and_n_of_n_is_said() -> None:
    shown = log_list(repeated(20), limit=3, total=4711)
    assert stamps(shown) == ["14:05:57.000", "14:05:54.000", "14:05:51.000"]
    for text in (said(shown.to_html()), shown.to_text()):
        assert "3 of 120 lines shown, of 4,711 in all" in text
        assert "newest first" in text
    assert "in all" not in log_list(repeated(20), total=120).to_text()
    assert "1 of 1 line shown" in log_list(frame_of([("info", "a", "x")])).to_text()


def test_the_most_severe_lines_stand_first_the_newest_of_each() -> None:
    shown = log_list(repeated(2), order="severest", limit=9)
    levels = re.findall(r'<span class="obs-l-(\w+)">', shown.inside())
    assert levels == ["error"] * 4 + ["warn"] * 2 + ["info"] * 3
    assert stamps(shown)[:4] == sorted(stamps(shown)[:4], reverse=True)
    assert "most severe first, then newest" in shown.to_text(120)
    assert len(stamps(log_list(repeated(2), order="severest", limit=99))) == 12


def test_no_lines_are_said() -> None:
    for order in ("newest", "severest"):
        nothing = log_list(empty_logs(), order=order, total=0)
        assert nothing.to_text() == "0 of 0 lines shown"
        assert "0 of 0 lines shown" in said(nothing.to_html())


def test_levels_of_any_dtype_are_understood() -> None:
    plain = repeated(1).astype({"level": object})
    assert log_list(plain, order="severest").to_html() == log_list(repeated(1), order="severest").to_html()


def test_a_line_opens_to_all_of_it() -> None:
    lines = frame_of([("error", "payment-api", STACK), ("info", "api", "fine")], labels={"pod": "a-1", "zone": "b"})
    lines["pod"] = pd.Categorical(["pod-1", "pod-2"])
    shown = log_list(lines, phrases=["timeoutexception"])
    inside = said(shown.to_html())
    assert STACK in inside
    assert "2026-11-22T14:00:00.000000000Z · trace f28ae8ea9c4da969d6d82a356a96be32 · span 6a9d9a349f6c7ad8" in inside
    assert "pod=pod-1" in inside
    assert "all of them: zone=b" in inside
    assert "+2 lines" in inside
    assert "<mark>TimeoutException</mark>" in shown.inside()
    assert "href" not in shown.inside()
    assert "all of them: zone=b" in shown.to_text()
    assert " +2" in shown.to_text()


def test_a_row_is_cut_around_what_was_found_in_it() -> None:
    far = frame_of([("info", "a", "x" * 500 + " needle in the hay"), ("info", "a", "2026-11-22 10:00:00 INFO found")])
    needle, front = (log_list(far, phrases=[phrase]) for phrase in ("NEEDLE", "2026-11-22"))
    rows = re.findall(r'<span class="obs-what"><bdi>(.*?)</bdi>', needle.inside())
    assert rows == ["found", f"…{'x' * 39} <mark>needle</mark> in the hay"]
    assert "<mark>2026-11-22</mark> 10:00:00 INFO found</bdi></span>" in front.inside()
    assert "needle" in needle.to_text()


def test_rows_that_are_shortened_are_said_to_be() -> None:
    told = "rows leave out what their columns say; each opens to the whole line"
    assert told in said(log_list(repeated(1)).to_html())
    assert told not in said(log_list(frame_of([("info", "a", "plain")])).to_html())


def test_many_labels_are_counted() -> None:
    lines = frame_of([("info", "a", "x")], labels={f"label{number:02}": "v" for number in range(30)})
    assert "label23=v · and 6 more labels" in said(log_list(lines).to_html())


def test_times_are_in_the_zone_and_exact_where_a_line_opens() -> None:
    lines = frame_of([("info", "a", "x")] * 2, step=1440 * MINUTE + 1)
    kathmandu = log_list(lines, zone="Asia/Kathmandu")
    assert stamps(kathmandu) == ["23 Nov 19:45:00.000", "22 Nov 19:45:00.000"]
    assert "22 – 23 Nov 2026, Asia/Kathmandu (UTC+5:45)" in said(kathmandu.to_html())
    assert "2026-11-23T19:45:00.000000001+05:45" in said(kathmandu.to_html())
    assert "2026-11-22T10:30:00.000000000-03:30" in said(log_list(lines, zone="America/St_Johns").to_html())


def test_a_terminal_gets_twenty_lines_at_most() -> None:
    text = log_list(repeated(10), limit=50).to_text()
    assert "20 of 60 lines shown" in text
    assert len(re.findall(r"^14:", text, re.MULTILINE)) == 20


def test_times_are_told_as_short_as_they_can_be_told_apart() -> None:
    rows = [
        {"first_seen": START, "last_seen": START},
        {"first_seen": START + SECOND, "last_seen": START + 40 * SECOND, "template": "b"},
        {"first_seen": START + SECOND, "last_seen": START + 10 * MINUTE + SECOND, "template": "c"},
    ]
    text = pattern_table(patterns_of(rows), {}).to_text()
    assert [line.split()[-1] for line in text.split("\n") if line.startswith("10")] == [
        "14:00:01–14:00:40", "14:00–14:11", "14:00",
    ]  # fmt: skip


# ── bounded, whatever comes in ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", HOSTILE)
def test_no_line_makes_a_panel_too_large(name: str) -> None:
    text = HOSTILE[name]
    stored = text.encode("utf-8", "replace").decode()[:20_000]
    labels = {f"{stored[:500]}{number}": stored for number in range(8)}
    lines = frame_of([("error", stored, text)] * 120, trace=stored, labels=labels)
    row = {"template": stored, "service": stored, "services": [stored] * 20, "examples": [text] * 3}
    rows = [{**row, "values": [[text] * 5] * 20, "level": "error", "id": f"{number:08x}"} for number in range(30)]
    whole = panel(lines, patterns_of(rows), text=text, limit=1000)
    assert size(whole.to_html()) < LARGEST
    assert len(whole.to_text()) < 60_000
    shown = int(re.findall(r"(\d+) of 120 lines shown", said(whole.to_html()))[0])
    assert shown == whole.to_html().count('class="obs-when"')
    assert shown > 20


def test_what_does_not_fit_is_said_where_it_is_missing() -> None:
    lines = frame_of([("error", "a", f"{number} " + "long " * 1000) for number in range(200)])
    shown = log_list(lines, limit=200).inside()
    assert "left out here, it would be too large: the frame has it" in shown
    assert "… 1,001 more characters" in shown or "more characters" in shown
    rows = [{"examples": ["long " * 1000] * 3, "values": [["v" * 100] * 5] * 15} for _ in range(40)]
    assert "left out here" in pattern_table(patterns_of(rows), {}, limit=40).inside()


def test_rows_without_room_count_as_not_shown() -> None:
    rows = [{"template": "<*> \x00" * 200, "services": ["\x00" * 60] * 9, "count": 7} for _ in range(400)]
    shown = pattern_table(patterns_of(rows), {}, limit=400)
    number = int(re.findall(r"(\d+) of 400 patterns in 2,800 lines", said(shown.to_html()))[0])
    assert 10 < number < 400
    assert number == shown.inside().count("<tr><td")
    assert f"and {400 - number} more patterns ({(400 - number) * 7:,} lines)" in said(shown.to_html())


@given(TEXT, TEXT, st.integers(10, 130))
@settings(max_examples=60)
def test_text_forms_have_no_commands_and_keep_their_width(text: str, other: str, width: int) -> None:
    stored, service = (one.encode("utf-8", "replace").decode() for one in (text, other))
    lines = frame_of([("error", service, text), *MESSAGES], labels={"label": stored})
    rows = [{"template": stored, "service": service, "services": [service], "level": "error"}]
    table = patterns_of(rows)
    changed = surges_of([{"pattern": "00000000", "service": service}, {"template": stored, "kind": "vanished"}])
    shown = [pattern_table(table, spark_of(table), surges=changed), log_list(lines)]
    for section in shown:
        written = section.to_text(width)
        assert max(map(columns_of, written.split("\n"))) <= max(width, 40)
        assert all(char.isprintable() or char in "\n\u200c\u200d" for char in written)


# ── the panel around them ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_parts_of_an_answer_stand_in_their_order() -> None:
    text = panel().to_text()
    order = ["47 lines in 3", "lines per 30 s", "Warning", "• 47 errors", "4 patterns in", "18 of 18", "https", "next:"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    page = said(panel().to_html(picture=False))
    order = ["47 lines in 3", "Warning", "47 errors in", "4 patterns in", "18 of 18 lines", "open in the", "next:"]
    assert [page.index(part) for part in order] == sorted(page.index(part) for part in order)


def test_a_panel_of_too_many_or_too_long_texts_is_cut_and_says_so() -> None:
    whole = Panel(
        "h" * 5000,
        sentences=["s" * 5000] * 500,
        notes=[Note(f"{number}{'n' * 5000}") for number in range(500)],
        link=f"https://example.com/?{'x' * 9000}",
        next_cells=["c" * 5000, *["%obs"] * 50],
    )
    assert size(whole.to_html()) < 100_000
    for text in (whole.to_text(), said(whole.to_html())):
        assert text.count("and 460 more") == 2
        assert "sss…" in text.replace("\n  ", "")
        assert "ccc" not in text
        assert text.count("%obs") == 8
    assert "<a " not in whole.to_html()


def test_a_link_that_fits_stays_whole_however_long() -> None:
    link = f"https://example.com/?{'x' * 5000}"
    assert f'href="{link}"' in Panel("h", link=link).to_html()
    assert link in Panel("h", link=link).to_text()


def test_no_direction_of_reading_gets_out_of_a_panel() -> None:
    for name in ("override", "isolates", "marks of direction", "zero width", "flood of marks"):
        shown = hostile_panel(HOSTILE[name]).to_html()
        assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u200b\ufeff") & set(
            shown
        )
        assert not re.search("[\u0300-\u036f\u0489]{5}", shown)
