"""Small folders for SQL: a native one with everything in it, and one with the files that people have."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from obs_magics.local.block import STALE, Rows, assemble
from obs_magics.local.native import FORMAT, VERSION, Manifest, write_folder
from obs_magics.model.frames import HISTOGRAM_TYPE

NOW = "2026-11-22T16:00:00Z"
END_MS = 1_795_363_200_000
STEP_MS = 15_000


def native_folder(folder: Path) -> Path:
    """Four series of ten samples; `up` of cart ends with a stale marker, `load` has a NaN that was measured."""
    labels = [
        {"__name__": "up", "job": "api", "metric": "taken"},
        {"__name__": "up", "job": "cart", "Job": "Cart", "samples": "mine"},
        {"__name__": "load", "job": "api"},
        {"__name__": "latency", "job": "api"},
    ]
    times = END_MS - STEP_MS * np.arange(10)[::-1]
    values = np.arange(40, dtype=np.float64).reshape(4, 10)
    values[1, -1] = STALE
    values[2, 3] = np.nan
    values[3] = np.nan
    histogram = {"count": 3.0, "sum": 1.5, "buckets": [{"rule": 0, "lower": 0.0, "upper": 1.0, "count": 3.0}]}
    rows = Rows(
        labels,
        np.repeat(np.arange(4), 10),
        np.tile(times, 4),
        values.ravel(),
        pa.array([None] * 30 + [histogram] * 10, HISTOGRAM_TYPE),
    )
    start = pd.Timestamp(NOW).as_unit("ns") + pd.Timedelta(5, "us")
    spans = pa.table(
        {
            "trace_id": ["a" * 32, "b" * 32],
            "start": pa.array([start, start], pa.timestamp("ns", "UTC")),
            "duration": pa.array([1_500_000_000, 250_000_000], pa.duration("ns")),
            "ratio": pa.array([0.5, float("nan")], pa.float64()),
            "small": pa.array([float("nan"), 1.5], pa.float32()),
        }
    )
    manifest = Manifest(format=FORMAT, version=VERSION, title="test", now=NOW)
    write_folder(folder, assemble([rows]), manifest, {"spans": spans})
    return folder


def file_folder(folder: Path) -> Path:
    """A CSV, JSON Lines, a Parquet file with a NaN, one called like a table of ours, and one that is no table."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "requests.csv").write_text(
        "time,route,latency\n2026-11-22T15:59:00Z,/pay,0.5\n2026-11-22T15:59:15Z,/cart,1.5\n"
    )
    lines = [{"timestamp": "2026-11-22T15:59:00Z", "size": 1, "host": "a"}, {"timestamp": NOW, "size": 2, "host": "b"}]
    (folder / "queue.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "metrics.csv").write_text("time,depth\n2026-11-22T15:59:00Z,1\n2026-11-22T15:59:15Z,2\n")
    times = pa.array([END_MS - 1000, END_MS], pa.timestamp("ms", "UTC"))
    pq.write_table(pa.table({"time": times, "load": [1.0, float("nan")]}), folder / "load.parquet")
    (folder / "notes.txt").write_text("nothing of ours\n")
    return folder
