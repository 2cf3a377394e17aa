"""Scores of rankings against the labels, which are read here and nowhere else."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Said = Mapping[str, Mapping[str, Any]]


def labels(folders: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """By case; empty where no label lies beside it."""
    found = {}
    for folder in folders:
        path = folder / "label.json"
        if path.exists():
            found[folder.name] = {**json.loads(path.read_text()), "set": folder.parent.name}
    return found


def scores(said: Said, truth: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """By set: AC@1, AC@3, AC@5, Avg@5, median CPU seconds; for changes AC@1, AC@3, decoy first, none recognised."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, label in truth.items():
        groups[label["set"]].append(name)
    return {group: _of_set(names, said, truth) for group, names in sorted(groups.items())}


def _of_set(names: Sequence[str], said: Said, truth: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    ranks = [rank(said.get(name, {}).get("ranking", ()), truth[name]["root_cause_service"]) for name in names]
    found: dict[str, float] = {"cases": len(names)}
    found |= {f"AC@{k}": _share(ranks, k) for k in (1, 3, 5)}
    found["Avg@5"] = statistics.mean(_share(ranks, k) for k in range(1, 6))
    seconds = [said[name]["cpu_s"] for name in names if name in said and "cpu_s" in said[name]]
    if seconds:
        found["cpu_s"] = statistics.median(seconds)
    return found | _of_changes(names, said, truth)


def _of_changes(names: Sequence[str], said: Said, truth: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    told = {name: truth[name].get("root_cause_change") for name in names}
    changed = [name for name, change in told.items() if change and change != "none"]
    none = [name for name, change in told.items() if change == "none"]
    if not changed or not any("changes" in said.get(name, {}) for name in names):
        return {}
    ranks = [rank(said[name]["changes"], told[name] or "") for name in changed]
    decoys = [said[name]["changes"][:1] for name in changed]
    first = sum(
        bool(one) and one[0] in truth[name].get("decoys", ()) for one, name in zip(decoys, changed, strict=True)
    )
    found = {"change AC@1": _share(ranks, 1), "change AC@3": _share(ranks, 3), "decoy first": first / len(changed)}
    if none:
        found["no change seen"] = sum(not said[name]["changes"] for name in none) / len(none)
    return found


def rank(ranking: Sequence[str], truth: str) -> int | None:
    """The place of the truth among distinct entries, from 1."""
    distinct = list(dict.fromkeys(ranking))
    return distinct.index(truth) + 1 if truth in distinct else None


def _share(ranks: Sequence[int | None], k: int) -> float:
    return sum(place is not None and place <= k for place in ranks) / len(ranks) if ranks else float("nan")


def brier(said: Said, truth: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """How far the confidence in the first service lies from what came true: mean squared difference (Brier 1950).

    `base` is that of saying the share of right answers every time.
    """
    pairs = [
        (float(said[name]["confidence"]), float(rank(said[name]["ranking"], label["root_cause_service"]) == 1))
        for name, label in truth.items()
        if said.get(name, {}).get("confidence") is not None
    ]
    if not pairs:
        return {}
    right = statistics.mean(came for _sure, came in pairs)
    return {
        "cases": len(pairs),
        "brier": statistics.mean((sure - came) ** 2 for sure, came in pairs),
        "base": statistics.mean((right - came) ** 2 for _sure, came in pairs),
        "mean confidence": statistics.mean(sure for sure, _came in pairs),
        "right": right,
    }
