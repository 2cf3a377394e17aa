"""Reads what `promtool tsdb dump` prints: ``{__name__="up", job="x"} 1 1600000000000``, times in ms.

Native histograms stand there in words: ``{count:3, sum:4.5, [-0.1,0.1]:1, (0.5,1]:2}``. Stale markers are printed as
plain NaN and cannot be told from a value.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa

from obs_magics.local.block import Rows
from obs_magics.local.readers.base import Complaints, File, Mapping, Reading
from obs_magics.local.readers.exposition import SAMPLE, is_number, parse_labels
from obs_magics.model.frames import HISTOGRAM_TYPE

_NUMBER = r"[-+0-9.eE]+|[-+]?Inf|NaN"
_TOTALS = re.compile(rf"\{{count:({_NUMBER}), sum:({_NUMBER})")
_BUCKET = re.compile(rf"([\[(])({_NUMBER}),({_NUMBER})([\])]):({_NUMBER})")
# Which bounds belong to a bucket, as the query API numbers it (`model.frames.HISTOGRAM_TYPE`).
_RULES = {"(]": 0, "[)": 1, "()": 2, "[]": 3}


def looks_right(file: File) -> bool:
    """Whether the first line is a sample whose name stands among its labels."""
    lines = file.head.decode("utf-8", "replace").split("\n", 1)
    match = SAMPLE.fullmatch(lines[0])
    # the name stands first, but for labels with a capital letter
    return match is not None and not match["name"] and '__name__="' in (match["labels"] or "")


def read(file: File, _mapping: Mapping) -> Reading:
    """Read a dump."""
    complaints = Complaints(file.name)
    known: dict[str, int] = {}
    labels: list[dict[str, str]] = []
    samples: list[tuple[int, int, float]] = []
    histograms: list[dict[str, Any] | None] = []
    with file.open() as stream:
        for number, raw in enumerate(stream, start=1):
            line = raw.decode("utf-8", "replace")
            if not line.strip():
                continue
            try:
                text, value, time = _parts(line)
                if text not in known:
                    labels.append(parse_labels(text))
                    known[text] = len(labels) - 1
                histogram = _histogram(value) if value.startswith("{") else None
                samples.append((known[text], time, float("nan") if histogram else float(value)))
                histograms.append(histogram)
            except ValueError as problem:
                complaints.add(str(problem), number)
    series, times, values = np.asarray(samples, np.object_).reshape(-1, 3).T
    rows = Rows(
        labels,
        series.astype(np.int64),
        times.astype(np.int64),
        values.astype(np.float64),
        pa.array(histograms, HISTOGRAM_TYPE) if any(histograms) else None,
    )
    return Reading([rows] if samples else [], complaints.all, 1)


def _parts(line: str) -> tuple[str, str, int]:
    """Labels, value and time of a line."""
    match = SAMPLE.fullmatch(line)
    if match is None or not match["labels"] or not match["time"]:
        raise ValueError("not a line of promtool tsdb dump: {labels} value milliseconds")
    value = match["value"]
    if not value.startswith("{") and not is_number(value):
        raise ValueError(f"{value!r} is not a number")
    return match["labels"], value, int(match["time"])


def _histogram(text: str) -> dict[str, Any]:
    totals = _TOTALS.match(text)
    if totals is None:
        raise ValueError(f"{text[:40]!r} is not a histogram")
    buckets = [
        {"rule": _RULES[opening + closing], "lower": float(low), "upper": float(high), "count": float(count)}
        for opening, low, high, closing, count in _BUCKET.findall(text)
    ]
    return {"count": float(totals[1]), "sum": float(totals[2]), "buckets": buckets}
