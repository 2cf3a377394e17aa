"""The events frame: its shape, and the way back to events."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.model.errors import BadAnswer
from obs_magics.model.events import (
    EVENT_COLUMNS,
    KINDS,
    Event,
    attribute_columns,
    check_events,
    empty_events,
    events_frame,
    events_of,
    severity_rank,
)

NAMES = st.text("abcdefgh_", min_size=1, max_size=8).filter(lambda name: not name.startswith("label_"))
TEXTS = st.text(min_size=1, max_size=20).filter(str.strip)
EVENTS = st.builds(
    Event,
    start_ns=st.integers(0, 2**62),
    end_ns=st.none() | st.integers(0, 2**62),
    kind=st.sampled_from(KINDS),
    service=st.just("") | TEXTS,
    title=TEXTS,
    version=st.just("") | TEXTS,
    severity=st.sampled_from(["", "critical", "page"]),
    url=st.just(""),
    source=st.sampled_from(["prom", "am"]),
    attributes=st.dictionaries(NAMES | st.sampled_from(["kind", "source", "end"]), TEXTS, max_size=3),
)


@given(st.lists(EVENTS, max_size=12))
def test_a_frame_gives_back_the_events_that_it_was_made_of(events: list[Event]) -> None:
    frame = events_frame(events)
    check_events(frame)
    again = events_of(frame)
    assert sorted(map(repr, map(_plain, again))) == sorted(map(repr, map(_plain, events)))
    pd.testing.assert_frame_equal(events_frame(again), frame)


def _plain(event: Event) -> tuple[object, ...]:
    whole = {name: getattr(event, name) for name in ("start_ns", "end_ns", "kind", "service", "title", "version")}
    return (*whole.values(), event.severity, event.source, sorted(event.attributes.items()))


def test_an_empty_frame_is_well_formed() -> None:
    frame = empty_events()
    check_events(frame)
    assert (tuple(frame.columns), len(frame)) == (EVENT_COLUMNS, 0)
    assert events_of(frame) == []


def test_an_attribute_whose_name_is_taken_gets_a_prefix() -> None:
    frame = events_frame([Event(start_ns=1, kind="alert", title="t", attributes={"kind": "k", "team": "a"})])
    assert attribute_columns(frame) == ["label_kind", "team"]
    assert events_of(frame)[0].attributes == {"kind": "k", "team": "a"}


def test_rows_are_in_order_of_time_whatever_the_order_they_came_in() -> None:
    frame = events_frame([Event(start_ns=time, kind="restart", title=str(time)) for time in (3, 1, 2)])
    assert frame["title"].tolist() == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("kind", "end", "until"),
    [
        ("alert", None, 2**63 - 1),
        ("incident", None, 2**63 - 1),
        ("deployment", None, 5),
        ("alert", 9, 9),
        ("scale", 3, 5),
    ],
)
def test_alerts_and_incidents_without_an_end_still_go_on(kind: str, end: int | None, until: int) -> None:
    event = next(
        one for one in (Event(start_ns=5, end_ns=end, kind=known, title="") for known in KINDS) if one.kind == kind
    )
    assert event.until_ns == until


@pytest.mark.parametrize(
    ("column", "becomes", "said"),
    [
        ("title", lambda frame: frame["title"].astype("category"), "title is category"),
        ("kind", lambda frame: frame["kind"].astype(str), "kind is"),
        ("service", lambda frame: frame["service"].astype(str), "service is"),
        ("timestamp", lambda frame: frame["timestamp"][::-1].array, "not in order of time"),
        ("timestamp", lambda frame: frame["timestamp"].dt.as_unit("us"), "timestamp is"),
        ("kind", lambda frame: pd.Categorical([None, None], dtype=frame["kind"].dtype), "no kind"),
    ],
)
def test_what_is_no_events_frame_is_told(column: str, becomes: object, said: str) -> None:
    frame = events_frame([Event(start_ns=time, kind="alert", title="t", service="s") for time in (1, 2)])
    assert callable(becomes)
    with pytest.raises(BadAnswer, match=said):
        check_events(frame.assign(**{column: becomes(frame)}))
    with pytest.raises(BadAnswer, match="needs the columns title"):
        check_events(frame.drop(columns="title"))


def test_severity_words_are_ranked_and_unknown_ones_said_so() -> None:
    ranks = [severity_rank(word) for word in ("none", "P4", " Warning ", "sev2", "PAGE", "purple", "")]
    assert ranks == [0, 1, 2, 3, 4, -1, -1]
