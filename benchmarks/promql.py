"""PromQL on local data: our engine against a real Prometheus over HTTP on the same series, correctness and time.

usage: .venv/bin/python benchmarks/promql.py [--data DIR] [--out DIR] [--quick]

Fifty queries of the kind that dashboards hold, as range queries over the whole time. Without --data the series are
made up (1,000 counters and 1,000 histogram buckets × 1,440 points, and gauges); with it, every *.om in the folder
(OpenMetrics text with timestamps) is what both sides read, and the queries are those of its queries.txt. Needs
`prometheus` and `promtool` 2.42, whose rules our engine follows here. Our series lie in memory, its in blocks.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
import tracemalloc
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.memory_store import MemoryStore  # noqa: E402
from support.promql_answers import difference, of_json, of_result  # noqa: E402
from support.servers import prometheus  # noqa: E402

from obs_magics.local.promql.evaluate import evaluate  # noqa: E402

START_MS = 1_700_006_400_000
STEP_MS = 15_000
MUST_HOLD = (
    "sum by (service) (rate(http_requests_total[5m]))",
    "histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket[5m])))",
)
QUERIES = (
    *MUST_HOLD,
    "http_requests_total",
    "rate(http_requests_total[5m])",
    "sum(rate(http_requests_total[1m]))",
    "sum by (service, code) (rate(http_requests_total[5m]))",
    "sum(rate(http_requests_total{code=~'5..'}[5m])) / sum(rate(http_requests_total[5m]))",
    "sum by (service) (rate(http_requests_total{code=~'5..'}[5m])) / sum by (service) (rate(http_requests_total[5m]))",
    "100 * (1 - sum by (service) (rate(http_requests_total{code!~'5..'}[5m]))"
    " / sum by (service) (rate(http_requests_total[5m])))",
    "sum by (service) (increase(http_requests_total[1h]))",
    "topk(5, avg by (service) (memory_bytes))",
    "bottomk(3, memory_bytes)",
    "sum without (pod, code) (rate(http_requests_total[5m]))",
    "max by (service) (irate(http_requests_total[1m]))",
    "histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
    "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
    "histogram_quantile(0.9, rate(http_request_duration_seconds_bucket[10m]))",
    "sum by (service) (rate(http_request_duration_seconds_bucket{le='0.5'}[5m]))"
    " / on (service) sum by (service) (rate(http_request_duration_seconds_bucket{le='+Inf'}[5m]))",
    "sum by (le) (rate(http_request_duration_seconds_bucket[5m]))",
    "memory_bytes",
    "avg by (service) (memory_bytes)",
    "max by (service) (memory_bytes) / 1024 / 1024",
    "min by (service) (memory_bytes)",
    "quantile by (service) (0.9, memory_bytes)",
    "stddev by (service) (memory_bytes)",
    "count by (service) (memory_bytes)",
    "sum(memory_bytes) by (service) / on (service) sum(memory_limit_bytes) by (service)",
    "memory_bytes / on (service, pod) group_left () memory_limit_bytes",
    "memory_bytes > on (service, pod) group_left () (0.9 * memory_limit_bytes)",
    "avg_over_time(memory_bytes[10m])",
    "max_over_time(memory_bytes[1h])",
    "min_over_time(memory_bytes[30m])",
    "quantile_over_time(0.95, memory_bytes[10m])",
    "stddev_over_time(memory_bytes[10m])",
    "sum(sum_over_time(memory_bytes[5m]))",
    "deriv(memory_bytes[15m])",
    "predict_linear(memory_bytes[1h], 4 * 3600) > 2e9",
    "delta(memory_bytes[30m])",
    "changes(up[1h])",
    "up == 0",
    "count(up == 1) / count(up)",
    "avg_over_time(up[1h])",
    "absent(up{service='nothing'})",
    "time() - max by (service) (timestamp(up))",
    "sum(rate(http_requests_total[5m])) - sum(rate(http_requests_total[5m] offset 1h))",
    "sum by (service) (rate(http_requests_total[5m]))"
    " > 1.2 * sum by (service) (rate(http_requests_total[5m] offset 30m))",
    "max_over_time(sum(rate(http_requests_total[5m]))[30m:1m])",
    "label_replace(sum by (pod) (rate(http_requests_total[5m])), 'number', '$1', 'pod', '.*-(.*)')",
    "sum by (service) (rate(http_requests_total[5m])) and on (service) (avg by (service) (memory_bytes) > 5e8)",
    "clamp_max(sum by (service) (rate(http_requests_total[5m])), 100) or vector(0)",
)


@dataclass
class Row:
    """One query, times in milliseconds: ours, Prometheus over HTTP, what Prometheus itself says it took."""

    query: str
    series: int
    ours: float
    http: float
    own: float
    difference: str
    peak_mb: float = 0.0

    @property
    def ratio(self) -> float:
        """Our time against Prometheus' own."""
        return self.ours / self.own if self.own else float("inf")


def main() -> None:
    """Measure, print the table, write `result.json`."""
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    for program in ("prometheus", "promtool"):
        if shutil.which(program) is None:
            sys.exit(f"{program} is not here: apt-get install prometheus")
    store, queries = _read(options.data) if options.data else (_made_up(quick=options.quick), list(QUERIES))
    first = min(int(times[0]) for _, times, _ in store.series)
    last = max(int(times[-1]) for _, times, _ in store.series)
    with prometheus(store.openmetrics(), options=["--query.timeout=10m", "--query.max-samples=500000000"]) as address:
        rows = [_measure(query, store, address, (first, last), repeat=1 if options.quick else 3) for query in queries]
    _report(rows, store, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of *.om files and queries.txt")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "build" / "benchmarks" / "promql", help="where result.json goes"
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the series, a sixth of the time")
    return parser.parse_args()


def _made_up(*, quick: bool) -> MemoryStore:
    """Ten services with pods; scrapes every 15 s, each target at its own moment, with a few restarts."""
    random = np.random.default_rng(5)
    pods, points = (2, 240) if quick else (20, 1440)
    store = MemoryStore()
    for service in range(10):
        for pod in range(pods):
            target = {"service": f"service-{service}", "pod": f"service-{service}-{pod}"}
            times = START_MS + random.integers(0, STEP_MS) + np.arange(points) * STEP_MS
            _add_target(store, target, times, random)
    return store


def _add_target(store: MemoryStore, target: dict[str, str], times: Any, random: np.random.Generator) -> None:
    size = len(times)
    restart = int(random.integers(0, size)) if random.random() < 0.2 else size

    def count(per_scrape: float) -> Any:
        values = np.cumsum(random.poisson(per_scrape, size)).astype(float)
        values[restart:] -= values[min(restart, size - 1)]
        return values

    for code, share in (("200", 30.0), ("201", 5.0), ("404", 1.0), ("500", 0.3), ("503", 0.1)):
        store.add({"__name__": "http_requests_total", **target, "code": code}, times, count(share))
    buckets = np.stack([count(share) for share in (12.0, 9.0, 6.0, 3.0, 1.0)]).cumsum(axis=0)
    for bound, values in zip(("0.1", "0.5", "1", "5", "+Inf"), buckets, strict=True):
        store.add({"__name__": "http_request_duration_seconds_bucket", **target, "le": bound}, times, values)
    walk = 5e8 + np.cumsum(random.normal(0, 1e6, size)).round()
    store.add({"__name__": "memory_bytes", **target}, times, walk)
    store.add({"__name__": "memory_limit_bytes", **target}, times, np.full(size, 1e9))
    store.add({"__name__": "up", **target}, times, (random.random(size) > 0.01).astype(float))


_SAMPLE = re.compile(r"(?P<name>[^{\s]+)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)\s+(?P<time>\S+)$")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def _read(folder: Path) -> tuple[MemoryStore, list[str]]:
    samples: dict[tuple[tuple[str, str], ...], list[tuple[int, float]]] = {}
    for path in sorted(folder.glob("*.om")):
        for line in path.read_text().splitlines():
            match = None if line.startswith("#") else _SAMPLE.match(line)
            if match:
                labels = {name: json.loads(f'"{text}"') for name, text in _LABEL.findall(match["labels"] or "")}
                key = tuple(sorted({**labels, "__name__": match["name"]}.items()))
                samples.setdefault(key, []).append((round(float(match["time"]) * 1000), float(match["value"])))
    store = MemoryStore()
    for key, points in samples.items():
        times, values = zip(*sorted(points), strict=True)
        store.add(dict(key), times, values)
    return store, [line for line in (folder / "queries.txt").read_text().splitlines() if line.strip()]


def _measure(query: str, store: MemoryStore, address: str, span: tuple[int, int], *, repeat: int) -> Row:
    first, last = span
    how = {"start_ms": first, "end_ms": first + (last - first) // STEP_MS * STEP_MS, "step_ms": STEP_MS}
    ours, result = _timed(lambda: evaluate(query, store, version=2, **how), repeat)
    asked = {"query": query, "start": how["start_ms"] / 1000, "end": how["end_ms"] / 1000, "step": STEP_MS / 1000}
    body = urllib.parse.urlencode({**asked, "stats": "all"}).encode()
    http, answer = _timed(lambda: _post(f"{address}/api/v1/query_range", body), repeat)
    decoded = json.loads(answer)
    own = decoded["data"]["stats"]["timings"]["execTotalTime"] * 1000
    row = Row(query, len(result.labels), ours, http, own, difference(of_result(result), of_json(decoded)))
    if query in MUST_HOLD:
        row.peak_mb = _peak(lambda: evaluate(query, store, version=2, **how))
    return row


def _peak(function: Callable[[], Any]) -> float:
    """What a call takes at most beyond what is there before it, in MB; numpy tells tracemalloc of its arrays."""
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def _post(address: str, body: bytes) -> bytes:
    with urllib.request.urlopen(address, body, timeout=600) as reply:
        return bytes(reply.read())


def _timed(function: Callable[[], Any], repeat: int) -> tuple[float, Any]:
    took, answer = [], None
    for _ in range(repeat):
        start = time.perf_counter()
        answer = function()
        took.append((time.perf_counter() - start) * 1000)
    return statistics.median(took), answer


def _report(rows: list[Row], store: MemoryStore, out: Path) -> None:
    samples = sum(len(times) for _, times, _ in store.series)
    print(f"{len(store.series):,} series, {samples:,} samples; milliseconds; ratio: ours / Prometheus' own")
    print(f"{'ours':>8} {'http':>8} {'own':>8} {'ratio':>6} {'series':>7}  same  query")
    for row in rows:
        same = "no" if row.difference else "yes"
        figures = f"{row.ours:8.1f} {row.http:8.1f} {row.own:8.1f} {row.ratio:6.2f} {row.series:7}"
        print(f"{figures}  {same:4}  {row.query[:110]}")
        if row.difference:
            print(f"{'':>50}{row.difference[:200]}")
    total = {name: sum(getattr(row, name) for row in rows) for name in ("ours", "http", "own")}
    wrong = sum(bool(row.difference) for row in rows)
    must = [row for row in rows if row.query in MUST_HOLD]
    print(
        f"\n{len(rows)} queries, {wrong} differ; total {total['ours']:.0f} ms, over HTTP {total['http']:.0f} ms", end=""
    )
    print(f", Prometheus' own {total['own']:.0f} ms")
    for row in must:
        print(f"must hold (ratio ≤ 2, ≤ 1 GB): {row.ratio:.2f}, {row.peak_mb:.0f} MB  {row.query}")
    version = subprocess.run(["prometheus", "--version"], capture_output=True, text=True, check=True).stdout
    written = {
        "queries": [{**asdict(row), "ratio": row.ratio} for row in rows],
        "differ": wrong,
        "total_ms": total,
        "series": len(store.series),
        "samples": samples,
        "prometheus": version.splitlines()[0],
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    (out / "result.json").write_text(json.dumps(written, indent=2) + "\n")


if __name__ == "__main__":
    main()
