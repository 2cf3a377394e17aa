"""Measures, anomalies and scans against a real Prometheus: what we ask is what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.servers import prometheus

from obs_magics import Session
from obs_magics.model.errors import UsageError

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("prometheus")]

END_S = 1_795_363_200
STEP_S = 30
POINTS = 2 * 2880  # two days
PODS = 40


def openmetrics() -> str:
    """A service scraped every 30 s whose last half hour has ten times the failures, and a gauge of 40 pods."""
    random = np.random.default_rng(5)
    times = END_S - STEP_S * np.arange(POINTS)[::-1]
    good, bad = random.poisson(600, POINTS), random.poisson(3, POINTS)
    bad[-60:] = random.poisson(60, 60)
    lines = ["# TYPE http_requests counter"]
    for code, counts in (("200", good), ("500", bad)):
        labels = f'job="shop/cart",pod="cart-7d8f9c6b5d-x2kqz",code="{code}"'
        lines += [
            f"http_requests_total{{{labels}}} {total} {time}"
            for total, time in zip(counts.cumsum(), times, strict=True)
        ]
    lines += ["# TYPE queue gauge"]
    for pod in range(PODS):
        values = np.round(random.normal(50, 1, 240), 3)
        values[-20:] += 40 if pod == 7 else 0
        lines += [f'queue{{pod="p{pod}"}} {value} {time}' for value, time in zip(values, times[-240:], strict=True)]
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="module")
def session(prometheus_binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    ignore_file = tmp_path_factory.mktemp("project") / "ignore.yaml"
    with (
        prometheus(openmetrics()) as url,
        Session(zone="UTC", now_ns=lambda: END_S * 10**9, environ={}, ignore_file=ignore_file) as made,
    ):
        made.connect("prom", url)
        yield made


def test_a_measure_of_a_real_server(session: Session) -> None:
    frame = session.measure("rps", "cart", last="1h", step="1m")
    assert frame["value"].median() == pytest.approx(20, rel=0.05)
    origin = frame.obs.provenance
    assert origin.native_query == 'sum(rate(http_requests_total{job=~"(.+/)?cart"}[2m]))'
    assert "it is scraped every 30s: rates look back that much longer" in origin.notes
    assert session.measure("errors", "cart", start="now-2h", end="now-1h", step="1m")["value"].median() < 0.01
    with pytest.raises(UsageError, match=r"(?s)no service called 'carts'.*did you mean cart"):
        session.measures("carts")


def test_anomalies_of_a_real_server(session: Session) -> None:
    report = session.anomaly_report(service="cart", last="2h", baseline="1d")
    errors = report.frame[report.frame["metric"] == "error_rate"]
    assert str(errors["start"].iloc[0]) in {f"2026-11-22 15:3{minute}:00+00:00" for minute in (0, 1, 2, 3)}
    assert errors["ongoing"].iloc[0]
    assert [one.name for one in report.asked] == ["error_rate", "throughput"]
    assert len(report.asked[0].history) > 1000
    everything = session.anomalies(last="2h", baseline="1d")
    assert everything["service"].unique().tolist() == ["cart"]


def test_a_scan_of_a_real_server_is_cut(session: Session) -> None:
    whole = session.scan("queue", last="30m", baseline="90m", step="30s")
    parts = session.scan("queue", last="30m", baseline="90m", step="30s", chunk=9)
    assert whole["pod"].unique().tolist() == ["p7"]
    assert parts.obs.provenance.digest == whole.obs.provenance.digest
    assert "40 series in 5 chunks" in parts.obs.provenance.notes
    assert Path(session._anomalies.ignore_file).exists() is False  # looking for what is ignored writes nothing
