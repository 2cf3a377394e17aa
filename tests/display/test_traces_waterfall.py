"""The waterfall of a trace: what is shown and folded, marked and said, as HTML and as text."""

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
from support.log_panels import HOSTILE
from support.span_worlds import frame, span, worlds
from support.trace_panels import checkout, hostile_trace, long_trace, shown

from obs_magics.analysis.spans import critical_path, span_tree
from obs_magics.display.text import columns_of
from obs_magics.display.traces.waterfall import waterfall
from obs_magics.model.errors import UsageError
from obs_magics.model.spans import empty_spans

LARGEST = 200_000  # bytes of a waterfall, whatever comes in


def said(markup: str) -> str:
    """What a reader of the HTML reads."""
    return html.unescape(re.sub("<[^>]*>", "", re.sub(r"(?s)<style>.*?</style>|<samp>.*?</samp>", "", markup)))


def rows_of(markup: str) -> list[str]:
    return [said(part) for part in re.findall(r'(?s)<span class="obs-name.*?</summary>', markup)]


# ── what it looks like ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_waterfall_as_html(snapshot: Any) -> None:
    assert shown(checkout(), zone="Europe/Berlin").inside() == snapshot


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_waterfall_as_text(width: int, snapshot: Any) -> None:
    assert shown(checkout(), zone="Europe/Berlin", title="the slow one").to_text(width) == snapshot


def test_a_long_waterfall_as_text(snapshot: Any) -> None:
    assert shown(long_trace()).to_text(100) == snapshot


def test_no_spans_are_said() -> None:
    section = waterfall(empty_spans(), critical=critical_path(empty_spans()))
    assert section.to_text() == "no spans: there is no trace"
    assert "no spans" in said(section.to_html())


def test_several_traces_are_refused() -> None:
    with pytest.raises(UsageError, match="one trace, and there are 2"):
        waterfall(frame(span("1"), span("2", trace="2")))


# ── what is marked ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_bottleneck_is_where_the_trace_enters_the_service_that_takes_most() -> None:
    marked = [line for line in shown(checkout()).to_text().splitlines() if "← Bottleneck" in line]
    assert len(marked) == 1
    assert "inventory" in marked[0]
    assert "5.8 s" in marked[0]
    assert next(row for row in rows_of(shown(checkout()).inside()) if "← Bottleneck" in row).count("inventory") == 1


def test_in_the_service_where_the_trace_begins_it_is_the_span_that_takes_most_itself() -> None:
    trace = frame(span("1", None, 0, 100), span("2", "1", 5, 95, operation="slow"), span("3", "2", 10, 20))
    marked = [line for line in shown(trace).to_text().splitlines() if "← Bottleneck" in line]
    assert [line.split()[1] for line in marked] == ["slow"]


def test_without_a_critical_path_nothing_of_it_is_said() -> None:
    section = waterfall(checkout())
    for text in (section.to_text(), said(section.to_html())):
        assert "critical" not in text
        assert "Bottleneck" not in text
    assert "█" not in section.to_text()


def test_errors_have_icon_colour_and_message_once() -> None:
    section = shown(checkout())
    assert section.inside().count("card declined") == 3  # below the row, and where each of the two opens
    assert section.to_text().count("✖ card declined") == 1
    assert section.to_text().count("✖") == 1 + 2 + 1  # in the headline, on two spans, and the message
    assert "✖ 2 errors" in said(section.to_html())
    assert 'class="obs-error"' in section.inside()


def test_bars_stand_where_the_spans_run() -> None:
    trace = frame(span("1", None, 0, 1000), span("2", "1", 250, 500, service="b"))
    lefts = re.findall(r'style="left:([\d.]+)%;width:([\d.]+)%"', shown(trace).inside())
    assert lefts == [("0", "25"), ("25", "25"), ("50", "50"), ("25", "25")]
    lines = [re.findall("[░▒█]{20,}", line) for line in shown(trace).to_text().splitlines()]
    first, second = (found[0] for found in lines if found)
    assert (first.count("█"), first.count("▒")) == (30, 10)
    assert second == "░" * 10 + "█" * 10 + "░" * 20


def test_spans_without_length_and_traces_without_length_are_seen() -> None:
    assert "█" in shown(frame(span("1", None, 0, 100), span("2", "1", 50, 50))).to_text()
    empty = shown(frame(span("1", None, 5, 5)))
    assert "▒" in empty.to_text()
    assert "0 s" in empty.to_text()


def test_missing_parents_rings_and_given_parents() -> None:
    trace = frame(span("1", "f", 0, 9), span("2", "3", 1, 2), span("3", "2", 1, 2), span("4", "1", 2, 3))
    section = shown(trace)
    assert "2 roots: parents are missing" in section.to_text()
    assert len(rows_of(section.inside())) == 4
    assert "(not in this trace)" in said(section.to_html())
    given_tree = waterfall(trace, critical=critical_path(trace), parent=span_tree(trace).parent)
    assert given_tree.inside() == section.inside()


def test_names_that_are_missing_are_dashes() -> None:
    trace = frame(span("1", None, 0, 9, service=None, kind=None))
    assert "– " in said(shown(trace).to_html())
    assert "0 services" in shown(trace).to_text()


# ── what opens ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_span_opens_to_all_that_is_known() -> None:
    events: list[dict[str, Any]] = [
        {
            "timestamp": pd.Timestamp("2026-11-22T10:00:00Z"),
            "name": "exception",
            "attributes": [("exception.type", "E")],
        },
        {"timestamp": None, "name": "later", "attributes": None},
        *[{"timestamp": None, "name": f"event {number}", "attributes": []} for number in range(20)],
    ]
    links = [("ab", f"{number:x}") for number in range(1, 12)]
    attributes = {f"key.{number:02}": "value" * 200 for number in range(60)}
    trace = frame(span("1", None, 0, 1.5, attributes=attributes, links=links, events=events))
    opened = said(shown(trace).to_html())
    for part in (
        "2026-11-22T10:00:00.000000000Z",
        "(1,500 µs)",
        "key.39",
        "and 20 more attributes",
        "event exception 2026-11-22T10:00:00.000000000Z",
        "exception.type",
        "event later",
        "and 14 more events",
        "linked to trace 000000000000000000000000000000ab span 0000000000000001",
        "and 3 more links",
    ):
        assert part in opened
    assert "key.40" not in opened
    assert len(opened) < 30_000


def test_attributes_may_be_mappings() -> None:
    trace = frame(span("1")).assign(attributes=pd.Series([{"a": "b", "none": None}], dtype=object))
    assert "ab" in said(shown(trace).to_html())


def test_folded_spans_open_to_their_figures() -> None:
    opened = said(shown(long_trace()).to_html())
    assert re.search(r"together10\d ms in 21\d spans", opened)
    assert "median 500 µs, longest 500 µs" in opened


# ── what is folded ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_sixty_spans_are_all_shown() -> None:
    trace = frame(span("1", None, 0, 100), *(span(f"{number:x}", "1", number, 99) for number in range(2, 61)))
    assert len(rows_of(shown(trace).inside())) == 60
    assert "+" not in "".join(rows_of(shown(trace).inside()))


def test_a_long_trace_shows_bottleneck_errors_and_longest_and_counts_the_others() -> None:
    trace = long_trace()
    section = shown(trace)
    rows = rows_of(section.inside())
    assert len(rows) <= 60
    assert len(section.to_html().encode()) < LARGEST
    folded = [int(count.replace(",", "")) for row in rows for count in re.findall(r"\+ ([\d,]+) (?:other )?span", row)]
    assert sum(folded) + len(rows) - len(folded) == len(trace)
    text = "\n".join(rows)
    assert re.search(r"\+ 21[24] spans of cart redis GET", text)
    assert "← Bottleneck" in text
    assert text.count("deadlock") == 3
    assert "card declined" in text
    assert section.to_text(120).count("\n") < 80


def test_a_chain_of_three_thousand_spans_shows_its_end() -> None:
    spans = [span("1", None, 0, 10_000)]
    spans += [span(f"{n:x}", f"{n - 1:x}", n, 10_000 - n, operation=f"step {n % 5}") for n in range(2, 3001)]
    spans[-1] |= {"operation": "the end", "status": "error", "message": "deep"}
    section = shown(frame(*spans))
    rows = rows_of(section.inside())
    assert len(rows) <= 60
    assert any("the end" in row and "levels" in row for row in rows)
    assert len(section.to_html().encode()) < LARGEST


@pytest.mark.parametrize(("children", "least"), [(15, 31), (57, 2)])
def test_a_bar_of_many_pieces_has_at_most_forty_parts(children: int, least: int) -> None:
    waits = [span(f"{n + 2:x}", "1", 10 * n + 5, 10 * n + 10, operation=f"o{n}") for n in range(children)]
    section = shown(frame(span("1", None, 0, 600), *waits))
    most = max(track.count("<i") for track in re.findall(r'(?s)<span class="obs-track".*?</span>', section.inside()))
    assert least <= most <= 40


def test_three_thousand_failing_roots_of_unlike_names() -> None:
    spans = [
        span(f"{n:x}", None, n, n + 3, service=f"s{n}", operation=f"o{n}", status="error", message=f"m{n}")
        for n in range(1, 3001)
    ]
    section = shown(frame(*spans))
    assert len(rows_of(section.inside())) <= 60
    assert "other spans" in section.to_text()
    assert len(section.to_html().encode()) < LARGEST


# ── whatever comes in ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_texts_stay_texts_of_a_bounded_size(name: str) -> None:
    section = shown(hostile_trace(HOSTILE[name]), title=HOSTILE[name])
    page = section.to_html()
    assert len(page.encode()) < LARGEST
    assert "<script" not in page
    assert not re.search(r"<(?!/?(?:style|div|span|p|i|samp|details|summary|strong|bdi|table|tr|th|td|pre)\b)", page)
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff\x00\x1b") & set(page)
    text = section.to_text(80)
    assert all(char.isprintable() or char in "\n\u200c\u200d" for char in text)
    assert max(map(columns_of, text.split("\n"))) <= 80


@given(worlds(traces=1, most=90, rings=True), st.integers(40, 130))
@settings(max_examples=30)
def test_any_trace_has_all_its_spans_in_at_most_sixty_rows(trace: pd.DataFrame, width: int) -> None:
    section = shown(trace)
    rows = rows_of(section.inside())
    assert len(rows) <= 60
    folded = [int(count) for row in rows for count in re.findall(r"\+ (\d+) (?:other )?span", row)]
    assert sum(folded) + len(rows) - len(folded) == len(trace)
    for left, wide in re.findall(r'style="left:([\d.e+-]+)%;width:([\d.e+-]+)%"', section.inside()):
        assert 0 <= float(left) <= 100
        assert float(left) + float(wide) <= 100.1
    assert max(map(columns_of, section.to_text(width).split("\n"))) <= width


def test_far_and_long_times() -> None:
    day = 86_400_000.0
    trace = frame(span("1", None, 0, 2.5 * 3_600_000), span("2", "1", -day, day))
    assert "2 d" in shown(trace).to_text()
    backwards = frame(span("1", None, 10, 0), span("2", "1", 0, 20))
    assert "0 s" in shown(backwards).to_text()
    last = trace.assign(duration=np.array([2**63 - 1, 5], dtype="timedelta64[ns]"))
    assert "d" in shown(last).to_text()


def test_the_same_frame_gives_the_same_bytes_in_every_process() -> None:
    code = (
        "import sys; from support.trace_panels import *; "
        "sys.stdout.buffer.write((shown(long_trace()).to_html() + shown(checkout()).to_text()).encode())"
    )
    for seed in "17":
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
        assert done.stdout == (shown(long_trace()).to_html() + shown(checkout()).to_text()).encode()
