"""Writing log files and looking at what the readers make of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd

from obs_magics.local.readers import read_files
from obs_magics.local.readers.base import Mapping, Reading

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CHANGED = pd.Timestamp("2026-11-25T12:00:00Z").timestamp()


def write_log(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(path, (CHANGED, CHANGED))
    return path


def read_log(path: Path, text: str | bytes, **mapping: Any) -> Reading:
    return read_files(write_log(path, text), Mapping(**mapping))


def log_rows(reading: Reading) -> list[tuple[str, str | None, str | None, str]]:
    """Time (behind the day), level, service and message of each entry."""
    rows = []
    for table in reading.logs:
        for row in table.to_pylist():
            time = pd.Timestamp(row["timestamp"]).tz_convert("UTC").isoformat().replace("+00:00", "")
            rows.append((time.removeprefix("2026-11-22T"), row["level"], row["service"], row["message"]))
    return rows


def columns_beside(reading: Reading, row: int = 0) -> dict[str, str]:
    """What stands beside an entry."""
    found = reading.logs[0].slice(row, 1).to_pylist()[0]
    beside = {name: value for name, value in found.items() if value is not None}
    return {
        name: value
        for name, value in beside.items()
        if name not in ("timestamp", "level", "service", "message", "filename")
    }


def notes(reading: Reading) -> str:
    return "\n".join(map(str, reading.notes))


def problems(reading: Reading) -> list[str]:
    return list(map(str, reading.problems))
