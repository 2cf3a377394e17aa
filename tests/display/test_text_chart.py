"""Charts in characters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.metrics_frames import regular

from obs_magics.display.metrics import metrics_chart
from obs_magics.display.text import aligned, columns_of, cut, pad, sparkline

WAVE = np.sin(np.arange(120) / 12) + 2
FRAMES = {
    "one line": (regular({"a": np.where((np.arange(120) > 60) & (np.arange(120) < 70), np.nan, WAVE)}), "s"),
    "lines": (regular({"payment-api": WAVE, "checkout": WAVE[::-1] * 3, "日本語 😀": [5.0] * 120}), "By"),
    "bars": (regular({"a": [3.0], "b": [1.0], "c": [-1.0]}), "1"),
    "constant": (regular({"a": [1] * 20}), ""),
    "days": (regular({"a": WAVE}, step=7200), "{request}/s"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_charts_in_a_terminal(name: str, snapshot: Any) -> None:
    frame, unit = FRAMES[name]
    chart = metrics_chart(frame, unit=unit, title=name)
    assert chart is not None
    assert chart.to_text() == snapshot


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("width", [10, 40, 61, 200])
def test_no_line_is_wider_than_asked(name: str, width: int) -> None:
    frame, unit = FRAMES[name]
    chart = metrics_chart(frame, unit=unit, title="t" * 300, zone="America/Argentina/ComodRivadavia", notes=["n " * 99])
    assert chart is not None
    text = chart.to_text(width)
    assert max(map(columns_of, text.split("\n"))) <= max(width, 40)
    assert "\x1b" not in text


def test_sparklines_show_the_highest_of_each_column_and_leave_gaps_blank() -> None:
    high = np.array([0, 1, np.nan, 4, 7.0])
    assert sparkline(high, high) == "▁▂ ▅█"
    assert sparkline(np.full(2, 3.0), np.full(2, 3.0)) == "▄▄"
    assert sparkline(np.full(2, np.nan), np.full(2, np.nan)) == "  "


def test_the_largest_doubles_fit_a_sparkline() -> None:
    values = np.array([-1.7e308, 0, 1.7e308])
    assert sparkline(values, values) == "▁▅█"


@given(st.text(), st.integers(1, 30), st.booleans())
def test_padding_fills_exactly(text: str, width: int, right: bool) -> None:
    assert columns_of(pad(text, width, right=right)) == width
    assert columns_of(cut(text, width)) <= width


def test_wide_characters_take_two_columns() -> None:
    assert columns_of("日本e\u0301") == 5
    assert cut("日本語", 4) == "日…"
    assert aligned([["a", "1"], ["日本", "22"]], [False, True]) == ["a      1", "日本  22"]
