"""Builds the demo world as a native folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from obs_magics.demo.world.clock import Axis, axis, iso
from obs_magics.demo.world.happenings import events_table
from obs_magics.demo.world.infrastructure import record_infrastructure
from obs_magics.demo.world.logs import all_lines, logs_table
from obs_magics.demo.world.population import pods
from obs_magics.demo.world.recorder import Recorder
from obs_magics.demo.world.requests import record_requests
from obs_magics.demo.world.runtime import Replica, record_runtime
from obs_magics.demo.world.topology import SERVICES
from obs_magics.demo.world.traces import all_spans, spans_table
from obs_magics.demo.world.truth import TRUTH_FILE, truth
from obs_magics.local.native import FORMAT, VERSION, Manifest, write_folder
from obs_magics.model.sources import Progress, ProgressListener, no_progress

# Changes whenever the world does: it is part of the name under which a built world is kept.
WORLD_VERSION = 1
TITLE = "The obs_magics demo: a shop and its bad Sunday afternoon"
ADDRESS = "demo world, now 2026-11-22 16:00 UTC"
NOTE = "The demo world stands still: its now is 2026-11-22 16:00 UTC."


def build(folder: Path, *, hours: int = 6, progress: ProgressListener = no_progress) -> None:
    """Build the demo world.

    Args:
        folder: Where to; made when it is not there.
        hours: How much detail (a scrape every 15 s) there is before the world's now; 7 coarse days lie before that.
        progress: Told after each part.
    """
    span = axis(hours)
    total = len(SERVICES) + 4

    def tell(done: int, rows: int, note: str) -> None:
        progress(Progress(done, total, rows, note))

    recorder = Recorder(span)
    replicas = _services(recorder, span, tell)
    record_runtime(recorder, replicas)
    record_infrastructure(recorder, replicas)
    block = recorder.block()
    tell(len(SERVICES) + 1, len(block.values), "infrastructure")
    tables = {"events": events_table(span), **_logs_and_spans(span)}
    tell(len(SERVICES) + 3, len(block.values), "logs and traces")
    manifest = Manifest(
        format=FORMAT,
        version=VERSION,
        title=TITLE,
        address=ADDRESS,
        now=iso(span.end_ms),
        scrape_interval_seconds=15.0,
        note=NOTE,
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TRUTH_FILE).write_text(json.dumps(truth(hours), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    write_folder(folder, block, manifest, tables)
    tell(total, len(block.values), "written")


def _services(recorder: Recorder, span: Axis, tell: Callable[[int, int, str], None]) -> list[Replica]:
    everybody = pods(span)
    replicas = []
    for done, service in enumerate(SERVICES, start=1):
        mine = [everybody[service.name, number] for number in range(service.replicas)]
        rates = record_requests(recorder, service, mine)
        replicas += [Replica(service, number, mine[number], rates[number]) for number in range(service.replicas)]
        tell(done, 0, service.name)
    return replicas


def _logs_and_spans(span: Axis) -> dict[str, pa.Table]:
    everybody = pods(span)
    found = all_spans(span)
    lines = all_lines(span, found, everybody)
    return {"logs": logs_table(lines), "spans": spans_table(found, everybody)}
