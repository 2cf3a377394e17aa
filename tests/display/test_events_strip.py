"""The strip and the table of events: what is drawn, how it is said, and that foreign text does no harm."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.log_panels import HOSTILE

from obs_magics.analysis.events import summarize_events
from obs_magics.display.chart import Chart
from obs_magics.display.event_words import event_sentences, kinds_text
from obs_magics.display.events.picture import LOOKS, event_strip
from obs_magics.display.events.strip import MOST_EVENTS, MOST_LANES
from obs_magics.display.events.strip_text import ICONS
from obs_magics.display.events.table import MOST_ROWS, event_table
from obs_magics.display.text import columns_of
from obs_magics.model.events import KINDS, Event, EventKind, empty_events, events_frame
from obs_magics.model.time import MINUTE

NOON = pd.Timestamp("2026-11-22T12:00Z").value
SPAN = (NOON, NOON + 360 * MINUTE)


def event(at: float, kind: EventKind = "deployment", end: float | None = None, **more: Any) -> Event:
    """An event at so many minutes after noon."""
    until = None if end is None else NOON + round(end * MINUTE)
    return Event(start_ns=NOON + round(at * MINUTE), end_ns=until, kind=kind, **{"title": "t", "source": "x", **more})


def story() -> pd.DataFrame:
    """What happened on a bad afternoon."""
    return events_frame([
        event(-600, "alert", service="node-3", title="Disk fills up", severity="warning"),
        event(-100, "annotation", 700, title="Freeze"),
        event(10, "scale", service="cart", title="2 → 4"),
        event(12, "deployment", service="payment-api", title="payment-api@v2.4.1: rounding", version="v2.4.1",
              url="https://ci.example.com/1"),
        event(13, "config_change", service="payment-api", title="pool: 100 → 20"),
        event(14, "feature_flag", service="cart", title="banner on"),
        event(21, "alert", 52, service="payment-api", title="p99 above 1 s", severity="critical"),
        event(21.5, "alert", 50, service="payment-api", title="pool is full", severity="warning"),
        event(27, "incident", 55, service="payment-api", title="Payments fail", severity="critical"),
        event(30, "restart", service="cart", title="OOMKilled"),
    ])  # fmt: skip


def some(frame: pd.DataFrame, **options: Any) -> Chart:
    chart = event_strip(frame, **options)
    assert chart is not None
    return chart


def marks(chart: Chart) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = chart.spec["layer"][-1]["data"]["values"]
    return rows


def test_the_picture(snapshot: Any, vega_lite_schema: Any) -> None:
    chart = some(story(), span_ns=SPAN, zone="Europe/Berlin", title="events", about="10 events")
    vega_lite_schema.validate(chart.spec)
    vega_lite_schema.validate(json.loads(json.dumps({**chart.still, "$schema": chart.spec["$schema"]})))
    assert chart.spec == snapshot
    assert chart.to_text(80) == snapshot
    assert "<svg " in chart.svg()


def test_every_kind_has_a_shape_an_icon_and_a_colour_of_its_own() -> None:
    assert set(LOOKS) == set(ICONS) == set(KINDS)
    assert len({shape for shape, _ in LOOKS.values()}) == len(LOOKS)
    assert len(set(ICONS.values())) == len(ICONS)
    chart = some(story(), span_ns=SPAN)
    assert len({row["kind"] for row in marks(chart)}) == 8


def test_what_began_before_the_range_is_hollow_and_stands_at_its_edge() -> None:
    chart = some(story(), span_ns=SPAN)
    early = [row for row in marks(chart) if row["early"]]
    assert [row["x"] for row in early] == [NOON // 10**6] * 2
    assert "hollow marks: began before the range" in chart.spec["title"]["subtitle"]
    assert "◄: began before the range" in chart.to_text()
    whole = some(story())
    assert not any(row["early"] for row in marks(whole))


def test_what_lies_together_is_drawn_on_lines_of_its_own() -> None:
    frame = events_frame([event(60, "deployment", service="a", title=str(n)) for n in range(4)])
    assert sorted(row["y"] for row in marks(some(frame, span_ns=SPAN))) == [0.5, 1.5, 2.5, 3.5]
    apart = events_frame([event(60 * n, "deployment", service="a") for n in range(1, 5)])
    assert {row["y"] for row in marks(some(apart, span_ns=SPAN))} == {0.5}


def test_bars_reach_from_the_beginning_to_the_end_as_far_as_the_picture_goes() -> None:
    chart = some(story(), span_ns=SPAN)
    bars = chart.spec["layer"][-2]["data"]["values"]
    assert len(bars) == 5
    assert all(bar["x"] < bar["x2"] <= SPAN[1] // 10**6 for bar in bars)
    only = some(events_frame([event(5), event(6)]), span_ns=SPAN)
    assert len(only.spec["layer"]) == 3


def test_of_many_services_the_busiest_have_lanes_and_the_others_share_one() -> None:
    frame = events_frame([event(n, service=f"s{n % 40}") for n in range(80)])
    chart = some(frame, span_ns=SPAN)
    lanes = [row["lane"] for row in chart.spec["layer"][0]["data"]["values"]]
    assert len(lanes) == MOST_LANES + 1
    assert lanes[-1] == "other services"
    assert chart.notes == ("28 more services in one lane",)


def test_of_very_many_the_newest_are_drawn() -> None:
    frame = events_frame([event(n / 10, service="a") for n in range(MOST_EVENTS + 5)])
    chart = some(frame, span_ns=SPAN)
    assert len(marks(chart)) == MOST_EVENTS
    assert chart.notes == ("the newest 600 of 605 events are drawn",)


def test_nothing_is_no_picture_and_one_moment_is_one() -> None:
    assert event_strip(empty_events()) is None
    assert "▲" in some(events_frame([event(0)])).to_text()
    assert "no service" in some(events_frame([event(0)]), span_ns=(NOON, NOON)).to_text()


def test_the_table(snapshot: Any) -> None:
    section = event_table(story(), zone="Europe/Berlin")
    assert section.inside() == snapshot
    assert section.to_text(100) == snapshot


def test_the_table_shows_the_newest_and_says_so() -> None:
    frame = events_frame([event(n, title=f"number {n}") for n in range(MOST_ROWS + 3)])
    told = event_table(frame).to_text()
    assert "number 2 " not in told
    assert f"the newest {MOST_ROWS} of {MOST_ROWS + 3} events" in told
    assert "there are none" in event_table(empty_events()).to_html()


@pytest.mark.parametrize("url", ["javascript:alert(1)", 'http://x/"><b>', "https://x/" + "a" * 3000, "ftp://x"])
def test_only_addresses_that_may_become_links_do(url: str) -> None:
    html = event_table(events_frame([event(1, title="look", url=url)])).to_html()
    assert "<a " not in html
    assert '<a href="https://ci.example.com/1"' in event_table(story()).to_html()


def test_what_it_says() -> None:
    summary = summarize_events(story())
    told = event_sentences(summary, end_ns=SPAN[1], zone="Europe/Berlin")
    assert told == [
        "10 events in 3 services, 1 of no service in particular: 1 deployment, 1 config change, 1 flag, 3 alerts,"
        " 1 incident, 1 restart, 1 scaling, 1 note",
        "most in payment-api: 1 deployment, 1 config change, 2 alerts, 1 incident",
        "in the 30 min before the alert “p99 above 1 s” (13:21): 7 min before: flag of cart, banner on; 8 min before:"
        " config change of payment-api, pool: 100 → 20; 9 min before: deployment, payment-api@v2.4.1: rounding",
        "the last change, 5 h 30 min before the end of the range (13:30): restart of cart, OOMKilled",
        "still going on: Disk fills up since 03:00",
    ]
    assert event_sentences(summarize_events(empty_events()), end_ns=0) == ["no events"]
    assert kinds_text({}) == ""


def test_trouble_without_a_change_before_it_says_so_and_many_that_go_on_are_counted() -> None:
    frame = events_frame([event(n, "alert", title=f"a{n}", severity="critical", service="s") for n in range(5)])
    told = event_sentences(summarize_events(frame), end_ns=SPAN[1])
    assert told[1] == "nothing is known to have changed in the 30 min before the first severe alert “a0” (12:00)"
    assert told[2] == "still going on: a0 since 12:00; a1 since 12:01; a2 since 12:02 and 2 more"


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_texts_stay_texts_of_a_bounded_size(name: str) -> None:
    text = HOSTILE[name]
    stored = text.encode("utf-8", "replace").decode()  # what a frame can hold
    told = dict.fromkeys(("title", "service", "version", "severity", "source"), stored)
    frame = events_frame([event(n, "alert", url=stored, **told) for n in range(3)])
    chart, table = some(frame, span_ns=SPAN, title=text, about=text), event_table(frame, title=text)
    for page in (table.to_html(), chart.svg()):
        assert len(page.encode()) < 60_000
        assert "<script" not in page
        assert "<img" not in page
        assert not set("\u202a\u202e\u2066\u2069\u200b\ufeff\x00\x1b") & set(page)
    for shown in (chart.to_text(80), table.to_text(80)):
        assert all(char.isprintable() or char in "\n\u200c\u200d" for char in shown)
        assert max(map(columns_of, shown.split("\n"))) <= 80
    sentences = event_sentences(summarize_events(frame), end_ns=SPAN[1])
    assert all(len(one) < 2000 for one in sentences)


@settings(max_examples=40)
@given(
    st.lists(
        st.builds(event, st.integers(-60, 500), st.sampled_from(KINDS), st.none() | st.integers(-60, 500),
                  service=st.sampled_from(["", "a", "b", "c"])),
        min_size=1,
        max_size=30,
    ),
    st.booleans(),
    st.integers(40, 140),
)  # fmt: skip
def test_any_events_can_be_drawn(events: list[Event], ranged: bool, width: int) -> None:
    chart = some(events_frame(events), span_ns=SPAN if ranged else None)
    assert len(marks(chart)) == len(events)
    domain = chart.spec["layer"][-1]["encoding"]["x"]["scale"]["domain"]
    assert all(domain[0] <= row["x"] <= domain[1] for row in marks(chart))
    assert max(columns_of(line) for line in chart.to_text(width).split("\n")) <= width
