"""How much the ranking of services depends on the weights of the signals, which are set by hand.

Three questions: what happens when one weight is halved or doubled; what when all of them, and all constants by which
findings are put together, are off at random by up to a half; and what would come out had the weights been chosen
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

import numpy as np
from support.rca_cases import observations
from support.rca_scores import rank

from obs_magics.analysis.root_cause import fusion
from obs_magics.analysis.root_cause.case import Case
from obs_magics.analysis.root_cause.findings import Finding
from obs_magics.analysis.root_cause.fusion import WEIGHTS, suspects

Weights = Mapping[Any, float]

FACTORS = (0.5, 2.0)
DRAWS, OFF = 60, 0.5
FUSION = (
    "_FOLLOWS", "_OUTCOME", "_CALLED_IN_VAIN", "_CALLED_OTHERWISE", "_OFF_GRAPH", "_NAMED", "_NOT_TRACED", "_SURE",
)  # fmt: skip
"""The constants of `analysis.root_cause.fusion` by which findings are put together."""
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
    traced: frozenset[str]

    def right(self, weights: Weights) -> bool:
        """Whether the first service is the right one."""
        ranked = suspects(self.findings, self.calls, weights=weights, traced=self.traced)
        return rank([suspect.service for suspect in ranked], self.truth) == 1


def measured(folders: Sequence[Path], truth: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """AC@1 by set for each variation, and with each sort of fault left out."""
    told = list(_told(folders, truth))
    varied = {
        f"{signal} × {factor:g}": _by_set(told, {**WEIGHTS, signal: WEIGHTS[signal] * factor})
        for signal in WEIGHTS
        for factor in FACTORS
    }
    return {
        "as set": _by_set(told, WEIGHTS),
        "varied": varied,
        **drawn(told),
        "fault left out": _left_out(told),
    }


def drawn(told: Sequence[Told]) -> dict[str, Any]:
    """AC@1 by set over `DRAWS` settings with all constants off by up to a half: the mean and the worst.

    And of each constant how much is lost, on average over all cases, in the settings in which it is far too low, and in
    those in which it is far too high.
    """
    random = np.random.default_rng(20)
    names = [*WEIGHTS, *FUSION]
    factors = random.uniform(1 - OFF, 1 + OFF, (DRAWS, len(names)))
    usual = {name: getattr(fusion, name) for name in FUSION}
    found: list[dict[str, float]] = []
    every: list[float] = []
    try:
        for row in factors:
            by_name = dict(zip(names, row.tolist(), strict=True))
            for name in FUSION:
                setattr(fusion, name, usual[name] * by_name[name])
            weights = {signal: WEIGHTS[signal] * by_name[signal] for signal in WEIGHTS}
            found.append(_by_set(told, weights))
            every.append(statistics.mean(one.right(weights) for one in told))
    finally:
        for name, value in usual.items():
            setattr(fusion, name, value)
    return {
        "drawn, mean": {group: statistics.mean(one[group] for one in found) for group in found[0]},
        "drawn, worst": {group: min(one[group] for one in found) for group in found[0]},
        "drawn, by constant": {
            name: {
                "low": float(np.mean([every[at] for at in np.flatnonzero(factors[:, place] < 1 - OFF / 2)])),
                "high": float(np.mean([every[at] for at in np.flatnonzero(factors[:, place] > 1 + OFF / 2)])),
            }
            for place, name in enumerate(names)
        },
    }


def _told(folders: Sequence[Path], truth: Mapping[str, Mapping[str, Any]]) -> Iterator[Told]:
    for folder in folders:
        case, label = Case.of(observations(folder)), truth.get(folder.name)
        if case is not None and label is not None:
            fault = " ".join(str(label.get("fault") or "").split()[:4])
            seen = case.requests.services if case.requests is not None and case.traced else frozenset()
            yield Told(label["set"], fault, label["root_cause_service"], case.findings, case.calls, seen)


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
    drawn_rows = {name: found[name] for name in ("drawn, mean", "drawn, worst")}
    rows = {"as set": found["as set"], **found["varied"], **drawn_rows, "fault left out": found["fault left out"]}
    lines = ["weights" + " " * 17 + "".join(f"{group:>16}" for group in groups)]
    lines += [f"  {name:<22}" + "".join(f"{row[group]:>16.3f}" for group in groups) for name, row in rows.items()]
    return "\n".join(lines)
