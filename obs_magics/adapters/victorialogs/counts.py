"""Lines over time, as VictoriaLogs counts them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
import numpy as np

from obs_magics.adapters.log_levels import level_of
from obs_magics.adapters.prometheus.answers import Series
from obs_magics.model.errors import BadAnswer
from obs_magics.model.logs import LEVELS, UNKNOWN, Volume
from obs_magics.model.time import SECOND, TimeRange

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Hits(msgspec.Struct):
    fields: dict[str, str]
    timestamps: list[Moment]
    values: list[int]


class _HitsAnswer(msgspec.Struct):
    hits: list[_Hits] | None


def parse_hits(body: bytes) -> Series:
    """Read an answer of `/hits`: one series for each group of fields, its points where the bars begin.

    Raises:
        BadAnswer: It is something else.
    """
    try:
        hits = msgspec.json.decode(body, type=_HitsAnswer).hits or []
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadAnswer(f"the answer is not one of hits: {error}") from None
    if any(len(group.timestamps) != len(group.values) for group in hits):
        raise BadAnswer("the answer has not one count for each bar")
    return Series(
        labels=[group.fields for group in hits],
        counts=np.asarray([len(group.values) for group in hits], np.int64),
        timestamps_ns=np.asarray([_ns(moment) for group in hits for moment in group.timestamps], np.int64),
        values=np.asarray([float(value) for group in hits for value in group.values]),
    )


def _ns(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


def volume_of_counts(series: Series, span: TimeRange, step_ns: int) -> Volume:
    """The volume from counts by level; the bars begin at multiples of the step, the first may hold less than a whole.

    `stats_query_range` counts lines of the range only, whatever its first bar looks like.
    """
    first_ns = span.start_ns // step_ns * step_ns
    bars = -(-(span.end_ns - first_ns) // step_ns)
    counts: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
    owners = np.repeat(np.arange(len(series.labels)), series.counts)
    places = (series.timestamps_ns - first_ns) // step_ns
    for number, labels in enumerate(series.labels):
        own = (owners == number) & (places >= 0) & (places < bars)
        total = counts.setdefault(level_of(labels), np.zeros(bars, np.int64))
        np.add.at(total, places[own], series.values[own].astype(np.int64))
    order = [level for level in (*LEVELS, UNKNOWN) if level in counts]
    return Volume(first_ns, step_ns, {level: tuple(counts[level].tolist()) for level in order})


def duration(nanoseconds: int) -> str:
    """A duration in LogsQL's words.

    >>> duration(90_000_000_000), duration(1_500_000)
    ('90s', '1500000ns')
    """
    return f"{nanoseconds}ns" if nanoseconds % SECOND else f"{nanoseconds // SECOND}s"
