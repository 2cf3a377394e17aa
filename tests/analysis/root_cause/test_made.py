"""Incidents that are made up: most of them found, none of the innocent changes blamed, and the same answer twice."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import support

from obs_magics.analysis.root_cause import Periods, explain, mismatches
from obs_magics.analysis.root_cause.case import Case
from obs_magics.model.root_cause import RootCauseReport

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"
SEEDS = range(1000, 1020)  # one of each sort of fault
MUST = 0.7  # of them, far below what is usual: twenty are few


@pytest.fixture(scope="module")
def loaded() -> Iterator[tuple[ModuleType, ModuleType]]:
    """The makers and the reader of cases, which stand beside the benchmarks in a package of the tests' own name."""
    here = str(BENCHMARKS / "support")
    support.__path__.append(here)
    try:
        yield importlib.import_module("support.rca_worlds"), importlib.import_module("support.rca_cases")
    finally:
        support.__path__.remove(here)


@pytest.fixture(scope="module")
def told(
    loaded: tuple[ModuleType, ModuleType], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[RootCauseReport, dict[str, object]]]:
    """By case what the engine says, after every number of it was computed again, and the label."""
    worlds, cases = loaded
    found = {}
    for seed in SEEDS:
        folder = tmp_path_factory.mktemp("made") / f"made_{seed}"
        worlds.write(worlds.make(seed), folder)
        given = cases.observations(folder)
        report = explain(given)
        case = Case.of(given)
        if case is not None:
            assert mismatches(report, given, Periods(case.incident, tuple(given.references))) == []
        found[folder.name] = report, json.loads((folder / "label.json").read_text())
    return found


def test_most_services_are_found(told: dict[str, tuple[RootCauseReport, dict[str, object]]]) -> None:
    real = [(report, label) for report, label in told.values() if label["fault"] != "nothing"]
    right = [report.services[:1] == (label["root_cause_service"],) for report, label in real]
    near = [label["root_cause_service"] in report.services[:3] for report, label in real]
    assert sum(right) >= MUST * len(real)
    assert sum(near) >= sum(right)


def test_innocent_changes_are_hardly_ever_blamed(told: dict[str, tuple[RootCauseReport, dict[str, object]]]) -> None:
    pairs = [(report, label) for report, label in told.values() if "decoys" in label]
    decoys: list[set[str]] = [set(map(str, label["decoys"])) for _report, label in pairs]  # type: ignore[call-overload]
    blamed = [bool(set(report.changes[:1]) & own) for (report, _label), own in zip(pairs, decoys, strict=True)]
    assert sum(blamed) <= 0.2 * len(pairs)


def test_a_world_is_the_same_each_time(loaded: tuple[ModuleType, ModuleType], tmp_path: Path) -> None:
    worlds, cases = loaded
    for name in ("one", "two"):
        worlds.write(worlds.make(SEEDS[1]), tmp_path / name / "case")
    one, two = (explain(cases.observations(tmp_path / name / "case")) for name in ("one", "two"))
    assert one == two
    for file in ("metrics.parquet", "manifest.json", "label.json"):
        assert (tmp_path / "one" / "case" / file).read_bytes() == (tmp_path / "two" / "case" / file).read_bytes()
