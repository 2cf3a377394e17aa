"""Whose it is: time of what is not traced, words of those who were called in vain, and when it began."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.root_cause_worlds import (
    MINUTES,
    Call,
    at,
    deployment,
    events,
    given,
    inside,
    lifted,
    lines,
    metrics,
    noise,
    requests,
)

from obs_magics.analysis.root_cause import Observations, explain

GRAPH = (("web", "shop"), ("shop", "orders-db"))
NAMES = ("web", "shop", "pay", "stock", "mail", "users")


def asking(work: float, slow: float) -> pd.DataFrame:
    """Requests of web to shop, whose own time is longer in the incident."""

    def make(_number: int, minute: float, rng: np.random.Generator) -> Call:
        own = slow if inside(minute) else work
        shop = Call("shop", "GET /cart", work=own * (1 + 0.05 * rng.standard_normal()))
        return Call("web", "GET /", work=5 + 0.2 * rng.random(), calls=[shop])

    spans, _lines = requests(make, 240)
    return spans


def database(factor: float) -> pd.DataFrame:
    series = {
        ("orders-db", "mysql_global_status_threads_running"): lifted(noise(1, 8.0), factor),
        ("orders-db", "statement_latency_ms"): lifted(noise(2, 4.0), factor),
    } | {(name, "cpu_usage"): noise(at_, 0.3) for at_, name in enumerate(NAMES)}
    return metrics(series)


@pytest.mark.parametrize(("factor", "first"), [(6.0, "orders-db"), (1.0, "shop")])
def test_own_time_is_the_databases_where_its_metrics_moved(factor: float, first: str) -> None:
    report = explain(given(spans=asking(20, 90), metrics=database(factor), calls=GRAPH))
    assert report.services[0] == first


def test_what_went_to_those_who_ask_a_database_counts_as_what_went_to_it() -> None:
    deploy = deployment(89, "shop", "sort by weight", id="d", files="shop/list.py", diff="-a\n+b")
    report = explain(given(spans=asking(20, 90), metrics=database(6.0), calls=GRAPH, events=events(deploy)))
    assert report.services[0] == "orders-db"
    assert report.changes == ("d",)


def rows(minute: float, *services: str) -> list[tuple[float, str, str, str]]:
    below = {"web": "call to shop failed", "shop": "no space left on device"}
    return [(minute, service, "error", below[service]) for service in services]


def test_a_caller_that_only_says_that_its_callee_failed_comes_after_it() -> None:
    told = [(minute / 4, name, "info", "done") for minute in range(4 * MINUTES) for name in ("web", "shop")]
    for minute in np.arange(90, 100, 0.5):
        told += rows(float(minute), "web", "shop")
    report = explain(given(logs=lines(told), calls=GRAPH))
    assert report.services[:2] == ("shop", "web")


def test_errors_that_come_with_more_to_do_are_no_news() -> None:
    """Three times the lines in the incident, ordinary ones and failing ones alike."""
    told = []
    for minute in np.arange(0, MINUTES, 0.1):
        for _ in range(3 if inside(float(minute)) else 1):
            told.append((float(minute), "shop", "info", "done"))
            if round(float(minute) * 10) % 10 == 0:
                told.append((float(minute), "shop", "error", "card declined"))
    assert explain(given(logs=lines(told))).conclusion == "not enough evidence"


def spiked() -> Observations:
    """A latency that jumps once at minute 20 and is long from minute 90 to 100."""
    values = lifted(noise(4, 100.0), 3.0)
    values[20] = 5_000.0
    return given(
        metrics=metrics(
            {("shop", "latency_ms"): values, **{(name, "latency_ms"): noise(7, 90.0) for name in NAMES[2:]}}
        ),
        incident=None,
    )


def test_what_lasts_comes_before_a_single_point() -> None:
    report = explain(spiked())
    assert report.onset_found
    assert at(88) <= report.start_ns <= at(92)


def test_an_alert_tells_when_it_was_where_no_series_does() -> None:
    series = metrics({(name, "cpu_usage"): noise(place, 0.3) for place, name in enumerate(NAMES)})
    quiet = Observations(metrics=series, alerted_ns=at(60))
    report = explain(quiet)
    assert (report.start_ns, report.end_ns) == (at(55), at(70))
    assert report.conclusion == "not enough evidence"
    assert explain(Observations(metrics=series, alerted_ns=at(600))).services == ()
