"""Predictions for entities with many metrics: events at three sensitivities, and a score for every point."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from obs_magics.analysis.anomaly.joint_entities import wide_entities
from obs_magics.analysis.anomaly.together import detect_entities, scores_together
from obs_magics.model.anomalies import SENSITIVITIES

_TRUTH = "label"


def load(path: Path) -> pd.DataFrame:
    """The measurements of a file, without its labels: entity, timestamp, one column per metric."""
    names = [name for name in pq.read_schema(path).names if name != _TRUTH]
    return pd.read_parquet(path, columns=names)


def predict(path: Path, out: Path) -> list[Path]:
    """Write ``detections-NAME-{low,medium,high}.parquet`` and ``points-NAME.parquet`` for one file.

    Returns:
        The files written.
    """
    watched = wide_entities(load(path))
    written = []
    for sensitivity in SENSITIVITIES:
        found = detect_entities(watched, sensitivity=sensitivity)
        table = pd.DataFrame(
            {"series_id": found["series"], "start": found["start"], "end": found["end"], "score": found["score"]}
        )
        written.append(out / f"detections-{path.stem}-{sensitivity}.parquet")
        table.to_parquet(written[-1])
    written.append(out / f"points-{path.stem}.parquet")
    scores_together(watched).to_parquet(written[-1])
    return written
