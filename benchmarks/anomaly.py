"""Anomalies of metrics: events and scores per point, beside what people do by hand; what gaps cost; speed and memory.

usage: .venv/bin/python benchmarks/anomaly.py [--data DIR] [--out DIR] [--quick] [--peers PYTHON]

For every NAME.parquet in the folder writes detections-NAME-{low,medium,high}.parquet (series_id, start, end, score) and
points-NAME.parquet (series_id, timestamp, score), and result.json. Files named mv_* hold entities with many metrics.
What predicts reads no labels; they are read again, to score. The peers need a Python of their own
(requirements-peers-anomaly.txt).
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

JOINT = "mv_"


def main() -> None:
    """Predict, score, measure; print the tables, write the files."""
    from support import anomaly_mv, anomaly_peers, anomaly_scores, anomaly_series, anomaly_speed, anomaly_tables

    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"versions": _versions(), "sets": {}, "peers": {}, "harmed": {}}
    for path in sorted(options.data.glob("*.parquet")):
        if path.stem.startswith(JOINT):
            anomaly_mv.predict(path, options.out)
        else:
            anomaly_series.predict(path, options.out)
        if not anomaly_scores.has_labels(path):
            continue
        result["sets"][path.stem] = anomaly_scores.scores(path, options.out, quick=options.quick)
        if not path.stem.startswith(JOINT):
            result["peers"][path.stem] = anomaly_peers.scores(path, options.peers, quick=options.quick)
            if not options.quick:
                result["harmed"][path.stem] = anomaly_series.harmed_scores(path)
        print(anomaly_tables.of_set(path.stem, result), flush=True)
    result["speed"] = anomaly_speed.run(options.peers, quick=options.quick)
    print(anomaly_tables.of_all(result))
    written = options.out / "result.json"
    written.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {written}")


def _versions() -> dict[str, str]:
    names = ("numpy", "pandas", "scipy", "pyarrow")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "anomaly", help="parquet files")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "benchmarks" / "anomaly", help="what is written")
    parser.add_argument("--quick", action="store_true", help="fewer series for speed, no points scored, nothing harmed")
    parser.add_argument(
        "--peers", type=Path, default=ROOT / ".venv-peers-anomaly" / "bin" / "python", help="the peers' Python"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
