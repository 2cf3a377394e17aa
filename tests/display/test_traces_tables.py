"""Where the time goes, the list of traces, what changed, and the map of services."""

from __future__ import annotations

import html
import re
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.log_panels import HOSTILE
from support.span_worlds import frame, span, worlds
from support.trace_panels import checkout, hostile_trace

from obs_magics.analysis.spans import bottlenecks, call_graph, services, trace_table
from obs_magics.display.panel import Section
from obs_magics.display.text import columns_of
from obs_magics.display.traces.changes import diff
from obs_magics.display.traces.layers import layered
from obs_magics.display.traces.service_map import service_map
from obs_magics.display.traces.time_spent import where_time_goes
from obs_magics.display.traces.trace_list import trace_list
from obs_magics.model.spans import empty_spans

LARGEST = 200_000
ATTRIBUTES = {"db.query.text": "SELECT * FROM inventory WHERE sku IN (1, 2)", "db.system": "postgresql"}


def said(markup: str) -> str:
    """What a reader of the HTML reads."""
    return html.unescape(re.sub("<[^>]*>", "", re.sub(r"(?s)<style>.*?</style>|<samp>.*?</samp>", "", markup)))


def shop(slow: float = 1.0) -> pd.DataFrame:
    """Ten traces of a checkout, every third of which fails at the payment, with a client at each edge."""
    spans = []
    query, queue = {"attributes": ATTRIBUTES}, {"attributes": {"messaging.system": "kafka"}}
    for number in range(10):
        failed = {"status": "error" if number % 3 == 0 else "unset"}
        rows: list[tuple[str, str | None, tuple[float, float], str, str, str, dict[str, Any]]] = [
            ("1", None, (0, 900), "gateway", "server", "POST /checkout", {}),
            ("2", "1", (10, 600), "gateway", "client", "POST inventory", {}),
            ("3", "2", (20, 590), "inventory", "server", "reserve", {}),
            ("4", "3", (30, 580), "inventory", "client", "SELECT", query),
            ("5", "1", (610, 800), "payment", "server", "charge", failed),
            ("6", "5", (620, 630), "payment", "producer", "publish", queue),
        ]
        spans += [
            span(
                name, above, number * 60_000.0 + low * slow, number * 60_000.0 + high * slow,
                trace=f"{number + 1:x}", service=service, kind=kind, operation=operation, **more,
            )
            for name, above, (low, high), service, kind, operation, more in rows
        ]  # fmt: skip
    return frame(*spans)


def all_sections(data: pd.DataFrame, **options: Any) -> list[Section]:
    """Every table of a frame."""
    return [
        *(where_time_goes(bottlenecks(data, by), **options) for by in ("service", "operation", "query")),
        *(diff(bottlenecks(data, by), bottlenecks(data, by), **options) for by in ("service", "operation", "query")),
        trace_list(trace_table(data), **options),
        service_map(call_graph(data), services(data), **options),
    ]


# ── what it looks like ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("by", ["service", "operation", "query"])
def test_where_the_time_goes(by: Any, snapshot: Any) -> None:
    table = bottlenecks(shop(), by, start=pd.Timestamp("2026-11-22T08:00Z"))
    section = where_time_goes(table, zone="Europe/Berlin")
    assert section.to_text(80) == snapshot
    assert section.inside() == snapshot


def test_the_list_of_traces(snapshot: Any) -> None:
    section = trace_list(trace_table(shop()), zone="Europe/Berlin", limit=3)
    assert section.to_text(80) == snapshot
    assert section.to_text(120) == snapshot
    assert section.inside() == snapshot


def test_what_changed(snapshot: Any) -> None:
    before, after = shop(), shop(3.0)
    after = after[after["service"] != "payment"].reset_index(drop=True)
    section = diff(bottlenecks(before), bottlenecks(after), labels=("then", "now"))
    assert section.to_text(80) == snapshot
    assert section.inside() == snapshot


def test_the_map_of_services(snapshot: Any) -> None:
    section = service_map(call_graph(shop()), services(shop()))
    assert section.to_text(80) == snapshot
    assert section.inside() == snapshot


# ── what is said ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_not_shown_is_counted() -> None:
    spans = [span(f"{n:x}", None, 0, n, trace=f"{n:x}", service=f"s{n:03}") for n in range(1, 121)]
    data = frame(*spans)
    table = where_time_goes(bottlenecks(data), limit=20)
    assert "and 100 more rows (70 % of the critical paths)" in table.to_text()
    assert "and 108 more rows that changed less" in diff(bottlenecks(data), bottlenecks(data)).to_text()
    assert "100 of 120 traces" in trace_list(trace_table(data), limit=1000).to_text()
    assert table.inside().count("<tr>") == 21


def test_the_slowest_traces_stand_first_and_failing_ones_are_marked() -> None:
    data = frame(span("1", None, 0, 5), span("2", None, 0, 50, trace="2", status="error"), span("3", trace="3"))
    section = trace_list(trace_table(data))
    ids = re.findall('class="obs-id"><bdi>(0+)(.)</bdi>', section.inside())
    assert [number for _, number in ids] == ["2", "3", "1"]
    assert "✖ shop" in section.to_text()
    assert "✖ 1" in said(section.inside())


def test_times_have_their_day_where_there_are_several() -> None:
    data = frame(span("1"), span("2", None, 86_400_000.0, 86_400_010.0, trace="2"))
    assert "23 Nov 10:00:00.000" in trace_list(trace_table(data)).to_text()
    table = bottlenecks(data).assign(since=pd.Timestamp("2026-11-22T10:00Z"))
    assert "since" in where_time_goes(table).to_text()
    assert "since" not in where_time_goes(bottlenecks(data)).to_text()


def test_new_and_gone_rows_are_called_so() -> None:
    one, other = frame(span("1", service="old")), frame(span("1", service="new"))
    lines = diff(bottlenecks(one), bottlenecks(other)).to_text().splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["new", "old"]
    assert " new " in lines[2]
    assert " gone " in lines[3]
    assert "+100 pp" in lines[2]
    assert "−100 pp" in lines[3]


def test_tables_by_unlike_names_are_not_compared() -> None:
    with pytest.raises(ValueError, match="not by the same names"):
        diff(bottlenecks(shop()), bottlenecks(shop(), "operation"))


@pytest.mark.parametrize("place", range(8))
def test_nothing_is_said(place: int) -> None:
    section = all_sections(empty_spans())[place]
    assert len(section.to_text()) > 10
    assert "<table" not in section.inside()
    assert "<svg" not in section.inside()


# ── the map ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_layers_go_from_callers_to_callees_and_rings_end() -> None:
    nodes = ["a", "b", "c", "d"]
    assert layered(nodes, [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")]) == [["a"], ["b"], ["c"], ["d"]]
    assert layered(["b", "a"], [("a", "b"), ("b", "a")]) == [["b"], ["a"]]
    assert layered(["a"], [("a", "a")]) == [["a"]]
    assert layered([], []) == []
    crossed = layered(["a", "b", "x", "y"], [("a", "y"), ("b", "x")])
    assert crossed[0].index("a") == crossed[1].index("y")


names = st.sampled_from("abcdefgh")


@given(st.lists(st.tuples(names, names), max_size=30))
def test_every_node_has_one_place(pairs: list[tuple[str, str]]) -> None:
    nodes = sorted({name for pair in pairs for name in pair})
    placed = [node for layer in layered(nodes, pairs) for node in layer]
    assert sorted(placed) == nodes


def test_failing_calls_are_coloured_and_marked() -> None:
    section = service_map(call_graph(shop()), services(shop()))
    bad = [part for part in re.findall("(?s)<g>.*?</g>", section.inside()) if "✖ 40 %" in part]
    assert any("gateway → payment" in part and "#bf5000" in part for part in bad)
    assert "→ payment" in section.to_text()
    assert "✖ 40 %" in section.to_text()


def test_large_maps_are_cut_and_say_so() -> None:
    spans = []
    for number in range(300):
        spans.append(span("1", None, 0, 10, trace=f"{number:x}", service=f"s{number % 90:02}", kind="client"))
        spans.append(span("2", "1", 1, 9, trace=f"{number:x}", service=f"s{number * 7 % 89:02}x", kind="server"))
    data = frame(*spans)
    section = service_map(call_graph(data), services(data))
    assert section.inside().count("<rect") <= 2 * 40
    assert "left out" in said(section.inside())
    assert len(section.to_html().encode()) < LARGEST


def test_a_map_without_a_span_of_time_counts_calls() -> None:
    data = frame(span("1", None, 5, 5), span("2", "1", 5, 5, service="b"))
    assert "→ b" in service_map(call_graph(data), services(data)).to_text()


# ── whatever comes in ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_texts_stay_texts_of_a_bounded_size(name: str) -> None:
    for section in all_sections(hostile_trace(HOSTILE[name]), title=HOSTILE[name]):
        page = section.to_html()
        assert len(page.encode()) < LARGEST
        assert "<script" not in page
        assert "<img" not in page
        assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff\x00\x1b") & set(page)
        text = section.to_text(80)
        assert all(char.isprintable() or char in "\n\u200c\u200d" for char in text)
        assert max(map(columns_of, text.split("\n"))) <= 80


@given(worlds(rings=True), st.integers(40, 130))
@settings(max_examples=15)
def test_any_traces_fit_their_width(data: pd.DataFrame, width: int) -> None:
    for section in all_sections(data):
        assert max(map(columns_of, section.to_text(width).split("\n"))) <= width
        assert section.to_html() == section.to_html()


def test_one_trace_has_tables_too() -> None:
    assert "inventory" in where_time_goes(bottlenecks(checkout())).to_text()
