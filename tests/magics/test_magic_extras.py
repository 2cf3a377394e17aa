"""`--anomalies` and `--events` of the magics that ask a source: what is drawn on their charts, and what is said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from obs_magics.api import Session

if TYPE_CHECKING:
    from conftest import Cell, Shell

AROUND = "--start 13:30 --end 15:30"
ERRORS = 'sum by (service) (rate(http_requests_total{code=~"5..", service=~"payment-api|cart-service"}[2m]))'
P99 = 'histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{service="payment-api"}[2m])))'


@pytest.fixture
def shop(make_shell: Callable[[], Shell], bare_session: Session) -> Shell:
    bare_session.demo()
    return make_shell()


def spec_of(cell: Cell) -> dict[str, Any]:
    (chart,) = [one.data for one in cell.outputs if "application/vnd.vegalite.v5+json" in one.data]
    return chart["application/vnd.vegalite.v5+json"]


def said(cell: Cell) -> str:
    assert cell.error is None, cell.error
    return re.sub(r"\s+", " ", cell.text)


def test_metrics_with_anomalies_are_shaded_and_reported(shop: Shell, vega_lite_schema: Any) -> None:
    cell = shop.run(f"%%obs_metrics frame << {AROUND} --anomalies --baseline 2d --sensitivity medium\n{ERRORS} ;")
    told = said(cell)
    spec = spec_of(cell)
    assert [error.message for error in vega_lite_schema.iter_errors(spec)] == []
    bands = [layer for layer in spec["layer"] if "layer" in layer and "from" in json.dumps(layer)]
    assert bands
    assert list(shop.variables["frame"].columns) == ["timestamp", "value", "metric", "service"]
    assert "payment-api: now" in told
    assert re.search(r"anomaly at 14:\d\d(:\d\d)? UTC: (‼|▲) (critical|high)", told)
    assert "against the 2d before, at medium sensitivity" in told
    assert "just before" in told
    assert "redis pool" in told


def test_a_single_series_has_its_expected_range(shop: Shell) -> None:
    cell = shop.run(f"%obs_metrics {AROUND} --anomalies {P99}")
    assert spec_of(cell)["layer"][0]["mark"]["type"] == "area"
    assert "payment-api" in said(cell)
    calm = shop.run("%obs_metrics --last 30m --anomalies sum(up)")
    told = said(calm)
    assert "nothing unusual" in told
    assert "looked at: 1 series" in told


def test_with_agg_the_aggregate_is_examined(shop: Shell) -> None:
    cell = shop.run("%obs_metrics --last 1h --agg sum --anomalies up")
    assert "looked at: 1 series" in said(cell)


@pytest.mark.parametrize(
    "line",
    [
        f"%obs_metrics {AROUND} --events {ERRORS}",
        "%obs_logs --events --start 14:00 --end 14:30 --level error payment-api",
        '%obs_logs --events --start 14:00 --end 14:30 --step 1m sum(count_over_time({namespace="shop"}[1m]))',
        "%obs_traces --events --service payment-api --min-duration 300ms --limit 2000 --start 14:00 --end 14:40",
        "%obs_traces --events --start 14:00 --end 14:30 --step 1m { status = error } | rate()",
    ],
)
def test_events_are_marked_on_every_chart(shop: Shell, line: str, vega_lite_schema: Any) -> None:
    cell = shop.run(line)
    spec = spec_of(cell)
    assert [error.message for error in vega_lite_schema.iter_errors(spec)] == []
    subtitle = " ".join(spec["title"]["subtitle"])
    assert "config change payment-api: redis pool" in subtitle
    assert "letter" in json.dumps(spec)


def test_both_together(shop: Shell) -> None:
    cell = shop.run(f"%obs_metrics {AROUND} --anomalies --events {P99}")
    subtitle = " ".join(spec_of(cell)["title"]["subtitle"])
    assert "unusual: 1" in subtitle
    assert "Certificate" in subtitle  # of no service at hand: only --events marks it


def test_without_a_source_of_events_that_is_said(shell: Shell) -> None:
    cell = shell.run("%obs_metrics --events up")
    assert cell.error is None
    found = [one for one in cell.text.splitlines() if "without events" in one]
    assert len(found) <= 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--sensitivity high up", "--sensitivity is for looking for anomalies"),
        ("--baseline 7d up", "--baseline is for looking for anomalies"),
        ("--anomalies --instant up", "--instant gives one value per series"),
        ("--anomalies --sensitivity hgh up", "did you mean high?"),
    ],
)
def test_options_that_do_not_go_together_are_refused(shop: Shell, line: str, says: str) -> None:
    error = shop.run(f"%obs_metrics {line}").error
    assert says in str(error)


def test_empty_answers_stay_empty(shop: Shell) -> None:
    cell = shop.run('%obs_metrics --anomalies --events up{job="nobody"}')
    assert "Empty" in said(cell)
