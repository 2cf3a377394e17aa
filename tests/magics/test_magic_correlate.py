"""`%obs_correlate` in a real shell, over the demo world: what moved with slow payments, and what changed before."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from support.metrics_frames import regular

from obs_magics.api import Session
from obs_magics.magics.commands_anomalies import CORRELATE

if TYPE_CHECKING:
    from conftest import Cell, Shell

AROUND = "--start 13:30 --end 15:30"


@pytest.fixture
def shop(make_shell: Callable[[], Shell], bare_session: Session) -> Shell:
    """A shell with the demo world, and a frame of three series of which two move together."""
    bare_session.demo()
    shell = make_shell()
    noise = np.random.default_rng(5).normal(size=(4, 300))
    wave = np.convolve(noise[0], np.ones(5) / 5, mode="same")
    queue = wave + 0.05 * noise[1]
    queue[200:203] += 20
    later = np.roll(wave, 3)
    frame = regular({"queue": queue, "errors": 50 - later - 0.05 * noise[2], "other": noise[3]})
    shell.ip.push({"few": frame, "one": frame[frame["service"] == "queue"].reset_index(drop=True), "number": 5})
    return shell


def said(cell: Cell) -> str:
    assert cell.error is None, cell.error
    return re.sub(r"\s+", " ", cell.text)


def test_what_moved_with_a_measure(shop: Shell) -> None:
    cell = shop.run(f"%obs_correlate moved << --service payment-api {AROUND} latency_p99 ;")
    told = said(cell)
    moved = shop.variables["moved"]
    assert "saturation" in set(moved["metric"])
    pool = moved.query("metric == 'saturation' and service == 'payment-api'").iloc[0]
    assert pool["lag"] < pd.Timedelta(0)
    assert pool["correlation"] > 0.8
    assert set(moved["service"]) <= {"payment-api", "checkout-api", "api-gateway", "user-service", "order-service"}
    assert "what moved with latency_p99 · payment-api" in told
    assert "moved before latency_p99 · payment-api: saturation · payment-api · redis (" in told
    assert f"latency_p99 of payment-api: {len(moved)} of" in told
    assert "(none)" not in told
    assert "13:30–15:30 UTC" in told


def test_the_strip_has_the_target_at_the_top(shop: Shell, vega_lite_schema: Any) -> None:
    cell = shop.run(f"%obs_correlate --events --service payment-api {AROUND} latency_p99")
    (chart,) = [one.data for one in cell.outputs if "application/vnd.vegalite.v5+json" in one.data]
    spec = chart["application/vnd.vegalite.v5+json"]
    assert [error.message for error in vega_lite_schema.iter_errors(spec)] == []
    assert spec["vconcat"][0]["title"]["text"] == "latency_p99 · payment-api"
    told = said(cell)
    assert "before, 14:13: config change payment-api: redis pool: max connections 100 → 20 (confidence" in told
    assert "critical shift of level: latency_p99" in told


def test_changes_before_a_target_whose_range_is_too_short_to_judge(shop: Shell) -> None:
    cell = shop.run("%obs_correlate --events --service payment-api --start 14:14 --end 14:45 latency_p99")
    assert "redis pool" in said(cell)
    calm = shop.run("%obs_correlate --events --service search-service --last 30m memory_usage")
    assert "there is no onset before which to look for changes" in said(calm)


def test_series_of_a_frame_are_compared_with_each_other(shop: Shell) -> None:
    asked: list[str] = []
    shop.session.bus.subscribe("observability:query:start", lambda _, payload: asked.append(payload["query"]))
    cell = shop.run("%obs_correlate few --series errors")
    (row,) = cell.result.to_dict("records")
    assert row["series"] == "queue"
    assert row["correlation"] < -0.9
    assert row["lag"] == pd.Timedelta("-3min")
    told = said(cell)
    assert "↑↓ the opposite way" in told
    assert "3 min before" in told
    assert asked == []
    pd.testing.assert_frame_equal(cell.result, shop.variables["few"].obs.correlate("errors"))


def test_the_most_unusual_series_is_the_target_where_none_is_named(shop: Shell) -> None:
    assert "what moved with queue" in said(shop.run("%obs_correlate few"))
    calm = regular({"a": np.random.default_rng(1).normal(size=99), "b": np.random.default_rng(2).normal(size=99)})
    shop.ip.push({"calm": calm})
    error = shop.run("%obs_correlate calm").error
    assert "which of the 2 series is meant? None of them is unusual: a, b" in str(error)
    assert "--series 'a'" in str(error)


def test_a_frame_is_compared_with_another_or_with_a_measure(shop: Shell) -> None:
    cell = shop.run("%obs_correlate --with few one")
    assert [row["series"] for row in cell.result.to_dict("records")] == ["errors"]
    query = (
        'histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{service="payment-api"}[2m])))'
    )
    shop.run(f"%obs_metrics slow << {AROUND} --step 1m --no-plot {query}")
    cell = shop.run("%obs_correlate slow --with saturation")
    assert set(cell.result["metric"]) == {"saturation"}
    assert "payment-api" in set(cell.result["service"])
    both = shop.run("%obs_correlate slow")
    assert len(both.result) >= len(cell.result)


def test_nothing_moved_is_an_answer(shop: Shell) -> None:
    cell = shop.run("%obs_correlate few --series other")
    assert cell.result.empty
    told = said(cell)
    assert "few: 0 of 2 series moved with it" in told
    assert "nothing moved with other that chance would not do" in told


def test_of_one_incident_alone_what_looks_alike_is_named(shop: Shell) -> None:
    cell = shop.run("%obs_correlate error_rate --service payment-api --start 13:30 --end 15:30")
    assert cell.result.empty
    told = said(cell)
    assert "most alike, and too seldom to be sure: error_rate · checkout-api (0.9" in told
    assert "a longer range tells more" in told
    words = shop.run("%obs_correlate error_rate of payment-api --start 13:30 --end 15:30 --no-plot")
    assert words.error is None


def test_dry_run_asks_nothing(shop: Shell) -> None:
    asked: list[str] = []
    shop.session.bus.subscribe("observability:query:start", lambda _, payload: asked.append(payload["query"]))
    assert "the configured measures of all services" in said(
        shop.run("%obs_correlate --dry-run --service payment-api latency_p99")
    )
    assert "compared with each other" in said(shop.run("%obs_correlate few --dry-run"))
    assert "one would be compared with throughput" in said(shop.run("%obs_correlate one --with throughput --dry-run"))
    assert asked == []


def test_what_has_no_values_is_said(shop: Shell) -> None:
    told = said(shop.run("%obs_correlate --service payment-api --last 1h --with nowhere latency_p99"))
    assert "nowhere: no values in this range" in told


@pytest.mark.parametrize("example", CORRELATE.examples)
def test_every_example_of_the_help_works(shop: Shell, example: str) -> None:
    query = 'rate(http_requests_total{service="payment-api"}[2m])'
    shop.run(f"%obs_metrics slow << {AROUND} --step 1m --no-plot sum({query})")
    assert shop.run(example).error is None


def test_help_and_no_plot(shop: Shell) -> None:
    assert "Usage" in said(shop.run("%obs_correlate --help"))
    assert shop.run("%obs_correlate x << few --series errors --no-plot ;").outputs == []
    assert "x" in shop.variables


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "there is no target"),
        ("few --series qeue", "did you mean queue?"),
        ("--service paymnt-api latency_p99", "did you mean payment-api?"),
        ("latency_p99 --last 1h", "the target is"),
        ("--max-lag soon few", "soon"),
        ("nowhere", "the target has no values in this range"),
    ],
)
def test_what_is_wrong_is_said(shop: Shell, line: str, says: str) -> None:
    error = shop.run(f"%obs_correlate {line}").error
    assert error is not None
    assert says in str(error)


def test_an_interrupt_is_one_line(shop: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(shop.session), "correlation_report", interrupted)
    assert str(shop.run("%obs_correlate --service payment-api errors").error) == "interrupted: nothing was compared"
