"""Words in pictures keep the width that they were laid out with, whatever fonts the reader's machine has."""

from __future__ import annotations

import re
from html import unescape

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.display.lettering import fitted, text_width
from obs_magics.display.markup import text as escaped
from obs_magics.display.metrics import metrics_chart
from obs_magics.model.frames import TIMESTAMP_DTYPE


@pytest.mark.parametrize(
    ("text", "bold", "width"),
    [("", False, 0.0), ("iii", False, 6.66), ("WWW", False, 28.32), ("100 → 20", True, 43.36)],
)
def test_a_width_is_that_of_helvetica(text: str, bold: bool, width: float) -> None:
    assert text_width(text, 10, bold=bold) == pytest.approx(width)


def test_what_has_no_known_width_is_left_as_it_is() -> None:
    assert text_width("負荷", 10) is None
    for svg in ('<text font-size="11px">負荷負荷</text>', "<text>no size</text>", '<text font-size="11px">ab</text>'):
        assert fitted(svg) == svg


def test_each_line_of_a_text_has_its_own_width() -> None:
    lines = '<tspan>5 anomalies</tspan><tspan x="0" dy="13">A 14:12 deployment</tspan><tspan>負荷負荷</tspan>'
    svg = fitted(f'<text font-size="11px">{lines}</text>')
    assert re.findall(r"<tspan[^>]*?textLength=\"([\d.]+)\"", svg) == ["59.3", "97.83"]
    assert fitted(svg) == svg
    assert re.sub(r' textLength="[^"]*" lengthAdjust="spacingAndGlyphs"', "", svg).count("<tspan") == 3


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=3, max_size=40))
def test_words_stay_and_are_fitted_once(text: str) -> None:
    svg = f'<g><text font-size="11px" font-weight="bold">{escaped(text)}</text></g>'
    once = fitted(svg)
    assert fitted(once) == once
    found = re.search(r'textLength="([\d.]+)" lengthAdjust="spacingAndGlyphs">([^<]*)<', once)
    assert found is not None
    assert unescape(found[2]) == text
    assert float(found[1]) == pytest.approx(text_width(text, 11, bold=True) or 0.0, rel=1e-4)


def test_every_label_of_a_chart_is_fitted() -> None:
    times = pd.date_range("2026-11-22 14:00", periods=30, freq="min", tz="UTC").astype(TIMESTAMP_DTYPE)
    frame = pd.DataFrame({"timestamp": times, "value": range(30), "metric": pd.Categorical(["requests"] * 30)})
    chart = metrics_chart(frame, unit="{request}/s")
    assert chart is not None
    labels = re.findall(r"<text\b([^>]*)>([^<]{3,})</text>", chart.svg())
    assert any("request/s" in label for _, label in labels)
    assert [label for attributes, label in labels if "textLength" not in attributes] == []
