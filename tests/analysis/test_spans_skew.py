"""Clock skew: who is moved, where to, who is let be."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from support.span_worlds import BASE, MS, frame, rows_of, span, worlds

from obs_magics.analysis.spans import corrected
from obs_magics.model.spans import check_spans, empty_spans


def starts(data: pd.DataFrame, column: str = "start") -> dict[str, float]:
    """Milliseconds by operation."""
    at = data[column].astype("int64").to_numpy()
    return {name: (at[row] - BASE) / MS for name, row in rows_of(data).items()}


def test_a_child_of_another_service_is_put_into_the_middle() -> None:
    data = frame(
        span("a", None, 0, 100, kind="client"),
        span("b", "a", -500, -440, service="db", kind="server"),
        span("c", "b", -490, -450, service="db"),
        span("d", "c", 40, 50, service="disk"),
    )
    moved, notes = corrected(data)
    assert starts(moved) == {"a": 0, "b": 20, "c": 30, "d": 40}
    assert starts(moved, "start_raw") == {"a": 0, "b": -500, "c": -490, "d": 40}
    assert moved["operation"].tolist() == ["a", "b", "c", "d"]
    assert notes == (
        "clock skew: 2 spans of db moved later by 520 ms to fit their callers; times as they came are in start_raw",
    )
    check_spans(moved)
    assert corrected(moved.drop(columns="start_raw"))[1] == ()


def test_a_child_far_behind_its_parent_is_moved_back() -> None:
    moved, notes = corrected(frame(span("a", None, 0, 10), span("b", "a", 1000, 1010, service="db")))
    assert starts(moved) == {"a": 0, "b": 0}
    assert "moved earlier by 1e+03 ms" in notes[0]
    assert "1 span of db" in notes[0]


def test_a_longer_child_is_only_kept_from_beginning_before_its_parent() -> None:
    moved, _ = corrected(frame(span("a", None, 0, 10), span("b", "a", -30, 20, service="db")))
    assert starts(moved) == {"a": 0, "b": 0}


@pytest.mark.parametrize(
    "child",
    [
        pytest.param(span("b", "a", -500, -440), id="of the same service"),
        pytest.param(span("b", "a", 90, 160, service="db"), id="outlasts its parent"),
        pytest.param(span("b", "a", 120, 180, service="db"), id="a little behind it"),
        pytest.param(span("b", "a", -0.5, 40, service="db"), id="within the resolution of clocks"),
        pytest.param(span("b", "a", 5000, 5040, service="db", kind="consumer"), id="a consumer"),
        pytest.param(span("b", "a", 5000, 5400, service="db"), id="longer and later: nobody waited"),
        pytest.param(span("b", "a", -500, -440, service="db", attributes={"host.name": "h"}), id="of the same host"),
    ],
)
def test_others_are_let_be(child: dict[str, object]) -> None:
    data = frame(span("a", None, 0, 100, attributes={"host.name": "h"} if child["attributes"] else None), child)
    same, notes = corrected(data)
    assert same is data
    assert notes == ()


def test_events_move_with_their_span_and_order_is_kept() -> None:
    event = {"timestamp": pd.Timestamp(BASE + 700 * MS, tz="UTC"), "name": "x", "attributes": [("k", "v")]}
    data = frame(
        span("a", None, 0, 100),
        span("b", "a", 700, 760, service="db", events=[event]),
        span("c", "a", 50, 60, service="shop", events=[]),
        span("z", None, 300, 310, trace="2"),
    )
    moved, _ = corrected(data)
    assert moved["operation"].tolist() == ["a", "b", "c", "z"]
    row = moved["events"][1][0]
    assert (pd.Timestamp(row["timestamp"]).value - BASE) / MS == 20
    assert (row["name"], row["attributes"]) == ("x", [("k", "v")])
    assert len(moved["events"][0]) == 0


def test_many_services_are_counted() -> None:
    data = frame(span("f", None, 0, 100), *(span(f"{n}", "f", -500 - n, -490 - n, service=f"s{n}") for n in range(5)))
    notes = corrected(data)[1]
    assert len(notes) == 4
    assert notes[-1] == "clock skew: spans of 2 more services moved"


def test_nothing_is_moved_of_nothing() -> None:
    assert corrected(empty_spans())[1] == ()


@given(worlds(rings=True))
def test_no_span_is_lost_or_stretched(data: pd.DataFrame) -> None:
    moved, notes = corrected(data)
    keys = ["trace_id", "span_id", "duration"]
    assert sorted(map(tuple, moved[keys].to_numpy())) == sorted(map(tuple, data[keys].to_numpy()))
    assert bool(notes) == ("start_raw" in moved.columns)
    check_spans(moved)
