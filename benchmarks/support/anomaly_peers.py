"""What people do by hand, on the same series in the same run: an isolation forest, mean and deviations, ECOD.

Imported by benchmarks/anomaly.py; run by the peers' Python with METHOD SERIES.parquet OUT.parquet it marks the points
that the method calls anomalies, with its defaults, and prints its CPU seconds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

METHODS = {
    "forest": "IsolationForest, defaults",
    "deviations": "mean + 2.5 sd",
    "ecod": "ECOD, 3 features, defaults",
}
_DEVIATIONS = 2.5
_SMOOTH = 12  # points of the running mean that ECOD sees
_JOIN = 5  # points between two marks of one event

Marks = tuple[Any, Any]  # which points, and a score for each


def scores(path: Path, python: Path, *, quick: bool) -> dict[str, Any]:
    """Scores of every method on one file; of a method that cannot run, why."""
    from support import anomaly_scores, anomaly_series

    known = anomaly_scores.truth(path)
    frame = anomaly_series.load(path)
    found: dict[str, Any] = {}
    for method in METHODS:
        told, marked = marks(python, method, frame)
        if "missing" not in told:
            told |= anomaly_scores.event_scores(known, _events(marked))
            if not quick:
                told["vus_pr"] = anomaly_scores.vus(known, marked)
        found[method] = told
    return found


def marks(python: Path, method: str, frame: pd.DataFrame) -> tuple[dict[str, Any], pd.DataFrame]:
    """What the peers' Python says: CPU seconds and version, and the points with `mark` and `score`."""
    if not python.exists():
        return {
            "missing": f"there is no {python}: see requirements-peers-anomaly.txt, or --peers PYTHON"
        }, pd.DataFrame()
    with tempfile.TemporaryDirectory(prefix="obs-bench-") as folder:
        source, target = Path(folder, "series.parquet"), Path(folder, "marks.parquet")
        table = frame.assign(
            series_id=frame["series_id"].astype(str), timestamp=frame["timestamp"].dt.tz_localize(None)
        )
        table.to_parquet(source, index=False)
        command = [str(python), __file__, method, str(source), str(target)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            last = done.stderr.strip().splitlines() or ["no output"]
            return {"missing": f"does not run: {last[-1]}"}, pd.DataFrame()
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return told, pd.read_parquet(target)


def _events(marked: pd.DataFrame) -> pd.DataFrame:
    """Runs of marked points, as one event where few points lie between them."""
    rows = []
    for name, own in marked.groupby("series_id", sort=True):
        places = np.flatnonzero(own["mark"].to_numpy())
        if not len(places):
            continue
        breaks = np.flatnonzero(np.diff(places) > _JOIN + 1)
        firsts, lasts = np.r_[places[0], places[breaks + 1]], np.r_[places[breaks], places[-1]]
        times = own["timestamp"].to_numpy()
        rows.append(pd.DataFrame({"series_id": name, "start": times[firsts], "end": times[lasts], "score": 1.0}))
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["series_id", "start", "end", "score"])


# ── run by the peers' Python ─────────────────────────────────────────────────────────────────────────────────────────


def _forest(values: Any) -> Marks:
    from sklearn.ensemble import IsolationForest

    model = IsolationForest(random_state=0)
    marked = model.fit_predict(values[:, None]) < 0
    return marked, -model.score_samples(values[:, None])


def _deviations(values: Any) -> Marks:
    away = np.abs(values - values.mean()) / max(float(values.std()), 1e-12)
    return away > _DEVIATIONS, away


def _ecod(values: Any) -> Marks:
    from pyod.models.ecod import ECOD  # type: ignore[import-not-found]

    smooth = pd.Series(values).rolling(_SMOOTH, min_periods=1, center=True).mean().to_numpy()
    model = ECOD()
    model.fit(np.c_[values, np.diff(values, prepend=values[0]), values - smooth])
    return model.labels_ > 0, model.decision_scores_


_RUN: dict[str, tuple[str, Callable[[Any], Marks]]] = {
    "forest": ("scikit-learn", _forest),
    "deviations": ("numpy", _deviations),
    "ecod": ("pyod", _ecod),
}


def main() -> None:
    """Run one method over every series of a file."""
    method, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    distribution, run = _RUN[method]
    table = pd.read_parquet(source)
    parts = []
    seconds = 0.0
    for _, own in table.groupby("series_id", sort=True):
        began = time.process_time()
        marked, score = run(own["value"].to_numpy(dtype=np.float64))
        seconds += time.process_time() - began
        parts.append(own[["series_id", "timestamp"]].assign(mark=marked, score=score))
    pd.concat(parts).to_parquet(target, index=False)
    print(json.dumps({"version": version(distribution), "seconds": seconds}))


if __name__ == "__main__":
    main()
