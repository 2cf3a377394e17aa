"""The timeline's rows, their order, and the times that are told from them."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.incident_story import NEAR, events, first_errors, incident, notes, ns, shift, shifts
from support.log_panels import MINUTE, START, frame_of

from obs_magics.analysis.patterns import pattern_table
from obs_magics.incident.notes import near_instant, said, span_text
from obs_magics.incident.response import response
from obs_magics.incident.timeline import WHATS, timeline
from obs_magics.incident.timeline import first_errors as errors_of
from obs_magics.model.events import KINDS, Event, check_events, events_frame
from obs_magics.model.frames import STRING_DTYPE
from obs_magics.model.incident import Incident, Remark
from obs_magics.model.logs import empty_logs


def story(**changes: object) -> pd.DataFrame:
    given = {"events": events(), "shifts": shifts(), "errors": first_errors(), "notes": notes(), **changes}
    return timeline(incident(), **given)  # type: ignore[arg-type]


def titles(frame: pd.DataFrame) -> list[tuple[str, str, str]]:
    times = frame["timestamp"].dt.strftime("%H:%M:%S")
    return list(zip(times, frame["what"].astype(str), frame["title"], strict=True))


def test_the_story_stands_in_order() -> None:
    told = [(time, what, title) for time, what, title in titles(story()) if "14:12" <= time <= "14:50:00"]
    assert [(time, what) for time, what, _ in told] == [
        ("14:12:00", "change"),
        ("14:12:00", "alert"),
        ("14:13:00", "change"),
        ("14:14:00", "annotation"),
        ("14:15:00", "onset"),
        ("14:15:15", "onset"),
        ("14:21:00", "alert"),
        ("14:21:30", "alert"),
        ("14:23:00", "onset"),
        ("14:23:02", "first_error"),
        ("14:24:20", "first_error"),
        ("14:25:40", "first_error"),
        ("14:26:00", "alert"),
        ("14:26:30", "alert"),
        ("14:27:00", "incident"),
        ("14:31:00", "annotation"),
        ("14:31:00", "note"),
        ("14:38:00", "change"),
        ("14:41:00", "annotation"),
        ("14:41:00", "note"),
        ("14:47:00", "change"),
        ("14:50:00", "recovery"),
    ]
    assert ("14:23:02", "first_error", "Connection pool exhausted (41 lines)") in told
    assert ("14:15:00", "onset", "p99 latency 400 ms → 2.3 s (5.7×)") in told


def test_it_is_an_events_frame_with_what_each_row_is() -> None:
    frame = story()
    check_events(frame.drop(columns="what"))
    assert list(frame.columns[:4]) == ["timestamp", "end", "kind", "what"]
    assert list(frame["what"].cat.categories) == list(WHATS)
    assert frame["author"].dropna().tolist() == ["anna", "<b>ben</b>"]
    check_events(timeline().drop(columns="what"))
    assert timeline().empty


def test_errors_that_were_there_before_are_no_news() -> None:
    assert "mail" not in set(story()["service"])
    assert "mail" in set(timeline(errors=first_errors())["service"])


@given(st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_the_order_of_what_comes_in_does_not_count(chance: random.Random) -> None:
    mixed = events().sample(frac=1, random_state=chance.randrange(2**31)).reset_index(drop=True)
    moved, said_by = shifts(), notes()
    chance.shuffle(moved)
    chance.shuffle(said_by)
    pd.testing.assert_frame_equal(story(events=mixed, shifts=moved, notes=said_by), story())


def test_a_note_that_is_there_twice_is_one_row() -> None:
    assert len(story(notes=[*notes(), *notes()])) == len(story())


@given(
    st.lists(
        st.tuples(st.integers(0, 10**18), st.sampled_from(KINDS), st.text(max_size=8), st.text(max_size=20)),
        max_size=12,
    )
)
@settings(max_examples=50)
def test_every_event_is_one_row_in_order_of_time(given_events: list[tuple[int, str, str, str]]) -> None:
    told = [
        Event(start_ns=at, kind=kind, service=service, title=title, attributes={"what": title, "\x00place": "9"})  # type: ignore[arg-type]
        for at, kind, service, title in given_events
    ]
    frame = timeline(events=events_frame(told))
    assert len(frame) == len(told)
    assert frame["timestamp"].is_monotonic_increasing
    assert sorted(frame["title"].tolist()) == sorted(one.title for one in told)


def test_the_onset_is_a_row_of_its_own_where_nothing_moved_just_then() -> None:
    frame = timeline(replace(incident(), start_because=""), events=events())
    row = frame[frame["what"] == "onset"]
    assert row["title"].tolist() == ["start of the incident (as told)"]
    named = timeline(replace(incident(end=None), title="Payments fail"))
    assert named["title"].tolist() == ["Payments fail"]


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_times_of_the_story() -> None:
    frame = story()
    told = response(frame, incident(), NEAR)
    assert (told.to_detect, told.to_mitigate, told.to_recover) == (
        timedelta(minutes=6),
        timedelta(minutes=32),
        timedelta(minutes=35),
    )
    rows = [frame["title"].iloc[one.row] for one in told.milestones if one.row is not None]
    assert rows == [
        "p99 latency 400 ms → 2.3 s (5.7×)",
        "p99 of payment-api is above 1 s",
        "redis pool: max connections 20 → 100",
        "p99 latency back to 400 ms",
    ]


def test_what_rang_before_the_onset_or_for_others_did_not_detect_it() -> None:
    ringing = [
        Event(start_ns=ns("14:10"), kind="alert", service="payment-api", title="before"),
        Event(start_ns=ns("14:16"), kind="alert", service="node-3", title="of another"),
        Event(start_ns=ns("14:51"), kind="alert", service="payment-api", title="after"),
    ]
    told = response(timeline(incident(), events=events_frame(ringing)), incident(), NEAR).of("detected")
    assert (told.at_ns, told.row) == (None, None)
    assert told.because.startswith("no alert, incident or note")


def test_an_alert_a_moment_before_the_onset_rang_for_it_at_once() -> None:
    early = [Event(start_ns=ns("14:14:30"), kind="alert", service="payment-api", title="early")]
    told = response(timeline(incident(), events=events_frame(early)), incident(), NEAR)
    assert told.to_detect == timedelta(0)
    assert told.of("detected").row == 0


def test_a_person_who_notes_something_has_seen_it() -> None:
    seen = [Remark(at_ns=ns("14:18"), text="payments are slow")]
    told = response(timeline(incident(), notes=seen), incident(), NEAR)
    assert told.to_detect == timedelta(minutes=3)
    assert told.of("detected").because == "note: payments are slow"


@pytest.mark.parametrize(
    ("at", "service", "found"),
    [
        ("14:47", "payment-api", True),
        ("14:47", "redis", True),
        ("14:47", "", True),
        ("14:47", "cart-service", False),
        ("14:15", "payment-api", False),  # with the onset, and too long before the recovery
        ("14:19", "payment-api", False),  # more than half an hour before the recovery
        ("14:51", "payment-api", False),
    ],
)
def test_the_last_change_before_the_recovery_is_taken_for_what_helped(at: str, service: str, found: bool) -> None:
    one = [Event(start_ns=ns(at), kind="config_change", service=service, title="tuned")]
    told = response(timeline(incident(), events=events_frame(one)), incident(), NEAR).of("mitigated")
    assert (told.at_ns is not None) == found
    assert told.because == ("tuned" if found else "no change within 30 min before the recovery is recorded")


def test_a_change_of_the_service_itself_goes_before_one_of_its_neighbours() -> None:
    both = [
        Event(start_ns=ns("14:47"), kind="config_change", service="payment-api", title="own"),
        Event(start_ns=ns("14:49"), kind="deployment", service="redis", title="neighbour's"),
    ]
    told = response(timeline(incident(), events=events_frame(both)), incident(), NEAR)
    assert told.of("mitigated").because == "own"


@pytest.mark.parametrize("title", ["pay-7d9: OOMKilling: Memory cgroup out of memory", "pay-7d9: BackOff restarting"])
def test_a_process_that_was_killed_did_not_mitigate(title: str) -> None:
    killed = Event(start_ns=ns("14:48"), kind="restart", service="payment-api", title=title)
    turned = Event(start_ns=ns("14:47"), kind="restart", service="payment-api", title="rolling restart")
    for events_told, because in (([killed], "no change within 30 min"), ([killed, turned], "rolling restart")):
        told = response(timeline(incident(), events=events_frame(events_told)), incident(), NEAR).of("mitigated")
        assert told.because.startswith(because)


def test_an_error_just_before_the_measured_onset_is_news() -> None:
    errors = first_errors()
    early = pd.DatetimeIndex(["2026-11-22T14:14:20Z"] * len(errors)).as_unit("ns")
    rows = timeline(incident(), errors=errors.assign(first_seen=early, last_seen=early))
    assert "first_error" in set(rows["what"])


def test_while_it_goes_on_nothing_is_mitigated_or_over() -> None:
    going = incident(end=None)
    told = response(timeline(going, events=events()), going, NEAR)
    assert told.to_mitigate is None
    assert told.to_recover is None
    assert told.of("recovered").because == "not over: p99 latency is high"
    assert told.to_detect == timedelta(minutes=6)


def test_a_shift_without_end_is_a_row_without_end() -> None:
    slow = shift("payment-api", "latency_p99", "p99 latency", start="14:15", end=None, usual=0.4, value=2.3)
    frame = timeline(incident(), shifts=[slow])
    assert frame["end"].isna().iloc[0]
    fewer = shift("payment-api", "throughput", "requests", start="14:15", end=None, usual=10.0, value=2.0)
    assert timeline(incident(), shifts=[fewer])["title"].iloc[0] == "requests 10 s → 2 s"


# ── first errors and notes ───────────────────────────────────────────────────────────────────────────────────────────


def test_first_errors_are_told_for_each_service_and_pattern() -> None:
    lines = frame_of(
        [
            ("error", "a", "pool exhausted after 5 ms"),
            ("fatal", "a", "pool exhausted after 7 ms"),
            ("error", "b", "pool exhausted after 9 ms"),
            ("error", "b", "no route to host"),
        ],
        step=MINUTE,
    )
    lines["message"] = lines["message"].astype(STRING_DTYPE)
    table, assigned = pattern_table(lines)
    found = errors_of(lines, table, assigned.tolist())
    counts = found[["service", "count", "level"]].to_numpy().tolist()
    assert counts == [["a", 2, "fatal"], ["b", 1, "error"], ["b", 1, "error"]]
    assert found["first_seen"].astype("int64").tolist() == [START, START + 2 * MINUTE, START + 3 * MINUTE]
    table, assigned = pattern_table(empty_logs())
    assert errors_of(empty_logs(), table, assigned.tolist()).empty


def test_a_time_without_a_day_is_the_nearest() -> None:
    near = ns("00:10")
    assert near_instant("23:50", near_ns=near, zone=UTC) == near - 20 * 60 * 10**9
    assert near_instant("00:20", near_ns=near, zone=UTC) == near + 10 * 60 * 10**9
    assert near_instant("2026-11-22T14:31:00Z", near_ns=near, zone=UTC) == ns("14:31")


def test_a_note_is_shown_in_the_session_s_zone_and_in_utc() -> None:
    one = Remark(at_ns=ns("14:31"), text="rolled\nback \u202ex", author="anna", service="pay")
    assert said(one, UTC) == "22 Nov 14:31:00  anna: rolled⏎back \\u202ex [pay]"
    assert said(one, ZoneInfo("Europe/Berlin")).startswith("22 Nov 15:31:00 (14:31:00 UTC)  anna")
    assert span_text([one], ZoneInfo("Europe/Berlin")) == "1 note from 15:31 to 15:31, 22 Nov 2026, UTC+01:00"
    assert span_text([one, replace(one, at_ns=ns("14:31") + 86_400 * 10**9)], UTC).endswith("22 Nov – 23 Nov 2026, UTC")
    assert span_text([], UTC) == "nothing"


def test_an_incident_that_was_told_has_rows_that_say_so() -> None:
    told = Incident(service="a", start_ns=5, end_ns=9)
    assert timeline(told)["title"].tolist() == ["start of the incident (as told)", "end of the incident (as told)"]
    assert [one.because for one in response(timeline(told), told).milestones][::3] == ["as told", "as told"]
