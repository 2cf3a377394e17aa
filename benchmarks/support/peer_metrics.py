"""Run by the peers' Python: what one library makes of a body. Prints one line of JSON.

usage: PYTHON peer_metrics.py LIBRARY BODY ROUNDS
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any


def _api_client() -> Callable[[Any], Any]:
    from prometheus_api_client import MetricRangeDataFrame  # type: ignore[import-not-found]

    return lambda answer: MetricRangeDataFrame(answer["data"]["result"])


def _prometheus_pandas() -> Callable[[Any], Any]:
    from prometheus_pandas.query import to_pandas  # type: ignore[import-not-found]

    return lambda answer: to_pandas(answer["data"])


def _points() -> Callable[[Any], Any]:
    """What people write by hand: a list of points."""
    import pandas as pd

    def build(answer: Any) -> Any:
        rows = [
            {"timestamp": float(stamp), "value": float(value), **series["metric"]}
            for series in answer["data"]["result"]
            for stamp, value in series["values"]
        ]
        frame = pd.DataFrame(rows)
        frame["timestamp"] = pd.to_datetime(frame["timestamp"], unit="s", utc=True)
        return frame

    return build


LIBRARIES: dict[str, Callable[[], Callable[[Any], Any]]] = {
    "prometheus-api-client": _api_client,
    "prometheus-pandas": _prometheus_pandas,
    "pandas": _points,
}


def main() -> None:
    """Measure one library."""
    library, path, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    body = path.read_bytes()
    build = LIBRARIES[library]()
    seconds, parsing = [], []
    frame = None
    gc.disable()
    for _ in range(rounds):
        began = time.process_time()
        answer = json.loads(body)
        parsed = time.process_time()
        frame = build(answer)
        seconds.append(time.process_time() - parsed)
        parsing.append(parsed - began)
        del answer
    memory = int(frame.memory_usage(deep=True).sum()) if frame is not None else 0
    told = {"frame_seconds": min(seconds), "json_seconds": min(parsing), "frame_bytes": memory}
    versions = {"library": version(library), "pandas": version("pandas"), "python": sys.version.split()[0]}
    print(json.dumps({**told, "versions": versions}))


if __name__ == "__main__":
    main()
