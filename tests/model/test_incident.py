"""Incidents, shifts and moments: frozen, written as JSON and read again."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.model.incident import MOMENTS, Incident, Milestone, Response, Shift
from obs_magics.model.ranges import TimeRange

INSTANTS = st.integers(0, 4_000_000_000_000_000_000)


def written(data: object) -> object:
    return json.loads(json.dumps(data))


@given(start=INSTANTS, end=st.none() | INSTANTS, detected=st.none() | INSTANTS, text=st.text())
def test_an_incident_is_read_as_it_was_written(start: int, end: int | None, detected: int | None, text: str) -> None:
    one = Incident(
        service=text,
        start_ns=start,
        end_ns=end,
        detected_ns=detected,
        found_by="alert",
        start_because=text,
        title=text,
        windows={"metrics": TimeRange(start, start + 5)},
    )
    assert Incident.from_dict(written(one.to_dict())) == one  # type: ignore[arg-type]
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one


@given(start=INSTANTS, end=st.none() | INSTANTS, value=st.floats(-1e12, 1e12))
def test_a_shift_is_read_as_it_was_written(start: int, end: int | None, value: float) -> None:
    one = Shift(
        service="a", measure="latency_p99", title="p99", start_ns=start, end_ns=end, usual=0.4, value=value, peak=value
    )
    assert Shift.from_dict(written(one.to_dict())) == one  # type: ignore[arg-type]
    assert one.rises == (value >= 0.4)


def test_an_incident_cannot_be_changed_and_tells_its_times() -> None:
    one = Incident(service="a", start_ns=1_500_000_000, windows={"logs": TimeRange(0, 1)})
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.service = "b"  # type: ignore[misc]
    with pytest.raises(TypeError):
        one.windows["logs"] = TimeRange(1, 2)  # type: ignore[index]
    assert one.start.isoformat() == "1970-01-01T00:00:01.500000+00:00"
    assert one.end is None
    assert one.detected_at is None
    assert hash(one) == hash(dataclasses.replace(one))
    later = dataclasses.replace(one, end_ns=2_000_000_000, detected_ns=2_000_000_000)
    assert later.end == later.detected_at
    assert one.to_dict()["start"] == "1970-01-01T00:00:01.5+00:00"


def test_times_are_counted_from_the_onset_and_unknown_where_a_moment_is() -> None:
    told = Response(
        (
            Milestone(moment="onset", at_ns=10**9, row=0, because="told"),
            Milestone(moment="detected", at_ns=61 * 10**9, row=2),
            Milestone(moment="mitigated", because="nobody did anything"),
            Milestone(moment="recovered", at_ns=10**9),
        )
    )
    assert (told.to_detect, told.to_mitigate, told.to_recover) == (timedelta(minutes=1), None, timedelta(0))
    assert Response.from_dict(written(told.to_dict())) == told  # type: ignore[arg-type]
    assert [one.moment for one in told.milestones] == list(MOMENTS)
    nothing = Response(tuple(Milestone(moment=moment) for moment in MOMENTS))
    assert nothing.to_detect is None
