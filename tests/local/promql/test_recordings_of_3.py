"""The recordings of a real Prometheus 3: raw samples that it gave are asked again, its words compared with ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from support.memory_store import MemoryStore
from support.promql_answers import difference, of_json, of_result
from support.recordings import Recording, load

from obs_magics.local.promql.evaluate import evaluate
from obs_magics.model.errors import QueryError
from obs_magics.model.frames import HISTOGRAM_TYPE

pytestmark = pytest.mark.contract
END_OF_SCRAPES = 1_795_357_504_211


@pytest.fixture(scope="module")
def recorded(shared: Path) -> dict[str, Recording]:
    return {one.name: one for one in load(shared / "contracts" / "recordings" / "prometheus-3")}


def answer(recording: Recording) -> dict[str, Any]:
    return json.loads(recording.body)


def store_of(recording: Recording) -> MemoryStore:
    """The raw samples of an answer, as a store."""
    store = MemoryStore()
    for one in answer(recording)["data"]["result"]:
        times, values = zip(*one["values"], strict=True)
        store.add(one["metric"], [round(time * 1000) for time in times], [float(value) for value in values])
    return store


def again(recording: Recording, store: MemoryStore, *, query: str | None = None) -> str:
    """Ask what was recorded over `store`: what differs from the recorded answer."""
    moment = round(float(recording.parameters["time"]) * 1000)
    how = {"start_ms": moment, "end_ms": moment, "step_ms": 1, "instant": True}
    mine = evaluate(query or recording.parameters["query"], store, **how)
    return difference(of_result(mine), of_json(answer(recording)))


@pytest.mark.parametrize("name", ["query-range-selector-matrix", "stale-and-special-values"])
def test_raw_samples_come_back(recorded: dict[str, Recording], name: str) -> None:
    assert again(recorded[name], store_of(recorded[name])) == ""


def test_a_series_that_ended_is_gone(recorded: dict[str, Recording]) -> None:
    samples = store_of(recorded["stale-and-special-values"])
    labels, times, values = samples.series[0]
    assert labels["kind"] == "gone-stale"
    stale = np.array([0x7FF0000000000002], np.uint64).view(np.float64)
    store = MemoryStore([(labels, np.append(times, times[-1] + 15_000), np.append(values, stale))])
    assert again(recorded["stale-gone-instant"], store) == ""


def test_a_window_is_left_open(recorded: dict[str, Recording]) -> None:
    recording = recorded["query-3x-left-open"]
    store = MemoryStore()
    labels = answer(recording)["data"]["result"][0]["metric"]
    times = np.arange(END_OF_SCRAPES - 600_000, END_OF_SCRAPES + 1, 15_000)
    store.add({"__name__": "redis_up", **labels}, times, np.ones(len(times)))
    assert again(recording, store) == ""


@pytest.mark.parametrize("name", ["range-nan-inf", "range-nan"])
def test_values_on_a_grid_come_back_on_that_grid(recorded: dict[str, Recording], name: str) -> None:
    recording = recorded[name]
    asked = recording.parameters
    how = {
        "start_ms": int(asked["start"] * 1000),
        "end_ms": int(asked["end"] * 1000),
        "step_ms": int(asked["step"]) * 1000,
    }
    mine = evaluate(asked["query"], store_of(recording), lookback_ms=15_000, **how)
    assert difference(of_result(mine), of_json(answer(recording))) == ""


def test_scalars_come_back(recorded: dict[str, Recording]) -> None:
    assert again(recorded["query-scalar"], MemoryStore()) == ""


def test_warnings_and_infos_have_the_words_of_prometheus(recorded: dict[str, Recording]) -> None:
    store = MemoryStore()
    times = np.arange(1_795_356_000_000, 1_795_357_500_000, 15_000)
    store.add({"__name__": "redis_memory_used_bytes"}, times, np.arange(len(times)))
    store.add({"__name__": "http_request_duration_seconds_bucket", "le": "+Inf"}, times, np.arange(len(times)))
    for name in ("info-rate-of-gauge", "warning-bucket-monotonicity"):
        recording = recorded[name]
        moment = int(recording.parameters["time"] * 1000)
        mine = evaluate(
            recording.parameters["query"], store, start_ms=moment, end_ms=moment, step_ms=1, instant=True
        ).warnings
        body = answer(recording)
        (words,) = [*body.get("warnings", []), *body.get("infos", [])]
        assert mine == (words.rpartition(" (")[0],)


def test_many_to_many_is_refused_with_the_words_of_prometheus(recorded: dict[str, Recording]) -> None:
    recording = recorded["error-many-to-many"]
    words = answer(recording)["error"]
    group = words.split("match group ")[1].split("}")[0] + "}"
    store = MemoryStore()
    for pod in "ab":
        labels = {"__name__": "http_requests_total", "service": group.split('"')[1], "pod": pod}
        store.add(labels, [1_795_357_490_000], [1.0])
    with pytest.raises(QueryError) as caught:
        again(recording, store)
    head, tail = words.split(": [")[0], words.rpartition("];")[2]
    assert caught.value.message.startswith(head)
    assert caught.value.message.endswith(tail)


def histogram_of(recorded: dict[str, Any]) -> dict[str, Any]:
    names = ("rule", "lower", "upper", "count")
    buckets = [dict(zip(names, [bucket[0], *map(float, bucket[1:])], strict=True)) for bucket in recorded["buckets"]]
    return {"count": float(recorded["count"]), "sum": float(recorded["sum"]), "buckets": buckets}


def test_native_histograms_come_back_as_they_were(recorded: dict[str, Recording]) -> None:
    recording = recorded["native-histogram-range"]
    store = MemoryStore()
    expected = []
    for number, one in enumerate(answer(recording)["data"]["result"]):
        times = [round(point[0] * 1000) for point in one["histograms"]]
        rows = [histogram_of(point[1]) for point in one["histograms"]]
        store.add(one["metric"], times, np.full(len(times), np.nan))
        store.histograms = {**store.histograms, number: pa.array(rows, HISTOGRAM_TYPE)}
        expected += rows
    start = min(int(times[0]) for _, times, _ in store.series)
    mine = evaluate(
        "rpc_latency_seconds", store, start_ms=start, end_ms=start + 240_000, step_ms=60_000, lookback_ms=60_000
    )
    assert mine.histograms is not None
    assert mine.histograms.to_pylist() == expected
