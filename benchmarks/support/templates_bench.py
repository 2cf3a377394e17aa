"""The templates part of benchmarks/logs.py: predictions, scores, and lines per second beside the peers'."""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from support.log_lines import grown

from obs_magics.analysis.patterns import mine

HERE = Path(__file__).resolve().parent
SCORER = HERE.parents[1].parent / "shared" / "scoring" / "templates.py"
METRICS = ("GA", "FGA", "PA", "FTA", "PAn", "FTAn")
PEERS = {"drain3": "Drain3, plain", "drain3-masks": "Drain3, its example masks", "brain": "Brain, one setting"}
AIMS = {"GA": 0.93, "FGA": 0.92, "PA": 0.70, "FTA": 0.69}
LEAST_GA = 0.80  # of any system
SPEED_AIMS = {"HDFS": 7.0, "BGL": 20.0, "mixed": 50.0}  # times Drain3's lines per second
MIXED_AIM = 500_000  # lines per second

Lines = Mapping[str, list[str]]


def run(data: Path, out: Path, peers: Path, *, quick: bool) -> dict[str, Any]:
    """Write `templates.parquet`; score it where there is truth beside the lines; measure speed."""
    table = pd.read_parquet(data / "lines.parquet", columns=["system", "line_id", "content"])
    lines = {str(name): group["content"].tolist() for name, group in table.groupby("system")}
    predicted = _predicted(table)
    predicted.to_parquet(out / "templates.parquet", index=False)
    theirs = {library: _peer(peers, library, lines) for library in PEERS}
    result: dict[str, Any] = {"speed": _speed(lines, peers, 100_000 if quick else 200_000, 1 if quick else 5)}
    if (data / "truth.parquet").exists():
        result["scores"] = _all_scores(data, table, predicted, theirs)
    return result


def _predicted(table: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for name, group in table.groupby("system", sort=True):
        mined = mine(group["content"].tolist())
        templates = pd.Series(mined.templates, dtype=object).take(mined.assignment).to_numpy()
        part = pd.DataFrame({"system": name, "line_id": group["line_id"].to_numpy(), "template": templates})
        parts.append(part.assign(group=mined.assignment))
    return pd.concat(parts, ignore_index=True)


def _all_scores(
    data: Path, table: pd.DataFrame, predicted: pd.DataFrame, theirs: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    """By method and system; the truth is read here and nowhere else."""
    truth = pd.read_parquet(data / "truth.parquet", columns=["system", "line_id", "template"])
    score = _scorer()
    scores: dict[str, Any] = {"obs_magics": _scores(score, truth, predicted)}
    for library, told in theirs.items():
        if "missing" in told:
            scores[library] = told
            continue
        parts = []
        for name, group in table.groupby("system"):
            templates = told["sets"][str(name)]["templates"]
            parts.append(pd.DataFrame({"system": name, "line_id": group["line_id"].to_numpy(), "template": templates}))
        scores[library] = _scores(score, truth, pd.concat(parts))
    return scores


def _scores(score: Callable[..., dict[str, Any]], truth: pd.DataFrame, predicted: pd.DataFrame) -> dict[str, Any]:
    found = {}
    for name, group in truth.groupby("system"):
        own = predicted[predicted["system"] == name].set_index("line_id")
        expected = group.set_index("line_id")["template"]
        told = score(expected, own["template"], own.get("group"))
        found[str(name)] = {metric: float(told[metric]) for metric in METRICS}
    means = {metric: statistics.mean(system[metric] for system in found.values()) for metric in METRICS}
    return {"systems": found, "mean": means}


def _scorer() -> Callable[..., dict[str, Any]]:
    spec = importlib.util.spec_from_file_location("templates_scorer", SCORER)
    if spec is None or spec.loader is None or not SCORER.exists():
        raise SystemExit(f"the scorer is not at {SCORER}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[..., dict[str, Any]] = module.score
    return found


def _peer(python: Path, library: str, lines: Lines) -> dict[str, Any]:
    if not python.exists():
        return {"missing": f"there is no {python}: see requirements-peers-logs.txt, or --peers PYTHON"}
    with tempfile.TemporaryDirectory(prefix="obs-bench-") as folder:
        source, target = Path(folder, "lines.json"), Path(folder, "out.json")
        source.write_text(json.dumps(lines))
        command = [str(python), str(HERE / "peer_templates.py"), library, str(source), str(target)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            last = done.stderr.strip().splitlines() or ["no output"]
            return {"missing": f"does not run: {last[-1]}"}
        found: dict[str, Any] = json.loads(target.read_text())
    return found


def _speed(lines: Lines, peers: Path, many: int, rounds: int) -> dict[str, Any]:
    """CPU of one thread over many lines: ours and the peers' in the same run, on the same lines."""
    everything = [line for system in lines.values() for line in system]
    sources = {name: lines[name] for name in ("HDFS", "BGL") if name in lines} | {"mixed": everything}
    sets = {name: grown(source, many) for name, source in sources.items()}
    pa.set_cpu_count(1)
    ours = {name: _ours(given, rounds) for name, given in sets.items()}
    theirs = {library: _peer(peers, library, sets) for library in PEERS if library != "brain"}
    found: dict[str, Any] = {}
    for name, given in sets.items():
        rates: dict[str, Any] = {"obs_magics": many / ours[name]}
        for library, told in theirs.items():
            rates[library] = None if "missing" in told else many / told["sets"][name]["seconds"]
        found[name] = {"lines": many, "distinct": len(set(given)), "lines_per_second": rates}
    return found


def _ours(lines: Sequence[str], rounds: int) -> float:
    """The median; the lines as an Arrow array, which is how a frame holds them."""
    given = pa.array(lines, pa.large_string())
    mine(given.slice(0, 1000))
    seconds = []
    for _ in range(rounds):
        began = time.process_time()
        mine(given)
        seconds.append(time.process_time() - began)
    return statistics.median(seconds)


def table(result: Mapping[str, Any]) -> str:
    """What `run` found, to read."""
    return "\n".join([*_score_lines(result.get("scores", {})), *_speed_lines(result["speed"])])


def _score_lines(scores: Mapping[str, Any]) -> list[str]:
    if not scores:
        return ["templates: no truth.parquet beside the lines, nothing scored"]
    ours = scores["obs_magics"]
    lines = ["templates" + " " * 27 + "".join(f"{metric:>8}" for metric in METRICS)]
    rows = {f"  {name}": found for name, found in ours["systems"].items()} | {"  mean": ours["mean"]}
    for library, title in PEERS.items():
        told = scores[library]
        if "missing" in told:
            lines.append(f"  {title}: {told['missing']}")
        else:
            rows[f"  {title}, mean"] = told["mean"]
    lines[1:1] = [_score_line(title, found) for title, found in rows.items()]
    lines += [_verdict(f"mean {metric}", ours["mean"][metric], aim) for metric, aim in AIMS.items()]
    lines.append(_verdict("least GA", min(found["GA"] for found in ours["systems"].values()), LEAST_GA))
    return lines


def _score_line(title: str, found: Mapping[str, float]) -> str:
    return f"{title:<36}" + "".join(f"{found[metric]:>8.3f}" for metric in METRICS)


def _speed_lines(speed: Mapping[str, Any]) -> list[str]:
    lines = ["lines per CPU second, one thread"]
    for name, found in speed.items():
        rates = found["lines_per_second"]
        shown = " · ".join(f"{key} {rate:,.0f}" for key, rate in rates.items() if rate)
        lines.append(f"  {name} ({found['lines']:,} lines, {found['distinct']:,} distinct): {shown}")
        if rates["drain3"] and name in SPEED_AIMS:
            lines.append(_verdict(f"{name}, times Drain3", rates["obs_magics"] / rates["drain3"], SPEED_AIMS[name]))
    return [*lines, _verdict("mixed, lines per second", speed["mixed"]["lines_per_second"]["obs_magics"], MIXED_AIM)]


def _verdict(what: str, value: float, aim: float) -> str:
    return f"  {'holds' if value >= aim else 'FAILS'} {what}: {value:,.3f} (aim ≥ {aim:,g})"
