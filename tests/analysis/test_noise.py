"""Coarse history made as noisy as the present: the level stays, the spread is the present's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from obs_magics.analysis.noise import as_noisy
from obs_magics.model.frames import metrics_frame

MINUTE = 60_000_000_000


def frame(*series: tuple[str, np.ndarray], start: int = 0) -> pd.DataFrame:
    labels = [{"__name__": "m", "pod": name} for name, _ in series]
    times = np.concatenate([start + MINUTE * np.arange(len(values)) for _, values in series])
    return metrics_frame(labels, [len(values) for _, values in series], times, np.concatenate([v for _, v in series]))


def spread(values: np.ndarray) -> float:
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low)


def test_the_level_stays_and_the_spread_becomes_that_of_the_present() -> None:
    random = np.random.default_rng(1)
    day = 100 + 10 * np.sin(np.arange(2000) / 1440 * 2 * np.pi)
    history = frame(("a", day + random.normal(0, 0.5, 2000)), ("b", day + random.normal(0, 0.5, 2000)))
    present = frame(("a", 100 + random.normal(0, 4, 400)), start=MINUTE * 2000)
    matched = as_noisy(history, present)
    a, b = (matched.loc[matched["pod"] == pod, "value"].to_numpy() for pod in "ab")
    assert spread(a - day) == pytest.approx(spread(random.normal(0, 4, 4000)), rel=0.25)
    assert np.median(a - day) == pytest.approx(0, abs=0.5)
    assert np.array_equal(b, history.loc[history["pod"] == "b", "value"])
    assert as_noisy(history, present)["value"].equals(matched["value"])


def test_an_incident_of_the_present_is_no_noise() -> None:
    random = np.random.default_rng(2)
    history = frame(("a", 10 + random.normal(0, 0.1, 600)))
    values = 10 + random.normal(0, 1, 360)
    values[200:230] += 500
    matched = as_noisy(history, frame(("a", values)))
    assert matched["value"].max() < 20


def test_what_is_never_negative_stays_so_and_gaps_stay_gaps() -> None:
    random = np.random.default_rng(3)
    values = np.abs(random.normal(0.1, 0.02, 600))
    values[::50] = np.nan
    matched = as_noisy(frame(("a", values)), frame(("a", np.abs(random.normal(0.1, 0.3, 300)))))
    assert matched["value"].min() >= 0
    assert np.array_equal(np.isnan(matched["value"]), np.isnan(values))


@pytest.mark.parametrize(("past", "present"), [(600, 10), (100, 300), (0, 0)])
def test_too_little_is_left_as_it_is(past: int, present: int) -> None:
    history = frame(("a", np.arange(past, dtype=float)))
    assert as_noisy(history, frame(("a", np.full(present, np.nan)))).equals(history)
