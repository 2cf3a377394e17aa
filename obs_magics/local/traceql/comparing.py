"""`compare()`: how often each value of each attribute stands in the spans of a selection, and in the others.

As Tempo's `engine_metrics_compare.go` has it: a span is in the selection when it passes the filter and starts inside of
the window, where there is one; per attribute and side the most frequent values are kept, and the totals of all.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from obs_magics.local.promql.context import MAX_CELLS
from obs_magics.local.traceql.fields import fulfilled
from obs_magics.local.traceql.labels import texts_of
from obs_magics.local.traceql.stages import distinct
from obs_magics.local.traceql.values import DURATION, NIL, Floats, Integers, Values
from obs_magics.local.traceql.view import View
from obs_magics.local.traces.catalog import SERVICE
from obs_magics.model.errors import QueryError
from obs_magics.syntax.spans import Attributes
from obs_magics.syntax.traceql.tree import Attribute, Intrinsic, Metrics, Scope

META = "__meta_type"
_SIDES = ("baseline", "selection")
_NOTHING = "nil"
# Which intrinsics Tempo takes for attributes here, and what it calls them.
_INTRINSICS = {
    "name": "span:name", "kind": "span:kind", "status": "span:status", "statusMessage": "span:statusMessage",
    "rootName": "trace:rootName", "rootServiceName": "trace:rootService",
    "instrumentation:name": "instrumentation:name", "instrumentation:version": "instrumentation:version",
}  # fmt: skip
_OF_INTRINSICS = frozenset({"otel.scope.name", "otel.scope.version"})


def compared_sides(
    node: Metrics, rows: Integers, places: Integers, points: int, view: View
) -> tuple[list[dict[str, str]], Floats]:
    """The series of a `compare`: their labels, and float64 [series, points], how many spans.

    Args:
        node: The `compare`.
        rows: int64, the spans that count, as positions in the view.
        places: int64, the point that each counts for.
        points: How many there are.
        view: The spans.

    Raises:
        QueryError: There are too many numbers.
    """
    assert node.selection is not None  # noqa: S101 - the grammar wants one
    most, *window = (int(number) for number in node.parameters)
    chosen = fulfilled(node.selection, view)[rows]
    if any(window):
        starts = view.store.columns.start_ns[view.rows[rows]]
        chosen &= (starts >= window[0]) & (starts < window[1])
    labels: list[dict[str, str]] = []
    values: list[Floats] = []
    for name, field in _fields(view):
        found = view.values(field).first().take(rows)
        there = (found.types != NIL) & (found.types != DURATION)
        for side, own in zip(_SIDES, (there & ~chosen, there & chosen), strict=True):
            if not own.any():
                continue
            texts, counts = _most_frequent(found.take(np.flatnonzero(own)), places[own], points, most)
            labels += [{META: side, name: text} for text in texts]
            labels.append({META: f"{side}_total", name: _NOTHING})
            values += [counts, _counted(places[own], points)[None, :]]
        if len(labels) * points > MAX_CELLS:
            raise QueryError(f"the answer has more than {len(labels):,} series of {points:,} points", position=node.at)
    return labels, np.concatenate(values) if values else np.empty((0, points))


def _fields(view: View) -> Iterator[tuple[str, Attribute | Intrinsic]]:
    """All that spans have, by the label that it gets."""
    for name, intrinsic in _INTRINSICS.items():
        yield name, Intrinsic(intrinsic)
    columns = view.store.columns
    tables: tuple[tuple[Scope, Attributes], ...] = (
        ("resource", columns.resources), ("span", columns.attributes), ("instrumentation", columns.scopes),
    )  # fmt: skip
    for scope, table in tables:
        kept_apart = {SERVICE} if scope == "resource" else set()
        for key in sorted({*pc.unique(table.keys).to_pylist(), *kept_apart} - _OF_INTRINSICS):
            yield f"{scope}.{key}", Attribute(scope, key)


def _most_frequent(values: Values, places: Integers, points: int, most: int) -> tuple[list[str], Floats]:
    """The most frequent values as texts (of equal ones the first by name), and how many spans have each, by point."""
    codes = distinct(values)
    known, firsts, codes = np.unique(codes, return_index=True, return_inverse=True)
    totals = np.bincount(codes, minlength=len(known))
    worth = np.flatnonzero(totals >= np.sort(totals)[-min(most, len(totals))])  # before texts are made of all of them
    texts = texts_of(values.take(firsts[worth]))
    order = sorted(range(len(worth)), key=lambda place: (-totals[worth[place]], texts[place]))[:most]
    kept = worth[order]
    counts = np.stack([_counted(places[codes == code], points) for code in kept.tolist()])
    return [texts[place] for place in order], counts


def _counted(places: Integers, points: int) -> Floats:
    return np.bincount(places, minlength=points).astype(np.float64)
