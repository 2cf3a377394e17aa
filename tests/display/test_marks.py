"""Events on every chart over time: a rule and a letter each, and what the letter means."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from support.log_panels import HOSTILE
from support.metrics_frames import SECOND, START, regular
from support.odd_frames import MINUTE, happened, shop

from obs_magics.display.logs.volume import volume_chart
from obs_magics.display.marks import MAX_MARKS, Mark, event_marks, event_word, pins_of, pins_text
from obs_magics.display.metrics import metrics_chart
from obs_magics.display.traces.scatter import latency_scatter
from obs_magics.model.events import KINDS, Event, empty_events, events_frame
from obs_magics.model.logs import Volume

END = START + 120 * MINUTE
SAID = "C 14:13 config change payment-api: redis pool: max connections 100 …"


def traces() -> pd.DataFrame:
    start = pd.Timestamp(START, tz="UTC").as_unit("ns") + pd.to_timedelta(range(120), unit="min")
    return pd.DataFrame(
        {
            "trace_id": [f"{number:032x}" for number in range(120)],
            "service": "gateway",
            "operation": "GET /",
            "start": start,
            "duration": pd.to_timedelta(range(120), unit="ms").as_unit("ns"),
            "spans": 3,
            "errors": 0,
        }
    )


def charts() -> dict[str, Any]:
    """Each kind of chart over the same two hours."""
    latency = shop().query("metric == 'latency_p99'").reset_index(drop=True)
    volume = Volume(START, 5 * MINUTE, {"info": tuple(range(24)), "error": (1,) * 24})
    return {
        "one line": lambda events: metrics_chart(latency, unit="s", title="p99", events=events),
        "lines": lambda events: metrics_chart(shop(), title="all", events=events),
        "volume": lambda events: volume_chart(volume, events=events),
        "scatter": lambda events: latency_scatter(traces(), events=events),
    }


@pytest.mark.parametrize("name", charts())
def test_every_chart_over_time_marks_events(name: str, vega_lite_schema: Any) -> None:
    draw = charts()[name]
    chart = draw(happened())
    assert [error.message for error in vega_lite_schema.iter_errors(chart.spec)] == []
    letters = [
        row["letter"]
        for layer in chart.spec["layer"]
        for row in layer.get("data", {}).get("values", [])
        if "letter" in row
    ]
    assert letters == ["A", "BCD", "E"]
    assert SAID in " ".join(chart.spec["title"]["subtitle"])
    told = chart.to_text(80)
    assert SAID in " ".join(told.split())
    assert any("".join(line.split()) in {"AB+E", "A+E", "A+DE"} for line in told.splitlines())
    assert chart.svg().count("BCD") >= 1
    assert "tooltip" not in json.dumps(dict(chart.still))


@pytest.mark.parametrize("name", charts())
def test_without_events_nothing_changes(name: str) -> None:
    draw = charts()[name]
    assert draw(None).spec == draw(empty_events()).spec
    outside = events_frame([Event(start_ns=START - MINUTE, kind="deployment", title="before")])
    assert "letter" not in json.dumps(draw(outside).spec)


def test_alerts_look_unlike_changes() -> None:
    chart = charts()["one line"](happened())
    rules = [layer["mark"] for layer in chart.spec["layer"] if layer.get("mark", {}).get("type") == "rule"]
    assert len({json.dumps(rule["strokeDash"]) for rule in rules}) == 2
    assert len({rule["color"] for rule in rules}) == 2


def test_an_instant_query_has_no_time_to_mark() -> None:
    chart = metrics_chart(regular({"a": [1.0]}), events=happened())
    assert chart is not None
    assert "letter" not in json.dumps(chart.spec)


def test_of_too_many_events_what_changed_something_is_marked() -> None:
    notes = [Event(start_ns=START + n * SECOND, kind="annotation", title=f"n{n}") for n in range(30)]
    deploy = Event(start_ns=START + 40 * SECOND, kind="deployment", title="v2")
    pins, said = pins_of(
        [*event_marks(events_frame([*notes, deploy])), Mark(START, "onset")], START // 10**6, END, "UTC"
    )
    assert len(pins) == MAX_MARKS
    assert [pin.letter for pin in pins] == list("ABCDEFGHIJKL")
    assert {"A 13:30 note n0", "B 13:30 onset"} == {pin.said for pin in pins[:2]}
    assert pins[-1].said == "L 13:30:40 deployment v2"
    assert said == ["20 more marks not drawn"]


def test_the_service_is_said_once() -> None:
    labels = [mark.label for mark in event_marks(happened())]
    assert labels[1] == "deployment payment-api@v2.4.1: refund reasons"
    assert labels[2] == "config change payment-api: redis pool: max connections 100 → 20"
    assert labels[3] == 'note Campaign "Early Black Friday" starts'


def test_every_kind_of_event_has_a_word() -> None:
    assert [event_word(kind) for kind in KINDS] != list(KINDS)
    assert event_word("blue_moon") == "blue moon"


def test_letters_fall_inside_the_row() -> None:
    pins, _ = pins_of([Mark(START, "a"), Mark(END, "b")], START // 10**6, END // 10**6, "UTC")
    assert pins_text(pins, START // 10**6, END // 10**6, 10) == "A        B"


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "lone surrogates"])  # a frame holds none
def test_hostile_titles_are_only_text(name: str) -> None:
    events = events_frame([Event(start_ns=START + MINUTE, kind="alert", title=HOSTILE[name], service=HOSTILE[name])])
    for draw in charts().values():
        chart = draw(events)
        assert len(json.dumps(chart.spec)) < 120_000
        assert all(char.isprintable() or char == "\n" for char in chart.to_text())
        assert "<script" not in chart.svg()
