"""Our engine against the real Prometheus 2.42: generated expressions over generated series, answers must be equal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from support.promql_answers import difference, ours, theirs
from support.promql_grammar import questions
from support.promql_worlds import START_MS, build
from support.servers import prometheus

WORLDS = 12
PAIRS = int(os.environ.get("OBS_PROMQL_PAIRS", "300"))
SEED = int(os.environ.get("OBS_PROMQL_SEED", "42"))
STORE = build(WORLDS)


@pytest.fixture(scope="session")
def server(prometheus_binary: str) -> Iterator[str]:
    with prometheus(STORE.openmetrics()) as address:
        yield address


def check(query: str, how: dict[str, Any], address: str) -> None:
    mine, real = ours(query, STORE, version=2, **how), theirs(query, address, **how)
    assert difference(mine, real) == "", f"{query}  {how}"


@pytest.mark.real
def test_generated_expressions_give_what_prometheus_gives(server: str) -> None:
    @seed(SEED)
    @settings(
        max_examples=PAIRS,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(questions(WORLDS))
    def generated(question: tuple[str, dict[str, Any]]) -> None:
        check(*question, server)

    generated()


# What a grammar seldom draws, or what once was wrong.
CORNERS = """
timestamp(w0_load @ 1700008000)
timestamp((w0_load))
timestamp(-w0_load)
timestamp(abs(w0_load @ 1700008000))
rate(w0_requests_total[5m] @ 1700008000) * time()
absent((w0_nope{job="x"}))
absent(w0_nope{job="x",job="y",a="b"})
absent(w0_nope{job="x"} @ 1700008000)
absent(sum(w0_nope{job="x"}))
absent_over_time((w0_nope{job="x"}[5m]))
absent_over_time(w0_nope{job="x"}[5m:1m])
year(vector(NaN))
day_of_month(vector(-Inf))
day_of_week(vector(1e19))
minute(vector(-1.5))
day_of_year(vector(-1e12))
days_in_month(vector(1e12))
year(vector(9e18))
topk(NaN, w0_load)
topk(9223372036854775807, w0_load)
bottomk(2.9, w0_load)
topk(3, w0_up)
topk(4, w5_load)
bottomk(2, increase(w11_requests_total[5m]))
-(group by (le, __name__) ((w4_lat_bucket * 1) or on () w4_lat_bucket))
bottomk(4, w6_temp)
quantile(NaN, w0_load)
count_values by (job) ("v", w3_load)
count_values without (job) ("v", w3_load)
count_values("1a", w3_load)
histogram_quantile(0.5, {__name__=~"w0_lat_bucket|w1_lat_bucket"})
histogram_fraction(0, 1, w0_lat_bucket)
histogram_count(w0_lat_bucket)
label_replace(w0_load, "job", "", "", "")
label_replace(w0_load, "z", "${1}${9}$foo", "job", "(a)?(.*)")
label_replace(w0_load, "z", "x$", "job", ".*")
label_replace(w0_load, "z", "$é", "job", ".*")
label_join(w0_load, "z", "-", "a-b")
-{__name__=~"w0_load|w0_temp"}
rate({__name__=~"w0_requests_total|w0_errors_total"}[5m])
{__name__=~"w0_load|w1_load"} > 1
{__name__=~"w0_load|w1_load"} > bool 1
2 ^ 3 ^ 2
-2 ^ 2
5 % -3
0/0 == bool 0/0
"abc"
w0_load[5m]
w0_load[5m:1m]
w0_load[1ms]
w0_requests_total / on (job) w0_errors_total
w0_errors_total / on (job, instance) w0_requests_total
w0_load * on (job) group_left (version, __name__) w0_build
w0_load + on (job) group_left (instance) w0_build
w0_load or on () vector(1)
w0_load atan2 w0_errors_total
1 atan2 w0_load
sort(w3_load)
sort_desc(w3_load)
clamp(w0_load, 5, 1)
clamp(w0_load, NaN, 1)
clamp_max(w3_load, -Inf)
clamp_min(w3_load, Inf)
round(w0_load, 0)
holt_winters(w0_load[5m], 0, 0.5)
holt_winters(w0_nope[5m], 0, 0.5)
stddev by (instance, job) (w3_load)
avg_over_time(w3_load[10m])
deriv(w3_load[10m])
rate((sum(w0_requests_total))[10m:1m] @ end())
max_over_time(max_over_time(w0_load[2m])[10m:1m])
w0_load @ start() + w0_load @ end()
w0_load[5m] + 1
sum(w0_load[5m])
w0_load{__name__="x"}
w0_up{job=~"a\\nb|api"}
""".strip().split("\n")
RANGE = {"start_ms": START_MS + 600_000, "end_ms": START_MS + 3_600_000, "step_ms": 60_000}
INSTANT = {"start_ms": START_MS, "end_ms": START_MS + 1_800_000, "step_ms": 1, "instant": True}


@pytest.mark.real
@pytest.mark.parametrize("how", [RANGE, INSTANT], ids=["range", "instant"])
def test_corners_give_what_prometheus_gives(server: str, how: dict[str, Any]) -> None:
    for query in CORNERS:
        check(query, how, server)


@pytest.mark.real
@pytest.mark.parametrize("name", ["sort", "sort_desc", "topk(3,", "bottomk(3,"])
def test_order_of_an_instant_vector_is_that_of_prometheus(server: str, name: str) -> None:
    query = f"{name}(w0_requests_total)" if "(" not in name else f"{name} w0_requests_total)"
    mine, real = ours(query, STORE, version=2, **INSTANT), theirs(query, server, **INSTANT)
    assert list(mine.series) == list(real.series)
    assert len(mine.series) > 2
