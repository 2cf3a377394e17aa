"""What is unusual in the demo world: every planted fault in time, hardly anything else, and nobody blamed wrongly."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

from obs_magics import Session, demo

RED = ("error_rate", "latency_p99", "throughput")
LATE = pd.Timedelta("3min")
# (measure, service): when each planted fault begins and ends (obs_magics.demo.world.story).
FAULTS = {
    ("latency_p99", "checkout-api"): [("12:40", "13:00"), ("14:15", "14:50")],
    ("latency_p99", "api-gateway"): [("12:40", "13:00"), ("14:15", "14:50")],
    ("latency_p99", "inventory-service"): [("12:40", "13:00")],
    ("latency_p99", "payment-api"): [("14:15", "14:50")],
    ("latency_p99", "user-service"): [("14:15", "14:50")],
    ("latency_p99", "order-service"): [("14:22", "14:50")],
    ("latency_p99", "notification-service"): [("14:05", "14:20")],
    ("error_rate", "payment-api"): [("14:23", "14:50")],
    ("error_rate", "checkout-api"): [("14:23", "14:50")],
    ("error_rate", "user-service"): [("14:24:20", "14:50")],
    ("error_rate", "order-service"): [("14:25:40", "14:50")],
    ("error_rate", "notification-service"): [("14:05", "14:20")],
    ("throughput", "payment-api"): [("14:14", "15:35")],
}


def _at(clock: str) -> pd.Timestamp:
    return pd.Timestamp(f"2026-11-22 {clock}", tz="UTC")


@pytest.fixture(scope="module")
def found() -> Iterator[pd.DataFrame]:
    with Session(zone="UTC") as session:
        session.connect("demo", str(demo.open()))
        yield pd.concat([session.anomalies(measure, last="6h") for measure in RED], ignore_index=True)


@pytest.mark.parametrize(("measure", "service"), FAULTS)
def test_planted_faults_are_found_within_three_minutes(found: pd.DataFrame, measure: str, service: str) -> None:
    own = found[(found["metric"] == measure) & (found["service"] == service)]
    for start, _ in FAULTS[measure, service]:
        assert ((own["start"] - _at(start)).abs() <= LATE).any(), f"nothing at {start}: {own['start'].tolist()}"


def test_six_hours_hold_two_false_alarms_at_most(found: pd.DataFrame) -> None:
    campaign = (_at("14:14") - LATE, _at("15:35") + LATE)
    alarms = []
    for event in found.to_dict("records"):
        key = (str(event["metric"]), str(event["service"]))
        spans = [(_at(start) - LATE, _at(end) + LATE) for start, end in FAULTS.get(key, [])]
        if event["metric"] == "throughput":
            spans.append(campaign)
        if key == ("error_rate", "api-gateway"):  # the gateway sees the failed payments too
            spans.append((_at("14:20"), _at("14:52")))
        if not any(start <= event["start"] and event["end"] <= end for start, end in spans):
            alarms.append((*key, event["start"], event["kind"]))
    assert len(alarms) <= 2, alarms


def test_red_herrings_are_not_incidents_of_payments(found: pd.DataFrame) -> None:
    own = found[found["service"] == "payment-api"]
    assert set(own["metric"]) == set(RED)
    assert own["start"].between(_at("14:13"), _at("14:26")).all()
