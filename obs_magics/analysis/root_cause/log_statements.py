"""Log statements that requests always wrote and now do not, or never wrote and now do.

A statement is known by the place in the code that its lines name (`OrderService#42`, `orders.py:17`), and where they
name none by its pattern. Requests are told apart by trace ids. Where lines have none, the rate of a statement is
compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.patterns import mine
from obs_magics.analysis.root_cause.findings import Finding
from obs_magics.analysis.root_cause.inputs import nanoseconds
from obs_magics.analysis.root_cause.periods import Periods
from obs_magics.analysis.root_cause.presence import ALL, Change, changes
from obs_magics.analysis.root_cause.statistics import INCIDENT, NEITHER, REFERENCE
from obs_magics.model.logs import LEVELS

Array = np.ndarray[Any, Any]

_PLACE = r"(?P<place>[A-Za-z_][\w.$\[\]]*(?:\.(?:py|go|java|js|ts|rb|rs|cc|cpp|cs|kt|scala|php):|#)\d{1,5})\b"
_WRONG = LEVELS.index("warn")  # from here on, a statement that appears is a bad sign
_TRACED = 0.5  # of the lines that must have a trace id
_ENOUGH_LINES = 20  # ordinary ones of a service, from which they tell how much it had to do
_LEAST_BEFORE = 3.0  # requests of the reference at which a change is half believed


def statement_findings(frame: pd.DataFrame, periods: Periods) -> list[Finding]:
    """What each service's log says that is not as usual.

    Args:
        frame: A logs frame.
        periods: The incident and what is usual.
    """
    if frame.empty:
        return []
    statement, names = statements(frame["message"])
    level = frame["level"].cat.codes.to_numpy()
    wrong = np.zeros(len(names), dtype=bool)
    np.logical_or.at(wrong, statement, level >= _WRONG)
    service = frame["service"].cat.codes.to_numpy().astype(np.int64)
    services = frame["service"].cat.categories
    instants = nanoseconds(frame["timestamp"])
    traces = frame["trace_id"].array.__arrow_array__()
    if len(traces) - traces.null_count >= _TRACED * len(traces):
        request = _codes(traces)
        period = periods.of(first_instants(request, instants))
        examples = _examples(frame["message"], statement, np.where(request >= 0, period[request], NEITHER))
        found = changes(service=service, request=request, item=statement, period=period, wrong=wrong)
        return [_finding(change, services, names, examples) for change in found]
    period = periods.of(instants)
    examples = _examples(frame["message"], statement, period)
    rates = _rates(
        service=service,
        services=services,
        statement=statement,
        names=names,
        wrong=wrong,
        period=period,
        instants=instants,
        examples=examples,
    )
    return list(rates)


def statements(messages: pd.Series[Any]) -> tuple[Array, list[str]]:
    """Which statement wrote each message, and how the statements are called."""
    texts = messages.array.__arrow_array__()
    texts = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    places = pc.struct_field(pc.extract_regex(texts, _PLACE), "place").dictionary_encode()
    at = places.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    mined = mine(texts)
    pattern = mined.assignment.astype(np.int64) + len(places.dictionary)
    codes, statement = np.unique(np.where(at >= 0, at, pattern), return_inverse=True)
    known = [*places.dictionary.to_pylist(), *mined.templates]
    return statement, [known[code] for code in codes.tolist()]


def first_instants(request: Array, instants: Array) -> Array:
    """When each request was first seen; the requests are counted from 0, -1 is none."""
    first = np.full(int(request.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    there = request >= 0
    np.minimum.at(first, request[there], instants[there])
    return first


def _codes(texts: Any) -> Array:
    texts = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    codes: Array = texts.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def surprise_of(change: Change) -> float:
    """How surprising a changed share is: its G, less what the best of so many tests has by chance."""
    g = max(0.0, change.g - 2.0 * math.log(max(change.tests, 1)))
    believed = change.other_total / (change.other_total + _LEAST_BEFORE)
    return math.log1p(g * change.difference**2 * believed)


def _examples(messages: pd.Series[Any], statement: Array, period: Array) -> dict[int, str]:
    """A message of each statement, from the incident where there is one."""
    order = np.argsort(period != INCIDENT, kind="stable")
    items, first = np.unique(statement[order], return_index=True)
    texts = messages.take(order[first]).fillna("").tolist()
    return dict(zip(items.tolist(), texts, strict=True))


def _finding(change: Change, services: pd.Index[Any], names: list[str], examples: Mapping[int, str]) -> Finding:
    given = "" if change.given == ALL else names[change.given]
    return Finding(
        service=str(services[change.service]),
        signal="logs",
        kind="vanished" if change.difference < 0 else "appeared",
        subject=names[change.item],
        surprise=surprise_of(change),
        before=change.other_hits / max(change.other_total, 1),
        during=change.hits / max(change.total, 1),
        counts=(change.other_total, change.total),
        details={"given": given, "example": examples.get(change.item, "")},
    )


def _rates(
    *,
    service: Array,
    services: pd.Index[Any],
    statement: Array,
    names: list[str],
    wrong: Array,
    period: Array,
    instants: Array,
    examples: Mapping[int, str],
) -> Iterator[Finding]:
    """Statements whose rate changed: those that are bad signs and come more often, the others when they stop."""
    lasted = [_seconds(instants[period == side]) for side in (REFERENCE, INCIDENT)]
    if not all(lasted):
        return
    lane = service * len(names) + statement
    there = np.flatnonzero((period >= 0) & (service >= 0))
    lanes, at = np.unique(lane[there], return_inverse=True)
    counts = np.zeros((len(lanes), 2))
    np.add.at(counts, (at, period[there]), 1)
    exposed = _exposed(lanes // len(names), counts, wrong[lanes % len(names)], lasted[INCIDENT] / sum(lasted))
    for index, (before, during) in enumerate(counts.tolist()):
        item = int(lanes[index] % len(names))
        expected = (before + during) * float(exposed[index, int(bool(wrong[item]))])
        if (during > expected) != bool(wrong[item]):
            continue
        g = sum(
            2 * seen * math.log(seen / mean)
            for seen, mean in ((during, expected), (before, before + during - expected))
            if seen
        )
        rates = (before / lasted[REFERENCE], during / lasted[INCIDENT])
        contrast = abs(rates[1] - rates[0]) / max(rates)
        yield Finding(
            service=str(services[int(lanes[index] // len(names))]),
            signal="logs",
            kind="appeared" if wrong[item] else "vanished",
            subject=names[item],
            surprise=math.log1p(max(0.0, g - 2.0 * math.log(len(lanes))) * contrast**2),
            before=rates[0],
            during=rates[1],
            counts=(int(before), int(during)),
            details={"given": "", "unit": "1/s", "example": examples.get(item, "")},
        )


def _exposed(service: Array, counts: Array, wrong: Array, share: float) -> Array:
    """Which share of a statement's lines the incident would have, had nothing happened: the least and the most.

    By the time that it lasted, and by how many ordinary lines the service wrote: twice as many requests fail twice as
    often as well.

    Returns:
        float64, lanes × 2: the share to hold against lines that stop, and that against lines that come.
    """
    ordinary = np.zeros((int(service.max(initial=0)) + 1, 2))
    np.add.at(ordinary, service[~wrong], counts[~wrong])
    total = ordinary.sum(axis=1)
    by_lines = np.where(total >= _ENOUGH_LINES, ordinary[:, INCIDENT] / np.maximum(total, 1), share)[service]
    return np.stack([np.minimum(share, by_lines), np.maximum(share, by_lines)], axis=1)


def _seconds(instants: Array) -> float:
    """From the first to the last, without the longest pause."""
    if len(instants) < 2:
        return 0.0
    return (int(instants.max()) - int(instants.min())) / 1e9
