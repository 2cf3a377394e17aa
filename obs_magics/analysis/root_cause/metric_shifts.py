"""Series that moved: each against its own noise, and against a floor that it shares with its peers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.root_cause.counters import is_counter, rates
from obs_magics.analysis.root_cause.findings import Finding
from obs_magics.analysis.root_cause.inputs import nanoseconds
from obs_magics.analysis.root_cause.periods import Periods
from obs_magics.analysis.root_cause.roles import BAD, role_of
from obs_magics.analysis.root_cause.statistics import REFERENCE, Shifts, shifts, surprise_of_shift

Array = np.ndarray[Any, Any]

_FLOOR = 0.5  # of the median spread of the same metric elsewhere
_PEERS = 5  # services that have a metric, from which its tails are pooled
_TAIL = 0.95  # the quantile of all their distances from their own medians
_TAIL_TO_SIGMA = 1 / 1.96  # of a normal distribution
_LEAST_SHARE = 0.02  # of the median: a spread below is not believed
_OTHER_WAY = 0.5  # what a shift in the good direction counts


@dataclass(frozen=True)
class SeriesTable:
    """A metrics frame by series.

    Args:
        keys: `service`, `metric`, one column for each label, and `counter`: one row per series.
        series: The series of each row of the frame, -1 for rows that are left out.
        instants: Of each row, nanoseconds since the epoch.
        values: Of each row; of a counter the rate per second since the row before.
        labels: What tells series of one service and metric apart: names of columns.
    """

    keys: pd.DataFrame
    series: Array
    instants: Array
    values: Array
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, frame: pd.DataFrame) -> SeriesTable:
        """Read a metrics frame; rows without a service or a finite value are left out."""
        labels = labels_of(frame)
        columns = ["service", *labels, "metric"]
        code = np.zeros(len(frame), dtype=np.int64)
        for name in columns:
            column = frame[name]
            code = np.unique(
                code * (len(column.cat.categories) + 1) + column.cat.codes.to_numpy() + 1, return_inverse=True
            )[1]
        values = frame["value"].to_numpy(dtype=np.float64)
        used = np.isfinite(values) & (frame["service"].cat.codes.to_numpy() >= 0)
        _numbers, first, series = np.unique(code[used], return_index=True, return_inverse=True)
        keys = frame.iloc[np.flatnonzero(used)[first]][columns].astype(object).reset_index(drop=True)
        keys[list(labels)] = keys[list(labels)].where(keys[list(labels)].notna(), "")
        at = np.full(len(frame), -1, dtype=np.int64)
        at[used] = series
        instants = nanoseconds(frame["timestamp"])
        at, values, counts = _as_rates(keys["metric"].tolist(), at, instants, values)
        return cls(keys.assign(counter=counts), at, instants, values, labels)

    def told(self, series: int) -> dict[str, str]:
        """The labels of a series, and whether it is a counter, as a finding keeps them."""
        key = self.keys.iloc[series]
        found = {f"{LABEL}{name}": str(key[name]) for name in self.labels if key[name] != ""}
        return found | ({"counter": "yes"} if key["counter"] else {})

    def counted(self, service: str, metric: str) -> dict[str, str]:
        """What a finding about all series of a service and a metric keeps: whether they are counters."""
        return {"counter": "yes"} if self.keys["counter"].to_numpy()[self.such(service, metric, {})].any() else {}

    def such(self, service: str, metric: str, details: Mapping[str, str]) -> Array:
        """The series of a service and a metric, with the labels that a finding keeps."""
        chosen = ((self.keys["service"] == service) & (self.keys["metric"] == metric)).to_numpy(dtype=bool, copy=True)
        for name in self.labels:
            if wanted := details.get(f"{LABEL}{name}"):
                chosen &= (self.keys[name] == wanted).to_numpy(dtype=bool)
        return np.flatnonzero(chosen)

    def __len__(self) -> int:
        """How many series there are."""
        return len(self.keys)

    @cached_property
    def roles(self) -> list[str]:
        """What each series measures."""
        return [role_of(str(metric)) for metric in self.keys["metric"]]

    def shifts(self, periods: Periods) -> Shifts:
        """Medians of each series before and during."""
        rows = np.flatnonzero(self.series >= 0)
        return shifts(self.values[rows], self.series[rows], periods.of(self.instants[rows]), len(self))


LABEL = "label "
"""Stands before the names of labels in the details of findings."""


def labels_of(frame: pd.DataFrame) -> tuple[str, ...]:
    """The columns by which series of one service and metric are told apart, in order of name."""
    plain = {"service", "metric"}
    return tuple(sorted(str(name) for name in frame.columns if name not in plain and _is_category(frame[name])))


def _is_category(column: pd.Series[Any]) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype)


def _as_rates(metrics: Sequence[str], series: Array, instants: Array, values: Array) -> tuple[Array, Array, Array]:
    """The rows with counters as rates, the first row of each left out; and which series are counters."""
    order = np.lexsort((instants, series))
    order = order[np.searchsorted(series[order], 0) :]
    cuts = np.flatnonzero(np.diff(series[order])) + 1
    series, values, counts = series.copy(), values.copy(), np.zeros(len(metrics), dtype=bool)
    for rows in np.split(order, cuts) if len(order) else ():
        at = series[rows[0]]
        if is_counter(metrics[at], values[rows]):
            counts[at] = True
            values[rows] = rates(instants[rows], values[rows])
    series[~np.isfinite(values)] = -1
    return series, values, counts


def metric_findings(table: SeriesTable, periods: Periods) -> list[Finding]:
    """Series that moved, with how surprising that is."""
    found = table.shifts(periods)
    spread = _spreads(table, found, periods)
    surprise = surprise_of_shift(found.change, spread, found.before, found.during)
    bad = np.array([BAD[role_of(str(metric))] for metric in table.keys["metric"]])
    surprise = np.where(bad * np.sign(found.change) < 0, _OTHER_WAY * surprise, surprise)
    surprise = np.where(_shared(table, found), 0.0, surprise)
    return [
        Finding(
            service=str(key.service),
            signal="metrics",
            kind=table.roles[at],
            subject=str(key.metric),
            surprise=float(surprise[at]),
            before=float(found.usual[at]),
            during=float(found.now[at]),
            counts=(int(found.before[at]), int(found.during[at])),
            details=table.told(at),
        )
        for at, key in enumerate(table.keys.itertuples(index=False))
        if surprise[at] > 0
    ]


def _spreads(table: SeriesTable, found: Shifts, periods: Periods) -> Array:
    """The spread of each series, not less than what its peers say."""
    own = np.nan_to_num(found.spread)
    metric = pd.factorize(table.keys["metric"])[0]
    floor = pd.Series(np.where(own > 0, own, np.nan)).groupby(metric).transform("median").fillna(0.0).to_numpy()
    tails = _tails(table, found, periods, metric)
    least = _LEAST_SHARE * np.abs(np.nan_to_num(found.usual))
    spreads: Array = np.maximum.reduce([own, _FLOOR * floor, _FLOOR * tails, least, np.full(len(own), 1e-9)])
    return spreads


def _tails(table: SeriesTable, found: Shifts, periods: Periods, metric: Array) -> Array:
    """How far the metric of each series strays now and then, at all that have it; 0 where few have."""
    period = periods.of(table.instants)
    rows = np.flatnonzero((table.series >= 0) & (period == REFERENCE))
    series = table.series[rows]
    away = pd.Series(np.abs(table.values[rows] - found.usual[series])).groupby(metric[series]).quantile(_TAIL)
    peers = table.keys["service"].groupby(metric).nunique()
    pooled = away.reindex(range(int(metric.max(initial=-1)) + 1)).fillna(0.0) * _TAIL_TO_SIGMA
    return pooled.where(peers >= _PEERS, 0.0).to_numpy()[metric]


def _shared(table: SeriesTable, found: Shifts) -> Array:
    """Whether several services have the very same series: a node's, which says nothing about any one of them."""
    same = pd.DataFrame(
        {"metric": table.keys["metric"], "usual": found.usual, "now": found.now, "spread": found.spread}
    )
    services = table.keys["service"].groupby([same[name] for name in same]).transform("nunique")
    return (services.to_numpy() > 1) & (np.nan_to_num(found.spread) > 0)
