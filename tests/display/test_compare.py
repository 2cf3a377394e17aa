"""The table of a comparison: pairs of bars, figures, and text from outside that stays where it is."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.analysis.compare import COMPARE_COLUMNS, compare
from obs_magics.display.compare import compare_table
from obs_magics.display.text import columns_of

ROW = {
    "attribute": "k8s.pod.name", "test": "=", "value": "payment-7f", "unit": "", "selected_share": 0.92,
    "rest_share": 0.31, "selected_count": 92, "rest_count": 3100, "lift": 0.92 / 0.31, "effect": 0.61,
    "p_value": 1e-9, "rank": 1, "same_as": None, "sentence": "",
}  # fmt: skip


def table_of(*rows: dict[str, object], notes: tuple[str, ...] = ()) -> pd.DataFrame:
    table = pd.DataFrame([{**ROW, **row} for row in rows], columns=list(COMPARE_COLUMNS))
    table.attrs["notes"] = notes
    return table


def test_a_row_has_both_shares_as_bars_and_figures() -> None:
    section = compare_table(table_of({}, {"same_as": "host.name=node-3"}), title="What tells slow spans")
    html = section.to_html()
    for said in ("92 % : 31 %", "92 : 3,100", "3×", "&lt;0.001", "What tells slow spans", "width:92%", "width:31%"):
        assert said in html
    assert "the same rows: <bdi>host.name=node-3</bdi>" in html
    assert section.to_text(80).splitlines() == [
        "What tells slow spans (share of these, then share of the others)",
        "k8s.pod.name = payment-7f",
        "    █████████░   92 %  ███░░░░░░░   31 %  3×  p <0.001",
        "k8s.pod.name = payment-7f",
        "    █████████░   92 %  ███░░░░░░░   31 %  3×  p <0.001",
        "    the same rows: host.name=node-3",
    ]


def test_every_test_is_said_in_its_words() -> None:
    text = compare_table(
        table_of(
            {"test": "≥", "value": "2097152", "unit": "By", "attribute": "payload.size"},
            {"test": "<", "value": "0.5", "attribute": "score", "lift": float("inf"), "p_value": 0.004},
            {"test": "missing", "value": np.nan, "attribute": "tenant"},
            {"test": "present", "value": None, "attribute": "exception.id"},
            {"value": "", "rank": 2},
        )
    ).to_text(80)
    for said in (
        "payload.size ≥ 2 MiB", "score < 0.5", "no tenant", "has exception.id", 'also k8s.pod.name = ""', "only these",
        "p 0.004",
    ):  # fmt: skip
        assert said in text


def test_nothing_tells_and_notes_are_said() -> None:
    section = compare_table(table_of(notes=("one side has only 3 independent rows",)))
    assert section.to_text(100).splitlines() == [
        "What tells these from the others – no attribute tells them apart",
        "one side has only 3 independent rows",
    ]
    assert "no attribute tells them apart" in section.to_html()
    assert "<table" not in section.to_html()
    assert "no attribute" in compare_table(pd.DataFrame(columns=list(COMPARE_COLUMNS))).to_text()


def test_what_does_not_fit_is_counted() -> None:
    section = compare_table(table_of(*[{}] * 70, notes=tuple(f"note {number}" for number in range(20))), limit=99)
    text = section.to_text()
    assert text.count("payment-7f") == 50
    assert "and 20 more rows" in text
    assert "and 12 more notes" in text
    assert "and 69 more rows" in compare_table(table_of(*[{}] * 70), limit=0).to_html()


def test_a_real_comparison_is_shown() -> None:
    mask = np.arange(400) < 100
    frame = pd.DataFrame({"pod": np.where(mask, "bad", "good"), "host": np.where(mask, "h1", "h2")})
    section = compare_table(compare(frame[mask], frame[~mask]))
    assert "pod = bad" in section.to_text()
    assert "the same rows: <bdi>host=h1</bdi>" in section.to_html()


HOSTILE = st.one_of(
    st.text(),
    st.sampled_from(["</style><script>x</script>", "\x1b[31m", "\u202eevil", "日本語" * 80, "x" * 5000, '"><img>']),
)


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE, st.integers(40, 120))
def test_hostile_texts_stay_texts(attribute: str, value: str, same: str, title: str, width: int) -> None:
    row = {"attribute": attribute, "value": value, "same_as": same}
    section = compare_table(table_of(row, notes=(f"{title}\ud800",)), title=f"{title}\ud800")
    html, text = section.to_html(), section.to_text(width)
    inside = html.partition('<div class="obs-magics">')[2]
    assert set(re.findall(r"</?([a-z]+)", inside)) <= {
        "div", "span", "table", "thead", "tbody", "tr", "th", "td", "strong", "bdi", "p", "samp", "i",
    }  # fmt: skip
    assert all(columns_of(line) <= width for line in text.splitlines())
    for char in "\x1b\x00\u202e\ud800":
        assert char not in text
        assert char not in inside
    assert len(html) < 40_000
