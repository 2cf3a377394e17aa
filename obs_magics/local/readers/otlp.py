"""Reads OTLP JSON metrics, as the OpenTelemetry collector writes them to files: a request a line, or one.

Names follow the conventions of Prometheus (dots become underscores, the unit and ``_total`` are appended), attributes
of the resource and of the point become labels, ``service.name`` also becomes ``service`` and ``job``. Delta sums and
histograms are added up, so that `rate` works on them. Exponential histograms are kept as native histograms.

Formats: https://opentelemetry.io/docs/specs/otlp/ and https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from obs_magics.local.block import STALE, Rows
from obs_magics.local.readers.base import Complaints, File, Reading
from obs_magics.local.readers.base import Mapping as Columns
from obs_magics.model.catalog import MetricInfo, MetricType
from obs_magics.model.frames import HISTOGRAM_TYPE, METRIC_NAME_LABEL

# UCUM units and the words that Prometheus appends for them.
_UNITS = {
    "ns": "nanoseconds", "us": "microseconds", "ms": "milliseconds", "s": "seconds", "min": "minutes", "h": "hours",
    "d": "days", "By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes", "kBy": "kilobytes",
    "MBy": "megabytes", "GBy": "gigabytes", "m": "meters", "V": "volts", "A": "amperes", "J": "joules", "W": "watts",
    "g": "grams", "Cel": "celsius", "Hz": "hertz", "%": "percent",
}  # fmt: skip
_DELTA = {1, "AGGREGATION_TEMPORALITY_DELTA"}
_NO_VALUE = 1  # flag of a point that says: there is none

_BEGINNING = re.compile(rb'\s*\{\s*"resource(Metrics|Spans|Logs)"\s*:')
# What comes of JSON that is not as OTLP has it.
_WRONG = (KeyError, TypeError, ValueError, AttributeError)

Labels = tuple[tuple[str, str], ...]
Json = Mapping[str, Any]
Complain = Callable[[str], None]


def looks_right(file: File) -> bool:
    """Whether it is JSON that begins with metrics of resources, or with logs or spans, to be refused by name."""
    return _BEGINNING.match(file.head) is not None


def read(file: File, _mapping: Columns) -> Reading:
    """Read requests, one a line or one over several lines."""
    complaints = Complaints(file.name)
    collected = _Collected()
    with file.open() as stream:
        body = stream.read()
    for number, text in _requests(body):
        try:
            collected.request(msgspec.json.decode(text), partial(complaints.add, line=number))
        except msgspec.DecodeError as problem:
            complaints.add(f"not JSON: {problem}", number)
        except _WRONG as problem:
            complaints.add(f"not OTLP metrics: {_words(problem)}", number)
    if not collected.points and not complaints.all:
        complaints.add("it holds no metrics")
    return Reading([collected.rows()] if collected.points else [], complaints.all, 1)


def _words(problem: Exception) -> str:
    return f"there is no {problem}" if isinstance(problem, KeyError) else str(problem)


def _requests(body: bytes) -> Iterator[tuple[int, bytes]]:
    lines = [(number, line) for number, line in enumerate(body.splitlines(), start=1) if line.strip()]
    try:
        msgspec.json.decode(lines[0][1], type=msgspec.Raw)
    except msgspec.DecodeError:
        yield 1, body
    else:
        yield from lines


@dataclass(slots=True)
class _Point:
    series: int
    time_ms: int
    value: float
    histogram: dict[str, Any] | None = None


@dataclass(slots=True)
class _Collected:
    """Points as they are read, series by label set; what has to be added up is done at the end."""

    points: list[_Point] = field(default_factory=list)
    _known: dict[Labels, int] = field(default_factory=dict)
    _deltas: set[int] = field(default_factory=set)
    _metadata: dict[str, MetricInfo] = field(default_factory=dict)

    def request(self, request: Json, complain: Complain) -> None:
        """Take in one export request; what is wrong in one metric does not touch the others."""
        for resource in request["resourceMetrics"]:
            labels = _resource_labels(resource.get("resource", {}))
            for scope in resource.get("scopeMetrics", resource.get("instrumentationLibraryMetrics", ())):
                for metric in scope.get("metrics", ()):
                    try:
                        self._metric(metric, labels, complain)
                    except _WRONG as problem:
                        complain(f"metric {metric.get('name', 'without a name')}: {_words(problem)}")

    def _metric(self, metric: Json, resource: Labels, complain: Complain) -> None:
        kind = next((kind for kind in _KINDS if kind in metric), None)
        if kind is None:
            raise ValueError("it has data of no known kind")
        data = metric[kind]
        monotonic = kind == "sum" and bool(data.get("isMonotonic"))
        name = _name(metric["name"], metric.get("unit", ""), monotonic=monotonic, gauge=kind == "gauge")
        told: MetricType = "counter" if monotonic else _KINDS[kind][0]
        unit = metric.get("unit", "")
        self._metadata[name] = MetricInfo(
            name, told, "" if unit.startswith("{") else unit, metric.get("description", "")
        )
        delta = data.get("aggregationTemporality") in _DELTA
        if delta and kind == "exponentialHistogram":
            complain(f"metric {name}: deltas of exponential histograms stay as they are, so do not take their rate")
        for point in data.get("dataPoints", ()):
            try:
                self._point(point, name, kind, resource, delta=delta)
            except _WRONG as problem:
                complain(f"metric {name}: a point was left out: {_words(problem)}")

    def _point(self, point: Json, name: str, kind: str, resource: Labels, *, delta: bool) -> None:
        labels = dict(resource) | dict(_attributes(point.get("attributes", ())))
        gone = int(point.get("flags", 0)) & _NO_VALUE
        time_ms = int(point["timeUnixNano"]) // 1_000_000
        for suffix, more, value, histogram in list(_KINDS[kind][1](point)):
            key = tuple(sorted({**labels, **more, METRIC_NAME_LABEL: name + suffix}.items()))
            series = self._known.setdefault(key, len(self._known))
            if delta and histogram is None:
                self._deltas.add(series)
            self.points.append(_Point(series, time_ms, STALE if gone else value, None if gone else histogram))

    def rows(self) -> Rows:
        """All points; deltas have become running totals."""
        points = sorted(self.points, key=lambda point: (point.series, point.time_ms))
        totals: dict[int, float] = {}
        for point in points:
            if point.series in self._deltas and not math.isnan(point.value):
                point.value = totals[point.series] = totals.get(point.series, 0.0) + point.value
        histograms = [point.histogram for point in points]
        return Rows(
            [dict(key) for key in self._known],
            np.asarray([point.series for point in points], np.int64),
            np.asarray([point.time_ms for point in points], np.int64),
            np.asarray([point.value for point in points], np.float64),
            pa.array(histograms, HISTOGRAM_TYPE) if any(histograms) else None,
            self._metadata,
        )


_Part = tuple[str, Mapping[str, str], float, dict[str, Any] | None]
"""What a point becomes: a suffix of the name, more labels, a value, a native histogram."""


def _number(point: Json) -> Iterator[_Part]:
    yield "", {}, float(point["asDouble"] if "asDouble" in point else point.get("asInt", "nan")), None


def _histogram(point: Json) -> Iterator[_Part]:
    bounds = [_written(float(bound)) for bound in point.get("explicitBounds", ())] if point.get("bucketCounts") else []
    counts = point.get("bucketCounts") or [point["count"]]  # without buckets there is the one that holds all
    if len(counts) != len(bounds) + 1:
        raise ValueError(f"{len(counts)} buckets do not fit {len(bounds)} bounds")
    running = 0
    for bound, count in zip([*bounds, "+Inf"], counts, strict=True):
        running += int(count)
        yield "_bucket", {"le": bound}, float(running), None
    yield "_count", {}, float(point["count"]), None
    if "sum" in point:
        yield "_sum", {}, float(point["sum"]), None


def _summary(point: Json) -> Iterator[_Part]:
    for value in point.get("quantileValues", ()):
        yield "", {"quantile": _written(float(value.get("quantile", 0)))}, float(value.get("value", 0)), None
    yield "_count", {}, float(point["count"]), None
    yield "_sum", {}, float(point.get("sum", 0)), None


def _exponential(point: Json) -> Iterator[_Part]:
    """Bucket i lies between base**i and base**(i + 1), the upper bound in it, where base is 2 ** 2 ** -scale."""
    base = 2.0**2.0 ** -int(point.get("scale", 0))
    zero = float(point.get("zeroThreshold", 0.0))
    buckets = [
        {"rule": 1, "lower": -high, "upper": -low, "count": count}
        for low, high, count in reversed(list(_buckets(point.get("negative", {}), base)))
    ]
    if int(point.get("zeroCount", 0)):
        buckets.append({"rule": 3, "lower": -zero, "upper": zero, "count": float(point["zeroCount"])})
    buckets += [
        {"rule": 0, "lower": low, "upper": high, "count": count}
        for low, high, count in _buckets(point.get("positive", {}), base)
    ]
    whole = {"count": float(point["count"]), "sum": float(point.get("sum", "nan")), "buckets": buckets}
    yield "", {}, float("nan"), whole


def _buckets(side: Json, base: float) -> Iterator[tuple[float, float, float]]:
    offset = int(side.get("offset", 0))
    for index, count in enumerate(side.get("bucketCounts", ()), start=offset):
        if int(count):
            yield base**index, base ** (index + 1), float(count)


_KINDS: dict[str, tuple[MetricType, Callable[[Json], Iterator[_Part]]]] = {
    "gauge": ("gauge", _number),
    "sum": ("gauge", _number),
    "histogram": ("histogram", _histogram),
    "exponentialHistogram": ("histogram", _exponential),
    "summary": ("summary", _summary),
}


def _name(name: str, unit: str, *, monotonic: bool, gauge: bool) -> str:
    """The name as Prometheus's own OTLP endpoint makes it."""
    words = [word for word in re.split(r"[^a-zA-Z0-9:]+", name) if word]
    per = unit.split("/", 1)
    for index, part in enumerate(per):
        word = _UNITS.get(part, "ratio" if part == "1" and gauge else "")
        if word and word not in words:
            words += ["per", word.removesuffix("s")] if index else [word]
    if monotonic:
        words = [word for word in words if word != "total"] + ["total"]
    joined = "_".join(words)
    return f"_{joined}" if joined[:1].isdigit() else joined


def _resource_labels(resource: Json) -> Labels:
    labels = dict(_attributes(resource.get("attributes", ())))
    if service := labels.get("service_name"):
        space = labels.get("service_namespace")
        labels = {"service": service, "job": f"{space}/{service}" if space else service, **labels}
    if instance := labels.get("service_instance_id"):
        labels.setdefault("instance", instance)
    return tuple(labels.items())


def _attributes(attributes: Any) -> Iterator[tuple[str, str]]:
    for attribute in attributes:
        name = re.sub(r"[^a-zA-Z0-9_]", "_", attribute["key"])
        yield (f"key_{name}" if name[:1].isdigit() else name), _text(attribute.get("value", {}))


def _text(value: Json) -> str:
    if "boolValue" in value:
        return "true" if value["boolValue"] else "false"
    for kind in ("stringValue", "intValue", "doubleValue", "bytesValue"):
        if kind in value:
            return str(value[kind])
    return msgspec.json.encode(value).decode() if value else ""


def _written(number: float) -> str:
    """A bound as Prometheus writes it in a label: 1 and not 1.0."""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
