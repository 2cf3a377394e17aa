"""The latency of traces over time: which are drawn, how they are marked, and what is said."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from support.log_panels import HOSTILE
from support.span_worlds import frame, span, worlds
from support.trace_panels import hostile_trace

from obs_magics.analysis.spans import trace_table
from obs_magics.display.chart import Chart
from obs_magics.display.text import columns_of
from obs_magics.display.traces.scatter import latency_scatter
from obs_magics.model.spans import empty_spans


def table(count: int, *, seconds: Any = None, errors: Any = None) -> pd.DataFrame:
    """A table of so many traces, one a second."""
    lasted = np.full(count, 0.1) if seconds is None else np.asarray(seconds)
    return pd.DataFrame(
        {
            "trace_id": [f"{number:032x}" for number in range(count)],
            "service": "gateway",
            "operation": "GET /",
            "start": pd.Timestamp("2026-11-22T10:00Z").as_unit("ns") + pd.to_timedelta(np.arange(count), unit="s"),
            "duration": (lasted * 1e9).astype("timedelta64[ns]"),
            "spans": 3,
            "errors": np.zeros(count, np.int64) if errors is None else errors,
        }
    )


def drawn(chart: Chart) -> dict[str, list[float]]:
    """Durations by state."""
    found: dict[str, list[float]] = {"ok": [], "error": []}
    for row in chart.spec["data"]["values"]:
        found[row["state"]] += row["d"]
    return found


def some(traces: pd.DataFrame, **options: Any) -> Chart:
    chart = latency_scatter(traces, **options)
    assert chart is not None
    return chart


def story() -> pd.DataFrame:
    """Forty traces, which get slow and then fail."""
    seconds = [0.05 + 0.001 * number for number in range(30)] + [4.0 + number for number in range(10)]
    return table(40, seconds=seconds, errors=np.array([0] * 35 + [2] * 5))


def test_the_picture(snapshot: Any, vega_lite_schema: Any) -> None:
    chart = some(story(), zone="Europe/Berlin", title="checkout", notes=["a note"])
    vega_lite_schema.validate(chart.spec)
    assert json.dumps(chart.spec, indent=1, ensure_ascii=False) == snapshot
    assert chart.to_text(80) == snapshot
    assert chart.to_text(50) == snapshot


def test_the_still_picture_is_drawn_and_has_no_pointer() -> None:
    chart = some(story())
    assert chart.svg().startswith("<svg")
    assert "tooltip" not in json.dumps(dict(chart.still))
    assert "params" not in chart.still


def test_no_traces_no_picture() -> None:
    assert latency_scatter(trace_table(empty_spans())) is None


def test_errors_differ_by_shape_and_colour_and_lie_on_top() -> None:
    chart = some(story())
    encoding = chart.spec["encoding"]
    for channel in ("shape", "color"):
        first, second = encoding[channel]["scale"]["range"]
        assert first != second
    assert [row["state"] for row in chart.spec["data"]["values"]] == ["ok", "error"]
    assert encoding["color"]["legend"] is not None
    assert some(table(3)).spec["encoding"]["color"]["legend"] is None
    assert "✖" in chart.to_text()
    assert "✖" not in some(table(3)).to_text()


def test_the_axis_goes_in_powers_where_durations_are_wide_apart() -> None:
    assert some(table(3, seconds=[0.001, 1, 2000])).spec["encoding"]["y"]["scale"]["type"] == "log"
    assert "type" not in some(table(3, seconds=[0.1, 0.2, 1])).spec["encoding"]["y"]["scale"]
    few = some(table(2, seconds=[0.1, 4])).spec["encoding"]["y"]["axis"]["values"]
    assert few == [0.1, 0.3, 1.0, 3.0]
    many = some(table(2, seconds=[0.001, 4])).spec["encoding"]["y"]["axis"]["values"]
    assert many == [0.001, 0.01, 0.1, 1.0]


def test_no_time_at_all_is_drawn(vega_lite_schema: Any) -> None:
    for traces in (table(1, seconds=[0.0]), table(2, seconds=[0.0, 1.0])):
        chart = some(traces)
        vega_lite_schema.validate(chart.spec)
        assert "0 s" in chart.to_text() or "µs" in chart.to_text()


def test_of_many_traces_the_slowest_and_some_that_failed_are_drawn() -> None:
    seconds = np.full(20_000, 0.1)
    seconds[::100] = 5.0
    errors = np.zeros(20_000, np.int64)
    errors[7::1000] = 1
    chart = some(table(20_000, seconds=seconds, errors=errors))
    found = drawn(chart)
    assert len(found["ok"]) + len(found["error"]) == 2000
    assert len(found["error"]) == 20
    assert found["ok"].count(5.0) == 200
    assert chart.notes == ("2,000 of 20,000 traces drawn: the slowest, and of the others every so many",)
    assert len(json.dumps(chart.spec)) < 200_000
    assert some(table(2000)).notes == ()


def test_even_where_all_failed_there_are_no_more_points() -> None:
    found = drawn(some(table(9000, errors=np.ones(9000, np.int64))))
    assert len(found["error"]) == 2000


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_names_stay_texts(name: str) -> None:
    chart = some(trace_table(hostile_trace(HOSTILE[name])), title=HOSTILE[name], notes=[HOSTILE[name]])
    assert len(json.dumps(chart.spec)) < 20_000
    text = chart.to_text(80)
    assert all(char.isprintable() or char in "\n\u200c\u200d" for char in text)


@given(worlds())
@settings(max_examples=30)
def test_any_traces_are_drawn_within_their_width(data: pd.DataFrame) -> None:
    chart = some(trace_table(data), zone="Asia/Kathmandu")
    assert max(map(columns_of, chart.to_text(60).split("\n"))) <= 60
    assert chart.spec == some(trace_table(data), zone="Asia/Kathmandu").spec


def test_the_order_of_the_table_does_not_matter() -> None:
    traces = trace_table(frame(*(span(f"{n:x}", None, n, 2 * n, trace=f"{n:x}") for n in range(1, 50))))
    assert some(traces).spec == some(traces.iloc[::-1].reset_index(drop=True)).spec
