"""What is said to have moved with a series: planted relations, and series that only look alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.metrics_frames import SECOND, START, regular

from obs_magics.analysis.correlation import correlate
from obs_magics.analysis.correlation.lags import discoveries, lagged
from obs_magics.model.errors import UsageError

MINUTE = 60
COLUMNS = ["series", "metric", "service", "correlation", "lag", "p_value", "q_value", "points", "moves"]
Maker = Callable[[np.random.Generator, int, int], np.ndarray]


def autoregressive(rng: np.random.Generator, count: int, points: int, weight: float) -> np.ndarray:
    noise = rng.normal(size=(count, points))
    values = np.zeros((count, points))
    for place in range(1, points):
        values[:, place] = weight * values[:, place - 1] + noise[:, place]
    return values


def day(points: int, step: int) -> np.ndarray:
    return 2 * np.pi * np.arange(points) * step / 86_400


def rhythm(rng: np.random.Generator, count: int, points: int) -> np.ndarray:
    turn = day(points, 5 * MINUTE)
    return autoregressive(rng, count, points, 0.5) + 4 * np.sin(turn) + 2 * np.sin(2 * turn + 1)


NULLS: dict[str, Maker] = {
    "white": lambda rng, count, points: rng.normal(size=(count, points)),
    "autoregressive": lambda rng, count, points: autoregressive(rng, count, points, 0.9),
    "random walks": lambda rng, count, points: np.cumsum(rng.normal(size=(count, points)), axis=1),
    "shared trend": lambda rng, count, points: autoregressive(rng, count, points, 0.5) + np.linspace(0, 8, points),
    "shared daily rhythm": rhythm,
    "skewed": lambda rng, count, points: np.exp(autoregressive(rng, count, points, 0.7)),
    "rare events": lambda rng, count, points: rng.poisson(0.1, (count, points)).astype(float),
}


@pytest.mark.parametrize("points", [360, 864])
@pytest.mark.parametrize("name", NULLS)
def test_series_that_are_independent_are_not_said_to_move_together(name: str, points: int) -> None:
    rng = np.random.default_rng(11)
    shares, flagged = [], []
    for _ in range(6):
        values = NULLS[name](rng, 101, points)
        found = lagged(values[0], values[1:], 5 * MINUTE * SECOND, 2)
        shares.append(np.mean(found.p_value <= 0.05))
        flagged.append(np.mean(discoveries(found.p_value) <= 0.05))
    assert np.mean(flagged) <= 0.01
    assert np.mean(shares) <= 0.12


def planted(lag: int, sign: int, *, weight: float = 0.5, points: int = 360, seed: int = 0) -> pd.DataFrame:
    """A target, one series that moves `lag` points after it, and 30 that do not."""
    rng = np.random.default_rng(seed)
    values = autoregressive(rng, 32, points + 40, weight)
    target, others = values[0, 20 : 20 + points], values[1:, 20 : 20 + points].copy()
    others[4] = 100 + sign * 5 * values[0, 20 - lag : 20 - lag + points] + 3 * others[4]
    series = [({"__name__": "latency", "service": "shop"}, target)]
    series += [({"__name__": "load", "service": f"s{number}", "zone": "a"}, row) for number, row in enumerate(others)]
    return regular(series, step=MINUTE)


@pytest.mark.parametrize(("lag", "sign"), [(0, 1), (3, 1), (-4, 1), (2, -1), (-7, -1)])
def test_a_planted_relation_is_found_with_its_lag_and_its_sign(lag: int, sign: int) -> None:
    found = correlate(planted(lag, sign), {"metric": "latency"})
    assert list(found.columns) == [*COLUMNS, "zone"]
    best = found.iloc[0]
    assert (best["metric"], best["service"], best["zone"]) == ("load", "s4", "a")
    assert best["lag"] == pd.Timedelta(minutes=lag)
    assert best["moves"] == ("with" if sign > 0 else "against")
    assert np.sign(best["correlation"]) == sign
    assert best["q_value"] <= 0.05
    assert best["points"] == 360
    assert len(found) <= 2


def test_negative_lags_mean_that_it_moved_before_the_target() -> None:
    found = correlate(planted(-5, 1), {"metric": "latency"})
    assert found["lag"].iloc[0] == -pd.Timedelta(minutes=5)


def test_a_lag_beyond_the_largest_is_not_reached() -> None:
    frame = planted(9, 1, weight=0.2)
    assert correlate(frame, {"metric": "latency"}, max_lag=timedelta(minutes=3)).empty
    assert correlate(frame, {"metric": "latency"})["lag"].iloc[0] == pd.Timedelta(minutes=9)


def test_the_target_is_named_in_many_ways() -> None:
    frame = planted(1, 1)
    by_metric = correlate(frame, "latency")
    by_name = correlate(frame, "latency · shop · (none)")
    by_selector = correlate(frame, 'latency{service="shop"}')
    by_frame = correlate(frame, frame[frame["metric"] == "latency"])
    for other in (by_name, by_selector, by_frame):
        pd.testing.assert_frame_equal(by_metric, other)
    outside = frame[frame["metric"] == "latency"].assign(metric=pd.Categorical(["other"] * 360))
    assert correlate(frame, outside)["metric"].iloc[0] == "latency"


def test_targets_that_are_not_one_series_are_refused() -> None:
    frame = planted(1, 1)
    with pytest.raises(UsageError, match="is 31 series"):
        correlate(frame, "load")
    with pytest.raises(UsageError, match="no series latncy"):
        correlate(frame, "latncy")
    with pytest.raises(UsageError, match='no series \\{service="nobody"\\}'):
        correlate(frame, {"service": "nobody"})
    with pytest.raises(UsageError, match="holds 32 series"):
        correlate(frame, frame)
    with pytest.raises(UsageError, match="max_lag is negative"):
        correlate(frame, "latency", max_lag=-timedelta(minutes=1))


def test_limit_and_alpha_say_what_is_shown() -> None:
    frame = planted(1, 1)
    everything = correlate(frame, "latency", alpha=1, limit=None)
    assert len(everything) == 31
    assert everything["q_value"].is_monotonic_increasing
    assert len(correlate(frame, "latency", alpha=1, limit=3)) == 3
    assert everything["correlation"].abs().max() <= 1


def test_an_incident_that_several_series_show_is_one_move() -> None:
    rng = np.random.default_rng(4)
    incident = np.zeros(720)
    incident[500:570] = 1
    series = [({"service": "a"}, 0.4 + 0.02 * rng.normal(size=720) + 1.9 * incident)]
    series += [({"service": "b"}, 0.2 + 0.02 * rng.normal(size=720) + 0.5 * np.roll(incident, 2))]
    series += [({"service": f"c{number}"}, 0.2 + 0.02 * rng.normal(size=720)) for number in range(30)]
    found = correlate(regular(series, step=30), {"service": "a"})
    assert found["service"].tolist()[0] == "b"
    assert found["lag"].iloc[0] == pd.Timedelta(minutes=1)


def test_counters_gaps_coarser_grids_and_constants() -> None:
    rng = np.random.default_rng(5)
    load = 20 + autoregressive(rng, 1, 360, 0.7)[0]
    series = [
        ({"__name__": "latency"}, load + 0.2 * rng.normal(size=360)),
        ({"__name__": "requests_total"}, np.cumsum(np.abs(load)) * 60),
        ({"__name__": "constant"}, np.ones(360)),
        ({"__name__": "line"}, np.arange(360.0)),
        ({"__name__": "gone"}, np.full(360, np.nan)),
        ({"__name__": "short"}, np.where(np.arange(360) < 10, load, np.nan)),
    ]
    frame = regular(series, step=MINUTE)
    frame = frame[(np.random.default_rng(6).random(len(frame)) > 0.1) | (frame["metric"] == "requests_total")]
    coarse = regular([({"__name__": "coarse"}, load[::3])], step=3 * MINUTE)
    found = correlate(pd.concat([frame, coarse], ignore_index=True), "latency", alpha=1)
    assert set(found["metric"]) == {"requests_total", "coarse"}
    assert found.set_index("metric")["q_value"].max() < 0.01
    assert found["lag"].abs().max() <= pd.Timedelta(minutes=1)


def test_a_frame_of_the_target_alone_gives_an_empty_frame_with_the_right_types() -> None:
    found = correlate(regular({"a": [1.0, 2.0, 3.0]}), {"service": "a"})
    assert list(found.columns) == COLUMNS
    assert found.empty
    assert found["lag"].dtype == "timedelta64[ns]"
    assert str(found["moves"].dtype) == "category"
    assert correlate(regular({"a": [1.0], "b": [2.0]}), {"service": "a"}, alpha=1).empty


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.floats(), min_size=30, max_size=60), min_size=2, max_size=4))
def test_any_numbers_give_bounded_results_and_the_same_twice(rows: list[list[float]]) -> None:
    frame = regular({f"s{number}": row for number, row in enumerate(rows)}, start=START)
    first, second = (correlate(frame, {"service": "s0"}, alpha=1, limit=None) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert first["correlation"].abs().le(1).all()
    assert first["p_value"].between(0, 1).all()
    assert (first["q_value"] >= first["p_value"] - 1e-12).all()


def test_q_values_are_those_of_benjamini_and_hochberg() -> None:
    values = discoveries(np.array([0.01, 0.04, 0.03, 0.005]))
    assert values.tolist() == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert len(discoveries(np.empty(0))) == 0
