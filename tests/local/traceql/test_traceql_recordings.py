"""What real servers found is found here too, as far as the traces themselves were recorded."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from obs_magics.local.trace_answers import answer_traces
from obs_magics.local.traceql.evaluate import search
from obs_magics.local.traces.store import TraceStore
from obs_magics.model.query import TracesQuery
from obs_magics.model.time import SECOND, TimeRange
from obs_magics.syntax.spans import joined, read_jaeger, read_otlp
from obs_magics.syntax.traceql import parse
from tests.support.recordings import load

pytestmark = pytest.mark.contract


@pytest.fixture(scope="module")
def recordings(shared: Path) -> Path:
    """Where the exchanges lie."""
    return shared / "contracts" / "recordings"


@pytest.fixture(scope="module")
def store(recordings: Path) -> TraceStore:
    """All traces that were recorded whole, of Tempo and of VictoriaTraces: they hold the same incident."""
    parts = []
    for server, read in (("tempo", read_otlp), ("victoria-traces", read_jaeger)):
        for one in load(recordings / server):
            is_json = dict(one.headers).get("content-type", "").startswith("application/json")
            if (
                one.status == 200
                and not one.truncated
                and is_json
                and "/traces" in one.path
                and b'"spanId"' in one.body.replace(b"spanID", b"spanId")
            ):
                parts.append(read(one.body))
    return TraceStore(joined([part for part in parts if len(part)]))


def _ids(store: TraceStore) -> dict[str, int]:
    firsts = store.columns.trace_id.take(pa.array(store.offsets[:-1])).to_pylist()
    return {trace_id.lstrip("0"): number for number, trace_id in enumerate(firsts)}


def test_searches_of_tempo(store: TraceStore, recordings: Path) -> None:
    compared = 0
    for one in load(recordings / "tempo"):
        if one.path != "/api/search" or one.status != 200 or one.truncated or "q" not in one.parameters:
            continue
        text = one.parameters["q"]
        found = search(parse(text), text, store, np.ones(store.traces, bool))
        for trace in json.loads(one.body).get("traces", []) if one.body.startswith(b"{") else []:
            number = _ids(store).get(trace["traceID"])
            if number is not None and "spanSet" in trace:
                inside = (found.spans >= store.offsets[number]) & (found.spans < store.offsets[number + 1])
                assert int(inside.sum()) == trace["spanSet"]["matched"], (one.file, trace["traceID"])
                compared += 1
    assert compared >= 2


@pytest.mark.parametrize(
    ("file", "conditions", "text"),
    [
        ("006-traces-error-tag.json", {"status": "error"}, "{ status = error }"),
        ("008-traces-operation.json", {}, ""),
        ("009-traces-duration.json", {}, ""),
    ],
)
def test_searches_of_victoria_traces(
    file: str, conditions: dict[str, str], text: str, store: TraceStore, recordings: Path
) -> None:
    one = next(one for one in load(recordings / "victoria-traces") if one.file == file)
    asked = dict(conditions)
    for name, parameter in (("service", "service"), ("operation", "operation")):
        if parameter in one.parameters:
            asked[name] = one.parameters[parameter]
    bounds = {}
    for name, parameter in (("min_duration_ns", "minDuration"), ("max_duration_ns", "maxDuration")):
        if parameter in one.parameters:
            value = parse(f"{{ duration > {one.parameters[parameter]} }}").stages[0].condition.right.value
            bounds[name] = int(value)
    first, last = store.extent_ns or (0, 0)
    query = TracesQuery(text=text, range=TimeRange(first, last + 1), limit=100, step_ns=SECOND, **asked, **bounds)
    answer = answer_traces(store, query, "recorded", warnings=(), stop=threading.Event())
    expected = set(read_jaeger(one.body).trace_id.to_pylist())
    assert expected
    assert expected <= set(answer.frame["trace_id"])
