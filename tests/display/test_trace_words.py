"""A summary of traces as sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from obs_magics.display.trace_words import trace_sentences
from obs_magics.model.trace_summary import Bottleneck, ErrorOrigin, Fault, SlowStep, TraceSummary

QUERY = SlowStep(
    kind="query",
    text="SELECT * FROM inventory WHERE sku IN (<*>)",
    share=0.7,
    calls=12,
    average=timedelta(seconds=4.1),
    p95=timedelta(seconds=6),
)
BOTTLENECK = Bottleneck(
    service="inventory",
    share=0.81,
    critical=timedelta(seconds=50),
    step=QUERY,
    since=datetime(2026, 11, 22, 12, 40, 5, tzinfo=UTC),
    example="0" * 32,
)
TIMEOUT = Fault(kind="timeouts", service="user", what="GET", count=7, traces=7, trace_id="0" * 32)
SUMMARY = TraceSummary(
    traces=12,
    spans=240,
    services=6,
    errors=3,
    failed=2,
    total=timedelta(seconds=62),
    median=timedelta(seconds=5),
    p95=timedelta(seconds=9),
    longest=timedelta(seconds=12.5),
    slowest="0" * 32,
    bottleneck=BOTTLENECK,
)


def test_why_the_traces_were_slow() -> None:
    assert trace_sentences(SUMMARY) == [
        "12 traces, 240 spans in 6 services, 2 failed: median 5 s, p95 9 s, longest 12.5 s",
        "inventory is the bottleneck: 81 % of the time on the critical path;"
        " `SELECT * FROM inventory WHERE sku IN (<*>)` 4.1 s on average (12 calls); since 12:40 UTC",
    ]
    assert "since 13:40 Europe/Berlin" in trace_sentences(SUMMARY, zone="Europe/Berlin")[1]


def test_one_trace_has_no_median() -> None:
    one = replace(SUMMARY, traces=1, errors=1, bottleneck=None)
    assert trace_sentences(one) == ["1 trace, 240 spans in 6 services: 12.5 s, 1 span failed"]


def test_where_it_failed_first_and_what_repeats() -> None:
    origin = ErrorOrigin(
        service="payment", operation="SET", message="pool exhausted", traces=2, share=1.0, example="0" * 32
    )
    faults = (
        Fault(kind="n_plus_one", service="cart", what="SELECT <*>", count=40, traces=3, trace_id="0" * 32),
        Fault(kind="fan_out", service="gateway", what="GET /", count=30, traces=1, trace_id="0" * 32),
        Fault(kind="retries", service="", what="POST /pay", count=5, traces=2, trace_id="0" * 32),
        Fault(
            kind="timeouts",
            service="user",
            what="GET",
            count=7,
            traces=7,
            trace_id="0" * 32,
            timeout=timedelta(seconds=30),
        ),
    )
    told = trace_sentences(
        replace(SUMMARY, bottleneck=replace(BOTTLENECK, step=None, since=None), origin=origin, faults=faults)
    )
    assert told[1:] == [
        "inventory is the bottleneck: 81 % of the time on the critical path",
        "2 of 2 failed traces failed first in payment, SET: “pool exhausted”",
        "cart calls `SELECT <*>` up to 40 times from one span (N+1), in 3 traces",
        "gateway calls up to 30 others at once in GET /, in 1 trace",
        "a service without name repeats POST /pay after a failure, 5 times in 2 traces",
        "7 spans of user (GET) end at 30 s: that looks like a timeout, in 7 traces",
    ]


def test_nothing_is_said_of_nothing() -> None:
    assert trace_sentences(replace(SUMMARY, traces=0)) == ["no traces"]
