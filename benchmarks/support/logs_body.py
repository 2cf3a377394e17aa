"""Bytes of a Loki answer → logs frame: against orjson.loads, and against a loop that makes a dict of every line.

Four bodies, made up deterministically: plain lines and JSON lines (which come escaped), each without and with
structured metadata (a level, a trace and a span of every line). `run` measures them all, for `benchmarks/logs.py`.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

_START, _GAP = 1_795_341_600_000_000_000, 21_600_000
_STREAMS = 60
_LEVELS = ("debug", "info", "warn", "error")
_WORDS = (
    "connection", "to", "redis-main", "timed", "out", "after", "request", "completed", "user", "cart", "order", "paid",
    "GET", "/api/payments", "POST", "/api/refunds", "retrying", "block", "received", "of", "size", "from", "cache",
)  # fmt: skip
AIMS = {"orjson_ratio": ("≤", 1.3), "loop_ratio": ("≥", 6.0)}


def run(*, quick: bool) -> dict[str, Any]:
    """Measure all bodies.

    Args:
        quick: 50,000 lines instead of a million.

    Returns:
        By body: its bytes and lines; CPU seconds of ours, of orjson (gc off) and of the loop; and the two ratios, each
        the median over three rounds in which
        both sides ran in turn; the loop runs once.
    """
    lines = 50_000 if quick else 1_000_000
    return {name: measure(body) for name, body in bodies(lines)}


def bodies(lines: int) -> Iterator[tuple[str, bytes]]:
    """The bodies by name; a million lines are about 173 MB, without metadata."""
    for text in ("plain", "json"):
        for metadata in (False, True):
            yield (
                f"{text}{' with metadata' if metadata else ''}",
                body_of(lines, as_json=text == "json", metadata=metadata),
            )


def body_of(lines: int, *, as_json: bool, metadata: bool, seed: int = 7) -> bytes:
    """The body of one answer, newest lines first in each of its streams."""
    random = np.random.default_rng(seed)
    make = _json_line if as_json else _plain_line
    streams = []
    for stream in range(_STREAMS):
        count = lines // _STREAMS + (stream < lines % _STREAMS)
        level = _LEVELS[stream % len(_LEVELS)]
        times = _START - np.arange(count) * _GAP + random.integers(0, 1_000_000, count) + stream
        picks = random.integers(0, len(_WORDS), (count, 12))
        numbers = random.integers(0, 1 << 62, (count, 3))
        values = [
            [str(ns), make(pick, int(number[0])), *([_extra(level, number)] if metadata else ())]
            for ns, pick, number in zip(times.tolist(), picks.tolist(), numbers.tolist(), strict=True)
        ]
        streams.append({"stream": _labels(stream, level), "values": values})
    flags = {"encodingFlags": ["categorize-labels"]} if metadata else {}
    data = {"resultType": "streams", **flags, "result": streams, "stats": {"summary": {"splits": 0}}}
    return json.dumps({"status": "success", "data": data}, separators=(",", ":")).encode()


def _plain_line(pick: list[int], number: int) -> str:
    words = " ".join(_WORDS[at] for at in pick)
    return f"2026-11-22T14:59:58.180Z [worker-{number % 32}] {words} id={number % 100_000} took {number % 977}ms"


def _json_line(pick: list[int], number: int) -> str:
    return json.dumps(
        {
            "ts": "2026-11-22T14:59:58.180Z",
            "logger": "payment-api.http",
            "msg": " ".join(_WORDS[at] for at in pick[:5]),
            "status": 200 + number % 300,
            "duration_ms": number % 9_999 / 10,
        },
        separators=(",", ":"),
    )


def _extra(level: str, number: list[int]) -> dict[str, dict[str, str]]:
    ids = {"span_id": f"{number[1]:016x}", "trace_id": f"{number[2]:032x}"}
    return {"structuredMetadata": {"detected_level": level, **ids}}


def _labels(stream: int, level: str) -> dict[str, str]:
    app = f"service-{stream % 15}"
    pod = f"{app}-75ec87a17-{stream:05x}"
    return {"app": app, "cluster": "prod-eu-1", "env": "prod", "level": level, "namespace": "shop", "pod": pod,
            "service_name": app}  # fmt: skip


def measure(body: bytes, *, rounds: int = 3) -> dict[str, Any]:
    """CPU of both sides in turn, so that whatever else runs on the machine meets both."""
    import orjson

    from obs_magics.adapters.loki.answers import Lines, parse_answer

    def ours() -> Any:
        found = parse_answer(body)
        assert isinstance(found, Lines)
        return found.rows.frame()

    frame = ours()
    gc.disable()
    try:
        pairs = [(_cpu(ours), _cpu(lambda: orjson.loads(body))) for _ in range(rounds)]
    finally:
        gc.enable()
    loop = _cpu(lambda: _loop(body))
    seconds = statistics.median(own for own, _ in pairs)
    return {
        "body_bytes": len(body),
        "lines": len(frame),
        "seconds": seconds,
        "orjson_seconds": statistics.median(other for _, other in pairs),
        "loop_seconds": loop,
        "orjson_ratio": statistics.median(own / other for own, other in pairs),
        "loop_ratio": loop / seconds,
    }


def _cpu(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _loop(body: bytes) -> Any:
    """What everybody writes first: a dict for each line, sorted by time, and a frame of them; Python as it comes."""
    import pandas as pd

    rows = []
    for stream in json.loads(body)["data"]["result"]:
        for ns, line, *extra in stream["values"]:
            row = {"timestamp": int(ns), "message": line, **stream["stream"]}
            for part in extra:
                row.update(part.get("structuredMetadata", {}))
            rows.append(row)
    rows.sort(key=lambda row: row["timestamp"])
    frame = pd.DataFrame(rows)
    frame["timestamp"] = pd.to_datetime(frame["timestamp"], unit="ns", utc=True)
    return frame


if __name__ == "__main__":
    for title, told in run(quick="--quick" in sys.argv).items():
        print(f"{title}: {told['body_bytes'] / 1e6:.0f} MB, {told['lines']:,} lines, {told['seconds']:.3f} s CPU")
        for key, (sign, aim) in AIMS.items():
            print(f"  {key} {told[key]:.2f} (aim {sign} {aim:g})")
