"""Redaction: what is hidden of labelled lines, and lines per second; detect-secrets and presidio in the same run.

usage: .venv/bin/python benchmarks/redact.py [--data DIR] [--out DIR] [--quick] [--peers PYTHON]

Writes redacted.parquet (line_id, text) and result.json. --data is redact.parquet (line_id, text, kind, secret) or the
folder it lies in; without it, lines are made up and not scored. No prediction reads the labels. The peers need a Python
of their own (`make bench-peers`).
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

from support.peer_redact import LIBRARIES  # noqa: E402

PERSONAL = frozenset({"email", "ipv4", "ipv6", "card", "iban", "ssn", "phone"})
AIMS = {
    "secrets": ("recall of the worst class of secrets", "≥", 0.99),
    "personal": ("recall of the worst class of personal data", "≥", 0.98),
    "false_positives": ("clean lines that changed", "≤", 0.01),
    "lines_per_second": ("lines a second, the lines repeated", "≥", 250_000.0),
}


def main() -> None:
    """Predict, score, measure; print the tables, write the files."""
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    lines = _lines(options.data)
    truth = lines if options.data else None
    safe = _predict(lines["text"].tolist())
    _write(lines["line_id"], safe, options.out / "redacted.parquet")
    result: dict[str, Any] = {"versions": _versions(), "speed": _speed(lines, quick=options.quick)}
    result["ours"] = {**(_score(truth, safe) if truth is not None else {}), **result["speed"]}
    result["peers"] = {name: _peer(options.peers, name, lines["text"].tolist(), truth) for name in LIBRARIES}
    print(_table(result))
    written = options.out / "result.json"
    written.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {written}")


def _lines(data: Path | None) -> Any:
    import pandas as pd

    if data is not None:
        return pd.read_parquet(data / "redact.parquet" if data.is_dir() else data)
    made = random.Random(11)
    texts = [
        made.choice(
            (
                f"login password={made.getrandbits(60):x} rejected",
                f"order {made.getrandbits(50)} shipped",
                f"user u{made.getrandbits(20)}@example.com from 10.{made.randrange(256)}.3.4",
                f"GET /orders/{made.getrandbits(20)} 200 {made.random():.3f}",
                f"commit {made.getrandbits(160):040x} deployed",
            )
        )
        for _ in range(1500)
    ]
    return pd.DataFrame({"line_id": range(len(texts)), "text": texts})


def _predict(texts: Sequence[str]) -> list[str]:
    """Sees the text, and nothing else."""
    import pyarrow as pa

    from obs_magics.security.redact import EXPORT, Redactor, new_key

    found: list[str] = Redactor(new_key(), pii=EXPORT).column(pa.array(texts)).to_pylist()
    return found


def _write(line_ids: Any, texts: Sequence[str], path: Path) -> None:
    import pandas as pd

    pd.DataFrame({"line_id": line_ids, "text": texts}).to_parquet(path)


def _score(truth: Any, safe: Sequence[str]) -> dict[str, Any]:
    """Recall by kind, and the share of clean lines that changed."""
    rows = list(zip(truth["text"], truth["kind"], truth["secret"], safe, strict=True))
    kinds = sorted({kind for _, kind, _, _ in rows if kind})
    recall = {
        wanted: _mean([not _leaks(text, secret) for _, kind, secret, text in rows if kind == wanted])
        for wanted in kinds
    }
    return {
        "recall": recall,
        "secrets": min((value for kind, value in recall.items() if kind not in PERSONAL), default=1.0),
        "personal": min((value for kind, value in recall.items() if kind in PERSONAL), default=1.0),
        "mean": _mean([not _leaks(text, secret) for _, kind, secret, text in rows if kind]),
        "false_positives": _mean([before != after for before, kind, _, after in rows if not kind]),
    }


def _leaks(text: str, secret: str) -> bool:
    inner = secret.split("\n")[1:-1] if "\n" in secret else [secret]
    return any(line in text for line in inner if line)


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / max(1, len(values))


def _speed(lines: Any, *, quick: bool) -> dict[str, float]:
    """Lines per second of CPU on one core, everything included; both policies, and lines that are all different."""
    import pyarrow as pa

    from obs_magics.security.redact import EXPORT, SCREEN, Redactor, new_key

    many = 100_000 if quick else 1_000_000
    texts = lines["text"].tolist()
    repeated = pa.array((texts * (many // len(texts) + 1))[:many])
    clean = [text for text, safe in zip(texts, _predict(texts), strict=True) if text == safe]
    picked = random.Random(3)

    def different(share: float) -> Any:
        dirty = picked.choices(texts, k=round(many * share))
        return pa.array(
            f"2024-05-01T12:{row // 60 % 60:02d}:{row % 60:02d}.{row % 1000:03d}Z pod-{row} {text}"
            for row, text in enumerate(dirty + picked.choices(clean or texts, k=many - len(dirty)))
        )

    def rate(values: Any, policy: frozenset[str]) -> float:
        return many / _cpu(lambda: Redactor(new_key(), pii=policy).column(values))

    mixed, worst = different(0.05), different(1.0)
    frame = _frame(mixed)
    return {
        "lines_per_second": rate(repeated, EXPORT),
        "screen": rate(repeated, SCREEN),
        "different_5_percent": rate(mixed, EXPORT),
        "different_5_percent_screen": rate(mixed, SCREEN),
        "different_all": rate(worst, EXPORT),
        "different_all_screen": rate(worst, SCREEN),
        "frame_rows_per_second": many / _cpu(lambda: Redactor(new_key(), pii=EXPORT).frame(frame)),
    }


def _frame(messages: Any) -> Any:
    """A logs frame as a source gives it."""
    import numpy as np
    import pyarrow as pa

    from obs_magics.model.frames import categories
    from obs_magics.model.logs import logs_frame

    rows = len(messages)
    ids = np.random.default_rng(1).integers(0, 2**63, rows)
    return logs_frame(
        np.arange(rows, dtype=np.int64) * 1_000_000,
        messages,
        level_codes=np.full(rows, 2, np.int8),
        service=categories([f"service-{row % 20}" for row in range(rows)]),
        trace_id=pa.array([f"{number:032x}" for number in ids]),
        span_id=pa.array([f"{number:016x}" for number in ids]),
        labels={
            "pod": categories([f"service-{row % 20}-7d9f8b6c5d-{row % 200:05d}" for row in range(rows)]),
            "client": categories([f"10.1.{row % 200}.{row % 250}" for row in range(rows)]),
        },
    )


def _cpu(work: Callable[[], Any]) -> float:
    took = []
    for _ in range(2):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


def _peer(python: Path, library: str, texts: Sequence[str], truth: Any) -> dict[str, Any]:
    if not python.exists():
        return {"missing": f"there is no {python}: make bench-peers, or --peers PYTHON"}
    with tempfile.TemporaryDirectory(prefix="obs-bench-") as folder:
        lines, told = Path(folder, "lines.json"), Path(folder, "told.json")
        lines.write_text(json.dumps(list(texts)), encoding="utf-8")
        command = [str(python), str(HERE / "support" / "peer_redact.py"), library, str(lines), str(told)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            return {"missing": f"does not run: {(done.stderr.strip().splitlines() or ['no output'])[-1]}"}
        found: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
    safe = found.pop("text")
    return {**found, **(_score(truth, safe) if truth is not None else {})}


def _table(result: dict[str, Any]) -> str:
    columns = {"obs_magics": result["ours"], **result["peers"]}
    there = {name: found for name, found in columns.items() if "missing" not in found}
    lines = [f"{'':<24}" + "".join(f"{name:>31}" for name in there)]
    kinds = list(result["ours"].get("recall", {}))
    lines += [f"{kind:<24}" + "".join(f"{found['recall'][kind]:>31.3f}" for found in there.values()) for kind in kinds]
    for name, digits in (("mean", ".3f"), ("false_positives", ".3f"), ("lines_per_second", ",.0f")):
        if name in result["ours"]:
            lines.append(f"{name:<24}" + "".join(f"{found[name]:>31{digits}}" for found in there.values()))
    lines += [f"{name}: {found['missing']}" for name, found in columns.items() if "missing" in found]
    lines += [f"{name:<31}{value:>14,.0f} lines a second" for name, value in result["speed"].items()]
    for name, (title, sign, aim) in AIMS.items():
        if name in result["ours"]:
            value = result["ours"][name]
            holds = value >= aim if sign == "≥" else value <= aim
            lines.append(f"{'holds' if holds else 'FAILS'} {title}: {value:,.3f} (aim {sign} {aim:g})")
    return "\n".join(lines)


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in ("numpy", "pandas", "pyarrow")}}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    lying = ROOT.parent / "shared" / "data" / "logs" / "redact.parquet"
    parser.add_argument(
        "--data", type=Path, default=lying if lying.exists() else None, help="labelled lines, or their folder"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "benchmarks" / "redact", help="where the files go")
    parser.add_argument("--quick", action="store_true", help="a tenth of the lines")
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv-peers" / "bin" / "python", help="the peers' Python")
    return parser.parse_args()


if __name__ == "__main__":
    main()
