"""What changed just before: order, distance, relations, and how usual such events are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.analysis.correlation import Relations, Windows, correlate_with_events
from obs_magics.analysis.correlation.events import KIND_WEIGHTS, RELATION_WEIGHTS
from obs_magics.model.anomalies import Anomaly, anomalies_frame, empty_anomalies
from obs_magics.model.errors import ConfigError, UsageError
from obs_magics.model.events import KINDS, Event, empty_events, events_frame

ONSET = pd.Timestamp("2026-11-22 14:15", tz="UTC")
CALLS = [("gateway", "checkout"), ("checkout", "payment"), ("payment", "postgres"), ("gateway", "search")]


def event(minutes: float, kind: str = "deployment", service: str = "payment", title: str = "") -> Event:
    at = ONSET + pd.Timedelta(minutes=minutes)
    return Event(start_ns=at.value, kind=kind, service=service, title=title or f"{kind} {service} {minutes}")


def onsets(*services: str) -> pd.DataFrame:
    return pd.DataFrame({"series": [f"p99 {name}" for name in services], "service": services, "start": ONSET})


def confidences(found: Sequence[Event], **options: object) -> list[float]:
    return correlate_with_events(onsets("payment"), events_frame(found), **options)["confidence"].tolist()


def test_the_change_just_before_comes_first_and_unrelated_ones_well_below() -> None:
    happened = [
        event(-2, "config_change", title="redis pool: 100 → 20"),
        event(-3, "deployment", title="v2.4.1"),
        event(-7, "feature_flag", "cart", title="banner"),
        event(-17, "deployment", "recommendation", title="ranking"),
        event(-45, "config_change", "gateway", title="certificate"),
        event(-200, "deployment", title="yesterday's"),
        event(+20, "deployment", title="rollback"),
    ]
    found = correlate_with_events(onsets("payment"), events_frame(happened), relations=CALLS)
    assert found["event"].tolist()[:2] == ["redis pool: 100 → 20", "v2.4.1"]
    assert found["confidence"].iloc[1] > 0.85
    assert found["confidence"].iloc[2] < 0.4
    assert set(found["event"]) == {"redis pool: 100 → 20", "v2.4.1", "banner", "ranking", "certificate"}
    first = found.iloc[0]
    assert (first["anomaly"], first["event_type"], first["service"]) == ("p99 payment", "config_change", "payment")
    assert first["time_offset"] == -pd.Timedelta(minutes=2)
    assert (first["start"], first["event_time"]) == (ONSET, ONSET - pd.Timedelta(minutes=2))
    assert first["reason"] == "config change 2 min before the onset; at the service itself; the only one like it in 4 h"


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_looked_for_in_its_window(kind: str) -> None:
    minutes = Windows().of(kind) / timedelta(minutes=1)
    inside = [event(-share * minutes, kind) for share in (0.05, 0.45, 0.55, 0.9)]
    values = [confidences([one], least=0)[0] for one in inside]
    assert all(first > second for first, second in pairwise(values))
    assert values[1] > 0.6 * KIND_WEIGHTS[kind]
    assert values[-1] < 0.25
    assert confidences([event(-1.01 * minutes, kind)], least=0) == []


def test_windows_can_be_set_otherwise() -> None:
    happened = [event(-100)]
    assert len(confidences(happened)) == 1
    assert confidences(happened, windows=Windows(deployment=timedelta(hours=1))) == []
    assert Windows().replaced({"alert": timedelta(hours=4)}).longest == timedelta(hours=4)
    assert Windows().of("nobody knows") == timedelta(0)
    with pytest.raises(ConfigError, match="did you mean deployment"):
        Windows().replaced({"deployments": timedelta(hours=1)})
    with pytest.raises(ConfigError, match="is negative"):
        Windows().replaced({"alert": -timedelta(hours=1)})
    assert confidences([event(-1)], windows=Windows(deployment=timedelta(0))) == []


def test_clocks_may_differ_a_little() -> None:
    assert confidences([event(1)])[0] == pytest.approx(0.8 * KIND_WEIGHTS["deployment"])
    assert confidences([event(3)]) == []
    assert len(confidences([event(3)], tolerance=timedelta(minutes=5))) == 1
    found = correlate_with_events(onsets("payment"), events_frame([event(1), event(0)]))
    assert found["reason"].str.contains("1 min after the onset").any()
    assert found["reason"].str.contains("at the onset").any()


def test_relations_weigh_and_are_told() -> None:
    order = ["payment", "postgres", "", "checkout", "gateway", "search"]
    found = correlate_with_events(
        onsets("payment"), events_frame([event(-5, service=name) for name in order]), relations=Relations.of(CALLS)
    )
    assert ["" if pd.isna(one) else one for one in found["service"]] == order
    words = dict(zip(order, found["reason"], strict=True))
    assert "at postgres, which it calls" in words["postgres"]
    assert "at checkout, which calls it" in words["checkout"]
    assert "at gateway, which calls it over 1 other" in words["gateway"]
    assert "at search, which is not related by calls" in words["search"]
    assert "at no service in particular" in words[""]
    unknown = correlate_with_events(onsets("payment"), events_frame([event(-5, service="search")]))
    assert "whose relation is not known" in unknown["reason"].iloc[0]


def test_ways_of_calls_are_found_in_both_directions_and_loops_end() -> None:
    shop = Relations.of([*CALLS, ("postgres", "gateway"), ("payment", "payment")])
    assert shop.between("payment", "postgres") == ("downstream", 1)
    assert shop.between("gateway", "payment") == ("downstream", 2)
    assert shop.between("checkout", "gateway") == ("upstream", 1)
    assert shop.between("search", "gateway") == ("upstream", 1)
    assert shop.between("payment", "nobody") == ("none", 0)
    assert shop.between("", "payment") == ("unknown", 0)
    assert set(RELATION_WEIGHTS) >= {shop.between("payment", name)[0] for name in ("payment", "search", "")}


def test_what_happens_all_the_time_tells_little() -> None:
    often = [event(-10 * number - 5) for number in range(500)]
    once = [event(-5), *(event(-10 * number - 5, service="other") for number in range(1, 500))]
    assert confidences(often)[0] < 0.7 * confidences(once)[0]
    assert confidences([event(-60), *often], least=0)[-1] < 0.05
    found = correlate_with_events(onsets("payment"), events_frame(often))
    assert "499 more like it in 3 days" in found["reason"].iloc[0]


def test_an_alert_that_rings_for_weeks_does_not_make_the_others_rare() -> None:
    told = [event(-60 * 24 * 40, "alert", service="disk"), event(-5), event(-180, service="search")]
    found = correlate_with_events(onsets("payment"), events_frame(told))
    assert "the only one like it in 3 h" in found["reason"].iloc[0]


def test_effects_are_told_to_be_effects() -> None:
    found = correlate_with_events(onsets("payment"), events_frame([event(-1, "alert"), event(-20)]))
    assert found["event_type"].tolist() == ["deployment", "alert"]
    assert "may be an effect" in found["reason"].iloc[1]


def test_anomalies_are_onsets_and_keep_their_order() -> None:
    def anomaly(name: str, minutes: int) -> Anomaly:
        at = (ONSET + pd.Timedelta(minutes=minutes)).value
        return Anomaly(
            series=name, labels={"service": name}, start_ns=at, end_ns=at, kind="spike", value=1, expected_low=0,
            expected_high=0, score=9, severity="high", detection_method="",
        )  # fmt: skip

    found = anomalies_frame([anomaly("payment", 5), anomaly("checkout", 0)])
    answer = correlate_with_events(found, events_frame([event(-2), event(-2, service="checkout")]), relations=CALLS)
    assert answer["anomaly"].tolist() == ["checkout", "checkout", "payment", "payment"]
    assert answer["service"].tolist() == ["checkout", "payment", "payment", "checkout"]


def test_empty_answers_have_the_right_types() -> None:
    for found in (
        correlate_with_events(empty_anomalies(), events_frame([event(-1)])),
        correlate_with_events(onsets("payment"), empty_events()),
    ):
        assert found.empty
        assert str(found["start"].dtype) == str(found["event_time"].dtype) == "datetime64[ns, UTC]"
        assert found["time_offset"].dtype == "timedelta64[ns]"
        assert found["confidence"].dtype == "float64"


def test_frames_without_service_do_and_without_start_do_not() -> None:
    found = correlate_with_events(pd.DataFrame({"series": ["a"], "start": [ONSET]}), events_frame([event(-1)]))
    assert "whose relation is not known" in found["reason"].iloc[0]
    with pytest.raises(UsageError, match="missing: start"):
        correlate_with_events(pd.DataFrame({"series": ["a"]}), empty_events())


@given(st.lists(st.tuples(st.floats(-150, 3), st.sampled_from(KINDS), st.sampled_from(["payment", "search", ""]))))
def test_confidences_are_between_0_and_1_and_in_order(happened: list[tuple[float, str, str]]) -> None:
    frame = events_frame([event(*one) for one in happened])
    found = correlate_with_events(onsets("payment"), frame, relations=CALLS, least=0)
    assert found["confidence"].between(0, 1).all()
    assert found["confidence"].is_monotonic_decreasing
    assert (found["time_offset"] <= pd.Timedelta(minutes=2)).all()
