"""What version 3 of Prometheus does differently, and what only it has; numbers by hand or from its own tests."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from support.memory_store import MemoryStore

from obs_magics.local.promql.evaluate import Result, evaluate
from obs_magics.model.errors import QueryError

MINUTE = 60_000


def store(**series: Any) -> MemoryStore:
    """Series by name, a value a minute from minute 0; a dict gives labels too."""
    found = MemoryStore()
    for name, values in series.items():
        for labels, numbers in values if isinstance(values, list) and isinstance(values[0], tuple) else [({}, values)]:
            there = [index for index, value in enumerate(numbers) if value is not None]
            found.add({"__name__": name, **labels}, [index * MINUTE for index in there], [numbers[i] for i in there])
    return found


def at(minute: float, query: str, data: MemoryStore, version: int = 3) -> Result:
    moment = int(minute * MINUTE)
    return evaluate(query, data, start_ms=moment, end_ms=moment, step_ms=1, instant=True, version=version)


def value(minute: float, query: str, data: MemoryStore, version: int = 3) -> float | None:
    """The only value, or None."""
    found = at(minute, query, data, version).values.tolist()
    assert len(found) <= 1
    return found[0] if found else None


COUNTER = store(x_total=list(range(0, 200, 10)))


def test_a_range_is_left_open_and_was_closed() -> None:
    assert value(10, "count_over_time(x_total[5m])", COUNTER) == 5
    assert value(10, "count_over_time(x_total[5m])", COUNTER, version=2) == 6
    assert at(10, "x_total[5m]", COUNTER).timestamps_ms.tolist() == [minute * MINUTE for minute in range(6, 11)]
    assert at(10, "x_total[5m]", COUNTER, version=2).values.tolist() == [50, 60, 70, 80, 90, 100]


def test_the_lookback_is_left_open_and_was_closed() -> None:
    assert value(24, "x_total", COUNTER) is None
    assert value(24, "x_total", COUNTER, version=2) == 190
    assert value(23.99, "x_total", COUNTER) == 190


def test_a_subquery_is_left_open_and_was_closed() -> None:
    assert value(10, "count_over_time((x_total)[5m:1m])", COUNTER) == 5
    assert value(10, "count_over_time((x_total)[5m:1m])", COUNTER, version=2) == 6
    assert value(10.5, "count_over_time((x_total)[5m:1m])", COUNTER) == 5


def test_rate_reaches_only_to_half_a_step_or_to_zero_where_samples_are_far_from_the_edge() -> None:
    # Samples at minutes 4 and 5 of a window from 0 to 5. By the slope zero was 66 s, 48 s or 12 s before minute 4:
    # not near; past the half step that version 3 allows, but within what version 2 allows; within both.
    data = store(x=[None, None, None, None, 11.0, 21.0])
    assert value(5, "increase(x[5m])", data) == pytest.approx(10 * (1 + 0.5))
    assert value(5, "increase(x[5m])", data, version=2) == pytest.approx(10 * (1 + 0.5))
    near = store(x=[None, None, None, None, 8.0, 18.0])
    assert value(5, "increase(x[5m])", near) == pytest.approx(10 * (1 + 0.5))
    assert value(5, "increase(x[5m])", near, version=2) == pytest.approx(10 * (1 + 0.8))
    low = store(x=[None, None, None, None, 2.0, 12.0])
    assert value(5, "increase(x[5m])", low) == pytest.approx(10 * (1 + 0.2))


def test_sums_are_compensated() -> None:
    big = [({"i": str(index)}, [number]) for index, number in enumerate([1.0, 1e100, 1.0, -1e100])]
    assert value(0, "sum(x)", store(x=big)) == 2
    assert value(0, "sum(x)", store(x=big), version=2) == 0
    assert value(0, "avg(x)", store(x=big)) == 0.5
    assert value(3, "sum_over_time(x[10m])", store(x=[1.0, 1e100, 1.0, -1e100])) == 2
    assert value(3, "avg_over_time(x[10m])", store(x=[1.0, 1e100, 1.0, -1e100])) == 0.5


def test_a_mean_survives_an_overflow_of_the_sum() -> None:
    huge = [1e308, 1e308, 1e308, -1e308]
    assert value(3, "avg_over_time(x[10m])", store(x=huge)) == pytest.approx(0.5e308)
    rows = [({"i": str(index)}, [number]) for index, number in enumerate(huge)]
    assert value(0, "avg(x)", store(x=rows)) == pytest.approx(0.5e308)
    assert value(0, "avg(x)", store(x=rows), version=2) == pytest.approx(0.5e308)
    assert value(3, "avg_over_time(x[10m])", store(x=huge), version=2) == pytest.approx(0.5e308)
    assert value(1, "avg_over_time(x[10m])", store(x=[math.inf, 1.0])) == math.inf
    assert math.isnan(value(1, "avg_over_time(x[10m])", store(x=[math.inf, -math.inf])) or 0)


def test_a_single_infinite_value_has_no_deviation_in_version_3() -> None:
    assert math.isnan(value(0, "stddev(x)", store(x=[math.inf])) or 0)
    assert value(0, "stddev(x)", store(x=[math.inf]), version=2) == 0


def test_a_dot_matches_a_line_end() -> None:
    data = store(x=[({"a": "1\n2"}, [1.0])])
    assert value(0, 'label_replace(x, "b", "$1", "a", "(.*)")', data) == 1
    assert at(0, 'label_replace(x, "b", "y", "a", "1.2")', data).labels[0]["b"] == "y"
    assert "b" not in at(0, 'label_replace(x, "b", "y", "a", "1.2")', data, version=2).labels[0]


def test_names_are_unicode() -> None:
    data = store(**{"größe.x": [({"ä.b": "1"}, [1.0]), ({"ä.b": "2"}, [2.0])]})
    assert value(0, '{"größe.x", "ä.b"="2"}', data) == 2
    assert at(0, 'sum by ("ä.b") ({"größe.x"})', data).labels == [{"ä.b": "1"}, {"ä.b": "2"}]
    assert at(0, 'label_replace({"größe.x"}, "a-b", "y", "", "")', data).labels[0]["a-b"] == "y"
    with pytest.raises(QueryError, match="invalid destination label name"):
        at(0, 'label_replace({"größe.x"}, "", "y", "", "")', data)


def test_atan2_drops_the_name() -> None:
    assert at(1, "x_total atan2 1", COUNTER).labels == [{}]
    assert at(1, "x_total atan2 1", COUNTER, version=2).labels == [{"__name__": "x_total"}]


# Functions that version 2 lacks


def test_first_over_time_and_times_of_samples() -> None:
    data = store(x=[3.0, 1.0, 5.0, 1.0, 5.0, math.nan])
    assert at(5, "first_over_time(x[4m])", data).labels == [{"__name__": "x"}]
    assert value(5, "first_over_time(x[4m])", data) == 5
    assert value(5, "ts_of_first_over_time(x[4m])", data) == 120
    assert value(5, "ts_of_last_over_time(x[4m])", data) == 300
    assert value(5, "ts_of_max_over_time(x[6m])", data) == 240
    assert value(5, "ts_of_min_over_time(x[6m])", data) == 180
    assert value(7, "ts_of_max_over_time(x[2m30s])", data) == 300


def test_mad_over_time_is_the_median_distance_from_the_median() -> None:
    data = store(x=[4.0, 6.0, 2.0, 1.0, 999.0, 1.0, 2.0])
    assert value(6, "mad_over_time(x[8m])", data) == 1
    assert math.isnan(value(7, "mad_over_time(x[8m])", store(x=[1.0, math.nan])) or 0)


def test_double_exponential_smoothing_is_holt_winters() -> None:
    smooth = value(10, "double_exponential_smoothing(x_total[8m], 0.3, 0.7)", COUNTER)
    assert smooth == value(10, "holt_winters(x_total[8m], 0.3, 0.7)", COUNTER) == pytest.approx(100)


def nodes(names: list[str]) -> MemoryStore:
    return store(x=[({"node": name}, [float(index)]) for index, name in enumerate(names)])


def test_sort_by_label_reads_numbers_as_numbers() -> None:
    data = nodes(["n10", "n9", "n", "a2b", "a2", "n9x"])
    ascending = [labels["node"] for labels in at(0, 'sort_by_label(x, "node")', data).labels]
    assert ascending == ["a2", "a2b", "n", "n9", "n9x", "n10"]
    assert [one["node"] for one in at(0, 'sort_by_label_desc(x, "none", "node")', data).labels] == ascending[::-1]
    assert [one["node"] for one in at(0, 'sort_by_label(x, "none")', data).labels] == sorted(ascending)
    assert {one["node"] for one in at(0, 'sort_by_label(x, "node")', nodes(["n01", "n1"])).labels} == {"n01", "n1"}


def test_limitk_takes_the_first_series_of_each_group() -> None:
    data = store(x=[({"g": group, "i": str(i)}, [1.0]) for group in "ab" for i in range(4)])
    assert [one["i"] for one in at(0, "limitk by (g) (2, x)", data).labels] == ["0", "1", "0", "1"]
    assert len(at(0, "limitk(100, x)", data).labels) == 8
    assert at(0, "limitk(0, x)", data).labels == []
    assert at(0, "limitk(2, nothing)", data).labels == []


def test_limit_ratio_and_its_complement_split_the_series() -> None:
    data = store(x=[({"i": str(i)}, [1.0]) for i in range(200)])

    def kept(ratio: float) -> set[str]:
        return {labels["i"] for labels in at(0, f"limit_ratio({ratio}, x)", data).labels}

    assert kept(0) == set()
    assert len(kept(1)) == len(kept(-1)) == len(kept(1.5)) == len(kept(-7)) == 200
    assert 20 < len(kept(0.2)) < 60
    assert kept(0.2) | kept(-0.8) == kept(1)
    assert kept(0.2) & kept(-0.8) == set()
    assert kept(0.2) < kept(0.5)


# Classic histograms; expected numbers from Prometheus' own promql/promqltest/testdata/histograms.test

BUCKETS = {
    "positive": {"0.1": 5, ".2": 7, "1e0": 11, "+Inf": 12},
    "negative": {"-.2": 1, "-0.1": 2, "0.3": 2, "+Inf": 3},
}
HISTOGRAM = store(
    h_bucket=[({"start": kind, "le": le}, [0.0, 10.0 * n]) for kind, own in BUCKETS.items() for le, n in own.items()]
)


@pytest.mark.parametrize(
    ("q", "negative", "positive"),
    [("0", -0.2, 0), ("1", 0.3, 1), ("0.2", -0.2, 0.048), ("0.5", -0.15, 0.15), ("0.8", 0.3, 0.72)],
)
def test_histogram_quantile(q: str, negative: float, positive: float) -> None:
    found = at(1, f"histogram_quantile({q}, h_bucket)", HISTOGRAM)
    by_start = {labels["start"]: number for labels, number in zip(found.labels, found.values, strict=True)}
    assert by_start["negative"] == pytest.approx(negative)
    assert by_start["positive"] == pytest.approx(positive)


def test_histogram_quantile_out_of_range_says_so() -> None:
    found = at(1, "histogram_quantile(1.5, h_bucket)", HISTOGRAM)
    assert found.values.tolist() == [math.inf, math.inf]
    assert found.warnings == ("PromQL warning: quantile value should be between 0 and 1, got 1.5",)
    assert at(1, "quantile(-1, h_bucket)", HISTOGRAM).values.tolist() == [-math.inf]
    assert at(1, "quantile_over_time(NaN, h_bucket[5m])", HISTOGRAM).warnings == (
        "PromQL warning: quantile value should be between 0 and 1, got NaN",
    )


def one_histogram(counts: dict[str, float]) -> MemoryStore:
    return store(h_bucket=[({"le": le}, [count]) for le, count in counts.items()])


def test_counts_that_descend_are_lifted_and_it_is_said() -> None:
    broken = one_histogram({"1": 10.0, "2": 5.0, "4": 20.0, "+Inf": 20.0})
    found = at(0, "histogram_quantile(0.75, h_bucket)", broken)
    assert found.values.tolist() == [3.0]
    assert found.warnings == ("PromQL info: input to histogram_quantile needed to be fixed for monotonicity",)
    assert at(0, "histogram_quantile(0.75, h_bucket)", broken, version=2).warnings == ()


def test_differences_of_rounding_between_buckets_are_none() -> None:
    rounding = one_histogram({"1": 10.0, "2": 10.0 * (1 - 1e-15), "4": 10.0 * (1 + 1e-14), "+Inf": 10.0})
    found = at(0, "histogram_quantile(1, h_bucket)", rounding)
    assert (found.values.tolist(), found.warnings) == ([1.0], ())
    assert at(0, "histogram_quantile(1, h_bucket)", one_histogram({"1": 0.0, "+Inf": 0.0})).values.tolist() != [0.0]


def test_buckets_with_equal_bounds_are_one_and_a_histogram_needs_an_infinite_one() -> None:
    twice = one_histogram({"1": 2.0, "1.0": 3.0, "2": 10.0, "+Inf": 10.0, " 3": 1.0, "1_0": 5.0})
    assert value(0, "histogram_quantile(0.5, h_bucket)", twice) == 1.0
    assert math.isnan(value(0, "histogram_quantile(0.5, h_bucket)", one_histogram({"1": 2.0, "2": 3.0})) or 0)
    assert math.isnan(value(0, "histogram_quantile(0.5, h_bucket)", one_histogram({"+Inf": 2.0})) or 0)
    assert at(0, "histogram_quantile(0.5, nothing)", twice).labels == []


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        ("0", "0.2", 7 / 12), ("-Inf", "0.2", 7 / 12), ("0", "0.15", 6 / 12), ("0.1", "1", 6 / 12), ("0", "Inf", 1),
        ("2", "3", 0), ("1", "0", 0), ("0.05", "0.05", 0), ("-Inf", "Inf", 1), ("-5", "0", 0),
    ],
)  # fmt: skip
def test_histogram_fraction(lower: str, upper: str, expected: float) -> None:
    query = f'histogram_fraction({lower}, {upper}, h_bucket{{start="positive"}})'
    assert value(1, query, HISTOGRAM) == pytest.approx(expected)


def test_histogram_fraction_below_zero_and_without_an_answer() -> None:
    assert value(1, 'histogram_fraction(-Inf, -0.15, h_bucket{start="negative"})', HISTOGRAM) == pytest.approx(0.5)
    assert value(1, 'histogram_fraction(-Inf, -0.3, h_bucket{start="negative"})', HISTOGRAM) == pytest.approx(1 / 3)
    assert math.isnan(value(1, 'histogram_fraction(NaN, 1, h_bucket{start="negative"})', HISTOGRAM) or 0)
    assert math.isnan(value(0, 'histogram_fraction(0, 1, h_bucket{start="negative"})', HISTOGRAM) or 0)
    assert at(1, "histogram_fraction(0, 1, h_bucket)", HISTOGRAM, version=2).labels == []


def test_histogram_quantiles_label_each_quantile() -> None:
    found = at(1, 'histogram_quantiles(h_bucket{start="positive"}, "q", 0.5, 1, -1)', HISTOGRAM)
    assert {one["q"]: number for one, number in zip(found.labels, found.values.tolist(), strict=True)} == {
        "0.5": pytest.approx(0.15),
        "1.0": 1.0,
        "-1.0": -math.inf,
    }
    assert at(1, 'histogram_quantiles(h_bucket{start="positive"}, "q", Inf)', HISTOGRAM).labels[0]["q"] == "+Inf"
    assert at(1, 'histogram_quantiles(h_bucket{start="positive"}, "q", -Inf)', HISTOGRAM).labels[0]["q"] == "-Inf"


def test_functions_of_native_histograms_leave_floats_out() -> None:
    assert at(1, "histogram_count(h_bucket)", HISTOGRAM).labels == []


def test_rate_of_what_does_not_look_like_a_counter_is_doubted() -> None:
    found = at(5, "rate(x[5m])", store(x=[float(index) for index in range(6)]))
    endings = "_total/_sum/_count/_bucket"
    assert found.warnings == (f'PromQL info: metric might not be a counter, name does not end in {endings}: "x"',)
    assert at(5, "rate(x_total[5m])", COUNTER).warnings == ()


# info

TARGETS = [
    ({"instance": "a", "job": "1", "version": "v1"}, [1.0, None]),
    ({"instance": "a", "job": "1", "version": "v2"}, [None, 1.0]),
]


def info_data(**more: Any) -> MemoryStore:
    return store(x=[({"instance": "a", "job": "1"}, [1.0] * 8), ({"instance": "b", "job": "1"}, [2.0] * 8)], **more)


def test_info_adds_the_labels_of_the_newest_info_series() -> None:
    data = info_data(target_info=TARGETS)
    assert at(0, "info(x)", data).labels[0] == {"__name__": "x", "instance": "a", "job": "1", "version": "v1"}
    assert at(1, "info(x)", data).labels == [
        {"__name__": "x", "instance": "a", "job": "1", "version": "v2"},
        {"__name__": "x", "instance": "b", "job": "1"},
    ]
    ranged = evaluate("info(rate(x[2m]))", data, start_ms=MINUTE, end_ms=7 * MINUTE, step_ms=MINUTE)
    assert [one.get("version") for one in ranged.labels] == [None, "v2", None]


def test_info_with_a_selector_takes_only_what_it_asks_for() -> None:
    data = info_data(target_info=[({"instance": "a", "job": "1", "version": "v1", "zone": "z"}, [1.0])], other=[1.0])
    assert at(0, 'info(x, {zone="z"})', data).labels == [{"__name__": "x", "instance": "a", "job": "1", "zone": "z"}]
    assert len(at(0, 'info(x, {zone=~".*", job="1"})', data).labels) == 1
    assert len(at(0, 'info(x, {__name__="target_info", zone=~".*"})', data).labels) == 2
    assert at(0, 'info(x, {zone="nope"})', data).labels == []
    assert at(0, 'info(target_info, {__name__="target_info"})', data).labels[0]["__name__"] == "target_info"
    assert at(0, "info(nothing)", data).labels == []


def test_info_refuses_what_contradicts_itself() -> None:
    same_time = [({"instance": "a", "job": "1", "version": v}, [1.0]) for v in ("v1", "v2")]
    with pytest.raises(QueryError, match="found duplicate series for info metric"):
        at(0, "info(x)", info_data(target_info=same_time))
    two = {f"{n}_info": [({"instance": "a", "job": "1", "version": n}, [1.0])] for n in ("p", "q")}
    with pytest.raises(QueryError, match="conflicting label: version"):
        at(0, 'info(x, {__name__=~"._info"})', info_data(**two))


def test_numbers_come_out_as_float64() -> None:
    assert at(1, "x_total", COUNTER).values.dtype == np.float64
