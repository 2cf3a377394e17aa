"""Every trace that the recordings and fixtures of tracing servers hold, as spans frames."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from obs_magics.syntax.spans import read_jaeger, read_otlp
from support.recordings import load

SERVERS = ("tempo", "victoria-traces")


def recorded_frames(contracts: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and frame of each document that has spans."""
    bodies = [
        (f"{server}/{one.file}", one.body)
        for server in SERVERS
        for one in load(contracts / "recordings" / server)
        if one.status == 200 and not one.truncated
    ]
    bodies += [(path.name, path.read_bytes()) for path in sorted((contracts / "fixtures" / "jaeger").glob("*.json"))]
    for name, body in bodies:
        reader = _reader(body)
        if reader is not None:
            frame = reader(body).frame()
            if len(frame):
                yield name, frame


def _reader(body: bytes) -> Any:
    """By the shape of the document; None where it holds no spans."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    whole = document.get("result", document.get("trace", document))
    if isinstance(whole, dict) and {"resourceSpans", "batches"} & set(whole):
        return read_otlp
    data = document.get("data")
    return read_jaeger if isinstance(data, list) and data and isinstance(data[0], dict) and "spans" in data[0] else None
