"""Questions, and the step that fits them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.model.query import MetricsQuery, choose_step
from obs_magics.model.time import DAY, HOUR, SECOND, TimeRange

HOUR_LONG = TimeRange(0, HOUR)


@pytest.mark.parametrize(
    ("span", "points", "seconds"),
    [
        (HOUR_LONG, 1000, 5),
        (HOUR_LONG, 3601, 1),
        (HOUR_LONG, 3600, 2),
        (HOUR_LONG, 2, 3600),
        (HOUR_LONG, 1, 3600),
        (HOUR_LONG, 0, 3600),
        (TimeRange(0, 7 * DAY), 1000, 900),
        (TimeRange(0, 365 * DAY), 100, 345600),
        (TimeRange(5, 5), 1, 1),
    ],
)
def test_a_step_that_people_read_easily(span: TimeRange, points: int, seconds: int) -> None:
    assert choose_step(span, points) == seconds * SECOND


@given(st.integers(0, 10_000 * DAY), st.integers(2, 20_000))
def test_there_are_never_more_points_than_asked_for(length: int, points: int) -> None:
    step = choose_step(TimeRange(0, length), points)
    assert step % SECOND == 0
    assert length // step + 1 <= points


def test_a_query_is_a_value() -> None:
    query = MetricsQuery(text="up", range=HOUR_LONG, step_ns=5 * SECOND)
    assert query == MetricsQuery(text="up", range=HOUR_LONG, step_ns=5 * SECOND)
    assert hash(query)
    with pytest.raises(AttributeError):
        query.text = "down"  # type: ignore[misc]
