"""From lines to samples: one number a line, sorted into series by the labels that are kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from obs_magics.local.logql.context import Context
from obs_magics.local.logql.conversions import CONVERSIONS
from obs_magics.local.logql.label_filters import converted, filter_labels
from obs_magics.local.logql.lines import DETAILS, ERROR, Array, Lines, joined, without_empty
from obs_magics.local.logql.parsers.wanted import Wanted
from obs_magics.local.logql.pipeline import run
from obs_magics.local.logql.plan import Kept
from obs_magics.local.logs.column import Column
from obs_magics.local.promql.data import Labels
from obs_magics.model.errors import QueryError
from obs_magics.syntax.logql.strings import go_quote
from obs_magics.syntax.logql.tree import LogRange, RangeAggregation, Unwrap

SAMPLE_ERROR = "SampleExtractionErr"
_OF_BYTES = frozenset({"bytes_over_time", "bytes_rate"})


@dataclass(frozen=True, slots=True)
class Samples:
    """Series end to end: series i has the samples from `offsets[i]` up to `offsets[i + 1]`, in order of time.

    Args:
        labels: One mapping per series.
        offsets: int64, one more than series.
        times_ns: int64.
        values: float64.
    """

    labels: list[Labels]
    offsets: Array
    times_ns: Array
    values: Array


def samples_of(node: RangeAggregation, kept: Kept, wanted: Wanted, context: Context) -> Samples:
    """The samples in the windows of a range aggregation.

    Raises:
        QueryError: A line could not be read, and its error is not filtered out: no metric may hide that.
    """
    lines = run(node.range.query.stages, _in_windows(node.range, context), wanted)
    lines = lines.keep(context.known(lines.selection, lines.rows))
    if node.range.unwrap is not None:
        lines, values = _unwrapped(node.range.unwrap, lines)
    elif node.op in _OF_BYTES:
        values = np.asarray(pc.binary_length(lines.texts()), np.float64)
    else:
        values = np.ones(len(lines))
    _forbid_errors(lines, context)
    return _sorted(lines, values, kept)


def _in_windows(wanted: LogRange, context: Context) -> Lines:
    """The lines that lie in some window; a window is open on the left: (t - range, t]."""
    ends = context.times_ns - wanted.offset_ns
    first, last = int(ends[0]) - wanted.range_ns + 1, int(ends[-1]) + 1
    selection = context.severe(context.select(wanted.query.matchers, first, last))
    times = selection.times_ns
    end_behind = ends[np.minimum(np.searchsorted(ends, times), len(ends) - 1)]
    inside = times > end_behind - wanted.range_ns
    return Lines.all_of(selection if inside.all() else selection.kept(inside))


def _unwrapped(stage: Unwrap, lines: Lines) -> tuple[Lines, Array]:
    """The lines that have the label, and its value as a number; a value that is none is an error."""
    column = lines.label(stage.label)
    there = column.mask(bool, missing=False)
    lines, column = lines.keep(there), column.kept(there)
    values, wrong, details = converted(column, CONVERSIONS[stage.conversion])
    lines = lines.fail(SAMPLE_ERROR, details, wrong)
    everything = lines
    for condition in stage.filters:
        lines = filter_labels(condition, lines)
    return lines, values[np.searchsorted(everything.rows, lines.rows)]


def _forbid_errors(lines: Lines, context: Context) -> None:
    failed = lines.failed()
    if lines.kept_errors is not None:
        failed &= ~lines.kept_errors
    if not failed.any():
        return
    single = lines.keep(np.arange(len(lines)) == int(np.argmax(failed)))
    names = [*lines.label_names(), ERROR, DETAILS]
    labels = {name: text for name in names for text in single.label(name).strings().to_pylist() if text is not None}
    kind = labels[ERROR]
    shown = ", ".join(f"{name}={go_quote(value)}" for name, value in sorted(labels.items()))
    message = f"pipeline error: '{kind}' for series: '{{{shown}}}'"
    words = (
        f'{message}.\nUse a label filter to intentionally skip this error. (e.g | __error__!="{kind}").\n'
        'To skip all potential errors you can match empty errors.(e.g __error__="")\n'
        'The label filter can also be specified after unwrap. (e.g | unwrap latency | __error__="" )\n'
    )
    hint = '| __error__="" leaves such lines out; put it behind the parser, or behind unwrap'
    raise QueryError(message, query=context.text, words=words, hint=hint)


def _sorted(lines: Lines, values: Array, kept: Kept) -> Samples:
    names = [name for name in kept.of(lines.label_names()) if name != DETAILS]
    columns = without_empty(lines.label(name) for name in names)
    keys, _ = joined(columns) if columns else (np.zeros(len(lines), np.int64), 1)
    distinct, firsts, ids, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(ids.astype(_narrow(len(distinct))), kind="stable")
    return Samples(
        _labels(names, columns, firsts),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        lines.times_ns[order],
        values[order],
    )


def _narrow(most: int) -> type[np.signedinteger]:
    """The narrower the numbers, the faster they are sorted."""
    return np.int16 if most < 2**15 else np.int64


def _labels(names: list[str], columns: list[Column], rows: Array) -> list[Labels]:
    texts = [column.kept(rows).strings().to_pylist() for column in columns]
    return [
        {name: value for name, value in zip(names, values, strict=True) if value is not None}
        for values in (zip(*texts, strict=True) if texts else [()] * len(rows))
    ]
