"""Where a measure left what is usual, and when it was back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obs_magics.incident.onsets import begun_before, ending, stretches, symptoms_of, told_start
from obs_magics.incident.shifts import Points, shift_near, shifts_within
from obs_magics.model.durations import SECOND

STEP = 15 * SECOND
BEGIN = 1_795_356_900_000_000_000


def points(values: np.ndarray, *, measure: str = "latency_p99", direction: str = "up", service: str = "a") -> Points:
    times = BEGIN + np.arange(len(values), dtype=np.int64) * STEP
    return Points(
        service=service,
        measure=measure,
        title=measure,
        unit="s",
        direction=direction,  # type: ignore[arg-type]
        times_ns=times,
        values=values.astype(np.float64),
    )


def noisy(*parts: tuple[int, float], spread: float = 0.02) -> np.ndarray:
    """So many points at each level, with noise in proportion."""
    level = np.concatenate([np.full(count, value) for count, value in parts])
    return level * (1 + spread * np.random.default_rng(7).standard_normal(len(level)))


def at(index: int) -> int:
    return BEGIN + index * STEP


def test_a_step_begins_and_ends_where_it_does() -> None:
    found = shift_near(points(noisy((120, 0.4), (140, 2.3), (60, 0.4))), at(120))
    assert found is not None
    assert (found.start_ns, found.end_ns, found.earliest_ns) == (at(120), at(260), at(119))
    assert found.usual == pytest.approx(0.4, rel=0.02)
    assert found.value == pytest.approx(2.3, rel=0.02)
    assert found.rises


@given(before=st.integers(80, 150), lasts=st.integers(4, 100), late=st.integers(-30, 30), seed=st.integers(0, 99))
@settings(max_examples=40)
def test_a_step_is_found_when_the_start_is_told_roughly(before: int, lasts: int, late: int, seed: int) -> None:
    level = np.concatenate([np.full(before, 0.4), np.full(lasts, 2.0), np.full(40, 0.4)])
    values = level * (1 + 0.03 * np.random.default_rng(seed).standard_normal(len(level)))
    told = at(before + max(min(late, lasts - 1), -20))
    found = shift_near(points(values), told)
    assert found is not None
    assert abs(found.start_ns - at(before)) <= STEP
    assert found.end_ns == at(before + lasts)


@pytest.mark.parametrize(
    "values",
    [
        noisy((200, 0.4)),
        noisy((120, 0.4), (2, 9.0), (78, 0.4)),  # too short
        noisy((120, 0.4), (80, 0.44)),  # too small
        noisy((120, 2.0), (80, 0.4)),  # faster is no trouble
        np.full(200, np.nan),
        np.full(200, 0.4),
        noisy((5, 0.4), (100, 4.0)),  # nothing is known of before
        np.array([]),
    ],
)
def test_what_stays_or_gets_better_is_no_shift(values: np.ndarray) -> None:
    assert shift_near(points(values), at(120)) is None


def test_a_shift_that_is_not_over_has_no_end() -> None:
    found = shift_near(points(noisy((120, 0.4), (80, 2.0))), at(120))
    assert found is not None
    assert found.end_ns is None
    just_back = shift_near(points(noisy((120, 0.4), (80, 2.0), (4, 0.4))), at(120))
    assert just_back is not None
    assert just_back.end_ns is None


def test_pauses_of_a_shift_do_not_end_it() -> None:
    found = shift_near(points(noisy((120, 0.4), (20, 2.0), (10, 0.4), (20, 2.0), (40, 0.4))), at(120))
    assert found is not None
    assert (found.start_ns, found.end_ns) == (at(120), at(170))


def test_directions() -> None:
    fewer = noisy((120, 30.0), (80, 10.0))
    assert shift_near(points(fewer, measure="throughput", direction="either"), at(120)) is not None
    assert shift_near(points(fewer, measure="availability", direction="down"), at(120)) is not None
    errors = noisy((120, 0.001), (80, 0.004))
    assert shift_near(points(errors, measure="error_rate"), at(120)) is None  # less than half a percent of requests
    assert shift_near(points(errors * 10, measure="error_rate"), at(120)) is not None


def test_without_a_start_all_shifts_are_found() -> None:
    values = noisy((200, 0.4), (30, 3.0), (200, 0.4), (40, 2.0), (100, 0.4))
    found = shifts_within(points(values))
    assert [(one.start_ns, one.end_ns) for one in found] == [(at(200), at(230)), (at(430), at(470))]
    assert shifts_within(points(np.array([1.0]))) == []


# ── incidents ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_shifts_that_overlap_are_one_stretch() -> None:
    slow = points(noisy((200, 0.4), (30, 3.0), (200, 0.4), (40, 2.0), (100, 0.4)))
    failing = points(noisy((210, 0.001), (10, 0.2), (350, 0.001)), measure="error_rate")
    other = points(noisy((50, 0.4), (40, 3.0), (480, 0.4)), service="b")
    found = stretches([slow, failing, other], "a")
    assert [(one.start_ns, one.end_ns, len(one.shifts)) for one in found] == [
        (at(200), at(230), 2),
        (at(430), at(470), 1),
    ]
    endless = stretches([points(noisy((200, 0.4), (60, 3.0))), failing], "a")
    assert [(one.start_ns, one.end_ns) for one in endless] == [(at(200), None)]


def test_symptoms_begin_at_the_start_or_before_the_last_is_over() -> None:
    slow = shift_near(points(noisy((120, 0.4), (100, 2.0), (200, 0.4))), at(120))
    failing = shift_near(points(noisy((160, 0.001), (50, 0.2), (210, 0.001)), measure="error_rate"), at(120))
    later = shift_near(points(noisy((380, 0.4), (40, 2.0)), measure="latency_p50"), at(120))
    assert slow
    assert failing
    assert later
    assert symptoms_of([slow, failing, later], "a", at(120)) == [slow, failing]
    assert symptoms_of([slow], "b", at(120)) == []
    assert begun_before([slow, later], at(300)) == [slow]
    assert begun_before([slow, later], None) == [slow, later]


def test_the_end_is_that_of_the_last_symptom() -> None:
    slow = shift_near(points(noisy((120, 0.4), (100, 2.0), (200, 0.4))), at(120))
    failing = shift_near(points(noisy((160, 0.001), (50, 0.2), (210, 0.001)), measure="error_rate"), at(120))
    endless = shift_near(points(noisy((120, 0.4), (100, 2.0))), at(120))
    assert slow
    assert failing
    assert endless
    assert ending([slow, failing], measured=True).end_ns == at(220)
    assert ending([slow, failing], measured=True).because.startswith("latency_p99 back to")
    assert ending([endless], measured=True).because.startswith("not over: latency_p99 is not back")
    assert ending([], measured=True).because == "not known: no measure of it left what is usual"
    assert ending([], measured=False).because == "not known: no source measures it"


def test_a_start_that_was_told_is_held_against_what_is_measured() -> None:
    slow = shift_near(points(noisy((120, 0.4), (100, 2.0), (200, 0.4))), at(120))
    assert slow
    assert told_start(at(122), [slow]).startswith("as told; latency_p99")
    assert told_start(at(140), [slow]).startswith("measured, 5 min before the time told: latency_p99")
    assert told_start(at(100), [slow]).startswith("as told; measured 5 min later, at ")
    assert told_start(at(100), []) == "as told"
