"""Case folders of the root cause benchmark as the engine's observations: everything but the label, which is never read.

The form of a case is that of `data/rca/FORMAT.md`. Frames come out in the vocabulary of `obs_magics.model`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from obs_magics.analysis.root_cause.inputs import Observations, Symptom, Window
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE, categories
from obs_magics.model.logs import LEVELS, logs_frame
from obs_magics.model.spans import ATTRIBUTES_TYPE, STATUSES, spans_frame

Array = np.ndarray[Any, Any]

SECOND = 1_000_000_000
KINDS = {"deploy": "deployment", "flag": "feature_flag"}  # the names of cases, where those of events are others
_STATUS = {"OK": STATUSES.index("ok"), "ERROR": STATUSES.index("error")}


def case_folders(data: Path) -> Iterator[Path]:
    """Every case below a folder, by set and name."""
    return (path.parent for path in sorted(data.glob("*/*/manifest.json")))


def observations(folder: Path, *, logs: bool = True, spans: bool = True) -> Observations:
    """One case.

    Args:
        folder: With manifest.json and what there is of metrics.parquet, logs.parquet, traces.parquet.
        logs: False to leave them out.
        spans: Likewise.
    """
    told: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    window = None
    if told.get("incident_start") is not None:
        window = Window(told["incident_start"] * SECOND, told["incident_end"] * SECOND)
    symptom = told.get("symptom")
    return Observations(
        metrics=_metrics(folder / "metrics.parquet"),
        logs=_logs(folder / "logs.parquet") if logs else None,
        spans=_spans(folder / "traces.parquet") if spans else None,
        calls=tuple((caller, callee) for caller, callee in told.get("topology") or ()),
        events=_events(told.get("events") or ()),
        incident=window,
        symptom=Symptom(symptom["service"], _metric_name(symptom)) if symptom else None,
        alerted_ns=told["alert_at"] * SECOND if told.get("alert_at") else None,
    )


def _metric_name(symptom: Mapping[str, str]) -> str:
    return "_".join(part for part in (symptom.get("metric"), symptom.get("stat")) if part)


def _table(path: Path) -> pa.Table | None:
    return pq.read_table(path) if path.exists() else None


def _categories(column: pa.ChunkedArray) -> pd.Categorical:
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    one = column.combine_chunks().unify_dictionaries() if isinstance(column, pa.Table) else column.unify_dictionaries()
    whole = one.combine_chunks()
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    names = pd.Index(whole.dictionary.to_pylist(), dtype=STRING_DTYPE)
    codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return pd.Categorical.from_codes(codes, categories=names)


def _metrics(path: Path) -> pd.DataFrame | None:
    table = _table(path)
    if table is None:
        return None
    seconds = table["ts"].to_numpy()
    return pd.DataFrame(
        {
            "timestamp": pd.DatetimeIndex(seconds.astype(np.int64) * SECOND, dtype=TIMESTAMP_DTYPE),
            "value": table["value"].to_numpy().astype(np.float64),
            "metric": _categories(table["metric"]),
            "instance": _categories(table["instance"]),
            "service": _categories(table["service"]),
        }
    )


def _hex(column: pa.ChunkedArray, names: dict[str, int], digits: int) -> pa.Array:
    """Ids as hex: numbers as they are, other texts by the order in which they were seen; null for none."""
    if pa.types.is_integer(column.type):
        numbers = column.to_numpy().astype(np.int64)
        texts = [format(number, f"0{digits}x") for number in np.unique(numbers[numbers >= 0]).tolist()]
        known = np.unique(numbers[numbers >= 0])
        at = np.searchsorted(known, numbers)
        indices = pa.array(np.where(numbers >= 0, at, 0).astype(np.int32), mask=numbers < 0)
        return pa.DictionaryArray.from_arrays(indices, pa.array(texts, pa.string())).cast(pa.string())
    found = [None if text is None else names.setdefault(text, len(names) + 1) for text in column.to_pylist()]
    return pa.array([None if one is None else format(one, f"0{digits}x") for one in found], pa.string())


def _logs(path: Path) -> pd.DataFrame | None:
    table = _table(path)
    if table is None:
        return None
    table = table.sort_by("ts_ms")
    levels = [
        LEVELS.index(text.lower()) if (text or "").lower() in LEVELS else -1 for text in table["level"].to_pylist()
    ]
    with_ids = {
        name: _hex(table[name], {}, digits)
        for name, digits in (("trace_id", 32), ("span_id", 16))
        if name in table.column_names
    }
    return logs_frame(
        table["ts_ms"].to_numpy().astype(np.int64) * 1_000_000,
        table["message"],
        level_codes=np.array(levels),
        service=_categories(table["service"]),
        labels={},
        **with_ids,
    )


def _spans(path: Path) -> pd.DataFrame | None:
    table = _table(path)
    if table is None:
        return None
    rows = len(table)
    status = np.zeros(rows, np.int8)
    if "status" in table.column_names:
        status = np.array([_STATUS.get(text or "", 0) for text in table["status"].to_pylist()], np.int8)
    names: dict[str, int] = {}
    attributes, messages = _attributes(table)
    return spans_frame(
        trace_id=_hex(table["trace_id"], {}, 32),
        span_id=_hex(table["span_id"], names, 16),
        parent_id=_hex(table["parent_id"], names, 16),
        service=_categories(table["service"]),
        operation=_categories(table["operation"]),
        kind_codes=np.full(rows, -1),
        start_ns=table["start_us"].to_numpy().astype(np.int64) * 1000,
        duration_ns=table["duration_us"].to_numpy().astype(np.int64) * 1000,
        status_codes=status,
        status_message=messages,
        attributes=attributes,
    )


def _attributes(table: pa.Table) -> tuple[pa.Array, pa.Array]:
    rows = len(table)
    if "attributes" not in table.column_names:
        offsets = pa.array(np.zeros(rows + 1, np.int32))
        nothing = pa.array([], pa.string())
        return pa.MapArray.from_arrays(offsets, nothing, nothing).cast(ATTRIBUTES_TYPE), pa.nulls(rows, pa.string())
    parsed = [json.loads(text) if text else {} for text in table["attributes"].to_pylist()]
    flat = [{key: str(value) for key, value in {**one, **(one.get("attributes") or {})}.items()} for one in parsed]
    said = [one.get("error") or one.get("error.message") for one in flat]
    return pa.array([list(one.items()) for one in flat], ATTRIBUTES_TYPE), pa.array(said, pa.string())


def _events(told: Sequence[Mapping[str, Any]]) -> pd.DataFrame | None:
    rows = [row for event in told for row in _event(event)]
    if not rows:
        return None
    rows.sort(key=lambda row: (row["timestamp"], row["kind"], row["id"] or ""))
    texts = ("title", "version", "url", "id", "files", "diff", "change")
    frame: dict[str, Any] = {
        "timestamp": pd.DatetimeIndex(np.array([row["timestamp"] for row in rows], np.int64), dtype=TIMESTAMP_DTYPE),
        "end": pd.DatetimeIndex([pd.NaT] * len(rows), dtype=TIMESTAMP_DTYPE),
        "kind": categories([row["kind"] for row in rows]),
        "service": categories([row.get("service") for row in rows]),
        "severity": categories([row.get("severity") for row in rows]),
        "source": categories([row.get("source") for row in rows]),
    }
    return pd.DataFrame(frame | {name: pd.array([row.get(name) for row in rows], dtype=STRING_DTYPE) for name in texts})


def _event(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if event["kind"] == "status_feed":
        yield from _status_feed(event)
        return
    yield {
        "timestamp": int(event["ts"]) * SECOND,
        "kind": KINDS.get(event["kind"], event["kind"]),
        "service": event.get("service"),
        "title": event.get("title") or event.get("summary") or event.get("id"),
        "version": event.get("version"),
        "severity": event.get("severity"),
        "id": event.get("id"),
        "files": "\n".join(event.get("files") or ()) or None,
        "diff": event.get("diff"),
        "change": event.get("change"),
    }


def _status_feed(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One incident event for each incident that a provider's status page tells of."""
    data = event.get("data") or {}
    components = [part.get("endpoint") or part.get("name") or "" for part in data.get("components") or ()]
    for incident in data.get("incidents") or ():
        started = datetime.fromisoformat(incident["started_at"]).timestamp()
        yield {
            "timestamp": int(started) * SECOND,
            "kind": "incident",
            "title": incident.get("name"),
            "severity": incident.get("impact"),
            "source": data.get("provider"),
            "url": " ".join(filter(None, components)) or None,
            "id": incident.get("id"),
        }
