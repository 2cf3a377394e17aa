"""Documents: one HTML page that needs nothing else, Markdown with pictures beside it, hostile text in both."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

import mistune
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.display.chart import Chart
from obs_magics.display.document import (
    Bullets,
    Code,
    Document,
    Facts,
    Figure,
    Paragraph,
    Part,
    Piece,
    Prose,
    to_html,
    to_markdown,
)
from obs_magics.display.metrics import metrics_chart
from obs_magics.display.panel import Note, Section
from obs_magics.display.table import Table
from obs_magics.model.frames import TIMESTAMP_DTYPE

HOSTILE = '<script>alert(1)</script> "q" & \x1b[31mred \u202eevil ```` | * _ # [x](javascript:alert(1))'


def _chart() -> Chart:
    times = pd.date_range("2026-11-22 14:00", periods=30, freq="min", tz="UTC").astype(TIMESTAMP_DTYPE)
    frame = pd.DataFrame({"timestamp": times, "value": range(30), "metric": pd.Categorical(["up"] * 30)})
    chart = metrics_chart(frame, title="requests")
    assert chart is not None
    return chart


def _document(text: str = "Payments failed") -> Document:
    blocks = (
        Paragraph(text),
        Bullets([text, "b"]),
        Facts([("Duration", text)]),
        Code(text, caption="the query"),
        Table(["what", "count"], [[text, 3]], caption="numbers"),
        Note(text, "warning"),
        Piece(Section(lambda: "<b>strip</b>", lambda width: "strip")),
    )
    figure = Figure(_chart(), caption="Requests")
    parts = [
        Part("summary", "Summary", blocks),
        Part("impact", "Impact", (figure,)),
        Part("notes", "Notes", (Prose("**bold** and `code`\n\n# Heading\n\n- [ ] to do"),)),
        Part("lessons", "Lessons", (Prose(text),)),
        Part("empty", "Nothing here", ()),
    ]
    return Document(text, subtitle=text, parts=parts, footer=text)


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]


def _seen(html: str) -> _Seen:
    seen = _Seen()
    seen.feed(html)
    return seen


def test_a_page_needs_nothing_from_anywhere_else() -> None:
    seen = _seen(to_html(_document()))
    assert "script" not in seen.tags
    assert "link" not in seen.tags
    assert [one for one in seen.links if not one.startswith(("#", "data:image/svg+xml"))] == []


def test_a_page_lists_its_sections_and_leaves_empty_ones_out() -> None:
    html = to_html(_document())
    assert re.findall(r'<a href="#(\w+)">', html) == ["summary", "impact", "notes", "lessons"]
    assert "Nothing here" not in html
    assert '<section id="impact" aria-labelledby="impact-title">' in html


def test_headings_of_people_stand_below_ours() -> None:
    html = to_html(_document())
    assert "<h3>Heading</h3>" in html
    assert "<strong>bold</strong>" in html
    assert html.count("<h1>") == 1


def test_tasks_are_read_out_as_done_or_to_do() -> None:
    html = to_html(Document("t", parts=[Part("p", "P", [Prose("- [ ] page (@anna)\n- [x] roll back")])]))
    assert "input" not in _seen(html).tags
    assert '<span role="img" aria-label="to do">☐</span> page (@anna)' in html
    assert '<span role="img" aria-label="done">☑</span> roll back' in html


def test_each_cell_of_a_table_names_its_column() -> None:
    """So that a narrow screen can show rows as cards, and a screen reader still finds a table in them."""
    table = Table(
        ["what", "when"], [["a deployment of the payment service", "14:12"], ["x" * 40, ""]], anchors=["E1", "E2"]
    )
    html = to_html(Document("t", parts=[Part("p", "P", [table, Prose("| a | b |\n|---|---|\n| 1 | 2 |")])]))
    assert '<td role="cell" data-label="what">a deployment of the payment service</td>' in html
    assert '<td role="cell" data-label="when" class="obs-short">14:12</td>' in html
    assert html.count('<th scope="col" role="columnheader"') == 4
    assert '<td role="cell" data-label="b" class="obs-short">2</td>' in html
    assert '<tr role="row" id="E2">' in html
    assert '<td role="cell"></td>' in html  # an empty cell has nothing to name


def test_a_chart_is_drawn_for_light_and_for_dark() -> None:
    html = to_html(_document())
    for name in ("light", "dark"):
        assert re.search(
            rf'<img class="{name}" alt="requests: 1 series between 0 and 29 [^"]*" src="data:image/svg', html
        )
    assert '<figure tabindex="0">' in html


def test_what_is_still_to_be_done_stands_at_the_top() -> None:
    document = Document("t", status="Draft: lessons are missing *", parts=[Part("p", "P", [Paragraph("x")])])
    assert '<p class="status">Draft: lessons are missing *</p>' in to_html(document)
    assert "*Draft: lessons are missing \\**" in to_markdown(document, folder="f").text


def test_the_foot_of_a_printed_page_names_the_title_and_nothing_else() -> None:
    page = to_html(Document('Pay"s } </style> \\ 5 %', parts=[Part("p", "P", [Paragraph("x")])]))
    foot = re.search(r"@bottom-left { content: (\S.*?); font", page)
    assert foot is not None
    assert re.fullmatch(r'"(?:[\w .,:–-]|\\[0-9a-f]+ )*"', foot[1])


def test_hostile_text_stays_text() -> None:
    seen = _seen(to_html(_document(HOSTILE)))
    assert "script" not in seen.tags
    assert not [one for one in seen.links if "javascript" in one]
    assert "\x1b" not in to_html(_document(HOSTILE))
    assert "\u202e" not in to_html(_document(HOSTILE))


def test_pictures_of_people_are_links() -> None:
    html = to_html(Document("t", parts=[Part("p", "P", [Prose("![shot](https://example.com/a.png)")])]))
    assert "img" not in _seen(html).tags
    assert '<a href="https://example.com/a.png">shot</a>' in html


def test_markdown_names_its_pictures_and_holds_every_block() -> None:
    files = to_markdown(_document(), folder="report_files")
    assert list(files.pictures) == ["report_files/figure-1.svg"]
    assert files.pictures["report_files/figure-1.svg"].startswith("<svg")
    assert "![Requests](report_files/figure-1.svg)" in files.text
    for expected in ("# Payments failed", "## Summary", "- **Duration**: Payments failed", "| what | count |", "strip"):
        assert expected in files.text
    assert "Nothing here" not in files.text


def test_an_empty_table_says_so() -> None:
    document = Document("t", parts=[Part("p", "P", [Table(["a"], [], caption="alerts", empty="none fired")])])
    assert "alerts: none fired" in to_markdown(document, folder="x").text
    assert "none fired" in to_html(document)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_text_is_never_markup_in_markdown(text: str) -> None:
    document = Document("t", parts=[Part("p", "P", [Paragraph(f"x{text}"), Code(text)])])
    html = str(mistune.create_markdown(escape=False, plugins=["table"])(to_markdown(document, folder="f").text))
    assert set(_seen(html).tags) <= {"h1", "h2", "p", "pre", "code", "br"}


def test_what_is_no_block_is_refused() -> None:
    document = Document("t", parts=[Part("p", "P", ["just text"])])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="no block: str"):
        to_html(document)
    with pytest.raises(TypeError, match="no block: str"):
        to_markdown(document, folder="f")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("99.9 %", "99.9 %"), ("+15 s", "+15 s"), ("-5", "-5"), ("1. a", "1\\. a"), ("2) b", "2\\) b"),
        ("- a", "\\- a"), ("---", "\\---"), ("===", "\\==="), ("+", "\\+"), ("3.", "3\\."),
        ("> a", "\\> a"), ("100 -> 20", "100 -> 20"),
    ],
)  # fmt: skip
def test_only_what_would_begin_a_list_or_a_rule_is_escaped(text: str, shown: str) -> None:
    document = Document("t", parts=[Part("p", "P", [Paragraph(text)])])
    markdown = to_markdown(document, folder="f").text
    assert f"\n{shown}\n" in markdown
    assert f"<p>{escape(text)}</p>" in str(mistune.create_markdown(escape=False)(markdown))
