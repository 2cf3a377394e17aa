"""Why an answer is empty: which selector found nothing, and what would have been near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from obs_magics.local.promql.data import Matcher, SeriesSet
from obs_magics.local.store import Store
from obs_magics.model.errors import did_you_mean
from obs_magics.model.frames import METRIC_NAME_LABEL


@dataclass(frozen=True, slots=True)
class _Selection:
    matchers: tuple[Matcher, ...]
    start_ms: int
    end_ms: int
    names: frozenset[str]
    found: int


@dataclass(slots=True)
class Witness:
    """A `SeriesStore` that hands every question on to `store` and remembers what came of it."""

    store: Store
    _selections: list[_Selection] = field(default_factory=list)

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesSet:
        """As `Store.select`."""
        found = self.store.select(matchers, start_ms, end_ms)
        names = frozenset(labels.get(METRIC_NAME_LABEL, "") for labels in found.labels)
        self._selections.append(_Selection(tuple(matchers), start_ms, end_ms, names, len(found.labels)))
        return found

    def names(self) -> frozenset[str]:
        """The names of the metrics that were found."""
        return frozenset(name for selection in self._selections for name in selection.names)

    def why_empty(self) -> str:
        """A sentence on the first selector that found nothing, or on the query as a whole."""
        for selection in self._selections:
            if not selection.found:
                return _explain(self.store, selection)
        if self._selections:
            return "the selectors find series, but nothing is left of them after the functions and operators"
        return "the query reads no series"


def _explain(store: Store, selection: _Selection) -> str:
    series = store.index.match(selection.matchers)
    if len(series):
        return _outside(selection, *store.extent(series))
    for matcher in sorted(selection.matchers, key=lambda matcher: matcher.name != METRIC_NAME_LABEL):
        if not len(store.index.match([matcher])):
            return _unknown(store, matcher)
    metric = next((matcher for matcher in selection.matchers if matcher.name == METRIC_NAME_LABEL), None)
    for matcher in selection.matchers:
        if metric is not None and not len(store.index.match([metric, matcher])):
            return f"no series of {metric.value} has {_written(matcher)}{_near_values(store, matcher, metric.value)}"
    return f"no series has all of {', '.join(map(_written, selection.matchers))}"


def _unknown(store: Store, matcher: Matcher) -> str:
    if matcher.name == METRIC_NAME_LABEL:
        if matcher.op != "=":
            return f"no metric name fits {_written(matcher)}"
        return _sentence(
            f"there is no metric {matcher.value!r} here", did_you_mean(matcher.value, store.index.metric_names())
        )
    if matcher.name not in store.index.label_names():
        return _sentence(
            f"no series has a label {matcher.name!r}", did_you_mean(matcher.name, store.index.label_names())
        )
    return f"no series has {_written(matcher)}{_near_values(store, matcher, None)}"


def _near_values(store: Store, matcher: Matcher, metric: str | None) -> str:
    values = store.index.label_values(matcher.name, metric)
    if near := did_you_mean(matcher.value, values):
        return f"; {near}"
    shown = ", ".join(values[:5]) + (", …" if len(values) > 5 else "")
    return f"; it has {shown}" if shown else ""


def _outside(selection: _Selection, first_ms: int, last_ms: int) -> str:
    if last_ms < first_ms:
        return "the series are there, but without samples"
    name = next((matcher.value for matcher in selection.matchers if matcher.name == METRIC_NAME_LABEL), "these series")
    if selection.end_ms < first_ms or selection.start_ms > last_ms:
        return f"the data of {name} lie between {_time(first_ms)} and {_time(last_ms)} UTC, outside the range asked for"
    return f"{name} has no samples in the range asked for; there are some before and after"


def _written(matcher: Matcher) -> str:
    return f'{matcher.name}{matcher.op}"{matcher.value}"'


def _sentence(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _time(timestamp_ms: int) -> str:
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
