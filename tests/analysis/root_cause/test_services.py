"""Which service it comes from: metrics alone, with a call graph, with traces, with logs."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from support.root_cause_worlds import (
    INCIDENT,
    MINUTE,
    MINUTES,
    Call,
    at,
    given,
    inside,
    lifted,
    lines,
    metrics,
    noise,
    requests,
)

from obs_magics.analysis.root_cause import Observations, Periods, Window, explain, mismatches
from obs_magics.analysis.root_cause.measures import Measures
from obs_magics.model.root_cause import RootCauseReport

SERVICES = ("web", "shop", "cart", "pay", "stock", "mail", "users")
PERIODS = Periods(INCIDENT)


def quiet() -> dict[tuple[str, str], np.ndarray]:
    return {
        (service, metric): noise(number * 10 + place, level)
        for number, service in enumerate(SERVICES)
        for place, (metric, level) in enumerate(
            {"cpu_usage": 0.4, "memory_bytes": 2e8, "requests_per_sec": 50.0}.items()
        )
    }


def factor_kinds(report: RootCauseReport) -> list[tuple[str, str]]:
    return [(factor.service, factor.kind) for factor in report.factors]


def test_metrics_alone_find_the_service_whose_series_left_its_noise() -> None:
    series = quiet()
    series["cart", "cpu_usage"] = lifted(series["cart", "cpu_usage"], 2.5)
    report = explain(given(metrics=metrics(series)))
    assert report.conclusion == "a service"
    assert report.services[0] == "cart"
    assert set(report.services) == set(SERVICES)
    first = report.factors[0]
    assert (first.service, first.kind) == ("cart", "resources")
    evidence = first.evidence[0]
    assert (evidence.frame, evidence.statistic, evidence.rows["metric"]) == ("metrics", "median", "cpu_usage")
    frame = metrics(series).query(evidence.query)
    inner = frame["timestamp"].astype("int64").between(INCIDENT.start_ns, INCIDENT.end_ns - 1)
    assert evidence.value == frame["value"][inner].median()
    assert first.confidence > 0.8
    assert {one.outcome for one in first.refutations} == {"held", "not tested"}


def test_what_all_services_share_is_no_ones_fault() -> None:
    node = lifted(noise(99, 0.3), 3.0)
    series = quiet() | {(service, "node_cpu_share"): node for service in SERVICES}
    series["mail", "memory_bytes"] = lifted(series["mail", "memory_bytes"], 1.6)
    report = explain(given(metrics=metrics(series)))
    assert report.services[0] == "mail"
    assert all(evidence.rows["metric"] != "node_cpu_share" for one in report.factors for evidence in one.evidence)


def test_a_shift_within_what_peers_do_now_and_then_is_none() -> None:
    series = quiet()
    for service in SERVICES:  # one minute in ten is twenty times as long everywhere
        values = noise(hash_of(service), 5.0)
        values[::9] *= 20
        series[service, "client_latency_p99"] = values
    series["users", "client_latency_p99"] = np.where(np.arange(MINUTES) % 40 < 39, 5.0, 5.1)
    series["users", "client_latency_p99"][90:100] = 20.0
    series["stock", "cpu_usage"] = lifted(series["stock", "cpu_usage"], 2.5)
    assert explain(given(metrics=metrics(series))).services[0] == "stock"


def hash_of(text: str) -> int:
    return sum(map(ord, text))


def test_nothing_unusual_is_said_plainly() -> None:
    report = explain(given(metrics=metrics(quiet())))
    assert (report.conclusion, report.factors, report.changes) == ("not enough evidence", (), ())
    assert explain(Observations()).next_steps
    assert explain(Observations(metrics=metrics(quiet()).iloc[:0])).conclusion == "not enough evidence"


GRAPH = (("web", "shop"), ("shop", "pay"), ("shop", "stock"), ("web", "users"))


def chained(factor: float) -> dict[tuple[str, str], np.ndarray]:
    """Latency that goes up from pay to shop to web, with requests."""
    pay = lifted(noise(1, 40.0), factor)
    stock, users = noise(2, 20.0), noise(3, 10.0)
    shop = pay + stock + noise(4, 15.0)
    series = {"web": shop + users + noise(5, 5.0), "shop": shop, "pay": pay, "stock": stock, "users": users}
    asked = {(service, "requests_sum"): noise(20 + place, 300.0) for place, service in enumerate(series)}
    return {(service, "latency_average"): values for service, values in series.items()} | asked


def test_of_a_symptom_that_goes_up_the_call_graph_the_lowest_has_the_excess() -> None:
    report = explain(given(metrics=metrics(chained(5.0)), calls=GRAPH, symptom=("web", "latency_average")))
    assert report.services[0] == "pay"
    assert (report.symptom_service, report.symptom_metric) == ("web", "latency_average")
    assert "own in latency_average" in report.factors[0].title
    assert mismatches(report, given(metrics=metrics(chained(5.0)), calls=GRAPH), PERIODS) == []


def test_the_symptom_may_be_named_in_words_only() -> None:
    report = explain(given(metrics=metrics(chained(5.0)), calls=GRAPH, symptom=("web", "latency/success")))
    assert report.services[0] == "pay"


def test_what_is_worse_all_the_time_does_not_explain_a_symptom_that_comes_and_goes() -> None:
    series = chained(1.0)
    bad = np.zeros(MINUTES)
    bad[[92, 93, 97]] = 150.0
    series["pay", "latency_average"] = series["pay", "latency_average"] + bad
    series["shop", "latency_average"] = series["shop", "latency_average"] + bad
    series["web", "latency_average"] = series["web", "latency_average"] + bad
    series["users", "latency_average"] = lifted(series["users", "latency_average"], 9.0)  # before and after as well
    report = explain(given(metrics=metrics(series), calls=GRAPH, symptom=("web", "latency_average")))
    assert report.services[0] == "pay"


def test_a_caller_that_passes_no_requests_on_is_where_they_stop() -> None:
    series = chained(1.0)
    series["pay", "requests_sum"] = lifted(series["pay", "requests_sum"], 0.0)
    report = explain(given(metrics=metrics(series), calls=GRAPH, symptom=("web", "latency_average")))
    assert report.services[0] == "shop"
    assert report.factors[0].title == "shop still gets requests and calls pay no more"


def shop_request(number: int, minute: float, rng: np.random.Generator) -> Call:
    """A request through web and shop to pay and, every other time, to stock; web asks users as well."""
    pay = Call("pay", "charge", work=20 + rng.random(), gap=1 + rng.random() / 10)
    stock = Call("stock", "reserve", work=10 + rng.random(), gap=1 + rng.random() / 10)
    users = Call("users", "who", work=4 + rng.random(), gap=1 + rng.random() / 10)
    below = [pay, stock] if number % 2 else [pay]
    shop = Call("shop", "order", work=8 + rng.random(), gap=1 + rng.random() / 10, calls=below)
    return Call("web", "POST /order", work=3 + rng.random(), calls=[shop, users])


def spans_of(change) -> pd.DataFrame:
    def make(number: int, minute: float, rng: np.random.Generator) -> Call:
        call = shop_request(number, minute, rng)
        return change(call, rng) if inside(minute) else call

    return requests(make, 240)[0]


def every(call: Call) -> list[Call]:
    return [call, *(below for one in call.calls for below in every(one))]


def test_own_work_that_takes_longer_is_the_services_own() -> None:
    def slow(call: Call, rng: np.random.Generator) -> Call:
        for one in every(call):
            one.work += 200 * (one.service == "stock")
        return call

    given_now = given(spans=spans_of(slow))
    report = explain(given_now)
    assert factor_kinds(report)[0] == ("stock", "latency")
    evidence = report.factors[0].evidence[0]
    assert (evidence.statistic, evidence.rows["operation"]) == ("median own time", "reserve")
    assert evidence.value == pytest.approx(210.5, abs=1)
    assert mismatches(report, given_now, PERIODS) == []
    asked = {one.question: one for one in report.factors[0].refutations}
    assert asked["Are requests without it as usual?"].outcome == "held"


def test_a_gap_to_all_callers_is_the_callees() -> None:
    def late(call: Call, rng: np.random.Generator) -> Call:
        for one in every(call):
            one.gap += 300 * (one.service == "pay")
        return call

    given_now = given(spans=spans_of(late))
    report = explain(given_now)
    assert report.services[0] == "pay"
    assert report.factors[0].evidence[0].statistic == "median gap"
    assert mismatches(report, given_now, PERIODS) == []


def test_a_caller_that_reads_all_answers_late_is_the_callers() -> None:
    def starved(call: Call, rng: np.random.Generator) -> Call:
        for below in call.calls[0].calls:
            below.gap += 90
        return call

    assert explain(given(spans=spans_of(starved))).services[0] == "shop"


def test_calls_that_are_made_no_more_are_the_callers() -> None:
    def gives_up(call: Call, rng: np.random.Generator) -> Call:
        call.calls[0].calls = []
        return call

    given_now = given(spans=spans_of(gives_up))
    report = explain(given_now)
    assert factor_kinds(report)[0] == ("shop", "calls")
    assert report.factors[0].evidence[0].value == 0.0
    assert mismatches(report, given_now, PERIODS) == []


def test_requests_fail_where_the_deepest_span_fails() -> None:
    def fails(call: Call, rng: np.random.Generator) -> Call:
        call.error = call.calls[0].error = call.calls[0].calls[0].error = "card declined"
        return call

    given_now = given(spans=spans_of(fails))
    report = explain(given_now)
    assert factor_kinds(report)[0] == ("pay", "errors")
    assert "card declined" in report.factors[0].evidence[0].claim
    assert mismatches(report, given_now, PERIODS) == []


def test_a_statement_that_is_written_no_more_tells_the_service_and_its_callers_only_follow() -> None:
    def make(number: int, minute: float, rng: np.random.Generator) -> Call:
        call = shop_request(number, minute, rng)
        shop, pay = call.calls[0], call.calls[0].calls[0]
        shop.lines = [("info", "Shop#10 order begins"), ("info", "Shop#42 order done")]
        pay.lines = [("info", "Pay#5 charge begins"), ("info", f"Pay#9 charged {rng.integers(100)}")]
        if inside(minute):
            pay.lines[1:] = [("error", "Pay#7 no card found")]
            shop.lines.pop()
        return call

    spans, logs = requests(make, 240)
    given_now = given(spans=spans, logs=logs)
    report = explain(given_now)
    assert report.services[:2] == ("pay", "shop")
    told = {evidence.rows["statement"]: (evidence.value, evidence.usual) for evidence in report.factors[0].evidence}
    assert told["Pay#9"] == (0.0, 1.0)
    assert told["Pay#7"] == (1.0, 0.0)
    assert mismatches(report, given_now, PERIODS) == []


def test_lines_without_traces_are_compared_by_their_rate() -> None:
    usual = [(minute, "pay", "info", f"charged order {minute}") for minute in range(0, MINUTES, 2)]
    new = [(90 + number / 4, "pay", "error", f"pool exhausted after {number} ms") for number in range(40)]
    given_now = given(logs=lines([*usual, *new]))
    report = explain(given_now)
    assert report.services[0] == "pay"
    evidence = report.factors[0].evidence[0]
    assert (evidence.statistic, evidence.rows["statement"]) == ("lines per second", "pool exhausted after <*> ms")
    assert mismatches(report, given_now, PERIODS) == []


def test_numbers_of_frames_that_are_not_there_are_missing() -> None:
    measures = Measures(given(), PERIODS)
    rows = {"service": "pay", "statement": "x", "operation": "x", "caller": "a", "callee": "b", "id": "c"}
    statistics = [
        ("median", "metrics"), ("share of requests", "logs"), ("lines per second", "logs"),
        ("share of requests", "spans"), ("median own time", "spans"), ("median gap", "spans"),
        ("failing share", "spans"), ("instant", "events"), ("median", "events"),
    ]  # fmt: skip
    assert all(np.isnan(measures.of(statistic, frame, rows, 1)) for statistic, frame in statistics)


def test_one_line_is_no_rate() -> None:
    assert explain(given(logs=lines([(95.0, "pay", "error", "pool exhausted")]))).conclusion == "not enough evidence"


def test_a_number_that_was_changed_is_found_out() -> None:
    series = quiet()
    series["cart", "cpu_usage"] = lifted(series["cart", "cpu_usage"], 2.5)
    report = explain(given(metrics=metrics(series)))
    told = report.to_dict()
    told["factors"][0]["evidence"][0]["value"] *= 1.01
    wrong = mismatches(RootCauseReport.from_dict(told), given(metrics=metrics(series)), PERIODS)
    assert len(wrong) == 1
    assert "the report says" in wrong[0]
    assert len(mismatches(report, given(), PERIODS)) == 2 * sum(len(one.evidence) for one in report.factors)


def test_the_same_frames_give_the_same_report_whatever_the_order_of_rows() -> None:
    series = chained(4.0)
    frame = metrics(series)
    told = given(metrics=frame, calls=GRAPH, symptom=("web", "latency_average"))
    mixed = given(metrics=frame.sample(frac=1, random_state=3), calls=GRAPH[::-1], symptom=("web", "latency_average"))
    first = json.dumps(explain(told).to_dict())
    assert first == json.dumps(explain(told).to_dict())
    assert first == json.dumps(explain(mixed).to_dict())
    assert RootCauseReport.from_dict(json.loads(first)).to_dict() == json.loads(first)


def test_the_incident_is_found_where_nobody_gives_it() -> None:
    series = chained(5.0)
    report = explain(given(incident=None, metrics=metrics(series), calls=GRAPH, symptom=("web", "latency_average")))
    assert report.onset_found
    assert (report.start_ns, report.end_ns) == (at(90), at(100))
    assert report.services[0] == "pay"
    without = explain(given(incident=None, metrics=metrics(series)))
    assert without.start_ns == at(90)
    assert explain(given(incident=None, metrics=metrics(quiet()))).conclusion == "not enough evidence"
    long_ago = given(incident=None, metrics=metrics(series), symptom=("web", "latency_average"), alerted_ns=at(115))
    assert not explain(long_ago).factors


def test_a_reference_may_be_given() -> None:
    values = np.where(np.arange(MINUTES) < 60, 1.0, 9.0) * noise(1, 1.0)
    series = quiet() | {("cart", "queue_length"): values}
    early, late = Window(at(0), at(50)), Window(at(65), at(88))
    assert explain(given(metrics=metrics(series), references=(early,))).services[0] == "cart"
    assert explain(given(metrics=metrics(series), references=(late,))).conclusion == "not enough evidence"


def test_times_just_outside_of_the_incident_are_left_out_unless_there_is_little_else() -> None:
    instants = np.array([at(80), at(89.5), at(90), at(99.9), at(100.5), at(110)])
    assert Periods(INCIDENT).of(instants).tolist() == [0, -1, 1, 1, -1, 0]
    short = Periods(INCIDENT).of(np.array([at(89.5), at(89.7), at(95)]))
    assert short.tolist() == [0, 0, 1]
    assert Window(at(0), at(1)).seconds == MINUTE / 1e9
