"""Every trace that the recordings and fixtures of tracing servers hold, as spans frames."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from obs_magics.model.errors import BadAnswer
from obs_magics.syntax.spans import read_jaeger, read_otlp
from support.recordings import load

SERVERS = ("tempo", "victoria-traces")


def recorded_frames(contracts: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and frame of each document that has spans in a form that we read."""
    bodies = [
        (f"{server}/{one.file}", one.body)
        for server in SERVERS
        for one in load(contracts / "recordings" / server)
        if one.status == 200 and not one.truncated
    ]
    for path in sorted((contracts / "fixtures" / "jaeger").glob("*.json")):
        bodies += [(f"jaeger/{path.name}", body) for body in _fixture_bodies(json.loads(path.read_text()))]
    for name, body in bodies:
        for reader in (read_otlp, read_jaeger):
            try:
                frame = reader(body).frame()
            except BadAnswer:
                continue
            if len(frame):
                yield name, frame
                break


def _fixture_bodies(fixture: dict[str, Any]) -> Iterator[bytes]:
    for one in fixture["interactions"]:
        for side in (one.get("request"), one.get("response")):
            if isinstance(side, dict) and isinstance(side.get("body"), dict | list):
                yield json.dumps(side["body"]).encode()
