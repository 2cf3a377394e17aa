"""A metrics frame as its series: one pair of arrays each, and names short enough to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.model.frames import label_columns, series_ids

Array = np.ndarray[Any, Any]

ABSENT = "(none)"  # how a label that a series lacks is written where its neighbours have it
NAME_LENGTH = 60
_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    ord("\n"): "⏎",
    ord("\r"): "⏎",
    ord("\t"): "⇥",
    0x2028: "⏎",
    0x2029: "⏎",
    # Bidirectional overrides would turn the text around them: https://trojansource.codes
    **{code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))},
    **dict.fromkeys(range(0xD800, 0xE000), "�"),
}


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a metrics frame, in order of time.

    Args:
        metric: The metric's name; empty when the frame has none.
        labels: Column → value, without those that the series lacks.
        timestamps_ns: int64 nanoseconds since the epoch.
        values: float64, one per timestamp.
        rows: int64, where each value stands in the frame.
    """

    metric: str
    labels: Mapping[str, str]
    timestamps_ns: Array
    values: Array
    rows: Array

    @property
    def identity(self) -> dict[str, str]:
        """The metric's name (as `metric`) and the labels."""
        return {**({"metric": self.metric} if self.metric else {}), **self.labels}


def split_series(frame: pd.DataFrame) -> list[Series]:
    """The series of a metrics frame, in order of first appearance, each sorted by time (ties stay as they stand)."""
    if frame.empty:
        return []
    ids = series_ids(frame)
    times = frame["timestamp"].astype("datetime64[ns, UTC]").astype("int64").to_numpy()
    values = frame["value"].to_numpy(dtype=np.float64)
    rows = np.arange(len(ids))
    steps = np.diff(ids)
    ordered = bool(np.all((steps > 0) | ((steps == 0) & (np.diff(times) >= 0))))
    if not ordered:
        rows = np.lexsort((rows, times, ids))
        ids, times, values = ids[rows], times[rows], values[rows]
    starts = np.concatenate([[0], np.flatnonzero(np.diff(ids)) + 1])
    ends = np.append(starts[1:], len(ids))
    metrics, labels = _identities(frame, rows[starts])
    return [
        Series(metric, own, times[start:end], values[start:end], rows[start:end])
        for metric, own, start, end in zip(metrics, labels, starts.tolist(), ends.tolist(), strict=True)
    ]


def _identities(frame: pd.DataFrame, firsts: Array) -> tuple[list[str], list[dict[str, str]]]:
    metrics = _texts(frame, "metric", firsts) if "metric" in frame.columns else [None] * len(firsts)
    columns = {name: _texts(frame, name, firsts) for name in label_columns(frame)}
    labels = [
        {name: text for name, texts in columns.items() if (text := texts[number]) is not None}
        for number in range(len(firsts))
    ]
    return [metric or "" for metric in metrics], labels


def _texts(frame: pd.DataFrame, name: str, rows: Array) -> list[str | None]:
    picked = frame[name].iloc[rows]
    return [None if gone else str(value) for value, gone in zip(picked, picked.isna(), strict=True)]


def common_labels(series: Sequence[Series]) -> dict[str, str]:
    """Labels (and `metric`) that every series has with the same value."""
    if not series:
        return {}
    first, *rest = (one.identity for one in series)
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in rest)}


def differing_labels(series: Sequence[Series]) -> list[str]:
    """Names of the labels (and `metric`) that tell the series apart, in order of first appearance."""
    common = common_labels(series)
    return list(dict.fromkeys(name for one in series for name in one.identity if name not in common))


def short_names(series: Sequence[Series], *, length: int = NAME_LENGTH) -> list[str]:
    """A name per series holding only the labels that differ: unique, one line, at most about `length` characters.

    A series that stands alone is called by all it has, at twice the length: ``up{job="node"}``, or ``value`` when it
    has nothing.
    """
    if len(series) == 1:
        return [clip(selector(series[0].identity) or "value", 2 * length)]
    names = differing_labels(series)
    return _unique([clip(" · ".join(one.identity.get(name, ABSENT) for name in names), length) for one in series])


def selector(identity: Mapping[str, str]) -> str:
    """A name as Prometheus writes it: ``up{job="node"}``."""
    inside = ", ".join(f'{name}="{value}"' for name, value in identity.items() if name != "metric")
    return one_line(identity.get("metric", "") + (f"{{{inside}}}" if inside else ""))


def one_line(text: str) -> str:
    """The text with line breaks, control characters and direction overrides made visible."""
    return text.translate(_VISIBLE)


def clip(text: str, length: int) -> str:
    """The text on one line, with its middle left out when it is longer than `length`."""
    line = one_line(text)
    if len(line) <= length:
        return line
    tail = (length - 1) // 2
    return f"{line[: length - 1 - tail]}…{line[len(line) - tail :]}"


def _unique(names: Sequence[str]) -> list[str]:
    taken: set[str] = set()
    unique = []
    for name in names:
        candidate, number = name, 2
        while candidate in taken:
            candidate, number = f"{name} ({number})", number + 1
        taken.add(candidate)
        unique.append(candidate)
    return unique
