"""Which events fit a question, which are one and the same, and what they say together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.analysis.events import chosen, folded, kind_table, summarize_events
from obs_magics.analysis.events.fold import SLACK_NS
from obs_magics.model.events import Event, EventKind, events_frame
from obs_magics.model.query import EventMatcher, EventsQuery
from obs_magics.model.time import MINUTE, TimeRange

SPAN = TimeRange(100 * MINUTE, 200 * MINUTE)


def event(at: float, kind: EventKind = "alert", end: float | None = None, **more: Any) -> Event:
    """An event at so many minutes."""
    given = {"title": "t", **more}
    return Event(start_ns=round(at * MINUTE), end_ns=None if end is None else round(end * MINUTE), kind=kind, **given)


def asked(**conditions: Any) -> EventsQuery:
    return EventsQuery(range=SPAN, limit=100, **conditions)


@pytest.mark.parametrize(
    ("one", "fits"),
    [
        (event(100, "deployment"), True),
        (event(200, "deployment"), True),
        (event(99.9, "deployment"), False),
        (event(200.1, "deployment"), False),
        (event(50, "alert"), True),  # it still goes on
        (event(50, "alert", 99), False),
        (event(50, "annotation", 100), True),
        (event(50, "annotation"), False),
        (event(150, "alert", 140), True),  # an end before the beginning counts as none
    ],
)
def test_events_belong_to_the_range_that_they_overlap(one: Event, fits: bool) -> None:
    found = chosen([one], asked())
    assert bool(found.events) == fits
    assert found.outside == (not fits)


@pytest.mark.parametrize(
    ("conditions", "titles"),
    [
        ({"kinds": ("deployment",)}, ["b"]),
        ({"services": ("cart",)}, ["a"]),
        ({"services": ("pay*",)}, ["b"]),
        ({"words": ("CRIT",)}, ["a"]),
        ({"words": ("v2", "b")}, ["b"]),
        ({"words": ("nothing",)}, []),
        ({"matchers": (EventMatcher(name="team", op="=", value="x"),)}, ["a"]),
        ({"matchers": (EventMatcher(name="team", op="!=", value="x"),)}, ["b", "c"]),
        ({"matchers": (EventMatcher(name="team", op="=", value=""),)}, ["b", "c"]),
        ({"matchers": (EventMatcher(name="version", op="=~", value="v2.*"),)}, ["b"]),
        ({"matchers": (EventMatcher(name="version", op="=~", value="2"),)}, []),  # anchored
        ({"matchers": (EventMatcher(name="severity", op="!~", value="crit.*|"),)}, []),
        ({"matchers": (EventMatcher(name="label_kind", op="=", value="own"),)}, ["c"]),
        ({"matchers": (EventMatcher(name="kind", op="=", value="alert"),)}, ["a"]),
    ],
)
def test_every_condition_has_to_hold(conditions: dict[str, Any], titles: list[str]) -> None:
    events = [
        event(110, title="a", service="cart", severity="critical", attributes={"team": "x"}),
        event(120, "deployment", title="b", service="payment-api", version="v2.4.1"),
        event(130, "annotation", title="c", attributes={"kind": "own"}),
    ]
    assert [one.title for one in chosen(events, asked(**conditions)).events] == titles


def test_events_of_no_service_are_counted_when_a_service_was_asked_for() -> None:
    found = chosen([event(110), event(120, service="a"), event(10, "deployment", service="a")], asked(services=("a",)))
    assert (len(found.events), found.of_no_service, found.outside) == (1, 1, 1)


def test_a_broken_expression_never_gets_here() -> None:
    with pytest.raises(ValueError, match="missing"):
        chosen([event(1)], asked(matchers=(EventMatcher(name="a", op="=~", value="("),)))


def ring(at: float, end: float | None = None, name: str = "Slow", source: str = "prom", **labels: str) -> Event:
    return event(at, end=end, source=source, service="cart", attributes={"alertname": name, **labels}, title=name)


def test_an_alert_that_two_sources_tell_of_is_one_and_has_what_both_know() -> None:
    told = ring(120.5, None, source="am", cluster="eu", annotation_summary="slow", alert_state="silenced")
    here = ring(120, None, source="prom", alert_value="3", alert_state="firing")
    (one,), twice = folded([[told], [here]])
    assert twice == 1
    assert (one.source, one.start_ns, one.end_ns) == ("am,prom", 120 * MINUTE, None)
    assert one.attributes["cluster"] == "eu"
    assert (one.attributes["alert_value"], one.attributes["alert_state"]) == ("3", "silenced")


@pytest.mark.parametrize(
    ("other", "together"),
    [
        (ring(130, None, source="am"), True),
        (ring(145 + SLACK_NS / MINUTE, None, source="am"), True),
        (ring(145.1 + SLACK_NS / MINUTE, None, source="am"), False),
        (ring(130, None, name="Fast", source="am"), False),
        (ring(130, None, source="am", pod="a"), True),  # the other source does not name the pod
        (ring(130, None, source="am", team="b"), False),
        (event(130, source="am", service="cart", title="Slow"), False),  # without a name nobody can tell
    ],
)
def test_alerts_are_one_when_name_service_labels_and_time_say_so(other: Event, together: bool) -> None:
    found, twice = folded([[ring(120, 145, team="a")], [other]])
    assert (len(found), twice) == ((1, 1) if together else (2, 0))


def test_of_several_stretches_the_nearest_is_meant_and_an_end_needs_both() -> None:
    here = [ring(100, 110), ring(120, 130), ring(140, None)]
    found, _ = folded([here, [ring(139, None, source="am")]])
    assert [one.source for one in found] == ["prom", "prom", "prom,am"]
    (over,), _ = folded([[ring(100, 110)], [ring(100, 112, source="am")]])
    assert over.end_ns == 112 * MINUTE


def test_other_kinds_are_one_when_nothing_tells_them_apart() -> None:
    one = event(1, "deployment", service="a", title="a@v1", version="v1", source="argo")
    same = event(1, "deployment", service="a", title="a@v1", version="v1", source="git", end=2)
    found, twice = folded([[one, one], [same], [event(1, "deployment", service="b", title="a@v1")]])
    assert (len(found), twice) == (3, 1)  # what one source tells twice stays twice
    assert (found[0].source, found[0].end_ns) == ("argo,git", 2 * MINUTE)


EVENTS = st.lists(
    st.builds(
        event,
        st.integers(90, 210),
        st.sampled_from(["alert", "deployment", "annotation"]),
        st.none() | st.integers(90, 210),
        service=st.sampled_from(["", "a", "b"]),
        attributes=st.sampled_from([{}, {"alertname": "X"}, {"alertname": "Y", "team": "t"}]),
    ),
    max_size=12,
)


@given(EVENTS, EVENTS)
def test_nothing_is_lost_or_told_of_twice(one: list[Event], other: list[Event]) -> None:
    found, twice = folded([one, other])
    assert len(found) + twice == len(one) + len(other)
    assert len(found) >= max(len(one), len(other) and 1)
    inside = chosen(found, asked())
    assert len(inside.events) + inside.outside == len(found)


def test_a_summary_counts_what_is_there() -> None:
    events = [
        event(110, "deployment", service="cart", title="cart@v2"),
        event(100, "config_change", service="pay", title="pool"),
        event(112, "alert", 130, service="cart", severity="warning"),
        event(115, "alert", None, service="cart", severity="page", title="burning"),
        event(150, "annotation", title="note"),
    ]
    summary = summarize_events(events_frame(events))
    assert summary.kinds == {"deployment": 1, "config_change": 1, "alert": 2, "annotation": 1}
    assert (summary.rows, summary.services, summary.nowhere, summary.busiest) == (5, 2, 1, "cart")
    assert summary.busiest_kinds == {"deployment": 1, "alert": 2}
    assert [one.title for one in summary.ongoing] == ["burning"]
    assert summary.last_change is not None
    assert summary.last_change.title == "cart@v2"
    assert summary.before is not None
    assert (summary.before.trouble.title, [one.title for one in summary.before.changes]) == (
        "burning",
        ["cart@v2", "pool"],
    )
    table = kind_table(events_frame(events))
    assert table["events"].tolist() == [2, 1, 1, 1]
    assert table["service"].isna().sum() == 1


def test_trouble_before_which_nothing_changed_gives_way_to_one_before_which_something_did() -> None:
    events = [
        event(100, "incident", service="a", title="first"),
        event(150, "deployment", service="b", title="b@v1"),
        event(160, "alert", severity="critical", service="b", title="second"),
    ]
    before = summarize_events(events_frame(events)).before
    assert before is not None
    assert before.trouble.title == "second"
    alone = summarize_events(events_frame(events[:1])).before
    assert alone is not None
    assert (alone.trouble.title, alone.changes) == ("first", ())


def test_an_empty_frame_has_an_empty_summary() -> None:
    summary = summarize_events(events_frame([]))
    assert (summary.rows, summary.busiest, summary.before, summary.last_change) == (0, "", None, None)
    assert len(kind_table(events_frame([]))) == 0
