"""Logs: a body into a frame; templates against Loghub, Drain3 and Brain; new, surging and dropped patterns.

usage: .venv/bin/python benchmarks/logs.py [--data DIR] [--out DIR] [--quick] [--peers PYTHON]

Reads lines.parquet and surge_lines.parquet in the folder; writes templates.parquet (system, line_id, template, group),
surges.parquet and result.json. Where truth lies beside the lines they are scored; no prediction reads it. The peers
need a Python of their own (requirements-peers-logs.txt).
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))


def main() -> None:
    """Predict, score, measure; print the tables, write the files."""
    from support import logs_body, surge_bench, templates_bench

    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"versions": _versions()}
    if (options.data / "lines.parquet").exists():
        result["templates"] = templates_bench.run(options.data, options.out, options.peers, quick=options.quick)
        print(templates_bench.table(result["templates"]))
    if (options.data / "surge_lines.parquet").exists():
        result["surges"] = surge_bench.run(options.data, options.out, options.quick)
        print(_surges_table(result["surges"], surge_bench.AIMS))
    result["body_to_frame"] = logs_body.run(quick=options.quick)
    print(_body_table(result["body_to_frame"]))
    written = options.out / "result.json"
    written.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {written}")


def _surges_table(found: Mapping[str, float], aims: Mapping[str, float]) -> str:
    """Ours and mean + 3 sd per minute, then the aims; onsets are in seconds, the less the better."""
    lines = [f"surges{'':<30}{'ours':>12}{'by minute':>12}"]
    shown = [name for name in found if f"minutes_{name}" in found]
    lines += [f"  {name:<34}{found[name]:>12,.3f}{found[f'minutes_{name}']:>12,.3f}" for name in shown]
    for name, aim in aims.items():
        if name in found:
            at_most = name.startswith("onset")
            holds = found[name] <= aim if at_most else found[name] >= aim
            sign = "≤" if at_most else "≥"
            lines.append(f"  {'holds' if holds else 'FAILS'} {name}: {found[name]:.3f} (aim {sign} {aim:g})")
    return "\n".join(lines)


def _body_table(found: Mapping[str, Mapping[str, float]]) -> str:
    """Bytes of a Loki answer → frame: ours over orjson (aim ≤ 1.3), and how much faster than a loop (aim ≥ 6)."""
    lines = [f"{'body → frame':<24}{'MB':>8}{'ours s':>10}{'× orjson':>10}{'× loop':>8}"]
    for name, one in found.items():
        size, ours = one["body_bytes"] / 1e6, one["seconds"]
        lines.append(f"  {name:<22}{size:>8.1f}{ours:>10.2f}{one['orjson_ratio']:>10.2f}{one['loop_ratio']:>8.1f}")
    return "\n".join(lines)


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in ("numpy", "pandas", "pyarrow")}}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "logs", help="lines and truth")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "benchmarks" / "logs", help="for what is written")
    parser.add_argument("--quick", action="store_true", help="fewer lines, one round")
    parser.add_argument(
        "--peers", type=Path, default=ROOT / ".venv-peers-logs" / "bin" / "python", help="the peers' Python"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
