"""Counters are told as rates, and series of one metric by their labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as each
from hypothesis import strategies as st
from support.root_cause_worlds import INCIDENT, MINUTE, MINUTES, START_NS, given, lifted, metrics, noise

from obs_magics.analysis.root_cause import Periods, explain, mismatches
from obs_magics.analysis.root_cause.counters import is_counter, rates
from obs_magics.model.frames import metrics_frame

PERIODS = Periods(INCIDENT)
SERVICES = ("web", "shop", "cart", "pay", "stock", "mail")


def grown(per_minute: np.ndarray) -> np.ndarray:
    """A counter that has counted for long before."""
    return 1e6 + np.cumsum(per_minute)


def test_a_counter_that_grows_faster_is_told_as_a_rate() -> None:
    series = {(service, "jobs_failed_total"): grown(noise(at, 600.0)) for at, service in enumerate(SERVICES)} | {
        ("pay", "jobs_failed_total"): grown(lifted(noise(9, 600.0), 4.0))
    }
    frame = metrics(series)
    report = explain(given(metrics=frame))
    assert report.services[0] == "pay"
    evidence = report.factors[0].evidence[0]
    assert evidence.statistic == "median rate"
    assert evidence.value == pytest.approx(40, rel=0.1)
    assert evidence.usual == pytest.approx(10, rel=0.1)
    assert "a second, usually" in evidence.claim
    assert mismatches(report, given(metrics=frame), PERIODS) == []


def test_a_counter_that_began_anew_is_no_fault() -> None:
    values = grown(noise(3, 600.0))
    values[95:] -= values[95]
    series = {(service, "requests_total"): grown(noise(at, 600.0)) for at, service in enumerate(SERVICES)}
    report = explain(given(metrics=metrics({**series, ("pay", "requests_total"): values})))
    assert report.conclusion == "not enough evidence"


@pytest.mark.parametrize(
    ("metric", "values", "counter"),
    [
        ("http_requests_total", np.arange(20.0), True),
        ("mysql_global_status_queries", np.arange(20.0), True),
        ("disk_used_percent", np.arange(20.0), False),
        ("restarts_total", np.array([0.0] * 18 + [1.0, 1.0]), False),
        ("requests_total", np.arange(5.0), False),
        ("temperature", np.array([1.0, 3.0, 2.0] * 7), False),
        ("balance", np.arange(-10.0, 10.0), False),
    ],
)
def test_what_counts_as_a_counter(metric: str, values: np.ndarray, *, counter: bool) -> None:
    assert is_counter(metric, values) is counter


@each(st.lists(st.floats(0, 1e6), min_size=1, max_size=40))
def test_rates_add_up_to_what_was_counted(steps: list[float]) -> None:
    values = np.cumsum(steps)
    instants = START_NS + MINUTE * np.arange(len(values))
    found = rates(instants, values)
    assert np.isnan(found[0])
    assert found[1:].sum() * 60 == pytest.approx(values[-1] - values[0], rel=1e-6, abs=1e-3)


def test_the_pool_that_is_full_is_named() -> None:
    """One of several pools is full: the number is its own, not that of all pools together."""
    labels = [
        {"__name__": "pool_saturation", "service": service, "pool": pool}
        for service in SERVICES
        for pool in ("postgres", "redis", "http")
    ]
    values = [noise(at, 0.3) for at in range(len(labels))]
    full = next(at for at, one in enumerate(labels) if (one["service"], one["pool"]) == ("pay", "redis"))
    values[full][90:100] = 1.0
    counts = [MINUTES] * len(labels)
    times = np.concatenate([START_NS + MINUTE * np.arange(MINUTES)] * len(labels))
    frame: pd.DataFrame = metrics_frame(labels, counts, times, np.concatenate(values))
    report = explain(given(metrics=frame))
    evidence = report.factors[0].evidence[0]
    assert evidence.value == 1.0
    assert evidence.rows["pool"] == "redis"
    assert "(redis)" in evidence.claim
    assert "pool == 'redis'" in evidence.query
    assert mismatches(report, given(metrics=frame), PERIODS) == []
