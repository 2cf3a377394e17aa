"""The engine on incidents that are made up (`rca_worlds`): by fault, by what evidence there is, and how sure it is.

Seeds from `FIRST` on were never looked at while the engine was made; those below were read one by one.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from support.rca_scores import brier, labels, scores
from support.rca_worlds import make, write

FIRST, MANY, STRIDE = 200, 200, 11  # the stride meets all faults and all sorts of evidence early
SET = "made"
_SHOWN = ("AC@1", "AC@3", "Avg@5", "change AC@1", "change AC@3", "decoy first", "no change seen")

Said = Mapping[str, Mapping[str, Any]]


def seeds(many: int) -> list[int]:
    """So many of the seeds that were not looked at, spread over faults and evidence."""
    return [FIRST + at * STRIDE % MANY for at in range(min(many, MANY))]


def measured(out: Path, worlds: Sequence[int], predict: Callable[[Path], Mapping[str, Any]]) -> dict[str, Any]:
    """Scores of all cases, by fault and by evidence; of quiet ones how often they were told to be so; Brier score.

    Args:
        out: Where the cases are written.
        worlds: Their seeds.
        predict: What is said of one case folder.
    """
    folders = [out / SET / f"made_{seed:05d}" for seed in worlds]
    for seed, folder in zip(worlds, folders, strict=True):
        if not (folder / "label.json").exists():
            write(make(seed), folder)
    return scored({folder.name: predict(folder) for folder in folders}, labels(folders))


def scored(said: Said, truth: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What `measured` says, of predictions that were made before."""
    real = {name: label for name, label in truth.items() if label["root_cause_service"] is not None}
    quiet = [said[name]["conclusion"] for name in truth if name not in real]
    found: dict[str, Any] = {"all": scores(said, real).get(SET, {})}
    for key in ("fault", "evidence"):
        groups: dict[str, dict[str, Any]] = defaultdict(dict)
        for name, label in real.items():
            groups[label[key]][name] = {**label, "set": SET}
        found[key] = {group: scores(said, cases)[SET] for group, cases in sorted(groups.items())}
    if quiet:
        found["quiet"] = {
            "cases": len(quiet),
            "not enough evidence": statistics.mean(one == "not enough evidence" for one in quiet),
            "no change held": statistics.mean(one != "a change" for one in quiet),
        }
    found["confidence"] = brier(said, truth)
    return found


def table(found: Mapping[str, Any]) -> str:
    """What `measured` found, to read."""
    rows = {"made up": found["all"], **found["evidence"], **found["fault"]}
    lines = ["made up" + " " * 19 + "cases" + "".join(f"{name:>15}" for name in _SHOWN)]
    for name, row in rows.items():
        numbers = "".join(f"{row[one]:>15.2f}" if one in row else f"{'–':>15}" for one in _SHOWN)
        lines.append(f"  {name:<22}{row.get('cases', 0):>7.0f}{numbers}")
    if "quiet" in found:
        quiet = found["quiet"]
        lines.append(
            f"  nothing happened: {quiet['cases']} cases, “not enough evidence” {quiet['not enough evidence']:.2f}, "
            f"no change held {quiet['no change held']:.2f}"
        )
    sure = found["confidence"]
    if sure:
        lines.append(
            f"  confidence, {sure['cases']} cases: Brier {sure['brier']:.3f} (always saying {sure['right']:.2f}: "
            f"{sure['base']:.3f}), mean {sure['mean confidence']:.2f}"
        )
    return "\n".join(lines)
