"""Traces: JSON → frame against orjson and a plain loop; critical paths against a recursion; all analyses together.

usage: .venv/bin/python benchmarks/traces.py [--data DIR] [--out DIR] [--quick]

Without --data the spans are made up; with it, every *.json of the folder that is an answer of Jaeger's API or OTLP is
read, and its critical paths are compared as well. Writes result.json. Times are CPU, the best of several rounds.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

REFERENCE = ROOT / "tests" / "support" / "trace_reference.py"
PATH_AIM = 1.5  # µs a span
TOGETHER_AIM = 3.0  # seconds for 1,000 traces of 100 spans
BODY_AIMS = {"ratio": ("of orjson.loads", "≤", 1.5), "gain": ("faster than a plain loop", "≥", 4.0)}


def main() -> None:
    """Measure, compare, print the tables, write `result.json`; exit with 1 when a path differs."""
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"versions": _versions()}
    if options.data is None:
        from support import spans_body

        result["bodies"] = spans_body.run(options.quick)
        print(_bodies_table(result["bodies"]))
    frames = dict(_made_up(quick=options.quick) if options.data is None else _read(options.data))
    result["paths"] = {name: _paths(frame, 5 if options.quick else 7) for name, frame in frames.items()}
    print(_paths_table(result["paths"]))
    if options.data is None:
        result["together"] = _together(next(iter(frames.values())))
        print(_together_table(result["together"]))
    written = options.out / "result.json"
    written.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {written}")
    if not all(told["equal"] for told in result["paths"].values()):
        raise SystemExit(1)


def _made_up(*, quick: bool) -> Iterator[tuple[str, Any]]:
    from support import trace_worlds

    traces = 100 if quick else 1_000
    yield f"{traces:,} traces of 100 spans", trace_worlds.ordinary(traces, 100)
    yield "1 trace of 3,000 spans", trace_worlds.ordinary(1, 3_000)
    yield "a chain of 3,000 spans", trace_worlds.chain(3_000)
    yield "3,000 back to back", trace_worlds.fan(3_000)


def _read(folder: Path) -> Iterator[tuple[str, Any]]:
    from obs_magics.model.errors import BadAnswer
    from obs_magics.syntax.spans import read_jaeger, read_otlp

    for path in sorted(folder.glob("*.json")):
        for reader in (read_jaeger, read_otlp):
            try:
                frame = reader(path.read_bytes()).frame()
            except BadAnswer:
                continue
            if len(frame):
                yield path.stem, frame
                break
        else:
            print(f"{path.name}: no spans of Jaeger or OTLP")


def _paths(frame: Any, rounds: int) -> dict[str, Any]:
    """From the bare frame to the table of pieces, and whether those are what the recursion finds."""
    from obs_magics.analysis.spans import critical_path, self_time, span_tree

    reference = _reference()
    found = critical_path(frame)
    ours = zip(found["row"], found["start"].astype("int64"), found["end"].astype("int64"), strict=True)
    parents = span_tree(frame).parent.tolist()
    begun = time.process_time()
    theirs = reference.critical_paths(reference.forest(frame, parents))
    recursion = time.process_time() - begun
    seconds = _best(lambda: critical_path(frame), rounds)
    return {
        "spans": len(frame),
        "pieces": len(found),
        "equal": sorted(ours) == sorted(theirs),
        "microseconds": seconds / len(frame) * 1e6,
        "self_microseconds": _best(lambda: self_time(frame), rounds) / len(frame) * 1e6,
        "recursion_microseconds": recursion / len(frame) * 1e6,
    }


def _together(frame: Any) -> dict[str, Any]:
    """Every analysis of one frame, and each by itself."""
    from obs_magics.analysis import spans as engine
    from obs_magics.analysis.spans.bottlenecks import KEYS

    works: dict[str, Callable[[], Any]] = {
        "corrected": lambda: engine.corrected(frame),
        "trace_table": lambda: engine.trace_table(frame),
        **{f"bottlenecks by {by}": lambda by=by: engine.bottlenecks(frame, by) for by in KEYS},
        "error_origins": lambda: engine.error_origins(frame),
        "call_graph": lambda: engine.call_graph(frame),
        "services": lambda: engine.services(frame),
        "n_plus_one": lambda: engine.n_plus_one(frame),
        "fan_out": lambda: engine.fan_out(frame),
        "retries": lambda: engine.retries(frame),
        "timeouts": lambda: engine.timeouts(frame),
        "attribute_table": lambda: engine.attribute_table(frame),
        "summarize_traces": lambda: engine.summarize_traces(frame),
    }  # fmt: skip
    seconds = {name: _best(work, 2) for name, work in works.items()}
    return {"spans": len(frame), "seconds": seconds, "total": sum(seconds.values())}


def _reference() -> Any:
    """The recursion of the tests, by its file: both folders have a package `support`."""
    spec = importlib.util.spec_from_file_location("trace_reference", REFERENCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _best(work: Callable[[], Any], rounds: int) -> float:
    found = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return min(found)


def _bodies_table(bodies: dict[str, Any]) -> str:
    lines = [_row("JSON → frame", "MB", "spans", "orjson s", "ours s", "loop s")]
    for name, told in bodies.items():
        seconds = told["seconds"]
        numbers = (f"{told['megabytes']:.1f}", f"{told['spans']:,}")
        lines.append(_row(f"  {name}", *numbers, *(f"{seconds[key]:.3f}" for key in ("orjson", "ours", "loop"))))
        for key, (what, sign, aim) in BODY_AIMS.items():
            lines.append(_verdict(f"{name}: {told[key]:.2f} × {what}", sign, aim, told[key]))
    return "\n".join(lines)


def _paths_table(paths: dict[str, Any]) -> str:
    lines = [_row("critical paths, µs a span", "spans", "ours", "recursion", "self time", "equal")]
    for name, told in paths.items():
        keys = ("microseconds", "recursion_microseconds", "self_microseconds")
        numbers = (f"{told['spans']:,}", *(f"{told[key]:.2f}" for key in keys), "yes" if told["equal"] else "NO")
        lines.append(_row(f"  {name}", *numbers))
    for name, told in paths.items():
        if told["spans"] >= 1_000:  # of fewer, the fixed cost of a table is most of it
            lines.append(_verdict(f"{name}: {told['microseconds']:.2f} µs a span", "≤", PATH_AIM, told["microseconds"]))
    return "\n".join(lines)


def _together_table(told: dict[str, Any]) -> str:
    lines = [_row(f"all analyses of {told['spans']:,} spans", "CPU s")]
    lines += [_row(f"  {name}", f"{seconds:.3f}") for name, seconds in told["seconds"].items()]
    return "\n".join([*lines, _verdict(f"together: {told['total']:.2f} s", "≤", TOGETHER_AIM, told["total"])])


def _verdict(what: str, sign: str, aim: float, value: float) -> str:
    holds = value <= aim if sign == "≤" else value >= aim
    return f"  {'holds' if holds else 'FAILS'} {what} (aim {sign} {aim:g})"


def _row(title: str, *numbers: str) -> str:
    return f"{title:<40}" + "".join(f"{number:>12}" for number in numbers)


def _versions() -> dict[str, str]:
    names = ("msgspec", "numpy", "orjson", "pandas", "pyarrow")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, help="a folder with answers of Jaeger's API or OTLP, *.json")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "benchmarks" / "traces", help="for result.json")
    parser.add_argument("--quick", action="store_true", help="a tenth of the spans, fewer rounds")
    return parser.parse_args()


if __name__ == "__main__":
    main()
