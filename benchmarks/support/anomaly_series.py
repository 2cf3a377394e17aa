"""Predictions for series that are looked at one by one; and the same with points missing, late or in one long gap."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from support import anomaly_scores

from obs_magics.analysis.anomaly import detect, scores
from obs_magics.model.anomalies import SENSITIVITIES, Sensitivity

COLUMNS = ["series_id", "timestamp", "value"]  # and no other: the labels stay in the file
_SEED = 20261126
_MISSING = 0.1
_LATE = 0.2  # of a step, either way
_GAP = 0.05  # of a series, in one piece


def load(path: Path) -> pd.DataFrame:
    """The measurements of a file as a metrics frame whose label is the series' id."""
    table = pd.read_parquet(path, columns=COLUMNS)
    return pd.DataFrame(
        {
            "timestamp": table["timestamp"].dt.tz_localize("UTC").astype("datetime64[ns, UTC]"),
            "value": table["value"].astype(np.float64),
            "series_id": table["series_id"].astype("category"),
        }
    )


def predict(path: Path, out: Path) -> None:
    """Write ``detections-NAME-{low,medium,high}.parquet`` and ``points-NAME.parquet`` for one file."""
    frame = load(path)
    for sensitivity in SENSITIVITIES:
        detections(frame, sensitivity).to_parquet(out / f"detections-{path.stem}-{sensitivity}.parquet", index=False)
    points(frame).to_parquet(out / f"points-{path.stem}.parquet", index=False)


def detections(frame: pd.DataFrame, sensitivity: Sensitivity) -> pd.DataFrame:
    """Events as the scorer reads them."""
    found = detect(frame, sensitivity=sensitivity)
    own = found["series_id"].astype(str) if len(found) else pd.Series([], dtype=str)
    return pd.DataFrame(
        {
            "series_id": own,
            "start": found["start"].dt.tz_localize(None),
            "end": found["end"].dt.tz_localize(None),
            "score": found["score"],
        }
    )


def points(frame: pd.DataFrame) -> pd.DataFrame:
    """Scores per point as the scorer reads them, series by series: names of a whole frame may be clipped."""
    parts = []
    for name, own in frame.groupby("series_id", observed=True, sort=True):
        ranked = scores(own)
        parts.append(
            pd.DataFrame(
                {
                    "series_id": str(name),
                    "timestamp": ranked["timestamp"].dt.tz_localize(None),
                    "score": ranked["score"],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def harmed_scores(path: Path) -> dict[str, Any]:
    """Event F1 at medium sensitivity of the series as they are and as they often come."""
    frame = load(path)
    truth = anomaly_scores.truth(path)
    return {
        name: anomaly_scores.event_scores(truth, detections(harm(frame), "medium"))["f1"]
        for name, harm in HARMS.items()
    }


def _as_is(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


def _missing(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[np.random.default_rng(_SEED).random(len(frame)) >= _MISSING]


def _late(frame: pd.DataFrame) -> pd.DataFrame:
    random = np.random.default_rng(_SEED)
    steps = frame.groupby("series_id", observed=True)["timestamp"].transform(lambda own: own.diff().median())
    shift = steps.dt.total_seconds().to_numpy() * random.uniform(-_LATE, _LATE, len(frame))
    return frame.assign(
        timestamp=frame["timestamp"] + pd.to_timedelta(np.round(shift * 1e9).astype(np.int64), unit="ns")
    )


def _gap(frame: pd.DataFrame) -> pd.DataFrame:
    random = np.random.default_rng(_SEED)
    sizes = frame.groupby("series_id", observed=True)["value"].transform("size").to_numpy()
    place = frame.groupby("series_id", observed=True).cumcount().to_numpy() / sizes
    begins = dict(zip(frame["series_id"].unique(), random.uniform(0.1, 0.8, frame["series_id"].nunique()), strict=True))
    begin = frame["series_id"].map(begins).astype(np.float64).to_numpy()
    return frame[(place < begin) | (place >= begin + _GAP)]


HARMS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "as it is": _as_is,
    "10 % missing": _missing,
    "jitter of 20 % of a step": _late,
    "a gap of 5 %": _gap,
}
