"""TraceQL metrics: the answers of `query_range` and `query` as series of numbers.

Each series has typed labels; its points have `timestampMs` (a string) and `value`, which is missing where it is 0.
The answer to an instant query has one `value` a series and no points.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
import numpy as np

from obs_magics.adapters.prometheus.answers import Series
from obs_magics.adapters.tempo.shapes import Judged, decoded, other_shape
from obs_magics.model.time import MILLISECOND
from obs_magics.net.reply import Reply

_Number: TypeAlias = float | str
_NIL = "nil"


class _Value(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    string_value: str | None = None
    int_value: str | int | None = None
    double_value: _Number | None = None
    bool_value: bool | None = None

    def text(self) -> str:
        """As it is written in TraceQL; doubles in the shortest form, without a fraction of 0."""
        if self.string_value is not None:
            return self.string_value
        if self.bool_value is not None:
            return str(self.bool_value).lower()
        if self.double_value is not None:
            return repr(float(self.double_value)).removesuffix(".0")
        return _NIL if self.int_value is None else str(self.int_value)


class _Label(msgspec.Struct, gc=False):
    key: str = ""
    value: _Value = _Value()


class _Point(msgspec.Struct, gc=False):
    time: str | int = msgspec.field(name="timestampMs", default=0)
    value: _Number = 0.0


class _Series(msgspec.Struct, gc=False):
    labels: list[_Label] | None = None
    samples: list[_Point] | None = None
    value: _Number = 0.0

    def texts(self) -> dict[str, str]:
        """Its labels."""
        return {label.key: label.value.text() for label in self.labels or ()}


class _Answer(Judged):
    series: list[_Series] | msgspec.UnsetType | None = msgspec.UNSET
    metrics: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def read_numbers(reply: Reply, at_ns: int | None = None) -> Series:
    """The series of an answer; `warnings` has what the server says of its completeness.

    Args:
        reply: The answer.
        at_ns: Of an instant query: its time, in nanoseconds since the epoch.

    Raises:
        BadAnswer: It is something else.
    """
    answer: _Answer = decoded(_Answer, reply)
    if answer.series is msgspec.UNSET and answer.metrics is msgspec.UNSET and reply.body.strip() != b"{}":
        raise other_shape(reply.where, "it has no series")
    found = answer.series or []
    if at_ns is None:
        counts = [len(series.samples or ()) for series in found]
        points = [point for series in found for point in series.samples or ()]
    else:
        counts = [1] * len(found)
        points = [_Point(at_ns // MILLISECOND, series.value) for series in found]
    try:
        times = np.asarray([int(point.time) for point in points], np.int64) * MILLISECOND
        values = np.asarray([float(point.value) for point in points], np.float64)
        labels = [series.texts() for series in found]
    except (ValueError, OverflowError) as error:
        raise other_shape(reply.where, str(error)) from None
    warnings = (answer.missing,) if answer.missing else ()
    return Series(
        labels=labels, counts=np.asarray(counts, np.int64), timestamps_ns=times, values=values, warnings=warnings
    )
