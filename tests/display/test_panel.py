"""The panel under a cell, and small tables."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.metrics_frames import regular

from obs_magics.display import markup
from obs_magics.display.metrics import metrics_chart
from obs_magics.display.panel import Note, Panel, notes_of
from obs_magics.display.table import Table

HOSTILE = st.one_of(
    st.text(),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "</style><img src=x onerror=alert(1)>",
            "\" onmouseover='x",
            "&lt;b&gt;",
            "\x1b]0;x\x07",
        ]
    ),
)
TAGS = {
    "style",
    "div",
    "strong",
    "span",
    "ul",
    "li",
    "p",
    "a",
    "pre",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}


class Seen(HTMLParser):
    """Collects the tags, attributes and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def full_panel() -> Panel:
    return Panel(
        headline="latency · 2 series, 8 rows from prom",
        chart=metrics_chart(regular({"a": [1, 2, 3, 4], "b": [2, 2, 2, 2]}), unit="s", title="latency"),
        sentences=["2 series, 8 values: average 2.25 s", "a: now 4 s; rising"],
        notes=notes_of(
            warnings=["might not be a counter"], truncated="5 of 40 series", failed=["13:30 to 14:00 timed out"]
        ),
        link="https://prometheus.example.com/graph?g0.expr=up&g0.tab=0",
        next_cells=["%obs_traces payment-api", "%%obs_metrics before <<\nup"],
    )


def test_the_panel_as_html(snapshot: Any) -> None:
    assert full_panel().to_html(picture=False) == snapshot


def test_the_panel_as_text(snapshot: Any) -> None:
    assert full_panel().to_text() == snapshot


def test_a_panel_shown_alone_holds_its_picture() -> None:
    data = full_panel()._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"}
    assert "<svg" in data["text/html"]
    assert "▁" in data["text/plain"]


def test_outputs_are_the_interactive_chart_and_then_the_rest() -> None:
    chart, rest = full_panel().outputs()
    assert "application/vnd.vegalite.v5+json" in chart
    assert "<svg" not in rest["text/html"]
    assert "▁" not in rest["text/plain"]
    (alone,) = Panel("nothing came", sentences=["no series"]).outputs()
    assert alone["text/plain"] == "nothing came\n• no series"


def test_notes_stand_gravest_first_with_icon_and_word() -> None:
    text = full_panel().to_text(picture=False)
    marks = re.findall(r"^\S (Failed|Not complete|Warning): ", text, re.MULTILINE)
    assert marks == ["Failed", "Not complete", "Warning"]
    assert Panel("h", notes=[Note("said", "note")]).to_text() == "h\nℹ Note: said"
    assert notes_of() == ()


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_no_text_becomes_markup_or_a_command(head: str, sentence: str, note: str, link: str, cell: str) -> None:
    panel = Panel(head, None, [sentence], [Note(note)], link, [cell])
    seen = Seen(panel.to_html())
    assert seen.tags <= TAGS
    assert seen.attributes <= {"class", "aria-hidden", "href", "target", "rel"}
    text = panel.to_text()
    assert all(char.isprintable() or char == "\n" for char in text)


def test_every_text_is_there_as_it_was() -> None:
    evil = '<script>alert(1)</script> & "it\'s"'
    assert evil in Seen(Panel(evil).to_html()).texts


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://example.com/graph?g0.expr=up%7B%7D#x", True),
        ("http://localhost:9090/", True),
        ("HTTPS://example.com", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//example.com", False),
        ("https://", False),
        ("https://[::1", False),
        ("https://example.com/\" onclick='x'", False),
        ("https://example.com/\nx", False),
        (" https://example.com", False),
        ("ftp://example.com", False),
    ],
)
def test_only_http_and_https_become_links(url: str, fine: bool) -> None:
    page = Panel("h", link=url).to_html()
    assert ("<a " in page) == fine == markup.is_link(url)
    assert ('rel="noopener noreferrer"' in page) == fine


def test_a_table_in_html_and_text(snapshot: Any) -> None:
    rows = [["prom", 1205, 0.5, True], ["demo <x>\n", None, None, False]]
    table = Table(["source", "series", "share", "default"], rows, caption="sources")
    assert table._repr_mimebundle_()["text/plain"] == repr(table)
    assert repr(table) == snapshot(name="text")
    assert table.to_html() == snapshot(name="html")


def test_a_table_without_rows_says_so() -> None:
    assert repr(Table(["a"], [], caption="sources", empty="none yet")) == "sources\nnone yet"
    assert "sources: none yet" in Table(["a"], [], caption="sources", empty="none yet").to_html()
    assert repr(Table(["a"], [])) == "nothing"


def test_a_row_must_have_a_value_for_each_column() -> None:
    with pytest.raises(ValueError, match="a row of 1 values in a table of 2 columns"):
        Table(["a", "b"], [["x"]])


@given(st.lists(st.tuples(HOSTILE, st.one_of(st.none(), st.integers(), st.floats())), max_size=4), HOSTILE)
def test_any_table_is_text_and_escaped_html(rows: list[tuple[str, float | None]], caption: str) -> None:
    table = Table(["name", "number"], rows, caption=caption)
    assert Seen(table.to_html()).tags <= TAGS
    assert all(char.isprintable() or char == "\n" for char in table.to_text())
