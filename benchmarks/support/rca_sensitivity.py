"""How much the ranking of services depends on the weights of the signals, which are set by hand.

Two questions: what happens when one weight is halved or doubled; and what would come out had the weights been chosen
without ever seeing one sort of fault (leave one fault type out, over a grid).
"""

from __future__ import annotations

import itertools
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.rca_cases import observations
from support.rca_scores import rank

from obs_magics.analysis.root_cause.case import Case
from obs_magics.analysis.root_cause.findings import Finding
from obs_magics.analysis.root_cause.fusion import WEIGHTS, suspects

Weights = Mapping[Any, float]

FACTORS = (0.5, 2.0)
GRID: Mapping[str, Sequence[float]] = {
    "logs": (2.0, 4.0, 6.0),
    "calls": (1.0, 2.0, 3.0),
    "symptom": (0.7, 1.3, 2.0),
    "metrics": (0.5, 1.0, 1.5),
}


@dataclass(frozen=True)
class Told:
    """A case with its findings, which do not depend on the weights."""

    group: str
    fault: str
    truth: str
    findings: Sequence[Finding]
    calls: frozenset[tuple[str, str]]

    def right(self, weights: Weights) -> bool:
        """Whether the first service is the right one."""
        ranked = [suspect.service for suspect in suspects(self.findings, self.calls, weights=weights)]
        return rank(ranked, self.truth) == 1


def measured(folders: Sequence[Path], truth: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """AC@1 by set for each variation, and with each sort of fault left out."""
    told = list(_told(folders, truth))
    varied = {
        f"{signal} × {factor:g}": _by_set(told, {**WEIGHTS, signal: WEIGHTS[signal] * factor})
        for signal in WEIGHTS
        for factor in FACTORS
    }
    return {"as set": _by_set(told, WEIGHTS), "varied": varied, "fault left out": _left_out(told)}


def _told(folders: Sequence[Path], truth: Mapping[str, Mapping[str, Any]]) -> Iterator[Told]:
    for folder in folders:
        case, label = Case.of(observations(folder)), truth.get(folder.name)
        if case is not None and label is not None:
            fault = " ".join(str(label.get("fault") or "").split()[:4])
            yield Told(label["set"], fault, label["root_cause_service"], case.findings, case.calls)


def _by_set(told: Sequence[Told], weights: Weights) -> dict[str, float]:
    found: dict[str, list[bool]] = defaultdict(list)
    for one in told:
        found[one.group].append(one.right(weights))
    return {group: statistics.mean(right) for group, right in sorted(found.items())}


def _left_out(told: Sequence[Told]) -> dict[str, float]:
    """By set: the mean over settings that are best without the fault in question, for the cases that have it."""
    settings = [{**WEIGHTS, **dict(zip(GRID, values, strict=True))} for values in itertools.product(*GRID.values())]
    right = [[one.right(weights) for one in told] for weights in settings]
    found: dict[str, list[float]] = defaultdict(list)
    for group, fault in sorted({(one.group, one.fault) for one in told}):
        out = [at for at, one in enumerate(told) if (one.group, one.fault) == (group, fault)]
        kept = [sum(row) - sum(row[at] for at in out) for row in right]
        best = [row for row, score in zip(right, kept, strict=True) if score == max(kept)]
        found[group] += [statistics.mean(row[at] for row in best) for at in out]
    return {group: statistics.mean(values) for group, values in found.items()}


def table(found: Mapping[str, Any]) -> str:
    """What `measured` found, to read: AC@1."""
    groups = list(found["as set"])
    rows = {"as set": found["as set"], **found["varied"], "fault left out": found["fault left out"]}
    lines = ["weights" + " " * 17 + "".join(f"{group:>16}" for group in groups)]
    lines += [f"  {name:<22}" + "".join(f"{row[group]:>16.3f}" for group in groups) for name, row in rows.items()]
    return "\n".join(lines)
