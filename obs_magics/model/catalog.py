"""What a source has: metric names with type, unit and help; labels and their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

MetricType = Literal["counter", "gauge", "histogram", "summary", "unknown"]

# Suffixes by which the Prometheus and OpenMetrics conventions name units (https://prometheus.io/docs/practices/naming/).
_UNIT_SUFFIXES: dict[str, str] = {
    "seconds": "s",
    "milliseconds": "ms",
    "bytes": "By",
    "ratio": "1",
    "percent": "%",
    "celsius": "Cel",
    "meters": "m",
    "volts": "V",
    "amperes": "A",
    "joules": "J",
    "grams": "g",
    "hertz": "Hz",
}
_SERIES_SUFFIXES: dict[str, MetricType] = {"total": "counter", "bucket": "histogram"}


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """One metric: `type`, `unit` (UCUM as OpenTelemetry writes it: s, By, 1, %; empty when unknown) and `help`."""

    name: str
    type: MetricType = "unknown"
    unit: str = ""
    help: str = ""


class Catalog(Protocol):
    """What can be asked of a source. Answers are cached by the source; all lists are sorted.

    A catalog is help, never a judge: a native query is not refused because a name is missing here.
    """

    async def metric_names(self) -> Sequence[str]:
        """Every metric name of the recent past."""
        ...

    async def metric(self, name: str) -> MetricInfo:
        """Type, unit and help of one metric; what the source does not tell is guessed from the name."""
        ...

    async def label_names(self, metric: str | None = None) -> Sequence[str]:
        """Label names, of one metric or of all; without `__name__`."""
        ...

    async def label_values(self, label: str, metric: str | None = None) -> Sequence[str]:
        """Values of one label, on one metric or on all."""
        ...


class LogCatalog(Protocol):
    """What log lines are labelled with. Answers are cached by the source; all lists are sorted."""

    async def label_names(self) -> Sequence[str]:
        """Names that a stream selector may use."""
        ...

    async def label_values(self, label: str) -> Sequence[str]:
        """Values of one label of the recent past; empty for a label that is not there."""
        ...

    async def field_names(self) -> Sequence[str]:
        """Names found inside the lines (structured metadata, JSON, logfmt), as far as the source tells."""
        ...

    async def services(self) -> Sequence[str]:
        """The services that write logs."""
        ...


class TraceCatalog(Protocol):
    """What spans have. Answers are cached by the source; all lists are sorted."""

    async def services(self) -> Sequence[str]:
        """The services that write spans."""
        ...

    async def operations(self, service: str | None = None) -> Sequence[str]:
        """Names of spans, of one service or of all, as far as the source tells."""
        ...

    async def attribute_names(self) -> Sequence[str]:
        """Names of attributes with their scope (`span.http.route`, `resource.k8s.pod.name`)."""
        ...

    async def attribute_values(self, name: str) -> Sequence[str]:
        """Values of one attribute of the recent past, as text."""
        ...


def info_from_name(name: str) -> MetricInfo:
    """Guess type and unit from a name that follows the Prometheus conventions.

    >>> info_from_name("http_request_duration_seconds_bucket")
    MetricInfo(name='http_request_duration_seconds_bucket', type='histogram', unit='', help='')
    >>> info_from_name("node_network_receive_bytes_total").unit
    'By'
    """
    words = name.split("_")
    kind = _SERIES_SUFFIXES.get(words[-1], "unknown")
    if kind == "histogram" or words[-1] == "count":
        return MetricInfo(name, "histogram" if kind == "histogram" else "unknown")
    tail = words[-2] if words[-1] in {"total", "sum"} and len(words) > 1 else words[-1]
    return MetricInfo(name, kind, _UNIT_SUFFIXES.get(tail, ""))
