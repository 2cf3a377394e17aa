"""`frame.obs.anomalies()`, `.correlate()` and the pictures with events and anomalies on them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from support.metrics_frames import regular
from support.odd_frames import found, happened, shop

import obs_magics.accessor  # noqa: F401 - registers the accessor
from obs_magics.analysis.anomaly import detect
from obs_magics.model.errors import UsageError
from obs_magics.model.logs import empty_logs


def steady() -> pd.DataFrame:
    values = 10 + np.random.default_rng(1).normal(size=300)
    values[200:240] += 30
    return regular({"a": values, "b": 5 + np.random.default_rng(2).normal(size=300)})


def test_a_metrics_frame_tells_what_is_unusual_in_it() -> None:
    frame = steady()
    told = frame.obs.anomalies()
    assert set(told["series"]) == {"a"}
    assert told["start"].iloc[0] == frame["timestamp"].iloc[200]
    pd.testing.assert_frame_equal(told, detect(frame, baseline="5h"))
    assert len(frame.obs.anomalies(sensitivity="low")) <= len(told)


def test_the_beginning_of_a_frame_may_be_its_baseline() -> None:
    frame = steady()
    told = frame.obs.anomalies(baseline="2h")
    assert set(told["series"]) == {"a"}
    with pytest.raises(UsageError, match="not longer than the baseline of 9h"):
        frame.obs.anomalies(baseline="9h")
    with pytest.raises(UsageError, match="did you mean medium"):
        frame.obs.anomalies(sensitivity="mdium")


def test_empty_frames_have_nothing_unusual() -> None:
    assert empty_logs().obs.anomalies().empty
    assert regular({}).obs.anomalies(baseline="1h").empty


def test_series_of_a_frame_are_correlated() -> None:
    wave = np.convolve(np.random.default_rng(3).normal(size=304), np.ones(5) / 5, mode="valid")
    frame = regular({"a": wave, "b": -np.roll(wave, 2), "c": np.random.default_rng(4).normal(size=300)})
    told = frame.obs.correlate("a")
    assert told["series"].tolist() == ["b"]
    assert told["lag"].iloc[0] == pd.Timedelta("2min")
    by_frame = frame.obs.correlate(frame[frame["service"] == "a"])
    assert by_frame["series"].tolist() == ["b"]
    assert frame.obs.correlate({"service": "a"}, max_lag="1m")["lag"].abs().max() <= pd.Timedelta("1min")
    with pytest.raises(UsageError, match="did you mean"):
        frame.obs.correlate("aa")


def test_pictures_take_events_and_anomalies() -> None:
    spec = json.dumps(shop().obs.plot(events=happened(), anomalies=found(), unit="s").spec)
    assert "critical shift of level" in spec
    assert "BCD" in spec
