"""Anomalies through the public session, on the demo world: every planted fault, its onset, and nothing besides."""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.fakes import FAKE, NOW_NS
from support.measure_worlds import World
from support.patience import eventually_async

from obs_magics import AsyncSession, Session
from obs_magics.api import base as base_module
from obs_magics.model.anomalies import ANOMALY_COLUMNS
from obs_magics.model.errors import QueryError, TranslationError, UsageError
from obs_magics.model.frames import check_metrics, metrics_frame
from obs_magics.model.query import MetricsQuery
from obs_magics.model.sources import Progress
from obs_magics.model.time import TimeRange
from obs_magics.session.anomaly_report import AnomalyReport, judged
from obs_magics.session.dress import joined
from obs_magics.session.partition import cuts_of
from obs_magics.session.scan import CHUNK, Part, Terms, chunks, examine_part, from_frames, mapped
from obs_magics.session.traits import Traits, traits_of

DAY = "2026-11-22 "
# (metric, service): the onset of the truth, and how late it may be told
FAULTS = {
    ("latency_p99", "checkout-api", "12:40:00"): 3,
    ("latency_p99", "inventory-service", "12:40:00"): 3,
    ("latency_p99", "payment-api", "14:15:00"): 3,
    ("latency_p99", "user-service", "14:15:00"): 3,
    ("latency_p99", "order-service", "14:22:30"): 3,
    ("saturation", "payment-api", "14:13:00"): 3,
    ("error_rate", "payment-api", "14:23:00"): 3,
    ("error_rate", "user-service", "14:24:20"): 3,
    ("error_rate", "order-service", "14:25:40"): 3,
    ("throughput", "payment-api", "14:14:00"): 3,
}
# Planted, and no fault of payment-api: the mail provider's limits, and search-service killed for memory.
INNOCENT = {"notification-service", "search-service"}
CAMPAIGN = pd.Timestamp(f"{DAY}14:14", tz="UTC")


@pytest.fixture(scope="module")
def whole(shop: Session) -> AnomalyReport:
    """Everything that is unusual in the six hours of the demo world."""
    return shop.anomaly_report(last="6h")


@pytest.mark.parametrize(("fault", "late"), FAULTS.items(), ids=str)
def test_every_planted_fault_is_found_soon_after_its_onset(
    whole: AnomalyReport, fault: tuple[str, str, str], late: int
) -> None:
    metric, service, onset = fault
    events = whole.frame[(whole.frame["metric"] == metric) & (whole.frame["service"] == service)]
    delays = (events["start"] - pd.Timestamp(DAY + onset, tz="UTC")).dt.total_seconds() / 60
    assert ((delays >= -3) & (delays <= late)).any(), events[["start", "kind", "severity"]]


def test_nothing_else_is_called_unusual_in_six_hours_of_rate_errors_and_duration(whole: AnomalyReport) -> None:
    red = whole.frame[whole.frame["metric"].isin(["error_rate", "latency_p99", "throughput"])]
    told = {(metric, service) for metric, service, _ in FAULTS}
    caused = red["start"].between(pd.Timestamp(f"{DAY}12:38", tz="UTC"), pd.Timestamp(f"{DAY}13:01", tz="UTC"))
    caused |= red["start"].between(CAMPAIGN, pd.Timestamp(f"{DAY}14:30", tz="UTC"))
    other = [
        (row.metric, row.service, str(row.start))
        for row in red[~caused].itertuples()
        if (row.metric, row.service) not in told and row.service not in INNOCENT
    ]
    assert len(other) <= 2, other


def test_what_is_innocent_is_not_told_of_payment_api(whole: AnomalyReport) -> None:
    payment = whole.frame[whole.frame["service"] == "payment-api"]
    assert (payment["start"] >= pd.Timestamp(f"{DAY}14:12", tz="UTC")).all()
    assert set(payment["metric"]) <= {"latency_p99", "error_rate", "throughput", "saturation", "cpu_usage"}


def test_the_frame_is_an_anomalies_frame_with_units_and_where_it_comes_from(whole: AnomalyReport) -> None:
    frame = whole.frame
    fixed = [*ANOMALY_COLUMNS, "unit", "improvement"]
    assert list(frame.columns[: len(fixed)]) == fixed
    assert set(frame.columns[len(fixed) :]) == {"pool"}
    assert frame["start"].is_monotonic_increasing
    assert dict(frame.groupby("metric", observed=True)["unit"].first())["latency_p99"] == "s"
    origin = frame.obs.provenance
    assert (origin.signal, origin.rows, origin.translated_by) == ("anomalies", len(frame), "measures")
    assert (origin.start, origin.end) == ("2026-11-22T10:00:00+00:00", "2026-11-22T16:00:00+00:00")
    assert "before 2026-11-22 10:00 UTC it was scraped every 5m alone" in origin.notes


def test_each_question_is_there_with_its_history(whole: AnomalyReport) -> None:
    assert whole.series == sum(one.series for one in whole.asked) > 80
    errors = next(one for one in whole.asked if one.name == "error_rate")
    assert (errors.unit, errors.direction) == ("1", "up")
    assert errors.measure is not None
    assert errors.measure.services[0] == "api-gateway"
    assert errors.history["timestamp"].max() < errors.frame["timestamp"].min()
    assert errors.history["timestamp"].min() < pd.Timestamp("2026-11-15 11:00", tz="UTC")
    assert errors.frame.obs.provenance.start == "2026-11-22T10:00:00+00:00"
    assert len(errors.events) == int((whole.frame["metric"] == "error_rate").sum())
    # in the asked range every point is as it was measured, and so is the history
    assert errors.history["value"].max() < 0.01 < errors.frame["value"].max()


def test_a_service_is_looked_at_with_the_measures_that_it_has(shop: Session) -> None:
    report = shop.anomaly_report(service="redis", last="1h")
    assert [one.name for one in report.asked] == ["throughput", "saturation", "memory_usage", "availability"]
    assert "nothing here tells error_rate, latency_p99, cpu_usage, restarts of redis" in report.notes
    one = shop.anomaly_report("p95", service="payment-api", last="1h", baseline="1d", sensitivity="low")
    assert [asked.name for asked in one.asked] == ["latency_p95"]
    assert (one.sensitivity, one.baseline_ns) == ("low", 86_400 * 10**9)
    few = shop.anomaly_report(measures=["rps"], service="redis", last="1h")
    assert [asked.name for asked in few.asked] == ["throughput"]


def test_the_name_of_a_metric_or_a_query_is_looked_at_as_it_is(shop: Session) -> None:
    depth = shop.anomalies("queue_depth", last="6h")
    assert depth["service"].unique().tolist() == ["notification-service"]
    assert str(depth["start"].iloc[0]) == f"{DAY}14:06:00+00:00"
    assert depth.obs.provenance.native_query == "queue_depth"
    up = shop.anomaly_report("up", last="30m", step="1m")  # a metric, though people call availability so
    assert up.asked[0].query == "up"
    rate = shop.anomaly_report(
        'sum(rate(http_requests_total{service="payment-api"}[$__rate_interval]))', last="3h", baseline="2d"
    )
    assert rate.asked[0].direction == "either"
    assert "[20m]" not in rate.asked[0].query
    assert len(rate.frame) >= 1


def test_secrets_in_a_query_are_kept_nowhere(shop: Session) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    query = f'queue_depth{{queue!="{secret}"}}'
    report = shop.anomaly_report(query, last="30m", baseline="1d")
    scanned = shop.scan(query, last="30m", baseline="1d")
    told = [str(report.frame.attrs), str(scanned.attrs), report.asked[0].name, report.asked[0].query]
    assert not any(secret in text for text in told)


def test_frames_of_other_labels_stand_together() -> None:
    one = metrics_frame([{"__name__": "a", "pod": "x"}], [1], np.array([1]), np.array([1.0]))
    other = metrics_frame([{"__name__": "a", "node": "y"}], [1], np.array([2]), np.array([2.0]))
    whole = joined([one, other])
    check_metrics(whole)
    assert list(whole.columns) == ["timestamp", "value", "metric", "node", "pod"]
    assert whole["pod"].isna().to_list() == [False, True]
    assert joined([one.iloc[:0], other]) is other


def test_a_step_of_ones_own_bounds_the_history(shop: Session) -> None:
    report = shop.anomaly_report("queue_depth", last="10m", step="15s")
    assert any(note.startswith("the history goes back 1d") for note in report.notes)
    assert report.asked[0].frame.obs.provenance.step == 15


def test_points_are_never_closer_than_scrapes(shop: Session) -> None:
    report = shop.anomaly_report("rps", service="redis", last="6h", end="2026-11-20 12:00", baseline="2d")
    assert report.asked[0].frame.obs.provenance.step == 300


def test_mistakes_are_said(shop: Session) -> None:
    with pytest.raises(UsageError, match="a service goes with a measure"):
        shop.anomalies("up == 1", service="payment-api")
    with pytest.raises(UsageError, match=r"(?s)takes low, medium or high, not 'hig'.*did you mean high"):
        shop.anomalies(sensitivity="hig")
    with pytest.raises(UsageError, match=r"(?s)no service called 'redi'.*did you mean redis"):
        shop.anomalies(service="redi")
    with pytest.raises(TranslationError, match="nothing here tells the share of failed requests of redis"):
        shop.anomalies("errors", service="redis")
    with pytest.raises(UsageError, match="no measure called 'latencyy'"):
        shop.anomalies(measures=["latencyy"])
    with pytest.raises(QueryError, match="is not closed"):
        shop.anomalies("sum(up")
    with pytest.raises(UsageError, match="a chunk has 1 series or more"):
        shop.scan("up", chunk=0)


def test_the_bus_hears_of_each_event_that_is_not_for_the_better(shop: Session) -> None:
    heard: list[dict[str, Any]] = []
    stop = shop.bus.subscribe("observability:anomaly:detected", lambda _event, payload: heard.append(dict(payload)))
    frame = shop.anomalies("saturation", last="6h")
    stop()
    bad = frame[~frame["improvement"]]
    assert [one["metric"] for one in heard] == ["saturation"] * len(bad)
    assert [one["severity"] for one in heard] == bad["severity"].astype(str).to_list()
    assert heard[0]["value"] == bad["value"].iloc[0]


def test_a_change_for_the_better_is_marked_and_of_low_severity() -> None:
    report = _events([("level_shift", 0.1, 1.0, 2.0, "high"), ("level_shift", 9.0, 1.0, 2.0, "high")])
    up, down, either = (judged(report, direction, "s") for direction in ("up", "down", "either"))
    assert up["improvement"].to_list() == [True, False]
    assert up["severity"].astype(str).to_list() == ["low", "high"]
    assert up["detection_method"].to_list() == ["level, for the better", "level"]
    assert down["improvement"].to_list() == [False, True]
    assert either["improvement"].to_list() == [False, False]
    silent = _events([("silence", 0.1, 1.0, 2.0, "high")])
    assert not judged(silent, "up", "").iloc[0]["improvement"]


def _events(rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    from obs_magics.model.anomalies import Anomaly, anomalies_frame

    return anomalies_frame(
        [
            Anomaly(series="a", metric="m", labels={"unit": "x"}, start_ns=place, end_ns=place, kind=kind, value=value,
                    expected_low=low, expected_high=high, score=1.0, severity=severity, detection_method="level")
            for place, (kind, value, low, high, severity) in enumerate(rows)
        ]
    )  # fmt: skip


def test_a_label_called_unit_keeps_its_values_under_another_name() -> None:
    frame = judged(_events([("spike", 5.0, 1.0, 2.0, "high")]), "up", "s")
    assert (frame["unit"].iloc[0], frame["label_unit"].iloc[0]) == ("s", "x")


# ── what the project ignores, and limits of the configuration ────────────────────────────────────────────────────────


@pytest.fixture
def project(tmp_path: Path, demo_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session in a folder of its own, with limits in its configuration."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "obs.yaml").write_text(
        "observability:\n"
        "  anomaly_detection:\n"
        "    sensitivity: low\n"
        "    baseline_window: 1d\n"
        "    metrics: [{name: availability, threshold: 0.99}, {name: rps, change_threshold: 60}]\n"
        "    thresholds:\n"
        "      - {metric: queue*, above: 100, for: 5m, severity: critical, service: notification-*}\n"
        "      - {metric: p99, above: 2, severity: low}\n"
    )
    with Session(zone="UTC", environ={}) as session:
        session.connect("demo", str(demo_folder))
        yield session


def test_what_is_ignored_is_left_out_counted_and_told(project: Session, tmp_path: Path) -> None:
    before = project.anomalies("p99", last="6h")
    assert (before["service"] == "notification-service").sum() == 1
    entry = project.ignore(
        metric="latency_p99", service="notification-*", start="14:00", end="14:30", reason="the mail provider", by="ann"
    )
    assert (tmp_path / ".obs-magics" / "ignore.yaml").exists()
    assert project.ignored() == (entry,)
    report = project.anomaly_report("p99", last="6h")
    assert len(report.frame) == len(before) - 1
    assert report.ignored == {str(entry): 1}
    assert any(note.startswith("ignored 1 anomaly, latency_p99 of notification-*") for note in report.notes)
    found = len(project.scan("queue_depth", last="6h"))
    assert found > 1
    project.ignore(metric="queue_depth", reason="nobody waits for it")
    scanned = project.scan("queue_depth", last="6h")
    assert len(scanned) == 0
    told = f"ignored {found} anomalies, queue_depth: nobody waits for it"
    assert told in scanned.obs.provenance.notes
    assert project.unignore(entry.id) == entry
    assert len(project.anomalies("p99", last="6h")) == len(before)


def test_limits_of_the_configuration_are_anomalies_and_a_synonym_means_its_measure(project: Session) -> None:
    depth = project.anomalies("queue_depth", last="6h")
    limit = depth[depth["kind"] == "threshold"]
    assert limit["severity"].astype(str).to_list() == ["critical"]
    assert limit["expected_high"].to_list() == [100.0]
    slow = project.anomalies("latency_p99", service="payment-api", last="6h")
    assert slow[slow["kind"] == "threshold"]["expected_high"].to_list() == [2.0]
    report = project.anomaly_report(service="payment-api", last="1h")
    assert [one.name for one in report.asked] == ["availability", "throughput"]
    assert (report.sensitivity, report.baseline_ns) == ("low", 86_400 * 10**9)


def test_the_configuration_may_name_metrics_beside_measures(tmp_path: Path, demo_folder: Path) -> None:
    file = tmp_path / "obs.yaml"
    file.write_text("observability:\n  anomaly_detection: {metrics: [errors, queue_depth]}\n")
    with Session(file, zone="UTC", environ={}, ignore_file=tmp_path / "none.yaml") as session:
        session.connect("demo", str(demo_folder))
        both = session.anomaly_report(last="1h", baseline="1d")
        assert {one.name for one in both.asked} == {"error_rate", "queue_depth"}
        one = session.anomaly_report(service="payment-api", last="1h", baseline="1d")
        assert [asked.name for asked in one.asked] == ["error_rate"]
        assert "queue_depth is no measure, and is not looked at of one service" in one.notes


def test_changes_that_are_too_small_for_the_configuration_are_left_out_and_told(project: Session) -> None:
    report = project.anomaly_report("rps", service="payment-api", last="3h", sensitivity="high")
    assert len(report.frame) == 0
    assert any(
        re.fullmatch(r"left out .* of throughput: smaller than its change_threshold", note) for note in report.notes
    )


async def test_the_asynchronous_face_says_the_same(demo_folder: Path, tmp_path: Path) -> None:
    async with AsyncSession(zone="UTC", environ={}, ignore_file=tmp_path / "none.yaml") as session:
        await session.connect("demo", str(demo_folder))
        frame = await session.anomalies("queue_depth", last="6h", baseline="1d")
        report = await session.anomaly_report("queue_depth", last="6h", baseline="1d")
        scanned = await session.scan("queue_depth", last="6h", baseline="1d")
    assert frame.equals(report.frame)
    assert scanned[["start", "kind", "value"]].equals(frame[["start", "kind", "value"]])


# ── scans ────────────────────────────────────────────────────────────────────────────────────────────────────────────

RATES = "rate(http_requests_total[$__rate_interval])"


def test_a_scan_says_the_same_whatever_its_chunks_and_whoever_computes(demo_folder: Path, tmp_path: Path) -> None:
    digests = {}
    seen: list[Progress] = []
    pools: list[tuple[Executor | None, int]] = [(None, CHUNK), (None, 60), (ThreadPoolExecutor(1), 90)]
    for number, (executor, chunk) in enumerate(pools):
        with Session(zone="UTC", environ={}, executor=executor, ignore_file=tmp_path / "none.yaml") as session:
            session.connect("demo", str(demo_folder))
            frame = session.scan(RATES, last="2h", end="15:00", baseline="2d", chunk=chunk, progress=seen.append)
        digests[number] = frame.obs.provenance.digest
        assert any(re.fullmatch(r"\d+ series in \d+ chunks", note) for note in frame.obs.provenance.notes)
        if executor is not None:
            executor.shutdown()
    assert len(set(digests.values())) == 1
    assert len(frame) > 10
    assert seen[-1].done == seen[-1].total > 1


def _world(series: int, points: int) -> pd.DataFrame:
    random = np.random.default_rng(7)
    times = NOW_NS - 60_000_000_000 * np.arange(points, dtype=np.int64)[::-1]
    values = 100 + random.normal(0, 2, (series, points))
    values[::100, -40:-10] += 80
    labels = [{"__name__": "m", "pod": f"pod-{number}", "service": f"s{number % 50}"} for number in range(series)]
    return metrics_frame(labels, [points] * series, np.tile(times, series), values.ravel())


TERMS = Terms(sensitivity="medium", baseline_ns=86_400 * 10**9, since_ns=NOW_NS - 3_600 * 10**9)


async def _scan(frame: pd.DataFrame, size: int, executor: Executor | None = None) -> list[Part]:
    return await mapped(examine_part, from_frames([frame], size), TERMS, executor=executor, progress=lambda _: None)


async def test_ten_thousand_series_are_examined_in_chunks() -> None:
    parts = await _scan(_world(10_000, 360), CHUNK)
    assert (len(parts), sum(part.series for part in parts)) == (20, 10_000)
    found = pd.concat([part.events for part in parts])
    assert len(set(found["pod"]) & {f"pod-{number}" for number in range(0, 10_000, 100)}) == 100


async def test_other_processes_may_compute() -> None:
    frame = _world(60, 200)
    own = await _scan(frame, 25)
    # Not forked: threads of other tests may hold a lock that nobody lets go of in the child.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        theirs = await _scan(frame, 25, processes)
    assert [part.series for part in theirs] == [25, 25, 10]
    assert all(mine.events.equals(other.events) for mine, other in zip(own, theirs, strict=True))


async def test_a_cancelled_scan_begins_no_other_chunk() -> None:
    begun: list[int] = []
    go_on = threading.Event()

    def slow(piece: pd.DataFrame, terms: Terms) -> Part:
        begun.append(len(piece))
        go_on.wait(120)
        return examine_part(piece, terms)

    with ThreadPoolExecutor(1) as executor:
        pieces = from_frames([_world(40, 30)], 1)
        task = asyncio.create_task(mapped(slow, pieces, TERMS, executor=executor, progress=lambda _: None))
        await eventually_async(lambda: bool(begun))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
    assert len(begun) <= 2


async def test_an_error_of_a_chunk_ends_the_scan() -> None:
    def broken(_piece: pd.DataFrame, _terms: Terms) -> Part:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await mapped(broken, from_frames([_world(3, 30)], 1), TERMS, progress=lambda _: None)


def test_chunks_hold_whole_series_in_whatever_order_the_rows_are() -> None:
    frame = _world(10, 30)
    shuffled = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    for rows in (frame, shuffled):
        pieces = list(chunks(rows, 3))
        assert [piece["pod"].nunique() for piece in pieces] == [3, 3, 3, 1]
        assert all(len(piece) == 30 * piece["pod"].nunique() for piece in pieces)
    assert next(chunks(frame.iloc[:0], 3)).empty


def test_traits_do_not_depend_on_how_series_are_put_together() -> None:
    frame = _world(9, 3)
    parts = [traits_of(piece) for piece in chunks(frame, 2)]
    whole = Traits()
    for part in parts:
        whole |= part
    assert whole == traits_of(frame)
    assert whole.labels == {"metric": "m", "pod": None, "service": None}


# ── sources that do not answer everything ────────────────────────────────────────────────────────────────────────────


def test_a_source_whose_history_cannot_be_asked_is_looked_at_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(base_module, "ADAPTERS", (*base_module.ADAPTERS, FAKE))
    with Session(zone="UTC", environ={}) as session:
        session.connect("f", "http://fake", type="fake")
        source = session._core.book.source("f")  # the fake is what the test has to look into
        ask = source.metrics  # type: ignore[attr-defined]

        async def short(query: Any, *rest: Any) -> Any:
            if query.range.duration_ns > 2 * 3_600 * 10**9:
                raise QueryError("the range is longer than the server keeps")
            return await ask(query, *rest)

        monkeypatch.setattr(source, "metrics", short)
        report = session.anomaly_report("something", last="1h")
    assert "without its history of 7d: the range is longer than the server keeps" in report.notes
    assert len(report.asked[0].history) == 0


async def test_what_cannot_be_counted_or_cut_is_asked_as_a_whole(tmp_path: Path) -> None:
    world = World()
    for number in range(6):
        world.gauge({"__name__": "queue", "pod": f"p{number}", "zone": "a"}, 1.0)
    world.gauge({"__name__": "lonely"}, 1.0)
    source = world.source(tmp_path)
    span = TimeRange(NOW_NS - 3_600 * 10**9, NOW_NS)

    def cuts(text: str, size: int = 2) -> Any:
        return cuts_of(MetricsQuery(text=text, range=span, step_ns=60 * 10**9), source, size)

    assert [cut.values for cut in await cuts("queue")] == [("p0", "p1"), ("p2", "p3"), ("p4", "p5")]
    assert [cut.label for cut in await cuts("sum by (pod) (queue)", 5)] == ["pod", "pod"]
    assert await cuts("sum by (zone) (queue)") == []
    assert await cuts("queue", 6) == []
    assert await cuts("lonely", 1) == []
    assert await cuts("queue / queue") == []
    assert await cuts('queue{pod="nobody"}') == []
    assert await cuts("rate(queue[1m]) * on () group_left () lonely") == []
    assert await cuts("max(histogram_quantiles(queue, 1, 2, 3))") == []


def test_a_source_without_services_says_so(tmp_path: Path) -> None:
    world = World()
    world.gauge({"__name__": "temperature_celsius"}, 20.0)
    with Session(zone="UTC", environ={}) as session:
        session.connect("cold", str(world.source(tmp_path).path))
        with pytest.raises(UsageError, match="this source knows no services"):
            session.anomalies()
        with pytest.raises(UsageError, match="nothing here counts requests"):
            session.anomalies(service="x")
