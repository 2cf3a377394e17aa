"""What goes into the PromQL engine and what comes out: series with samples, the store they come from, the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa

Array = np.ndarray[Any, Any]
Labels = dict[str, str]

NAME = "__name__"
# Prometheus ends a series with this NaN; every other NaN is a value (model/value/value.go in its source).
STALE_BITS = np.uint64(0x7FF0000000000002)


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label; a missing label counts as an empty one.

    Args:
        name: The label.
        op: ``=``, ``!=``, ``=~`` or ``!~``; patterns are RE2 and match the whole value.
        value: Text or pattern.
    """

    name: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class SeriesSet:
    """Series end to end: series i has the samples from `offsets[i]` up to `offsets[i + 1]`.

    Args:
        labels: One mapping per series, ``__name__`` included.
        offsets: int64, one more than series.
        timestamps_ms: int64 milliseconds since the epoch, ascending within a series.
        values: float64; may hold stale markers; NaN where there is a histogram.
        histograms: Native histograms (`model.frames.HISTOGRAM_TYPE`), one per sample, null where it is a float; None
            when there are none.
    """

    labels: Sequence[Mapping[str, str]]
    offsets: Array
    timestamps_ms: Array
    values: Array
    histograms: pa.Array | None = None


class SeriesStore(Protocol):
    """Where samples come from."""

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesSet:
        """The series that fulfil all matchers with their samples between two times, both included.

        Samples ascend in each series; stale markers are kept. The order of the series does not matter.
        """
        ...


@dataclass(frozen=True, slots=True)
class Result:
    """An answer in the shape of a `SeriesSet`.

    Args:
        kind: ``matrix``, ``vector``, ``scalar`` or ``string``.
        labels: One mapping per series.
        offsets: int64, one more than series.
        timestamps_ms: int64 milliseconds since the epoch.
        values: float64; NaN is a value. There are no stale markers.
        warnings: What Prometheus would say of the answer.
        histograms: As in `SeriesSet`.
        text: The string, when the answer is one.
    """

    kind: Literal["matrix", "vector", "scalar", "string"]
    labels: Sequence[Labels]
    offsets: Array
    timestamps_ms: Array
    values: Array
    warnings: Sequence[str] = field(default=())
    histograms: pa.Array | None = None
    text: str = ""
