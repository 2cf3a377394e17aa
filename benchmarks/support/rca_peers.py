"""What others would say of the same cases: n-sigma and BARO (fse-baro, in a Python of its own), and PageRank.

They get what they can use: the metrics, the two windows, and the call graph (PageRank). Where a case has no window,
they get the one that our engine found.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.root_cause import Observations
from obs_magics.analysis.root_cause.case import Case
from obs_magics.analysis.root_cause.inputs import nanoseconds

HERE = Path(__file__).resolve().parent
STEP_NS = 60 * 1_000_000_000
DAMPING = 0.85
ROUNDS = 100

Rankings = dict[str, dict[str, Any]]


def rankings(cases: Mapping[str, Observations], python: Path) -> dict[str, Rankings]:
    """By method and case: `ranking` and `cpu_s`; a method that cannot run has the entry `missing`."""
    tables = {name: table for name, given in cases.items() if (table := _wide(given)) is not None}
    found: dict[str, Rankings] = {"PageRank": _page_rank(cases, tables)}
    found.update(_by_library(tables, python))
    return found


def _wide(given: Observations) -> pd.DataFrame | None:
    """Instants × series of one case, the reference first; series are named by service, metric and instance."""
    case, frame = Case.of(given), given.metrics
    if case is None or frame is None:
        return None
    instants = nanoseconds(frame["timestamp"])
    step = _step(instants)
    keys = ["service", "metric", "instance"]
    series = frame.groupby(keys, observed=True, sort=True).ngroup().to_numpy()
    cells = pd.DataFrame({"at": instants // step * step, "series": series, "value": frame["value"].to_numpy()})
    wide = cells.groupby(["at", "series"], sort=True)["value"].mean().unstack()
    first = frame.iloc[np.unique(series, return_index=True)[1]][keys].astype(str)
    wide.columns = pd.Index(["\t".join(name) for name in first.itertuples(index=False)])
    wide = wide.ffill().bfill().dropna(axis=1)
    period = ((wide.index >= case.incident.start_ns) & (wide.index < case.incident.end_ns)).astype(int)
    wide.insert(0, "period", period)
    return wide.sort_values("period", kind="stable").reset_index(drop=True)


def _step(instants: np.ndarray[Any, Any]) -> int:
    gaps = np.diff(np.unique(instants))
    return int(np.median(gaps)) if len(gaps) and np.median(gaps) < STEP_NS / 10 else STEP_NS


def _by_library(tables: Mapping[str, pd.DataFrame], python: Path) -> dict[str, Rankings]:
    if not python.exists():
        why = {"missing": {"why": f"there is no {python}: see requirements-peers-rca.txt, or --peers PYTHON"}}
        return {"n-sigma": why, "BARO": why}
    with tempfile.TemporaryDirectory(prefix="obs-bench-") as folder:
        for name, table in tables.items():
            table.to_csv(Path(folder, f"{name}.csv"), index=False)
        target = Path(folder, "out.json")
        command = [str(python), str(HERE / "rca_baro.py"), folder, str(target)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no output"])[-1]
            return {"BARO": {"missing": {"why": f"does not run: {last}"}}}
        told: dict[str, Rankings] = json.loads(target.read_text())
    return {
        method: {name: {"ranking": _services(one["ranks"]), "cpu_s": one["seconds"]} for name, one in by_case.items()}
        for method, by_case in told.items()
    }


def _services(series: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(name.split("\t")[0] for name in series))


def _page_rank(cases: Mapping[str, Observations], tables: Mapping[str, pd.DataFrame]) -> Rankings:
    """Personalised PageRank over the call graph, from callers to callees, restarting at what is most unusual.

    The idea of MicroRCA (Wu et al., NOMS 2020), with n-sigma as the measure of the unusual.
    """
    found: Rankings = {}
    for name, table in tables.items():
        began = time.process_time()
        case = Case.of(cases[name])
        unusual = _n_sigma(table)
        calls = case.calls if case else frozenset()
        nodes = sorted(set(unusual) | {service for call in calls for service in call})
        scores = _walk(nodes, calls, unusual)
        ranked = sorted(nodes, key=lambda node: (-scores[node], node))
        found[name] = {"ranking": ranked, "cpu_s": time.process_time() - began}
    return found


def _n_sigma(table: pd.DataFrame) -> dict[str, float]:
    """By service: how many standard deviations its most unusual series went, at most."""
    before, during = (table[table["period"] == side].drop(columns="period") for side in (0, 1))
    spread = before.std().replace(0, np.nan)
    away = ((during - before.mean()).abs().max() / spread).fillna(0.0)
    best: dict[str, float] = defaultdict(float)
    for series, value in away.items():
        service = str(series).split("\t")[0]
        best[service] = max(best[service], float(value))
    return best


def _walk(nodes: Sequence[str], calls: frozenset[tuple[str, str]], start: Mapping[str, float]) -> dict[str, float]:
    place = {node: at for at, node in enumerate(nodes)}
    steps = np.zeros((len(nodes), len(nodes)))
    for caller, callee in calls:
        steps[place[callee], place[caller]] = 1.0 + start.get(callee, 0.0)
    total = steps.sum(axis=0)
    restart = np.array([start.get(node, 0.0) for node in nodes])
    restart = restart / restart.sum() if restart.sum() else np.full(len(nodes), 1.0 / max(len(nodes), 1))
    steps = np.divide(steps, total, out=np.tile(restart[:, None], (1, len(nodes))), where=total > 0)
    now = restart
    for _ in range(ROUNDS):
        now = DAMPING * steps @ now + (1 - DAMPING) * restart
    return dict(zip(nodes, now.tolist(), strict=True))
