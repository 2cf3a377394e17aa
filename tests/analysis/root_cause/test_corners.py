"""Corners: little data, other words, signs from elsewhere, places of changes; and a few public cases."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from support.root_cause_worlds import (
    INCIDENT,
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

from obs_magics.analysis.root_cause import Observations, Periods, explain
from obs_magics.analysis.root_cause.case import Case
from obs_magics.analysis.root_cause.log_statements import statement_findings
from obs_magics.model.events import Event
from obs_magics.model.logs import empty_logs
from obs_magics.model.root_cause import Evidence
from obs_magics.model.spans import empty_spans

GRAPH = (("web", "shop"), ("shop", "pay"))
BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


def failing(share_before: float, share_during: float) -> Observations:
    """Requests that fail at pay, so large a share before and during."""

    def make(number: int, minute: float, rng: np.random.Generator) -> Call:
        pay = Call("pay", "charge", work=20 + rng.random())
        share = share_during if inside(minute) else share_before
        if number % 10 < 10 * share:
            pay.error = "gateway said no: insufficient_quota"
        return Call("web", "POST /order", work=3 + rng.random(), calls=[pay], error=pay.error)

    spans, _lines = requests(make, 240)
    quota = deployment(86, "pay", "tidy limits", id="q", files="pay/limits.go", diff="-quota := 100\n+quota := 10")
    return given(spans=spans, events=events(quota))


def test_what_failing_spans_say_names_the_change() -> None:
    report = explain(failing(0.0, 1.0))
    assert report.changes == ("q",)
    assert "quota" in report.factors[0].evidence[0].claim


def test_requests_that_fail_as_often_as_before_are_no_finding() -> None:
    assert all(finding.signal != "errors" for finding in Case.of(failing(0.5, 0.5)).findings)  # type: ignore[union-attr]


def test_empty_frames_are_as_good_as_none() -> None:
    nothing = given(metrics=metrics({("a", "b"): [1.0]}).iloc[:0], logs=empty_logs(), spans=empty_spans())
    report = explain(nothing)
    assert report.conclusion == "not enough evidence"
    assert dict(report.looked_at) == {"metrics": 0, "logs": 0, "spans": 0}
    assert statement_findings(empty_logs(), Periods(INCIDENT)) == []


def test_a_frame_without_instances_and_series_without_services() -> None:
    frame = metrics({("cart", "cpu"): lifted(noise(1, 1.0), 4.0), ("pay", "cpu"): noise(2, 1.0)})
    lost = frame.iloc[[0]].copy()
    lost["service"] = lost["service"].astype(object).where([False])
    lost["service"] = lost["service"].astype(frame["service"].dtype)
    import pandas as pd

    report = explain(given(metrics=pd.concat([frame, lost], ignore_index=True).astype({"service": "category"})))
    assert report.services == ("cart", "pay")


def test_instances_are_told_apart() -> None:
    labels = [{"__name__": "cpu", "service": "cart", "instance": name} for name in ("cart-1", "cart-2")]
    from obs_magics.model.frames import metrics_frame

    times = np.concatenate([at(0) + 60 * 10**9 * np.arange(MINUTES)] * 2)
    frame = metrics_frame(labels, [MINUTES] * 2, times, np.concatenate([noise(1, 1.0), lifted(noise(2, 1.0), 5.0)]))
    report = explain(given(metrics=frame))
    first = report.factors[0]
    assert first.evidence[0].rows["instance"] == "cart-2"
    assert first.onset_ns == INCIDENT.start_ns


def test_a_flag_may_be_the_cause() -> None:
    series = {
        (service, "error_ratio"): lifted(noise(place, 0.01), 30.0) for place, service in enumerate(("web", "shop"))
    }
    usual = [(minute, "shop", "info", "order done") for minute in range(0, MINUTES, 2)]
    new = [(90 + number / 4, "shop", "error", "loyalty discount is negative") for number in range(38)]
    flag = Event(
        start_ns=at(88), kind="feature_flag", service="shop", title="flag switched",
        attributes={"id": "loyalty_discount_v2", "old": "off", "new": "on"},
    )  # fmt: skip
    report = explain(
        given(
            metrics=metrics(series),
            logs=lines([*usual, *new]),
            calls=GRAPH,
            symptom=("web", "error_ratio"),
            events=events(flag),
        )
    )
    assert report.changes == ("loyalty_discount_v2",)


def test_of_two_changes_alike_that_which_can_reach_the_symptom_comes_first() -> None:
    series = {
        (service, "error_ratio"): lifted(noise(place, 0.01), 30.0) for place, service in enumerate(("web", "shop"))
    }
    series["mail", "error_ratio"] = noise(7, 0.01)
    new = [(90 + number / 4, "shop", "error", "voucher is negative") for number in range(38)]
    usual = [(minute, "shop", "info", "order done") for minute in range(0, MINUTES, 2)]
    diff = "-voucher := 1\n+voucher := -1"
    parts = {
        "metrics": metrics(series),
        "logs": lines([*usual, *new]),
        "calls": GRAPH,
        "symptom": ("web", "error_ratio"),
    }
    near, far = (deployment(84, name, "voucher", id=name, files=f"{name}/v.go", diff=diff) for name in ("shop", "mail"))
    report = explain(given(**parts, events=events(near, far)))
    assert report.changes[0] == "shop"
    reasons = {one.title: one.reason for one in report.ruled_out} | {
        factor.change.service: factor.evidence[0].claim for factor in report.factors if factor.change
    }
    assert any("mail has no part in the requests that suffer" in text for text in reasons.values())


def test_a_provider_that_was_down_at_another_time_says_nothing() -> None:
    series = {
        ("pay", "error_ratio"): lifted(noise(1, 0.01), 30.0),
        ("pay", "provider_error_ratio"): lifted(noise(2, 0.01), 30.0),
    }
    early = Event(start_ns=at(20), kind="incident", title="down", source="stripe")
    other = Event(start_ns=at(91), kind="incident", title="down", source="acme")
    for told, text in (
        (early, "provider_error_ratio of pay rose as well"),
        (other, "acme tells of an incident of its own: down"),
    ):
        case = Case.of(given(metrics=metrics(series), events=events(told), symptom=("pay", "error_ratio")))
        assert text in [sign.text for sign in case.elsewhere]  # type: ignore[union-attr]
    hosts = [
        (90 + number / 4, "pay", "error", "GET http://pay.svc/a and http://10.0.0.1/b failed") for number in range(38)
    ]
    usual = [(minute, "pay", "info", "order done") for minute in range(0, MINUTES, 2)]
    local = Case.of(given(logs=lines([*usual, *hosts])))
    assert local is not None
    assert list(local.elsewhere) == []


def test_a_service_that_begins_late_is_ruled_out_with_the_reason() -> None:
    series = {(name, "cpu"): noise(place, 1.0) for place, name in enumerate(("web", "shop", "pay", "mail", "users"))}
    series["pay", "cpu"] = lifted(series["pay", "cpu"], 30.0)
    series["web", "cpu"] = lifted(series["web", "cpu"], 12.0, first=94, last=110)
    report = explain(given(metrics=metrics(series)))
    assert [factor.service for factor in report.factors] == ["pay"]
    reason = next(one.reason for one in report.ruled_out if one.service == "web")
    assert "the symptom was there before: it began 4 min after the symptom" in reason
    assert "it did not go when the symptom went: cpu: 1.011 before" in reason


def test_a_symptom_nobody_measures_or_that_did_not_show() -> None:
    series = {(name, "latency_p99"): noise(place, 50.0) for place, name in enumerate(("web", "shop", "pay"))}
    series["pay", "cpu"] = lifted(noise(9, 1.0), 8.0)
    for symptom in (("nobody", "latency_p99"), ("web", "latency_p99"), ("web", "colour"), ("pay", "cpu")):
        assert explain(given(metrics=metrics(series), calls=GRAPH, symptom=symptom)).services[0] == "pay"
    frame = metrics(series)
    before = frame[frame["timestamp"].astype("int64") < at(60)]
    assert (
        explain(given(metrics=before, calls=GRAPH, symptom=("web", "latency_p99"))).conclusion == "not enough evidence"
    )
    sparse = {("web", "latency_p99"): lifted(noise(1, 50.0), 4.0), ("pay", "cpu"): lifted(noise(9, 1.0), 8.0)}
    assert explain(given(metrics=metrics(sparse), calls=GRAPH, symptom=("web", "slow"))).services[0] == "pay"


def test_what_is_worst_when_the_symptom_is_not_there_explains_nothing() -> None:
    bad, other = noise(1, 50.0), noise(2, 50.0)
    bad[[92, 95]] += 200.0
    other[[91, 93, 94, 96, 97, 98]] += 300.0
    series = {("web", "latency_p99"): bad, ("shop", "latency_p99"): other, ("pay", "latency_p99"): noise(3, 50.0)}
    case = Case.of(given(metrics=metrics(series), calls=GRAPH, symptom=("web", "latency_p99")))
    assert case is not None
    found = {finding.service: finding.surprise for finding in case.findings if finding.signal == "symptom"}
    assert found["web"] > 10 * found.get("shop", 0.0)


def test_a_caller_that_lost_its_own_requests_does_not_stop_them() -> None:
    series = {(name, "requests_sum"): noise(place, 100.0) for place, name in enumerate(("web", "shop", "pay"))}
    for name in ("shop", "pay"):
        series[name, "requests_sum"] = lifted(series[name, "requests_sum"], 0.0)
    case = Case.of(given(metrics=metrics(series), calls=GRAPH, symptom=("web", "latency_p99")))
    assert case is not None
    assert [finding.service for finding in case.findings if finding.kind == "stops calling"] == ["web"]


def test_evidence_is_plain_json() -> None:
    evidence = Evidence(
        claim="a", frame="logs", rows={"service": "b"}, query="c", statistic="median", value=1.0, start_ns=1, end_ns=2
    )
    assert Evidence.from_dict(json.loads(json.dumps(evidence.to_dict()))).to_dict() == evidence.to_dict()


PUBLIC = (
    "nezha_tt_003", "nezha_tt_017", "nezha_tt_025", "nezha_tt_044", "nezha_ob_001", "nezha_ob_015", "nezha_ob_018",
    "petshop_high_traffic_train_issue_1", "petshop_low_traffic_train_issue_4", "sockshop_carts-mem_1",
    "rcb_search-mapping-query-break", "rcb_upstream-payment-provider-outage",
)  # fmt: skip


@pytest.mark.contract
@pytest.mark.parametrize("name", PUBLIC)
def test_public_cases_are_told_right(shared: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    import importlib.util

    spec = importlib.util.spec_from_file_location("rca_cases_for_tests", BENCHMARKS / "support" / "rca_cases.py")
    assert spec is not None
    assert spec.loader is not None
    cases = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cases)
    folder = next(path for path in cases.case_folders(shared / "data" / "rca") if path.name == name)
    label = json.loads((folder / "label.json").read_text())
    report = explain(cases.observations(folder))
    assert report.services[0] == label["root_cause_service"]
    change = label.get("root_cause_change")
    assert list(report.changes[:1]) == ([] if change in {None, "none"} else [change])
