"""Bytes of a Prometheus answer → frame: our way against orjson, prometheus-api-client, prometheus-pandas; in one run.

usage: .venv/bin/python benchmarks/metrics.py [--data DIR] [--out DIR] [--quick] [--peers PYTHON]

Without --data the body is made up (50 MB, 1.43 million points, 1,000 series); with it, every *.json in the folder that
is the body of a range query is measured instead. The peers need a Python of their own (`make bench-peers`).
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

PEERS = ("prometheus-api-client", "prometheus-pandas", "pandas")
LEAST_BODY = 20_000_000  # bytes; below, what threads and memory pools keep for themselves is most of the peak
AIMS = {
    "orjson_ratio": ("CPU against orjson.loads (gc off)", "≤", 1.0),
    "peer_ratio": ("faster than MetricRangeDataFrame", "≥", 15.0),
    "bytes_per_point": ("bytes a point", "≤", 26.0),
    "peak_ratio": ("peak memory, of the body", "≤", 2.0),
}

_MEMORY = """
import json, re, sys, tracemalloc
import pyarrow as pa
from obs_magics.adapters.prometheus.answers import parse_answer
small = b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1795341600,"1"]]}]}}'
parse_answer(small).frame()
peak = lambda: int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) * 1024
before = peak()
body = open(sys.argv[1], "rb").read()
traced = len(sys.argv) > 2
if traced:
    tracemalloc.start()
frame = parse_answer(body).frame()
told = {"rss": peak() - before, "arrow": pa.default_memory_pool().max_memory(), "body": len(body)}
if traced:
    told["traced"] = tracemalloc.get_traced_memory()[1]
print(json.dumps(told))
"""


def main() -> None:
    """Measure, print the table, write `result.json`."""
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    results = {}
    with tempfile.TemporaryDirectory(prefix="obs-bench-") as folder:
        for name, path in _bodies(options.data, Path(folder), quick=options.quick):
            results[name] = measure(path, options.peers, rounds=3 if options.quick else 7)
            print(_table(name, results[name]))
    written = options.out / "result.json"
    written.write_text(json.dumps({"versions": _versions(), "bodies": results}, indent=1) + "\n")
    print(f"written to {written}")


def measure(path: Path, peers: Path, *, rounds: int) -> dict[str, Any]:
    """Everything about one body."""
    body = path.read_bytes()
    result: dict[str, Any] = {"body_bytes": len(body), **_ours(body, rounds), **_memory(path)}
    peak = max(result["rss_bytes"], len(body) + result["traced_bytes"])
    result["peak_ratio"] = peak / len(body) if len(body) >= LEAST_BODY else None
    result["peers"] = {name: _peer(peers, name, path, 1 if rounds < 5 else 2) for name in PEERS}
    seconds = result["peers"]["prometheus-api-client"].get("frame_seconds")
    result["peer_ratio"] = seconds / result["seconds"] if seconds else None
    return result


def _ours(body: bytes, rounds: int) -> dict[str, Any]:
    """CPU of both sides in turn, so that whatever else runs on the machine meets both."""
    import orjson

    from obs_magics.adapters.prometheus.answers import parse_answer

    def build() -> Any:
        return parse_answer(body).frame()

    frame = build()
    gc.disable()
    try:
        pairs = [(_cpu(build), _cpu(lambda: orjson.loads(body))) for _ in range(rounds)]
    finally:
        gc.enable()
    return {
        "points": len(frame),
        "seconds": statistics.median(ours for ours, _ in pairs),
        "orjson_seconds": statistics.median(theirs for _, theirs in pairs),
        "orjson_ratio": statistics.median(ours / theirs for ours, theirs in pairs),
        "bytes_per_point": int(frame.memory_usage(deep=True).sum()) / max(1, len(frame)),
    }


def _cpu(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _memory(path: Path) -> dict[str, Any]:
    """In processes of their own: growth of the peak of resident memory, and the peak that Python counts, body apart."""

    def run(*more: str) -> dict[str, Any]:
        command = [sys.executable, "-c", _MEMORY, str(path), *more]
        told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
        found: dict[str, Any] = json.loads(told)
        return found

    plain, traced = run(), run("traced")
    return {"rss_bytes": plain["rss"], "traced_bytes": traced["traced"] + traced["arrow"]}


def _peer(python: Path, library: str, path: Path, rounds: int) -> dict[str, Any]:
    if not python.exists():
        return {"missing": f"there is no {python}: make bench-peers, or --peers PYTHON"}
    command = [str(python), str(HERE / "support" / "peer_metrics.py"), library, str(path), str(rounds)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        last = done.stderr.strip().splitlines() or ["no output"]
        return {"missing": f"does not run: {last[-1]}"}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _table(name: str, result: dict[str, Any]) -> str:
    points, seconds = result["points"], result["seconds"]
    lines = [
        f"{name}: {result['body_bytes'] / 1e6:.1f} MB, {points:,} points",
        _row("", "CPU s", "against ours", "B a point"),
    ]
    lines.append(_row("obs_magics, body → frame", f"{seconds:.3f}", "1.0", f"{result['bytes_per_point']:.1f}"))
    theirs = result["orjson_seconds"]
    lines.append(_row("orjson.loads alone, gc off", f"{theirs:.3f}", f"{theirs / seconds:.1f}", "–"))
    for library, told in result["peers"].items():
        if "missing" in told:
            lines.append(f"  {library}: {told['missing']}")
            continue
        frame, parsing = told["frame_seconds"], told["json_seconds"]
        size = f"{told['frame_bytes'] / max(1, points):.1f}"
        title = f"{library} {told['versions']['library']}" if library != "pandas" else "list of points, by hand"
        lines.append(_row(f"{title}, frame alone", f"{frame:.3f}", f"{frame / seconds:.1f}", size))
        lines.append(
            _row("  and json.loads before it", f"{frame + parsing:.3f}", f"{(frame + parsing) / seconds:.1f}", "")
        )
    for key, (what, sign, aim) in AIMS.items():
        value = result[key]
        good = value is not None and (value <= aim if sign == "≤" else value >= aim)
        verdict = "  –  " if value is None else "holds" if good else "FAILS"
        shown = "not measured" if value is None else f"{value:.2f}"
        lines.append(f"  {verdict} {what}: {shown} (aim {sign} {aim:g})")
    return "\n".join(lines)


def _row(*cells: str) -> str:
    title, *numbers = cells
    return f"  {title:<44}" + "".join(f"{number:>14}" for number in numbers)


def _bodies(data: Path | None, folder: Path, *, quick: bool) -> Iterator[tuple[str, Path]]:
    if data is not None:
        found = sorted(data.glob("*.json"))
        if not found:
            raise SystemExit(f"no *.json in {data}")
        yield from ((path.stem, path) for path in found)
        return
    from support.bodies import range_body

    path = folder / "generated.json"
    path.write_bytes(range_body(100, 1_430) if quick else range_body())
    yield "generated", path


def _versions() -> dict[str, str]:
    found = {name: version(name) for name in ("msgspec", "numpy", "orjson", "pandas", "pyarrow")}
    return {"python": platform.python_version(), **found}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, help="a folder with bodies of range queries, *.json")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "benchmarks" / "metrics", help="for result.json")
    parser.add_argument("--quick", action="store_true", help="a tenth of the points, fewer rounds")
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv-peers" / "bin" / "python", help="the peers' Python")
    return parser.parse_args()


if __name__ == "__main__":
    main()
