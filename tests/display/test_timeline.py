"""The picture of a timeline, its table, and the parts of an incident's panel."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.incident_story import HOSTILE, NEAR, events, first_errors, incident, notes, ns, shifts

from obs_magics.display.bundle import SVG, VEGALITE
from obs_magics.display.incident import Changed, Moved, changes_table, moved_table
from obs_magics.display.text import columns_of
from obs_magics.display.timeline.lanes import laid_out
from obs_magics.display.timeline.picture import timeline_chart
from obs_magics.display.timeline.rows import EVERYONE, MOST_DRAWN, MOST_LANES, pictured, since
from obs_magics.display.timeline.table import timeline_table
from obs_magics.display.timeline.times import response_sentences
from obs_magics.incident.response import response
from obs_magics.incident.timeline import timeline
from obs_magics.model.events import Event, events_frame
from obs_magics.model.incident import Milestone, Remark, Response

ZONES = ["UTC", "Europe/Berlin"]
SECOND, MINUTE = 10**9, 60 * 10**9


def story() -> pd.DataFrame:
    return timeline(incident(), events=events(), shifts=shifts(), errors=first_errors(), notes=notes())


def moments(frame: pd.DataFrame) -> Response:
    return response(frame, incident(), NEAR)


def chart(frame: pd.DataFrame | None = None, **options: Any) -> Any:
    frame = story() if frame is None else frame
    given_options = {"response": moments(frame), "service": "payment-api", "title": "Timeline", **options}
    return timeline_chart(frame, **given_options)


def said(markup: str) -> str:
    return html.unescape(re.sub("<[^>]*>", "", re.sub(r"(?s)<style>.*?</style>|<title>.*?</title>", "", markup)))


# ── the picture ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("zone", ZONES)
def test_the_picture_fits_the_schema_and_says_the_same_in_every_form(
    zone: str, vega_lite_schema: jsonschema.protocols.Validator
) -> None:
    found = chart(zone=zone)
    vega_lite_schema.validate(found.spec)
    vega_lite_schema.validate({**found.still, "data": {"values": []}})
    bundle = found._repr_mimebundle_()
    assert set(bundle) == {VEGALITE, SVG, "text/plain"}
    assert json.dumps(bundle) == json.dumps(chart(zone=zone)._repr_mimebundle_())
    for words in ("redis pool: max connections 100 → 20", "Connection pool exhausted (41 lines)", "recovered"):
        assert words in found.to_text(160)
        assert words in html.unescape(bundle[SVG])


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("width", [60, 100, 160])
def test_the_timeline_in_characters(zone: str, width: int, snapshot: Any) -> None:
    text = chart(zone=zone).to_text(width)
    assert all(columns_of(line) <= width for line in text.splitlines())
    assert text == snapshot


def test_lanes_are_those_of_the_service_then_as_the_trouble_spread() -> None:
    picture = pictured(
        story(), response=moments(story()), service="payment-api", span_ns=None, zone="UTC", title="Timeline"
    )
    assert picture
    assert picture.lanes[:4] == ("payment-api", "checkout-api", "user-service", "order-service")
    assert picture.lanes[-1] == EVERYONE
    layout = laid_out(picture)
    assert layout.lanes[0].name == "incident"
    assert [lane.top for lane in layout.lanes] == sorted(lane.top for lane in layout.lanes)


def test_labels_of_a_lane_do_not_overlap() -> None:
    crowd = [
        Event(start_ns=ns("14:15") + place * SECOND, kind="deployment", service="pay", title=f"change number {place}")
        for place in range(20)
    ]
    frame = timeline(events=events_frame(crowd))
    picture = pictured(frame, response=None, service="", span_ns=None, zone="UTC", title="x")
    assert picture
    placed = laid_out(picture).placed
    assert len({(one.y, one.x_ms) for one in placed}) == 20
    lines: dict[float, list[int]] = {}
    for one in placed:
        lines.setdefault(one.y, []).append(one.x_ms)
    assert max(map(len, lines.values())) <= 4


def test_what_lies_before_the_picture_stands_at_its_edge_and_what_lies_outside_is_counted() -> None:
    picture = pictured(
        story(),
        response=moments(story()),
        service="payment-api",
        span_ns=(ns("14:20"), ns("14:30")),
        zone="UTC",
        title="x",
    )
    assert picture
    placed = laid_out(picture).placed
    early = [one for one in placed if one.shape == "earlier"]
    assert {one.x_ms for one in early} == {ns("14:20") // 10**6}
    assert any("14:13 config change redis pool" in one.label for one in early)
    assert all(one.end_ms is None or one.end_ms <= ns("14:30") // 10**6 for one in placed)
    assert "rows lie outside of the picture" in picture.notes[-1]


def test_no_more_is_drawn_than_one_can_read() -> None:
    many = [
        Event(start_ns=ns("14:15") + place * SECOND, kind="alert", service=f"s{place % 30}", title=f"alert {place}")
        for place in range(300)
    ]
    frame = timeline(incident(), events=events_frame(many))
    found = chart(frame)
    text = found.to_text(100)
    assert len(text.splitlines()) < MOST_DRAWN + 12
    assert any("more rows are in the table alone" in note for note in found.notes)
    assert any(f"{30 - MOST_LANES + 1} more services" in note or "more services" in note for note in found.notes)
    table = timeline_table(frame, response=moments(frame))
    assert "the 120 nearest to the onset are shown" in table.to_text(100)
    last = timeline_table(frame, limit=5)
    assert last.to_text(100).count("alert ") >= 3


def test_nothing_gives_no_picture_and_a_table_that_says_so() -> None:
    assert timeline_chart(timeline()) is None
    assert timeline_table(timeline()).to_text() == "Timeline nothing is known"
    assert "nothing is known" in said(timeline_table(timeline()).to_html())
    alone = timeline(notes=[Remark(at_ns=ns("14:31"), text="x")])
    assert timeline_chart(alone) is not None


@pytest.mark.parametrize("zone", ZONES)
def test_without_an_incident_the_axis_is_the_same(zone: str) -> None:
    span = (ns("14:00"), ns("15:00"))
    found = timeline_chart(timeline(events=events()), span_ns=span, zone=zone)
    assert found
    svg = html.unescape(found.svg())
    assert "Sun 22 Nov 2026" in svg
    assert ("14:30" if zone == "UTC" else "15:30") in svg
    assert "AM" not in svg


def test_what_others_wrote_stays_text() -> None:
    hostile = [Event(start_ns=ns("14:20"), kind="alert", service=HOSTILE, title=HOSTILE * 40)]
    frame = timeline(incident(), events=events_frame(hostile), notes=notes())
    told = moments(frame)
    shown = timeline_table(frame, response=told).to_html()
    assert "<img" not in shown
    assert "\u202e" not in shown
    assert len(shown) < 60_000
    picture = chart(frame)
    assert "\u202e" not in picture.svg()
    assert "<img" not in picture.svg()
    for text in (picture.to_text(80), timeline_table(frame, response=told).to_text(80)):
        assert "\x1b" not in text
        assert all(line.isprintable() for line in text.splitlines())


@given(st.text(max_size=60), st.text(max_size=200), st.sampled_from(ZONES))
@settings(max_examples=60)
def test_any_text_is_laid_out_in_its_width(service: str, title: str, zone: str) -> None:
    told = [Event(start_ns=ns("14:20"), kind="alert", service=service, title=title)]
    frame = timeline(incident(), events=events_frame(told))
    picture = pictured(frame, response=None, service=service, span_ns=None, zone=zone, title=title)
    assert picture
    assert laid_out(picture).placed
    text = timeline_table(frame, zone=zone).to_text(70)
    assert all(columns_of(line) <= 70 for line in text.splitlines())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_drawn_light_and_dark(theme: Any) -> None:
    assert chart().png(theme)[:4] == b"\x89PNG"


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("zone", ZONES)
def test_the_table(zone: str, snapshot: Any) -> None:
    table = timeline_table(story(), response=moments(story()), zone=zone)
    assert table.to_text(140) == snapshot
    assert table.inside() == snapshot


def test_both_zones_stand_side_by_side_where_they_differ() -> None:
    berlin = said(timeline_table(story(), response=moments(story()), zone="Europe/Berlin").to_html())
    assert "UTC" in berlin
    assert "15:13:00" in berlin
    assert "14:13:00" in berlin


def test_a_table_below_its_picture_says_nothing_twice_in_characters() -> None:
    assert len(timeline_table(story(), in_text=False).to_text(80).splitlines()) == 1


def test_distances_are_as_people_say_them() -> None:
    told = [since(ns("14:15") + length * SECOND, ns("14:15")) for length in (0, 15, -60, 3661, -90_000, 200_000)]
    assert told == ["0", "+15 s", "−1 min", "+1 h 1 min", "−1 d 1 h", "+2 d 7 h"]


def test_times_that_are_not_known_say_why() -> None:
    told = moments(story())
    assert response_sentences(told, zone="Europe/Berlin") == [
        "time to detect: 6 min (15:21 Europe/Berlin, alert: p99 of payment-api is above 1 s)",
        "time to mitigate: 32 min (15:47 Europe/Berlin, redis pool: max connections 20 → 100)",
        "time to recover: 35 min (15:50 Europe/Berlin, p99 latency back to 400 ms)",
    ]
    unknown = Response(tuple(Milestone(moment=one.moment, because="why") for one in told.milestones))
    assert response_sentences(unknown)[0] == "time to detect: unknown (why)"


# ── the incident's panel ─────────────────────────────────────────────────────────────────────────────────────────────


def moved(**changes: Any) -> Moved:
    times = ns("13:45") + np.arange(300, dtype=np.int64) * 15 * SECOND
    values = np.where(times < ns("14:15"), 0.4, 2.3)
    one = Moved(
        service="payment-api",
        title="p99 latency",
        unit="s",
        times_ns=times,
        values=values,
        usual=0.4,
        value=2.3,
        start_ns=ns("14:15"),
        bad=True,
    )
    return replace(one, **changes)


def test_small_charts_show_what_moved(snapshot: Any) -> None:
    rows = [
        moved(),
        moved(title="error rate", unit="1", end_ns=ns("14:50")),
        moved(title="requests", bad=False, start_ns=None, value=None),
        moved(service="b", title="nothing", values=np.full(300, np.nan), usual=None, value=None, start_ns=None),
    ]
    section = moved_table(rows, span_ns=(ns("13:45"), ns("15:00")), onset_ns=ns("14:15"), zone="Europe/Berlin")
    assert section.to_text(120) == snapshot
    assert section.inside() == snapshot
    narrow = section.to_text(60)
    assert all(columns_of(line) <= 60 for line in narrow.splitlines())


def test_more_measures_than_one_reads_are_counted() -> None:
    section = moved_table(
        [moved(title=f"m{place}") for place in range(35)],
        span_ns=(ns("13:45"), ns("15:00")),
        onset_ns=ns("14:15"),
        zone="UTC",
    )
    assert "and 5 more measures" in section.to_text(100)
    assert "and 5 more measures" in said(section.to_html())


def test_changes_stand_by_distance_then_by_time(snapshot: Any) -> None:
    def one(at: str, distance: int | None, title: str, service: str = "a") -> Changed:
        return Changed(
            at_ns=ns(at),
            distance=distance,
            where="here",
            service=service,
            what="deployment",
            title=f"{service}@{title}",
        )

    rows = [
        one("14:10", None, "far"),
        one("14:00", 0, "own, long before"),
        one("14:12", 1, "neighbour's"),
        one("14:13", 0, "own, just before"),
        one("14:38", 0, "own, after", HOSTILE),
    ]
    section = changes_table(rows, onset_ns=ns("14:15"), zone="UTC")
    text = section.to_text(110)
    order = ["own, just before", "own, long before", "neighbour's", "far", "(after)"]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)
    assert text == snapshot
    assert "<img" not in section.to_html()
    assert changes_table([], onset_ns=0, zone="UTC").to_text() == "What changed nothing is recorded"
    assert "and 10 more changes" in changes_table([rows[0]] * 50, onset_ns=ns("14:15"), zone="UTC").to_text()
