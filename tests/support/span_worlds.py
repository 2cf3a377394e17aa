"""Spans frames for tests: from rows written down in a line each, and worlds of traces that hypothesis makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

from obs_magics.model.frames import categories
from obs_magics.model.spans import ATTRIBUTES_TYPE, EVENTS_TYPE, KINDS, LINKS_TYPE, STATUSES, spans_frame

MS = 1_000_000
BASE = 1_795_341_600_000_000_000  # 2026-11-22 10:00 UTC


def span(
    name: str,
    parent: str | None = None,
    start: float = 0,
    end: float = 10,
    *,
    trace: str = "1",
    service: str | None = "shop",
    kind: str | None = "internal",
    status: str = "unset",
    message: str | None = None,
    operation: str | None = None,
    attributes: Mapping[str, str] | None = None,
    links: Sequence[tuple[str, str]] = (),
    events: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """A span; `start` and `end` in milliseconds after `BASE`, ids as the hex digits they end in."""
    return {**locals()}


def frame(*spans: Mapping[str, Any]) -> pd.DataFrame:
    """A spans frame of such spans, brought into its order."""
    links = [[{"trace_id": hex_id(t, 32), "span_id": hex_id(s, 16)} for t, s in one["links"]] for one in spans]
    events = [list(one["events"]) for one in spans]
    starts = np.array([BASE + round(one["start"] * MS) for one in spans], dtype=np.int64)
    ends = np.array([BASE + round(one["end"] * MS) for one in spans], dtype=np.int64)
    return spans_frame(
        trace_id=pa.array([hex_id(one["trace"], 32) for one in spans], pa.string()),
        span_id=pa.array([hex_id(one["name"], 16) for one in spans], pa.string()),
        parent_id=pa.array([one["parent"] and hex_id(one["parent"], 16) for one in spans], pa.string()),
        service=categories([one["service"] for one in spans]),
        operation=categories([one["operation"] or one["name"] for one in spans]),
        kind_codes=np.array([KINDS.index(one["kind"]) if one["kind"] else -1 for one in spans], dtype=np.int8),
        start_ns=starts,
        duration_ns=ends - starts,
        status_codes=np.array([STATUSES.index(one["status"]) for one in spans], dtype=np.int8),
        status_message=pa.array([one["message"] for one in spans], pa.string()),
        attributes=pa.array([list((one["attributes"] or {}).items()) for one in spans], ATTRIBUTES_TYPE),
        links=pa.array(links, LINKS_TYPE) if any(links) else None,
        events=pa.array(events, EVENTS_TYPE) if any(events) else None,
    )


def hex_id(text: str, width: int) -> str:
    """An id of so many digits that ends in what the text is as bytes, or as hex digits where it is such."""
    digits = text if all(letter in "0123456789abcdef" for letter in text) else text.encode().hex()
    return digits.rjust(width, "0")[-width:]


def rows_of(data: pd.DataFrame) -> dict[str, int]:
    """Rows by operation."""
    return {name: row for row, name in enumerate(data["operation"].astype(str))}


@st.composite
def worlds(draw: st.DrawFn, *, most: int = 20, traces: int = 3, rings: bool = False) -> pd.DataFrame:
    """Traces of spans with few different instants, so that ends meet, spans are empty and children lie anywhere."""
    spans = []
    for trace in range(draw(st.integers(1, traces))):
        count = draw(st.integers(1, most))
        for number in range(count):
            parent = draw(st.integers(-1 if number else -2, count if rings else number - 1))
            start, length = draw(st.integers(0, 12)), draw(st.integers(0, 12))
            kind = draw(st.sampled_from([*KINDS, None, "internal", "internal", "server", "client"]))
            spans.append(
                span(
                    f"{number + 1:x}",
                    None if parent < 0 else f"{parent + 1:x}",
                    start,
                    start + length,
                    trace=f"{trace + 1:x}",
                    kind=kind,
                    service=draw(st.sampled_from(["a", "b", None])),
                    status=draw(st.sampled_from(STATUSES)),
                )
            )
    return frame(*spans)
