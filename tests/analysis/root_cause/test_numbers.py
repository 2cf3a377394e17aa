"""The numbers below the findings, against scipy and pandas; names of metrics; presence of items."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from obs_magics.analysis.root_cause import confidence
from obs_magics.analysis.root_cause.presence import ALL, changes
from obs_magics.analysis.root_cause.roles import role_of
from obs_magics.analysis.root_cause.statistics import g_statistic, shifts, surprise_of_shift

COUNTS = st.integers(1, 200)


@given(COUNTS, COUNTS, st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_g_is_scipys(total: int, other: int, share: float, other_share: float) -> None:
    hits, other_hits = min(int(share * total), total), min(int(other_share * other), other)
    found = float(g_statistic(*(np.array(float(n)) for n in (hits, total, other_hits, other))))
    table = np.array([[hits, total - hits], [other_hits, other - other_hits]])
    if not table.sum(axis=0).all():
        assert found == pytest.approx(0.0, abs=1e-9)
        return
    expected = chi2_contingency(table, correction=False, lambda_="log-likelihood")[0]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(0, 4), st.integers(-1, 1)), min_size=1, max_size=60))
def test_shifts_are_medians_by_group(rows: list[tuple[float, int, int]]) -> None:
    values, group, period = (np.array(column) for column in zip(*rows, strict=True))
    found = shifts(values, group, period, 5)
    frame = pd.DataFrame({"value": values, "group": group, "period": period})
    for side, medians, counts in ((0, found.usual, found.before), (1, found.now, found.during)):
        own = frame[frame["period"] == side].groupby("group")["value"]
        np.testing.assert_allclose(medians, own.median().reindex(range(5)).to_numpy(), rtol=1e-9, atol=1e-9)
        assert counts.tolist() == own.size().reindex(range(5), fill_value=0).tolist()


@settings(max_examples=50)
@given(st.floats(0.0, 1e6), st.floats(1e-6, 1e3), st.integers(1, 500), st.integers(1, 500))
def test_a_larger_shift_is_no_less_surprising(change: float, spread: float, before: int, during: int) -> None:
    told = surprise_of_shift(np.array([change, 2 * change]), np.full(2, spread), np.full(2, before), np.full(2, during))
    assert 0 <= told[0] <= told[1]
    assert surprise_of_shift(np.array([1.0]), np.array([1.0]), np.array([0]), np.array([3]))[0] == 0.0


def test_a_change_of_the_mix_of_requests_is_told_from_one_within_them() -> None:
    # Item 0 is in every request; item 1 always with item 2 before. During, item 2 comes more often, and 1 never.
    request = np.arange(100)
    period = (request >= 60).astype(np.int8)
    with_two = (request % 4 == 0) | (request >= 80)
    rows = [(number, 0) for number in request]
    rows += [(number, 2) for number in request if with_two[number]]
    rows += [(number, 1) for number in request if with_two[number] and number < 60]
    who, item = (np.array(column) for column in zip(*rows, strict=True))
    found = changes(service=np.zeros(len(who), int), request=who, item=item, period=period, wrong=np.zeros(3, bool))
    best = max(found, key=lambda one: one.g * one.difference**2)
    assert (best.item, best.given, best.hits, best.other_hits, best.other_total) == (1, 2, 0, 15, 15)
    assert best.difference == -1.0
    assert all(one.item != 2 for one in found)  # what comes more often is no bad sign


def test_what_appears_is_a_change_only_when_it_is_a_bad_sign() -> None:
    who, item = np.array([*range(20), *range(10, 20)]), np.array([0] * 20 + [1] * 10)
    period = np.repeat(np.array([0, 1], np.int8), 10)
    for wrong in (True, False):
        found = changes(
            service=np.zeros(30, int), request=who, item=item, period=period, wrong=np.array([False, wrong])
        )
        assert [(one.item, one.given) for one in found] == ([(1, ALL)] if wrong else [])
    assert (
        changes(service=np.zeros(5, int), request=who[:5], item=item[:5], period=period, wrong=np.zeros(2, bool)) == []
    )


@pytest.mark.parametrize(
    ("metric", "role"),
    [
        ("http_server_duration_p99_ms", "latency"),
        ("latency_p95", "latency"),
        ("lat_99", "latency"),
        ("PodSuccessRate(%)", "success"),
        ("availability_Average", "success"),
        ("error_rate_5xx_ratio", "errors"),
        ("http_401_unauthorized_ratio", "errors"),
        ("dynamodb_write_throttle_ratio", "errors"),
        ("db_pool_in_use", "saturation"),
        ("queue_oldest_message_age_seconds", "saturation"),
        ("container_cpu_usage", "cpu"),
        ("mem", "memory"),
        ("requests_Sum", "traffic"),
        ("lod", "traffic"),
        ("pod_restart_total", "restarts"),
        ("NetworkReceiveBytes", "network"),
        ("NodeCpuUsageRate(%)", "other"),
        ("node_load1", "other"),
        ("node_fetch_duration", "other"),
        ("nodejs_heap_bytes", "memory"),
        ("colour", "other"),
    ],
)
def test_names_of_metrics_say_what_they_measure(metric: str, role: str) -> None:
    assert role_of(metric) == role


def test_confidence_grows_with_strength_and_with_distance() -> None:
    assert confidence.of_service(2.0, 1.9) < confidence.of_service(10.0, 9.5) < confidence.of_service(10.0, 2.0) < 1
    assert confidence.of_change(0.6, 0.5) < confidence.of_change(3.0, 0.5) < 1
