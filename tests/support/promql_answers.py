"""Answers of our engine and of a real Prometheus in one shape, and what differs between two."""

from __future__ import annotations

import json
import math
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from obs_magics.local.promql.data import SeriesStore
from obs_magics.local.promql.evaluate import Result, evaluate
from obs_magics.model.errors import QueryError

TOLERANCE = 1e-9
Key = tuple[tuple[str, str], ...]


@dataclass
class Answer:
    """What came back: the kind (``error`` for a refusal), and times in milliseconds and values by labels."""

    kind: str
    series: dict[Key, tuple[list[int], list[float]]] = field(default_factory=dict)
    words: str = ""


def ours(query: str, store: SeriesStore, *, version: int, **how: Any) -> Answer:
    """Our engine's answer."""
    try:
        return of_result(evaluate(query, store, version=version, **how))
    except QueryError as error:
        return Answer("error", words=error.message)


def of_result(result: Result) -> Answer:
    """A result in the shape of an answer; two series with the same labels are a mistake of ours."""
    keys = [tuple(sorted(labels.items())) for labels in result.labels]
    assert len(set(keys)) == len(keys)
    bounds = list(zip(result.offsets[:-1].tolist(), result.offsets[1:].tolist(), strict=True))
    series = {
        key: (result.timestamps_ms[begin:end].tolist(), result.values[begin:end].tolist())
        for key, (begin, end) in zip(keys, bounds, strict=True)
    }
    return Answer(result.kind, series, result.text)


def theirs(query: str, address: str, *, start_ms: int, end_ms: int, step_ms: int, instant: bool = False) -> Answer:
    """A real server's answer."""
    at = (
        {"time": end_ms / 1000} if instant else {"start": start_ms / 1000, "end": end_ms / 1000, "step": step_ms / 1000}
    )
    path = "query" if instant else "query_range"
    body = urllib.parse.urlencode({"query": query, **at}).encode()
    try:
        with urllib.request.urlopen(f"{address}/api/v1/{path}", body, timeout=60) as reply:
            return of_json(json.load(reply))
    except urllib.error.HTTPError as refusal:
        return of_json(json.load(refusal))


def of_json(answer: Mapping[str, Any]) -> Answer:
    """A body of Prometheus' HTTP interface in the shape of an answer."""
    if answer["status"] != "success":
        return Answer("error", words=answer["error"])
    kind, result = answer["data"]["resultType"], answer["data"]["result"]
    if kind == "string":
        return Answer(kind, words=result[1])
    if kind == "scalar":
        return Answer(kind, {(): _points([result])})
    rows = ((one["metric"], one.get("values") or [one["value"]]) for one in result)
    return Answer(kind, {tuple(sorted(labels.items())): _points(points) for labels, points in rows})


def _points(points: list[Any]) -> tuple[list[int], list[float]]:
    return [round(point[0] * 1000) for point in points], [float(point[1]) for point in points]


def difference(mine: Answer, real: Answer) -> str:
    """What differs, in words; empty when nothing does. The words of errors may differ."""
    if mine.kind != real.kind:
        return f"{mine.kind} {mine.words!r} for {real.kind} {real.words!r}"
    if mine.series.keys() != real.series.keys():
        surplus, missing = mine.series.keys() - real.series.keys(), real.series.keys() - mine.series.keys()
        return f"series too many: {sorted(surplus)[:3]}, missing: {sorted(missing)[:3]}"
    for key, (times, values) in mine.series.items():
        if times != real.series[key][0]:
            return f"{key}: points at {times[:5]} for {real.series[key][0][:5]}"
        for time, value, right in zip(times, values, real.series[key][1], strict=True):
            if not _same(value, right):
                return f"{key} at {time}: {value!r} for {right!r}"
    return ""


def _same(one: float, other: float) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other or abs(one - other) <= TOLERANCE * max(abs(one), abs(other))
