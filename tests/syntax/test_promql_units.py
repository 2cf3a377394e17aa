"""Units of PromQL queries: kept, divided by seconds, cancelled, scaled, or not known."""

from __future__ import annotations

import promql_parser
import pytest

from obs_magics.model.catalog import MetricInfo, info_from_name
from obs_magics.syntax.promql import tree_of
from obs_magics.syntax.promql_tree import Selection, metrics_in, selections
from obs_magics.syntax.promql_units import unit_of

KNOWN = {
    "queue_depth": MetricInfo("queue_depth", "gauge"),
    "latency": MetricInfo("latency", "histogram", "s"),
    "jobs": MetricInfo("jobs", "counter"),
    "speed": MetricInfo("speed", "gauge", "m/s"),
}


def lookup(name: str) -> MetricInfo:
    return KNOWN.get(name) or info_from_name(name)


@pytest.mark.parametrize(
    ("query", "unit"),
    [
        ("process_start_time_seconds", "s"),
        ('{__name__="x_bytes"}', "By"),
        ('{job="x"}', ""),
        ("sum by (a) (x_bytes)", "By"),
        ("quantile(0.5, x_seconds)", "s"),
        ("topk(3, -(x_bytes))", "By"),
        ("count(x_bytes)", ""),
        ("group(x_bytes)", ""),
        ("http_requests_total", ""),
        ("rate(http_requests_total[5m])", "1/s"),
        ("rate(jobs[5m])", "1/s"),
        ("increase(http_requests_total[5m])", ""),
        ("rate(node_cpu_seconds_total[5m])", "1"),
        ("1 - avg(rate(node_cpu_seconds_total[5m]))", "1"),
        ("rate(x_bytes_total[5m])", "By/s"),
        ("rate(x_bytes_total[5m]) * 8", "bit/s"),
        ("8 * rate(x_bytes_total[5m])", "bit/s"),
        ("max_over_time(rate(x_bytes_total[1m])[1h:1m])", "By/s"),
        ("quantile_over_time(0.9, x_seconds[5m])", "s"),
        ("rate(http_requests_total[5m]) * 60", "1/min"),
        ("histogram_quantile(0.9, sum by (le) (rate(x_seconds_bucket[5m])))", "s"),
        ("histogram_quantile(0.9, rate(latency[5m]))", "s"),
        ("histogram_quantile(0.9, rate(queue_depth_bucket[5m]))", ""),
        ('histogram_quantile(0.9, {job="x"})', ""),
        ("histogram_avg(rate(latency[5m]))", "s"),
        ("histogram_sum(rate(latency[5m])) / histogram_count(rate(latency[5m]))", "s"),
        ("histogram_sum(latency) / histogram_count(latency)", "s"),
        ("histogram_fraction(0, 1, latency)", "1"),
        ("rate(x_seconds_sum[5m]) / rate(x_seconds_count[5m])", "s"),
        ("sum(rate(a_total[5m])) / sum(rate(b_total[5m]))", "1"),
        ("sum(rate(a_total[5m])) / sum(rate(b_total[5m])) * 100", "%"),
        ("sum(rate(a_total[5m])) / sum(rate(b_total[5m])) > 0.05", "1"),
        ("100 < x_seconds", "s"),
        ("x_seconds > bool 3", "1"),
        ("x_seconds * 1000", "ms"),
        ("x_seconds * 1", "s"),
        ("x_seconds / 60", "min"),
        ("x_seconds * 7", ""),
        ("x_bytes / 1024 / 1024", "MiBy"),
        ("x_bytes / (1024 * 1024)", "MiBy"),
        ("x_bytes / 1024 ^ 3", "GiBy"),
        ("x_bytes * (1 / 0)", ""),
        ("x_bytes / (2 % 0 or 1)", ""),
        ("x_percent / 100", "1"),
        ("1 / x_seconds", "1/s"),
        ("x_bytes / y_seconds", "By/s"),
        ("x_seconds * y_seconds", ""),
        ("x_bytes + y_seconds", ""),
        ("x_bytes + 5", "By"),
        ("x_bytes and y_seconds", "By"),
        ("x_bytes unless y_seconds", "By"),
        ("x_bytes or y_bytes", "By"),
        ("x_bytes ^ 2", ""),
        ("speed", "m/s"),
        ("speed * y_seconds", "m"),
        ("speed * 60", ""),
        ("queue_depth", ""),
        ("queue_depth / sum(queue_depth)", "1"),
        ("x_bytes * on (pod) group_left (version) app_build_info", "By"),
        ("app_build_info", ""),
        ("time() - process_start_time_seconds", "s"),
        ("changes(x_bytes[5m])", ""),
        ("day_of_week()", ""),
        ("sqrt(x_bytes)", ""),
        ("2 * 3", ""),
        ("2 atan2 3", ""),
        ('"text"', ""),
        ("stdvar(x_bytes)", ""),
        ("this is not PromQL", ""),
    ],
)
def test_units(query: str, unit: str) -> None:
    assert unit_of(query, lookup) == unit


def test_a_tree_does_as_well_as_text() -> None:
    assert unit_of(promql_parser.parse("x_seconds"), lookup) == "s"


def test_selectors_of_a_query() -> None:
    tree = tree_of('topk(scalar(k), a{x="1",y!="2"}) + on () b{z=~"3"} offset 5m / {__name__="c", w!~"4"}[5m:] or a')
    assert tree is None
    tree = tree_of(
        'topk(scalar(k), a{x="1",y!="2"}) + on () b{z=~"3"} offset 5m or max_over_time({__name__="c",w!~"4"}[5m])'
    )
    assert tree is not None
    assert selections(tree) == [
        Selection("k", ()),
        Selection("a", (("x", "=", "1"), ("y", "!=", "2"))),
        Selection("b", (("z", "=~", "3"),)),
        Selection("c", (("w", "!~", "4"),)),
    ]
    assert metrics_in(tree) == ["k", "a", "b", "c"]
