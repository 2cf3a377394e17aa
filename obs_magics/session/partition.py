"""A question about very many series in parts that fit into memory, cut along the values of one label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from obs_magics.model.errors import ObsError
from obs_magics.model.query import MetricsQuery
from obs_magics.model.sources import CatalogSource, MetricsSource
from obs_magics.model.time import SECOND, TimeRange
from obs_magics.syntax.promql import is_metric_name
from obs_magics.syntax.promql_split import kept_labels, only_selection

_LONGEST_QUERY = 60_000
"""Letters: what servers and proxies take of a form."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Some of the series of a query: those with these values of a label."""

    metric: str
    label: str
    values: tuple[str, ...]


async def cuts_of(query: MetricsQuery, source: MetricsSource, size: int) -> list[Cut]:
    """The question in cuts of about `size` series; none where it is small enough, or cannot be cut.

    The label with the most values is taken, of those that the query keeps. How many series each value has is asked
    once; values are packed in their order, so that the same source gives the same cuts.
    """
    found = only_selection(query.text)
    if found is None or not found.metric or not isinstance(source, CatalogSource):
        return []
    label, values = await _widest_label(query, found.metric, source)
    counts = await _counts(query, label, source) if label else {}
    if sum(counts.values()) <= size:
        return []
    packs = _packed(sorted({*values, *counts}), counts, size)
    return [Cut(found.metric, label, tuple(pack)) for pack in packs]


async def _widest_label(query: MetricsQuery, metric: str, source: CatalogSource) -> tuple[str, Sequence[str]]:
    kept = kept_labels(query.text)
    best: tuple[str, Sequence[str]] = ("", ())
    for label in await source.catalog.label_names(metric):
        if not is_metric_name(label) or (kept is not None and label not in kept):
            continue
        values = await source.catalog.label_values(label, metric)
        if len(values) > max(len(best[1]), 1):
            best = (label, values)
    return best


async def _counts(query: MetricsQuery, label: str, source: MetricsSource) -> Mapping[str, int]:
    """How many series each value has at the end of the range; empty when that cannot be asked."""
    text = f"count by ({label}) ({query.text})"
    asked = MetricsQuery(
        text=text, range=TimeRange(query.range.end_ns, query.range.end_ns), step_ns=SECOND, instant=True
    )
    try:
        frame = (await source.metrics(asked)).frame
    except ObsError:
        return {}  # the question itself will say what is wrong
    if label not in frame.columns:
        return {"": int(frame["value"].sum())} if len(frame) else {}
    names = frame[label].astype(object).where(frame[label].notna(), "")
    return {str(name): int(count) for name, count in zip(names, frame["value"], strict=True)}


def _packed(values: Sequence[str], counts: Mapping[str, int], size: int) -> list[list[str]]:
    """Values in packs of at most `size` series (one value alone may have more), in their order."""
    packs: list[list[str]] = [[]]
    series = letters = 0
    for value in values:
        own = counts.get(value, 1)
        if packs[-1] and (series + own > size or letters + len(value) > _LONGEST_QUERY):
            packs.append([])
            series = letters = 0
        packs[-1].append(value)
        series += own
        letters += len(value) + 1
    return packs
