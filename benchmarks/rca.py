"""Root causes: services and changes of incidents, against n-sigma, BARO and PageRank; without this signal and that.

usage: .venv/bin/python benchmarks/rca.py [--data DIR] [--out DIR] [--quick] [--peers PYTHON] [--made N] [--fit]
       [--sensitivity]

Reads the case folders below the data folder (two levels; `FORMAT.md` beside them says what is in one) and writes
predictions.jsonl and result.json. Where labels lie beside the cases the predictions are scored; none reads them. CPU
seconds are those of reading a case and explaining it. BARO and n-sigma need a Python of their own
(requirements-peers-rca.txt).
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

COLUMNS = ("AC@1", "AC@3", "AC@5", "Avg@5", "cpu_s")
CHANGES = ("change AC@1", "change AC@3", "decoy first", "no change seen")
AIMS = {
    "nezha_tt": {"AC@1": 0.87, "AC@3": 0.97},
    "nezha_ob": {"AC@1": 0.85, "AC@3": 0.95},
    "petshop": {"AC@1": 0.90, "AC@3": 0.97},
    "sockshop1": {"AC@1": 0.97},
    "rootcausebench": {"change AC@1": 0.60, "change AC@3": 0.90, "no change seen": 0.70},
}
MOST = {"nezha_tt": {"cpu_s": 0.5}, "rootcausebench": {"decoy first": 0.15}}
ABLATIONS = ("without logs", "without traces", "metrics only")


def main() -> None:
    """Predict, score, compare; print the tables, write the files."""
    from support import rca_cases, rca_made, rca_peers, rca_scores

    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    folders = list(rca_cases.case_folders(options.data))[:: 4 if options.quick else 1]
    said = {folder.name: _predicted(folder) for folder in folders}
    lines = [json.dumps({"case": name, **one}) for name, one in said.items()]
    (options.out / "predictions.jsonl").write_text("\n".join(lines) + "\n")
    methods: dict[str, Mapping[str, Any]] = {"obs_magics": said}
    methods |= {name: {folder.name: _predicted(folder, name) for folder in folders} for name in ABLATIONS}
    cases = {folder.name: rca_cases.observations(folder, logs=False, spans=False) for folder in folders}
    methods |= rca_peers.rankings(cases, options.peers)
    truth = rca_scores.labels(folders)
    result: dict[str, Any] = {"versions": _versions(), "cases": len(folders)}
    if truth:
        result["scores"] = {
            name: by_case["missing"] if "missing" in by_case else rca_scores.scores(by_case, truth)
            for name, by_case in methods.items()
        }
        result["confidence"] = rca_scores.brier(said, truth)
        print(_table(result["scores"]))
        print(_confidence(result["confidence"]))
        result |= _more(options, folders, methods, truth)
    if options.made:
        seeds = rca_made.seeds(options.made)
        result["made up"] = rca_made.measured(options.out / "cases", seeds, _predicted)
        print(rca_made.table(result["made up"]))
    (options.out / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {options.out}")


def _more(
    options: argparse.Namespace, folders: Sequence[Path], methods: Mapping[str, Any], truth: Mapping[str, Any]
) -> dict[str, Any]:
    """What was asked for beside the scores."""
    from support import rca_fit, rca_sensitivity

    found: dict[str, Any] = {}
    if options.fit:
        found["fit"] = rca_fit.fitted([methods[name] for name in ("obs_magics", *ABLATIONS)], truth)
        print("confidence, fitted: " + json.dumps(found["fit"]))
    if options.sensitivity:
        found["sensitivity"] = rca_sensitivity.measured(folders, truth)
        print(rca_sensitivity.table(found["sensitivity"]))
    return found


def _predicted(folder: Path, without: str = "") -> dict[str, Any]:
    """What the engine says of one case; it is not told which."""
    from support.rca_cases import observations

    from obs_magics.analysis.root_cause import explain

    began = time.process_time()
    only = without == "metrics only"
    given = observations(
        folder, logs=not only and without != "without logs", spans=not only and without != "without traces"
    )
    report = explain(replace(given, calls=()) if only else given)
    seconds = time.process_time() - began
    first = next((one for one in report.factors if one.service == report.services[0] and one.change is None), None)
    return {
        "ranking": list(report.services),
        "changes": list(report.changes),
        "cpu_s": round(seconds, 4),
        "confidence": None if first is None or first.kind == "elsewhere" else round(first.confidence, 4),
        "conclusion": report.conclusion,
        "best": report.scores[0] if report.scores else 0.0,
        "second": report.scores[1] if len(report.scores) > 1 else 0.0,
    }


def _table(scores: Mapping[str, Mapping[str, Any]]) -> str:
    lines = []
    for group, own in scores["obs_magics"].items():
        lines.append(
            f"{group} ({own['cases']:.0f} cases)" + "".join(f"{name:>9}" for name in COLUMNS).rjust(60 - len(group))
        )
        for method, by_set in scores.items():
            found = by_set.get(group)
            if isinstance(found, dict):
                lines.append(f"  {method:<22}" + "".join(_number(found.get(name)) for name in COLUMNS))
        lines += [f"  {name}: {own[name]:.3f}" for name in CHANGES if name in own]
        lines += _verdicts(own, AIMS.get(group, {}), least=True) + _verdicts(own, MOST.get(group, {}), least=False)
    lines += [f"{method}: {by_set['why']}" for method, by_set in scores.items() if "why" in by_set]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return f"{'–' if value is None else format(value, '.3f'):>9}"


def _verdicts(own: Mapping[str, float], aims: Mapping[str, float], *, least: bool) -> list[str]:
    return [
        f"  {'holds' if (own[name] >= aim if least else own[name] <= aim) else 'FAILS'} {name}: {own[name]:.3f} "
        f"(aim {'≥' if least else '≤'} {aim:g})"
        for name, aim in aims.items()
        if name in own
    ]


def _confidence(found: Mapping[str, float]) -> str:
    if not found:
        return "confidence: no case has one"
    return (
        f"confidence in the first service, {found['cases']:.0f} cases: Brier {found['brier']:.4f} "
        f"(always saying {found['right']:.3f}: {found['base']:.4f}); mean {found['mean confidence']:.3f}"
    )


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in ("numpy", "pandas", "pyarrow")}}


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "rca", help="the case folders")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "benchmarks" / "rca", help="for what is written")
    parser.add_argument("--quick", action="store_true", help="every fourth case")
    parser.add_argument("--fit", action="store_true", help="fit the constants of the confidence as well")
    parser.add_argument("--made", type=int, default=20, help="how many incidents to make up (of 200)")
    parser.add_argument(
        "--sensitivity", action="store_true", help="vary the weights, and choose them without each fault"
    )
    parser.add_argument(
        "--peers", type=Path, default=ROOT / ".venv-peers-rca" / "bin" / "python", help="the peers' Python"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
