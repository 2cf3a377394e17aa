"""Where requests lose time: in a service's own work, or between a caller's clock and its callee's.

Time between is the caller's span less the callee's: the network, the queue before the callee, or a caller that does not
get to read the answer. Which side it belongs to is told by their other calls: a callee that is slow to answer is so to
all of its callers, a caller that is starved reads all answers late.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from obs_magics.analysis.root_cause.calls import Requests
from obs_magics.analysis.root_cause.findings import Finding
from obs_magics.analysis.root_cause.statistics import REFERENCE, Shifts, shifts, surprise_of_shift
from obs_magics.analysis.spans import self_time
from obs_magics.analysis.spans.times import durations

Array = np.ndarray[Any, Any]

_LEAST_SPREAD_MS = 0.2
_LEAST_SHARE = 0.1  # of the median: a spread below is not believed
_NOTICED = 0.05  # of a request's usual duration: time lost at which a finding counts half
_SURE = 3.0  # a surprise from which lost time is no noise
_SHARE = 0.2  # what the share of all lost time decides of a finding
_LEAF = 0.8  # what the own work of a span without children counts: it may wait for something that is not traced
_ALSO = 0.2  # of a gap's change, from which another call shares it


@dataclass(frozen=True, slots=True)
class _Gap:
    """One edge of the call graph: how much longer the caller waits than the callee works, in milliseconds."""

    caller: str
    callee: str
    usual: float
    now: float
    surprise: float
    counts: tuple[int, int]

    @property
    def change(self) -> float:
        return self.now - self.usual


def latency_findings(requests: Requests) -> list[Finding]:
    """Own work that takes longer, and gaps that grew, each with the service that it is held against."""
    noticed = _NOTICED * _usual_duration(requests)
    return _by_share([*_own_work(requests, noticed), *_blamed(_gaps(requests, noticed))])


def _by_share(findings: Sequence[Finding]) -> list[Finding]:
    """Findings by how much of the time that is lost in all is lost there: what takes most, users feel most."""
    lost = [(one.during - one.before) * one.counts[1] for one in findings]
    most = max((time for one, time in zip(findings, lost, strict=True) if one.surprise > _SURE), default=0.0)
    if not most:
        return list(findings)
    return [
        replace(one, surprise=one.surprise * (1 - _SHARE + _SHARE * min(1.0, time / most) ** 0.5))
        for one, time in zip(findings, lost, strict=True)
    ]


def _usual_duration(requests: Requests) -> float:
    """The median duration of a request in the reference, in milliseconds."""
    roots = requests.tree.roots
    usual = roots[requests.period[requests.tree.trace[roots]] == REFERENCE]
    return float(np.median(durations(requests.frame)[usual])) / 1e6 if len(usual) else 0.0


def _own_work(requests: Requests, noticed: float) -> Iterator[Finding]:
    spent = self_time(requests.frame, tree=requests.tree).to_numpy().view(np.int64) / 1e6
    rows = np.flatnonzero(~requests.waiting)  # the self time of those is the gap
    period = requests.period[requests.tree.trace[rows]]
    found = shifts(spent[rows], requests.operation[rows], period, len(requests.names))
    leaf = np.ones(len(requests.names), dtype=bool)
    leaf[requests.operation[requests.tree.children_count > 0]] = False
    surprise = _surprise(found, noticed) * np.where(leaf, _LEAF, 1.0)
    for at in np.flatnonzero(surprise > 0).tolist():
        service, operation = requests.names[at]
        yield Finding(
            service=service,
            signal="latency",
            kind="slower",
            subject=operation,
            surprise=float(surprise[at]),
            before=float(found.usual[at]),
            during=float(found.now[at]),
            counts=(int(found.before[at]), int(found.during[at])),
            details={"unit": "ms"},
        )


def _gaps(requests: Requests, noticed: float) -> list[_Gap]:
    rows = requests.crossing
    parent = requests.tree.parent[rows]
    took = durations(requests.frame) / 1e6
    names = [str(name) for name in requests.frame["service"].cat.categories]
    pair, group = np.unique(requests.service[parent] * len(names) + requests.service[rows], return_inverse=True)
    # A caller that makes several calls within one span waits for all of them: only single children tell a gap.
    single = (np.bincount(parent, minlength=len(took))[parent] == 1) & requests.waiting[parent]
    period = np.where(single, requests.period[requests.tree.trace[rows]], -1)
    found = shifts(np.maximum(took[parent] - took[rows], 0.0), group, period, len(pair))
    surprise = _surprise(found, noticed)
    return [
        _Gap(
            names[int(code) // len(names)],
            names[int(code) % len(names)],
            float(found.usual[at]),
            float(found.now[at]),
            float(surprise[at]),
            (int(found.before[at]), int(found.during[at])),
        )
        for at, code in enumerate(pair.tolist())
        if found.before[at] and found.during[at]
    ]


def _surprise(found: Shifts, noticed: float) -> Array:
    spread = np.maximum(np.maximum(found.spread, _LEAST_SHARE * found.usual), _LEAST_SPREAD_MS)
    told = surprise_of_shift(found.change, spread, found.before, found.during)
    lost = np.maximum(found.change, 0.0)
    return told * lost / np.maximum(lost + noticed, 1e-9)


def _blamed(gaps: Sequence[_Gap]) -> Iterator[Finding]:
    of_caller: dict[str, list[_Gap]] = defaultdict(list)
    of_callee: dict[str, list[_Gap]] = defaultdict(list)
    for gap in gaps:
        of_caller[gap.caller].append(gap)
        of_callee[gap.callee].append(gap)
    for gap in gaps:
        if gap.surprise <= 0:
            continue
        by_caller, by_callee = _shared(gap, of_caller[gap.caller]), _shared(gap, of_callee[gap.callee])
        caller_share = _BLAME[by_caller, by_callee]
        for service, share, other, kind in (
            (gap.caller, caller_share, gap.callee, "waits longer for"),
            (gap.callee, 1 - caller_share, gap.caller, "answers late to"),
        ):
            if share:
                yield Finding(
                    service=service,
                    signal="latency",
                    kind=kind,
                    subject=other,
                    surprise=gap.surprise * share,
                    before=gap.usual,
                    during=gap.now,
                    counts=gap.counts,
                    details={"unit": "ms", "caller": gap.caller, "callee": gap.callee},
                )


def _shared(gap: _Gap, others: Sequence[_Gap]) -> bool | None:
    """Whether the other calls of one side lost time as well; None without any."""
    rest = [other.change for other in others if other is not gap]
    if not rest:
        return None
    return float(np.median(rest)) >= _ALSO * gap.change


# The caller's share of the blame, by whether its other calls lost time too, and whether the callee's other callers did.
_BLAME: Mapping[tuple[bool | None, bool | None], float] = {
    (True, True): 0.5,
    (True, None): 0.8,
    (True, False): 1.0,
    (None, True): 0.1,
    (None, None): 0.3,
    (None, False): 0.6,
    (False, True): 0.0,
    (False, None): 0.0,
    (False, False): 0.2,
}
