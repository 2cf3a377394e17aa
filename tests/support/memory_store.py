"""A SeriesStore in memory, and the same series as OpenMetrics text for a real Prometheus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from obs_magics.local.promql.data import Array, Labels, Matcher, SeriesSet
from obs_magics.local.promql.match import fulfils


@dataclass
class MemoryStore:
    """Series as (labels, timestamps in milliseconds, values)."""

    series: list[tuple[Labels, Array, Array]] = field(default_factory=list)
    histograms: Mapping[int, pa.Array] = field(default_factory=dict)

    def add(self, labels: Mapping[str, str], times_ms: Sequence[int] | Array, values: Sequence[float] | Array) -> None:
        """Put a series in."""
        self.series.append((dict(labels), np.asarray(times_ms, np.int64), np.asarray(values, np.float64)))

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesSet:
        """As `SeriesStore` has it."""
        labels, counts, times, values = [], [], [], []
        chunks = []
        for number, (own, own_times, own_values) in enumerate(self.series):
            if not all(fulfils(matcher, own.get(matcher.name, "")) for matcher in matchers):
                continue
            part = slice(np.searchsorted(own_times, start_ms), np.searchsorted(own_times, end_ms, "right"))
            if part.start == part.stop:
                continue
            labels.append(own)
            counts.append(part.stop - part.start)
            times.append(own_times[part])
            values.append(own_values[part])
            if self.histograms:
                chunks.append(self.histograms[number].slice(part.start, part.stop - part.start))
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        none = np.empty(0)
        return SeriesSet(
            labels,
            offsets,
            np.concatenate([none.astype(np.int64), *times]),
            np.concatenate([none, *values]),
            pa.concat_arrays(chunks) if chunks else None,
        )

    def openmetrics(self) -> str:
        """The same as text that ``promtool tsdb create-blocks-from openmetrics`` reads."""
        lines = []
        for labels, times, values in self.series:
            inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items() if name != "__name__")
            head = f"{labels['__name__']}{{{inside}}}"
            lines += [f"{head} {_number(value)} {time / 1000:.3f}" for time, value in zip(times, values, strict=True)]
        return "\n".join([*lines, "# EOF", ""])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if np.isnan(value):
        return "NaN"
    return ("+Inf" if value > 0 else "-Inf") if np.isinf(value) else repr(float(value))
