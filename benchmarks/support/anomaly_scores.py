"""Scores of predictions against labels, with the scorer's own functions; the labels are read here and nowhere else."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
SCORER = HERE.parents[1].parent / "shared" / "scoring" / "anomaly.py"
LABEL = "label"
LEVELS = ("low", "medium", "high")
_DAY = 86_400.0
_KIND_PARTS = 5  # of the id of a series whose fault was made: set, kind, background, spacing, number

Truth = Mapping[str, tuple[Any, Any]]  # series → seconds, labels


def has_labels(path: Path) -> bool:
    """Whether a file can be scored."""
    return LABEL in pq.read_schema(path).names and SCORER.exists()


def truth(path: Path) -> Truth:
    """Instants in seconds and labels of each series or entity."""
    key = "series_id" if "series_id" in pq.read_schema(path).names else "entity"
    table = pd.read_parquet(path, columns=[key, "timestamp", LABEL])
    return {
        str(name): (_seconds(own["timestamp"]), own[LABEL].to_numpy() > 0)
        for name, own in table.groupby(table[key].astype(str))
    }


def scores(path: Path, out: Path, *, quick: bool) -> dict[str, Any]:
    """Scores of one set at each sensitivity, and of its points."""
    known = truth(path)
    found: dict[str, Any] = {}
    for level in LEVELS:
        detections = pd.read_parquet(out / f"detections-{path.stem}-{level}.parquet")
        found[level] = event_scores(known, detections)
        if all(name.count("/") == _KIND_PARTS - 1 for name in known):
            found[level]["kinds"] = last_day(known, detections)
    if not quick:
        found["vus_pr"] = vus(known, pd.read_parquet(out / f"points-{path.stem}.parquet"))
    return found


def event_scores(known: Truth, detections: pd.DataFrame) -> dict[str, float]:
    """Event F1 (macro), precision and recall (pooled), false alarms per series-day: of all, and of the worst series."""
    rows = _rows(known, detections)
    labelled = rows[rows["labels"] > 0]
    precision, recall, _ = scorer().prf(rows["hits"].sum(), rows["false"].sum(), rows["labels"].sum())
    return {
        "f1": float(labelled["f1"].mean()),
        "precision": float(precision),
        "recall": float(recall),
        "false_a_day": float(rows["false"].sum() / rows["days"].sum()),
        "worst_a_day": float((rows["false"] / rows["days"]).max()),
        "hits": int(rows["hits"].sum()),
        "false": int(rows["false"].sum()),
    }


def last_day(known: Truth, detections: pd.DataFrame) -> dict[str, dict[str, float]]:
    """By the kind of fault (the second part of a series' id): recall, and false alarms in the last 24 hours."""
    end = {name: seconds[-1] for name, (seconds, _) in known.items()}
    ends = _seconds(detections["end"])
    limits = detections["series_id"].astype(str).map(end).to_numpy(dtype=np.float64) - _DAY
    rows = _rows(known, detections[ends >= limits])
    rows["kind"] = [name.split("/")[1] for name in rows["series"]]
    return {
        str(kind): {
            "recall": float(own["hits"].sum() / max(1, own["labels"].sum())),
            "false": float(own["false"].mean()),
        }
        for kind, own in rows.groupby("kind")
    }


def vus(known: Truth, points: pd.DataFrame) -> float:
    """Mean VUS-PR over series with labels."""
    ranked = {
        str(name): pd.Series(own["score"].to_numpy(np.float64), index=_seconds(own["timestamp"]))
        for name, own in points.groupby(points["series_id"].astype(str))
    }
    found = []
    for name, (times, labels) in known.items():
        if labels.any() and name in ranked:
            own = ranked[name][~ranked[name].index.duplicated()]
            values = np.nan_to_num(own.reindex(times).to_numpy(), nan=float(own.min()))
            found.append(scorer().vus_pr(labels, values))
    return float(np.mean(found)) if found else float("nan")


def _rows(known: Truth, detections: pd.DataFrame) -> pd.DataFrame:
    module = scorer()
    ours = {
        str(name): np.c_[_seconds(own["start"]), _seconds(own["end"])]
        for name, own in detections.groupby(detections["series_id"].astype(str))
    }
    rows = []
    for name, (times, labels) in known.items():
        step = float(np.median(np.diff(times)))
        runs = module.runs(labels, module.MERGE)
        spans = np.c_[times[runs[:, 0]], times[runs[:, 1]]] if len(runs) else np.empty((0, 2))
        hits, false, count, *_ = module.match(spans, ours.get(name, np.empty((0, 2))), step)
        days = (times[-1] - times[0]) / _DAY
        f1 = module.prf(hits, false, count)[2]
        rows.append({"series": name, "labels": count, "hits": hits, "false": false, "days": days, "f1": f1})
    return pd.DataFrame(rows)


def _seconds(instants: pd.Series[Any]) -> Any:
    plain = instants.dt.tz_localize(None) if isinstance(instants.dtype, pd.DatetimeTZDtype) else instants
    return scorer().secs(plain)


@lru_cache(maxsize=1)
def scorer() -> ModuleType:
    """The scorer's module."""
    spec = importlib.util.spec_from_file_location("anomaly_scorer", SCORER)
    if spec is None or spec.loader is None:
        raise SystemExit(f"the scorer is not at {SCORER}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
