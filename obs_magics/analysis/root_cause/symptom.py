"""Whose excess the symptom is: latency or errors beyond the usual, times requests, less what the callees explain.

Each service's excess is taken at the instants at which the symptom itself was worst, in proportion to how bad it was.
What a service does not owe to those that it calls is its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.root_cause.findings import Finding
from obs_magics.analysis.root_cause.inputs import Symptom
from obs_magics.analysis.root_cause.metric_shifts import SeriesTable
from obs_magics.analysis.root_cause.periods import Periods
from obs_magics.analysis.root_cause.roles import BAD, OUTCOMES, Role, role_of
from obs_magics.analysis.root_cause.statistics import INCIDENT, REFERENCE

Array = np.ndarray[Any, Any]

_FLOOR = 0.05  # of the symptom's own excess: less is not told from noise
_CLEAR = 3.0  # times its noise, from which a callee's excess is taken off its caller's
_LEAST_SERVICES = 3  # that have the metric


@dataclass(frozen=True)
class _Outcome:
    """One metric of all services on one grid of time: how much worse than usual, times requests."""

    metric: str
    services: list[str]
    excess: Array
    usual: Array
    now: Array
    noise: Array
    weights: Array
    period: Array

    @property
    def total(self) -> Array:
        """Each service's excess when the symptom is there, less what it has in the incident when it is not."""
        spared = (self.period == INCIDENT) & (self.weights == 0)
        anyway = self.excess[spared].mean(axis=0) if spared.any() else np.zeros(len(self.services))
        found: Array = self.weights @ self.excess - np.maximum(anyway, 0.0)
        return found

    def clearness(self, service: str) -> float:
        """How clearly the symptom shows in this metric: the excess of its service in units of its noise."""
        at = self.services.index(service)
        excess = float(self.weights @ self.excess[:, at])
        return excess / (float(self.noise[at]) + _FLOOR * abs(excess)) if excess else 0.0


def symptom_findings(
    table: SeriesTable, periods: Periods, symptom: Symptom, calls: Collection[tuple[str, str]]
) -> list[Finding]:
    """The services that the symptom comes from, by their own excess.

    Args:
        table: The metrics by series.
        periods: The incident and what is usual.
        symptom: What people saw.
        calls: Who calls whom.
    """
    reached = reachable(symptom.service, calls)
    outcomes = [_outcome(table, periods, metric, symptom.service) for metric in _candidates(table, symptom)]
    shown = max(filter(None, outcomes), key=lambda one: (one.clearness(symptom.service), one.metric), default=None)
    if shown is None:
        return []
    found = _shares(shown, symptom.service, calls, reached)
    return [replace(one, details={**one.details, **table.counted(one.service, one.subject)}) for one in found]


def reachable(service: str, calls: Collection[tuple[str, str]]) -> set[str]:
    """A service and all that it calls, at however many removes."""
    callees: dict[str, list[str]] = defaultdict(list)
    for caller, callee in calls:
        callees[caller].append(callee)
    found, open_ = {service}, [service]
    while open_:
        new = [callee for callee in callees[open_.pop()] if callee not in found]
        found.update(new)
        open_ += new
    return found


def _candidates(table: SeriesTable, symptom: Symptom) -> list[str]:
    """The metrics in which the symptom may show: that which was named, else its outcomes that most services have."""
    keys = table.keys
    own = keys.loc[keys["service"] == symptom.service, "metric"].astype(str).unique().tolist()
    if symptom.metric in own:
        return [symptom.metric]
    spread = keys.groupby("metric", observed=True)["service"].nunique()
    return [name for name in sorted(own) if role_of(name) in OUTCOMES and spread[name] >= _LEAST_SERVICES]


def _outcome(table: SeriesTable, periods: Periods, metric: str, service: str) -> _Outcome | None:
    grid = grid_of(table, metric)
    if grid is None or service not in grid.columns:
        return None
    role: Role = role_of(metric)
    period = periods.of(grid.index.to_numpy(dtype=np.int64))
    if not (period == INCIDENT).any() or not (period == REFERENCE).any():
        return None
    values = grid.to_numpy(dtype=np.float64)
    usual = _median(values[period == REFERENCE])
    worse = (values - usual) * (BAD[role] or 1)
    requests = _requests(table, grid)
    excess = np.nan_to_num(worse * requests)
    at = grid.columns.get_loc(service)
    weights = np.where(period == INCIDENT, np.clip(np.nan_to_num(worse[:, at]), 0.0, None), 0.0)
    if not weights.sum():
        return None
    noise = np.quantile(np.abs(excess[period == REFERENCE]), 0.9, axis=0)
    now = _median(values[(weights > 0)])
    return _Outcome(
        metric, [str(name) for name in grid.columns], excess, usual, now, noise, weights / weights.sum(), period
    )


def _median(values: Array) -> Array:
    """Of each column, without missing values; NaN for an empty one."""
    return np.ma.median(np.ma.masked_invalid(values), axis=0).filled(np.nan)  # type: ignore[no-untyped-call,no-any-return]


def grid_of(table: SeriesTable, metric: str) -> pd.DataFrame | None:
    """Instants × services of one metric, the worst of several instances; instants brought to a common step."""
    wanted = np.flatnonzero(table.keys["metric"].to_numpy() == metric)
    rows = np.flatnonzero(np.isin(table.series, wanted))
    if not len(rows):
        return None
    instants = table.instants[rows]
    step = _step(instants)
    services = table.keys["service"].to_numpy()[table.series[rows]]
    cells = pd.DataFrame({"at": instants // step * step, "service": services, "value": table.values[rows]})
    return cells.groupby(["at", "service"], sort=True)["value"].mean().unstack()


def _step(instants: Array) -> int:
    """The most frequent distance between neighbours that are no jitter apart."""
    distinct = np.unique(instants)
    gaps = np.diff(distinct)
    gaps = gaps[gaps >= 10_000_000_000] if (gaps >= 10_000_000_000).any() else gaps
    return int(np.median(gaps)) if len(gaps) else 1


def requests_metric(table: SeriesTable) -> str | None:
    """The metric that tells of the requests of most services; None where hardly any has one."""
    spread = {
        str(metric): group["service"].nunique()
        for metric, group in table.keys.groupby("metric", observed=True)
        if role_of(str(metric)) == "traffic"
    }
    if not spread or max(spread.values()) < _LEAST_SERVICES:
        return None
    return min(spread, key=lambda name: (-spread[name], name))


def _requests(table: SeriesTable, grid: pd.DataFrame) -> Array:
    """How many requests each service had at each instant; ones where no metric tells."""
    metric = requests_metric(table)
    counts = grid_of(table, metric) if metric else None
    if counts is None:
        return np.ones(grid.shape)
    found = counts.reindex(index=grid.index, columns=grid.columns)
    filled: Array = found.fillna(found.median()).fillna(0.0).to_numpy(dtype=np.float64)
    return filled


def _shares(
    outcome: _Outcome, service: str, calls: Collection[tuple[str, str]], reached: Collection[str]
) -> list[Finding]:
    total = outcome.total
    place = {name: at for at, name in enumerate(outcome.services)}
    whole = float(total[place[service]])
    if whole <= 0:
        return []
    noise = outcome.noise + _FLOOR * whole
    callees: dict[str, list[int]] = defaultdict(list)
    for caller, callee in calls:
        if callee in place and caller != callee:
            callees[caller].append(place[callee])
    findings = []
    for name, at in place.items():
        if name not in reached or total[at] <= 0:
            continue
        explained = sum(
            float(total[callee]) for callee in callees[name] if total[callee] > _CLEAR * outcome.noise[callee]
        )
        own = float(total[at]) - explained
        surprise = float(np.log1p((max(own, 0.0) / noise[at]) ** 2))
        if surprise > 0:
            findings.append(
                Finding(
                    service=name,
                    signal="symptom",
                    kind=role_of(outcome.metric),
                    subject=outcome.metric,
                    surprise=surprise,
                    before=float(outcome.usual[at]),
                    during=float(outcome.now[at]),
                    counts=(int((outcome.period == REFERENCE).sum()), int((outcome.weights > 0).sum())),
                    details={"share": f"{min(own / whole, 1.0):.3f}"},
                )
            )
    return findings
