"""Lines as a logs frame, and how many there are over time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.local.logql.lines import DETAILS, ERROR, Lines
from obs_magics.local.logs.column import Array, Column
from obs_magics.local.logs.store import LogStore
from obs_magics.model.frames import STRING_DTYPE
from obs_magics.model.logs import LEVELS, LOG_RESERVED, UNKNOWN, Volume, logs_frame
from obs_magics.model.time import TimeRange

_PREFIX = "label_"


def frame_of(lines: Lines, store: LogStore) -> pd.DataFrame:
    """The logs frame of some lines with all labels they have.

    Level, service, trace and span are those of the line as stored, whatever the pipeline has dropped or renamed. What
    the pipeline itself calls so fills gaps (but for the level, by which lines are counted), and stands in a column of
    its own where it says something else.
    """
    codes = store.level_codes(lines.selection)[lines.rows]
    own = {"level": _levels(codes)}
    for name in ("service", "trace_id", "span_id"):
        own[name] = _filled(name, lines)
    labels: dict[str, Column] = {}
    streams = {_title(name, lines) for name in lines.selection.label_names}
    for name in (*lines.label_names(), ERROR, DETAILS):
        column = lines.label(name)
        if name in own:
            column = column.where(~_equal(column, own[name]))
        if column.present.any():
            title = _title(name, lines)
            labels[title] = labels[title].over(column) if title in labels else column
    return logs_frame(
        lines.times_ns,
        lines.texts(),
        level_codes=codes,
        service=_category(own["service"]),
        trace_id=own["trace_id"].strings(),
        span_id=own["span_id"].strings(),
        labels={name: _category(one) if name in streams else one.strings() for name, one in labels.items()},
    )


def _levels(codes: Array) -> Column:
    return Column(codes.astype(np.int32), pa.array(LEVELS, pa.large_string()))


def _filled(name: str, lines: Lines) -> Column:
    stored = lines.selection.label(name, lines.rows)
    return lines.label(name) if stored is None else stored.over(lines.label(name))


def _equal(one: Column, other: Column) -> Array:
    return np.asarray(pc.equal(one.strings(), other.strings()).fill_null(False))


def _title(name: str, lines: Lines) -> str:
    """The label whose column this is: one that a stored frame calls `label_level` is a label `level`."""
    bare = name.removeprefix(_PREFIX)
    return bare if bare in LOG_RESERVED and name in lines.selection.names else name


def _category(column: Column) -> pd.Categorical:
    """For what tells streams apart; the rest are strings."""
    small = column.compact()
    narrow = np.int8 if len(small.values) <= 127 else np.int16 if len(small.values) <= 32767 else np.int32
    values = pd.Index(small.texts(), dtype=STRING_DTYPE)
    return pd.Categorical.from_codes(small.codes.astype(narrow), categories=values, validate=False)


def volume_of(times_ns: Array, levels: Array, span: TimeRange, step_ns: int) -> Volume:
    """How many lines there are in each bar, by level.

    Args:
        times_ns: int64, of all lines, all inside of the span.
        levels: int8: positions in `LEVELS`, -1 for unknown.
        span: The first bar begins with it, the last may be cut short by its end.
        step_ns: Width of a bar.
    """
    bars = -(-span.duration_ns // step_ns)
    places = (times_ns - span.start_ns) // step_ns
    counts: Mapping[str, tuple[int, ...]] = {
        name: tuple(np.bincount(places[levels == code], minlength=bars).tolist())
        for code, name in (*enumerate(LEVELS), (-1, UNKNOWN))
        if (levels == code).any()
    }
    return Volume(span.start_ns, step_ns, counts)
