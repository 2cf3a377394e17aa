"""Worlds as case folders in the form of `data/rca/FORMAT.md`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from support.rca_worlds.exporters import FAILURES, LATENCIES, metrics_of
from support.rca_worlds.requests import recorded
from support.rca_worlds.series import metrics_table, unseen
from support.rca_worlds.world import World


def write(world: World, folder: Path) -> None:
    """One case: manifest.json, label.json, metrics.parquet, and logs.parquet and traces.parquet where there are any."""
    folder.mkdir(parents=True, exist_ok=True)
    logs, traces = recorded(world)
    for name, table in (("metrics", metrics_table(world)), ("logs", logs), ("traces", traces)):
        if table is not None and len(table):
            found = pa.Table.from_pandas(table, preserve_index=False)
            pq.write_table(found, folder / f"{name}.parquet", compression="zstd")
    (folder / "manifest.json").write_text(json.dumps(_manifest(world, folder.name), indent=1) + "\n")
    (folder / "label.json").write_text(json.dumps(_label(world), indent=1) + "\n")


def _manifest(world: World, name: str) -> dict[str, Any]:
    nodes = world.graph.nodes
    hidden = unseen(world)
    topology = (
        []
        if world.evidence == "metrics only"
        else [
            [nodes[edge.caller].name, nodes[edge.callee].name]
            for edge in world.graph.edges
            if edge.caller not in hidden and edge.callee not in hidden
        ]
    )
    alert = next((event["ts"] for event in world.events if event["kind"] == "alert"), world.start + 180)
    return {
        "id": name,
        "dataset": "made",
        "incident_start": world.told_start,
        "incident_end": world.told_end,
        "alert_at": None if world.told_start else alert,
        "reference": "everything outside of the incident",
        "symptom": _symptom(world),
        "topology": topology,
        "events": sorted(world.events, key=lambda event: (event["ts"], event.get("id") or "")),
    }


def _symptom(world: World) -> dict[str, str] | None:
    """Where it was noticed, by a metric of its own or by a word that no metric has."""
    if world.symptom is None:
        return None
    node = world.graph.nodes[world.symptom]
    errors, latency = _worse(world)
    if world.seed % 4 == 0:
        return {"service": node.name, "metric": "latency/success"}
    wanted = FAILURES if errors > latency else LATENCIES
    names = [metric.name for kind in wanted for metric in metrics_of(node) if metric.quantity == kind]
    return {"service": node.name, "metric": names[0] if names else ""}


def _worse(world: World) -> tuple[float, float]:
    """How much errors and latency of the symptom's node rose, in units in which people notice."""
    state, at = world.state, world.symptom or 0
    during = (state.seconds >= world.start) & (state.seconds < world.end)
    errors = state.errors[during, at].mean() - state.errors[~during, at].mean()
    return float(errors / 0.02), float(state.latency[during, at].mean() / state.latency[~during, at].mean() - 1) / 0.3


def _label(world: World) -> dict[str, Any]:
    quiet = world.fault == "nothing"
    return {
        "root_cause_service": None if quiet else world.graph.nodes[world.place].name,
        "fault": world.fault,
        "evidence": world.evidence,
        **({"root_cause_change": world.cause or "none", "decoys": world.decoys} if world.events else {}),
    }
