"""From raw columns to the logs frame: sorted by time, with level, service, trace and span of every line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.loglines.bodies import read_bodies
from obs_magics.analysis.loglines.colours import without_colours
from obs_magics.analysis.loglines.columns import (
    Column,
    column_ids,
    column_levels,
    column_services,
    filled,
    has_other_ids,
    has_other_levels,
    plain_column,
    stream_numbers,
    taken,
)
from obs_magics.analysis.loglines.folding import joined_lines, stack_heads
from obs_magics.analysis.loglines.ids import SPAN_DIGITS, TRACE_DIGITS
from obs_magics.analysis.loglines.levels import UNKNOWN_CODE
from obs_magics.analysis.loglines.names import SPAN_NAMES, TRACE_NAMES
from obs_magics.analysis.loglines.text import Text
from obs_magics.analysis.loglines.traces import read_ids
from obs_magics.model.logs import logs_frame

Array = np.ndarray[Any, Any]


def logs_frame_from(
    timestamps_ns: Array,
    messages: Text,
    *,
    labels: Mapping[str, pd.Categorical | pa.DictionaryArray],
    attributes: Mapping[str, Text] | None = None,
    infer: bool = True,
    fold: bool = False,
    say: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    """The logs frame of lines in any order, each told its level, service, trace and span.

    What labels and attributes say wins; only of lines of which they do not tell are the bodies looked at: JSON and
    logfmt by their keys, other text by what stands in its first words. What nobody says stays unknown.

    Args:
        timestamps_ns: int64 nanoseconds since the epoch, in any order; equal ones keep the order given.
        messages: Strings, valid UTF-8, null for an empty one. Colour codes (ANSI) are taken out, no more.
        labels: By name, what tells streams apart: one per line, missing where a stream does not have it.
        attributes: By name, what differs from line to line (structured metadata): strings (or dictionaries of
            strings), null where a line does not have it. No name stands in both.
        infer: Look at the bodies at all; False when only labels and attributes shall tell.
        fold: Fold stack traces that came line by line (`fold_stacks`); a stream is what has the same labels.
        say: Told in a sentence what was changed: colour codes taken out, lines folded.

    Returns:
        A logs frame as in `model.logs`, one row per line (or per folded line). Every label and attribute keeps its own
        column (`app`, `detected_level`, …), but for `level`, `service`, `trace_id` and `span_id`, which are the frame's
        own columns, unless they hold something that is no level or no id: that stays in `label_level` and so on.

    Raises:
        ValueError: The columns do not have one length, or a name stands in both labels and attributes.
    """
    columns = {name: plain_column(values) for name, values in {**labels, **(attributes or {})}.items()}
    _check(timestamps_ns, messages, labels, attributes or {}, columns)
    lines = _Lines(timestamps_ns, _large(messages), columns).in_order()
    clean, coloured = without_colours(lines.messages)
    if coloured and say:
        say(f"colour codes taken out of {_count(coloured)}")
    told = _tell(replace(lines, messages=clean), infer=infer)
    if fold:
        before = len(told.lines.messages)
        told = _folded(told, list(labels))
        if say and len(told.lines.messages) < before:
            say(f"{_count(before - len(told.lines.messages))} of stack traces folded into the line that they continue")
    return _frame(told)


@dataclass(frozen=True, slots=True)
class _Lines:
    """Lines and what stands beside them."""

    timestamps_ns: Array
    messages: Text
    columns: dict[str, Column]

    def in_order(self) -> _Lines:
        """By time; lines of one time stay as they were."""
        if bool((np.diff(self.timestamps_ns) >= 0).all()):
            return self
        return self.taken(np.argsort(self.timestamps_ns, kind="stable"))

    def taken(self, rows: Array) -> _Lines:
        columns = {name: taken(column, rows) for name, column in self.columns.items()}
        return _Lines(self.timestamps_ns[rows], self.messages.take(pa.array(rows)), columns)


@dataclass(frozen=True, slots=True)
class _Told:
    """Lines with what they tell."""

    lines: _Lines
    levels: Array
    services: pd.Categorical
    traces: pa.Array | None
    spans: pa.Array | None


def _check(timestamps_ns: Array, messages: Text, labels: Any, attributes: Any, columns: Mapping[str, Column]) -> None:
    twice = sorted(set(labels) & set(attributes))
    if twice:
        raise ValueError(f"both a label and an attribute: {', '.join(twice)}")
    if any(len(column) != len(timestamps_ns) for column in (messages, *columns.values())):
        raise ValueError("the columns do not have one length")


def _large(messages: Text) -> Text:
    """Large strings, as the lines of a query may be more than 2 GB."""
    return pc.fill_null(messages.cast(pa.large_string()), "")


def _count(lines: int) -> str:
    return f"{lines:,} line{'' if lines == 1 else 's'}"


def _tell(lines: _Lines, *, infer: bool) -> _Told:
    size = len(lines.messages)
    levels, services = column_levels(lines.columns, size), column_services(lines.columns, size)
    traces = column_ids(lines.columns, TRACE_NAMES, TRACE_DIGITS)
    spans = column_ids(lines.columns, SPAN_NAMES, SPAN_DIGITS)
    if infer and size:
        levels, services = _with_bodies(lines.messages, levels, services)
        if traces is None or traces.null_count:
            found, found_spans = read_ids(lines.messages)
            traces, spans = _either(traces, found), _either(spans, found_spans)
    return _Told(lines, levels, services, traces, spans)


def _either(first: pa.Array | None, second: pa.Array | None) -> pa.Array | None:
    if first is None or second is None:
        return second if first is None else first
    return pc.coalesce(first, second)


def _with_bodies(messages: Text, levels: Array, services: pd.Categorical) -> tuple[Array, pd.Categorical]:
    """Fill in from the bodies what labels and attributes do not tell; nothing else is looked at."""
    no_level, no_service = levels == UNKNOWN_CODE, services.codes < 0
    for rows, only_services in ((no_level, False), (no_service & ~no_level, True)):
        if not rows.any():
            continue
        part = messages if rows.all() else messages.filter(pa.array(rows))
        told = read_bodies(part, levels=not only_services, services=bool(no_service[rows].any()))
        if not only_services:
            levels = levels.copy()
            levels[rows] = told.levels
        services = filled(services, _spread(told.services, rows))
    return levels, services


def _spread(part: pd.Categorical, rows: Array) -> pd.Categorical:
    codes = np.full(len(rows), -1, part.codes.dtype)
    codes[rows] = part.codes
    return pd.Categorical.from_codes(codes, dtype=part.dtype, validate=False)


def _folded(told: _Told, labels: Sequence[str]) -> _Told:
    """Lines of stack traces in one: with the level and the ids of the first line, else of those folded into it."""
    lines = told.lines
    streams = stream_numbers([lines.columns[name] for name in labels], len(lines.messages))
    heads = stack_heads(lines.timestamps_ns, lines.messages, streams, levels=told.levels)
    kept, messages = joined_lines(lines.messages, heads)
    if len(kept) == len(heads):
        return told
    worst = np.full(len(heads), UNKNOWN_CODE, np.int8)
    np.maximum.at(worst, heads, told.levels)
    return _Told(
        replace(lines.taken(kept), messages=messages),
        np.where(told.levels == UNKNOWN_CODE, worst, told.levels)[kept],
        taken(told.services, kept),
        _first_ids(told.traces, heads, kept),
        _first_ids(told.spans, heads, kept),
    )


def _first_ids(ids: pa.Array | None, heads: Array, kept: Array) -> pa.Array | None:
    """The first id among the lines that belong to each head."""
    if ids is None:
        return None
    rows = np.flatnonzero(pc.is_valid(ids).to_numpy(zero_copy_only=False))
    first = np.full(len(heads), -1)
    first[heads[rows][::-1]] = rows[::-1]
    chosen = first[kept]
    return ids.take(pa.array(chosen, mask=chosen < 0))


def _frame(told: _Told) -> pd.DataFrame:
    lines = told.lines
    columns = lines.columns
    own = {"service"}
    if "level" in columns and not has_other_levels(columns["level"]):
        own.add("level")
    for name, ids, digits in (("trace_id", told.traces, TRACE_DIGITS), ("span_id", told.spans, SPAN_DIGITS)):
        if name in columns and not has_other_ids(columns[name], ids, digits):
            own.add(name)
    return logs_frame(
        lines.timestamps_ns,
        lines.messages,
        level_codes=told.levels,
        service=told.services,
        trace_id=told.traces,
        span_id=told.spans,
        labels={name: column for name, column in columns.items() if name not in own},
    )
