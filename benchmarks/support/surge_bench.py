"""The surges part of benchmarks/logs.py: events per scenario beside what people do by hand, mean + 3 sd per minute."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.patterns import mine
from obs_magics.analysis.surges import detect

HERE = Path(__file__).resolve().parent
SCORER = HERE.parents[1].parent / "shared" / "scoring" / "surges.py"
COLUMNS = ["scenario", "kind", "service", "start", "end", "lines"]
AIMS = {"recall": 0.95, "precision": 0.90, "onset_median_s": 5.0, "onset_p90_s": 30.0, "cascade_order": 0.90}
_MINUTE = 60.0
_DEVIATIONS = 3.0
_QUICK = 3  # scenarios

Event = tuple[Any, Any, str, float, float]  # pattern, service, kind, start, end
Row = tuple[Any, ...]  # as in COLUMNS


def run(data: Path, out: Path, quick: bool) -> dict[str, float]:
    """Write `surges.parquet`, and score it and the minutes where truth lies beside the lines.

    Args:
        data: Folder with surge_lines.parquet; the truth beside it is read by the scorer alone.
        out: Where the predictions go.
        quick: Look at the first few scenarios only; nothing is scored then.

    Returns:
        Numbers by name; `minutes_…` are those of mean + 3 sd per minute.
    """
    lines = pd.read_parquet(data / "surge_lines.parquet", columns=["scenario", "line_id", "t", "service", "message"])
    if quick:
        lines = lines[lines["scenario"].isin(sorted(lines["scenario"].unique())[:_QUICK])]
    ours: list[Row] = []
    minutes: list[Row] = []
    mining = detecting = 0.0
    for _, group in lines.sort_values("t", kind="stable").groupby("scenario", sort=True):
        begun = time.perf_counter()
        coded = group.assign(pattern=mine(group["message"].tolist()).assignment.astype(np.int64))
        mined = time.perf_counter()
        events = list(_ours(coded))
        mining, detecting = mining + mined - begun, detecting + time.perf_counter() - mined
        ours += _rows(coded, events)
        minutes += _rows(coded, _by_minute(coded))
    predicted = pd.DataFrame(ours, columns=COLUMNS)
    predicted.to_parquet(out / "surges.parquet", index=False)
    result = {"detections": float(len(predicted)), "mine_seconds": mining, "detect_seconds": detecting}
    result["lines_per_second"] = len(lines) / max(detecting, 1e-9)
    if not quick and (data / "surge_events.parquet").exists() and SCORER.exists():
        result |= _scores(data, predicted)
        result |= {
            f"minutes_{name}": value for name, value in _scores(data, pd.DataFrame(minutes, columns=COLUMNS)).items()
        }
    return result


def _ours(lines: pd.DataFrame) -> Iterator[Event]:
    services, names = pd.factorize(lines["service"], sort=True)
    times_ns = np.round(lines["t"].to_numpy() * 1e9).astype(np.int64)
    for one in detect(lines["pattern"].to_numpy(), services, times_ns):
        kind = "drop" if one.kind == "vanished" else one.kind
        yield one.pattern, names[one.service], kind, one.start_ns / 1e9, one.end_ns / 1e9


def _by_minute(lines: pd.DataFrame) -> Iterator[Event]:
    """Minutes that lie more than three standard deviations off the mean; those in a row are one event."""
    bins = int(lines["t"].max() // _MINUTE) + 1
    for (pattern, service), own in lines.groupby(["pattern", "service"], sort=True)["t"]:
        counts = np.bincount((own // _MINUTE).astype(np.int64), minlength=bins)
        off = (counts - counts.mean()) / max(float(counts.std()), 1e-9)
        for kind, odd in (("surge", off > _DEVIATIONS), ("drop", off < -_DEVIATIONS)):
            edges = np.flatnonzero(np.diff(np.concatenate([[0], odd.astype(np.int8), [0]])))
            for start, end in edges.reshape(-1, 2).tolist():
                yield pattern, service, kind, start * _MINUTE, end * _MINUTE


def _rows(lines: pd.DataFrame, events: Iterable[Event]) -> Iterator[Row]:
    """Events as the scorer reads them; a nanosecond of slack for what rounding does to the first and last line."""
    seconds = lines["t"]
    for pattern, service, kind, start, end in events:
        inside = seconds < start if kind == "drop" else seconds.between(start - 1e-9, end + 1e-9)
        own = lines["line_id"][(lines["pattern"] == pattern) & (lines["service"] == service) & inside]
        yield lines["scenario"].iloc[0], kind, service, start, end, own.tolist()


def _scores(data: Path, predicted: pd.DataFrame) -> dict[str, float]:
    spec = importlib.util.spec_from_file_location("surges_scorer", SCORER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    scores: dict[str, Any] = module.score(str(data), predicted)
    right, of = (int(part) for part in str(scores.pop("cascade_order")).split("/"))
    numbers = {name: float("nan") if value is None else float(value) for name, value in scores.items()}
    return {**numbers, "cascade_order": right / of if of else float("nan")}
