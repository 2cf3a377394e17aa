"""What a real Loki answered, and what the engine makes of the same lines: labels and rewritten lines must be equal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from support.recordings import Recording, load

from obs_magics.local.logql.evaluate import evaluate_lines
from obs_magics.local.logql.lines import DETAILS, ERROR
from obs_magics.local.logs.store import LogStore, store_of_tables
from obs_magics.syntax.logql import parse
from obs_magics.syntax.logql.tree import LogQuery

pytestmark = pytest.mark.contract

STREAM = ("app", "cluster", "env", "level", "namespace", "pod", "service_name")
METADATA = ("detected_level", "span_id", "trace_id")
PARSED = {
    "005-range-json-parser.json": 2,
    "006-range-json-parse-error.json": 1,
    "007-range-logfmt.json": 3,
    "008-range-pattern.json": 3,
    "009-range-structured-metadata.json": 3,
    "010-range-categorize-labels.json": 3,
    "011-range-by-trace.json": 5,
    "012-range-multiline.json": 2,
    "013-range-odd-lines.json": 3,
}
"""Recordings of pipelines, and how many of their lines are known as they were before the pipeline, at least."""


def lines_in(recording: Recording) -> Iterator[tuple[int, str, dict[str, str]]]:
    """The lines of an answer with all their labels, in whichever encoding they came."""
    for stream in json.loads(recording.body)["data"]["result"]:
        for time, line, *more in stream["values"]:
            extra = {name: value for kind in more for labels in kind.values() for name, value in labels.items()}
            yield int(time), line, {**stream["stream"], **extra}


def is_lines(recording: Recording) -> bool:
    """Whether it is a whole answer of lines."""
    return recording.status == 200 and not recording.truncated and b'"resultType":"streams"' in recording.body[:200]


@pytest.fixture(scope="module")
def recordings(shared: Path) -> dict[str, Recording]:
    return {one.file: one for one in load(shared / "contracts" / "recordings" / "loki") if is_lines(one)}


@pytest.fixture(scope="module")
def store(recordings: dict[str, Recording]) -> LogStore:
    """Every line that some answer shows as it was written."""
    known: dict[tuple[int, str], tuple[str, dict[str, str]]] = {}
    for recording in recordings.values():
        if "line_format" in recording.parameters["query"]:
            continue
        for time, line, labels in lines_in(recording):
            known[time, labels["pod"] + line] = (
                line,
                {name: labels[name] for name in (*STREAM, *METADATA) if name in labels},
            )
    rows: list[dict[str, Any]] = [
        {"timestamp": time, "message": line, **labels} for (time, _), (line, labels) in sorted(known.items())
    ]
    columns: dict[str, pa.Array] = {
        "timestamp": pa.array([row["timestamp"] for row in rows], pa.timestamp("ns", tz="UTC")),
        "message": pa.array([row["message"] for row in rows]),
    }
    for name in (*STREAM, *METADATA):
        values = pa.array([row.get(name) for row in rows], pa.string())
        columns[name] = values.dictionary_encode() if name in STREAM else values
    return store_of_tables([pa.table(columns)])


@pytest.mark.parametrize("file", sorted(PARSED))
def test_a_pipeline_gives_the_labels_that_loki_gave(
    file: str, recordings: dict[str, Recording], store: LogStore
) -> None:
    recording = recordings[file]
    tree = parse(recording.parameters["query"])
    assert isinstance(tree, LogQuery)
    start, end = (int(recording.parameters[name]) for name in ("start", "end"))
    lines = evaluate_lines(tree, recording.parameters["query"], store, start_ns=start, end_ns=end, limit=10_000).lines
    names = [*lines.label_names(), ERROR, DETAILS]
    columns = {name: lines.label(name).strings().to_pylist() for name in names}
    ours = {
        (time, labels["pod"]): (text, labels)
        for row, (time, text) in enumerate(zip(lines.times_ns.tolist(), lines.texts().to_pylist(), strict=True))
        if (labels := {name: values[row] for name, values in columns.items() if values[row] is not None})
    }
    stored = set(store.times_ns.tolist())
    compared = 0
    for time, text, labels in lines_in(recording):
        if time in stored:
            assert ours[time, labels["pod"]] == (text, labels)
            compared += 1
    assert compared >= PARSED[file]
