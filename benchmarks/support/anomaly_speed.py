"""CPU seconds and memory of examining 10,000 series of 1,440 points, in a process of its own; beside a forest for each.

Run with a number of series it examines so many and prints what that cost as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SERIES, POINTS = 10_000, 1_440
_QUICK = 1_000
_PEER_SERIES = 50  # a forest for each costs a tenth of a second: the rest is reckoned
_CHUNK = 500
_STEP_NS = 60_000_000_000
_START_NS = 1_760_000_000 * 1_000_000_000
_FAULTY = 0.05

Array = np.ndarray[Any, Any]


def run(peers: Path, *, quick: bool) -> dict[str, Any]:
    """What it costs; and what a forest for each series would, from a few of them."""
    from support import anomaly_peers

    many = _QUICK if quick else SERIES
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, __file__, str(many)], check=True, capture_output=True, text=True, env=environment
    )
    found: dict[str, Any] = {"series": many, "points": POINTS} | json.loads(done.stdout.splitlines()[-1])
    told, _ = anomaly_peers.marks(peers, "forest", _table(_PEER_SERIES))
    found["forest_each"] = told if "missing" in told else {"seconds": told["seconds"] * many / _PEER_SERIES}
    return found


def values(many: int) -> Array:
    """Series of a day by the minute: noise, rhythms of 37 min to 4 h, hourly jobs; one in twenty with a fault."""
    random = np.random.default_rng(0)
    minutes = np.arange(POINTS)
    table = np.empty((many, POINTS))
    for first in range(0, many, _CHUNK):
        rows = min(_CHUNK, many - first)
        column = (rows, 1)
        part = random.normal(size=(rows, POINTS)) * random.uniform(0.5, 5, column) + random.uniform(20, 200, column)
        wave = 10 * np.sin(2 * np.pi * minutes / random.choice([37, 60, 120, 240], column))
        part += np.where(random.random(column) < 0.3, wave, 0.0)
        part += np.where(random.random(column) < 0.2, (minutes % 60 == 5) * 50.0, 0.0)
        for row in np.flatnonzero(random.random(rows) < _FAULTY).tolist():
            start = int(random.integers(200, 1300))
            part[row, start : start + int(random.integers(1, 60))] += 60
        table[first : first + rows] = part
    return table


def _table(many: int) -> pd.DataFrame:
    times = pd.to_datetime(np.tile(_START_NS + _STEP_NS * np.arange(POINTS), many), utc=True)
    names = np.repeat([f"s{number}" for number in range(many)], POINTS)
    return pd.DataFrame({"series_id": names, "timestamp": times, "value": values(many).ravel()})


def main() -> None:
    """Examine so many series, and say what that cost."""
    from obs_magics.analysis.anomaly import examine
    from obs_magics.model.frames import metrics_frame

    many = int(sys.argv[1])
    labels = [{"__name__": "load", "pod": f"pod-{number}", "zone": f"z{number % 10}"} for number in range(many)]
    times = np.tile(_START_NS + _STEP_NS * np.arange(POINTS), many)
    frame = metrics_frame(labels, np.full(many, POINTS), times, values(many).ravel())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.process_time()
    found = examine(frame)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu_seconds": seconds, "frame_mb": before, "peak_mb": peak, "events": len(found.events)}))


if __name__ == "__main__":
    main()
