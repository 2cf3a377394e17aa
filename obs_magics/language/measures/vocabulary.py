"""The measures by name: what each means, its unit, which way is bad, and what else people call it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from obs_magics.model.errors import UsageError, did_you_mean

Direction = Literal["up", "down", "either"]
"""Which way is bad: more of it, less of it, or any change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What is measured of a service.

    Args:
        name: As it is typed: `error_rate`, `latency_p99`.
        title: As it stands in a sentence: "share of failed requests".
        unit: UCUM as OpenTelemetry writes it; a row of the table may have another.
        direction: Which way is bad.
        family: The name under which the table has it: `latency` for every `latency_pNN`.
        quantile: Of a latency, from 0 to 1; as text, since it stands in queries.
    """

    name: str
    title: str
    unit: str
    direction: Direction
    family: str = ""
    quantile: str = ""

    @property
    def key(self) -> str:
        """Where the table has its rows."""
        return self.family or self.name


LATENCY = "latency"
MEASURES: tuple[Measure, ...] = (
    Measure(name="error_rate", title="share of failed requests", unit="1", direction="up"),
    Measure(name="throughput", title="requests a second", unit="{request}/s", direction="either"),
    Measure(name="saturation", title="share of a limit that is used", unit="1", direction="up"),
    Measure(name="cpu_usage", title="CPU cores in use", unit="{cpu}", direction="up"),
    Measure(name="memory_usage", title="memory in use", unit="By", direction="up"),
    Measure(name="restarts", title="restarts", unit="{restart}", direction="up"),
    Measure(name="availability", title="share of instances that answer", unit="1", direction="down"),
)
QUANTILES = ("50", "90", "95", "99", "999")
"""The latencies that are listed; every other `latency_pNN` is understood too."""

RED = ("error_rate", "latency_p99", "throughput")
USE = ("saturation", "cpu_usage", "memory_usage", "restarts", "availability")
DEFAULT_SCAN = (*RED, *USE)
"""What a scan of a service looks at when the configuration names nothing: rate, errors, duration, then resources."""

SYNONYMS: dict[str, tuple[str, ...]] = {
    "error_rate": (
        *("errors", "error", "error_ratio", "errors_rate", "failures", "failure_rate", "failed_requests"),
        *("error_percentage", "5xx", "5xx_rate"),
    ),
    "latency_p99": (
        *("latency", "duration", "response_time", "response_times", "request_duration", "latency_99", "tail_latency"),
        *("request_latency", "delay", "slowness"),
    ),
    "latency_p50": ("median_latency", "latency_median", "median_response_time"),
    "throughput": (
        *("traffic", "requests", "request_rate", "rps", "qps", "rate", "load", "requests_per_second", "req_s"),
        *("hits", "volume"),
    ),
    "saturation": ("pool_usage", "pool", "connections", "connection_pool", "utilization", "utilisation"),
    "cpu_usage": ("cpu", "cpu_utilization", "cpu_utilisation", "cores", "processor"),
    "memory_usage": ("memory", "mem", "ram", "memory_utilization", "rss", "working_set"),
    "restarts": ("restart", "restart_count", "container_restarts", "pod_restarts", "crashes"),
    "availability": ("uptime", "health", "available"),
}

_BY_NAME = {measure.name: measure for measure in MEASURES}
_BY_SYNONYM = {word: name for name, words in SYNONYMS.items() for word in words}
_PERCENTILE = re.compile(
    r"(?:latency_|duration_|response_time_)?p(?P<digits>[0-9]{1,2}(?:[._][0-9]{1,3})?|[0-9]{3,5})"
    r"(?:_(?:latency|duration|response_time))?"
)


def find_measure(text: str) -> Measure | None:
    """The measure that a text names: its own name, a synonym, any percentile; None when it names none.

    >>> find_measure("p99 latency").name, find_measure("Errors").name, find_measure("latency_p99.9").quantile
    ('latency_p99', 'error_rate', '0.999')
    """
    word = re.sub(r"[\s-]+", "_", text.strip().lower())
    word = _BY_SYNONYM.get(word, word)
    if word in _BY_NAME:
        return _BY_NAME[word]
    match = _PERCENTILE.fullmatch(word)
    return _latency(match["digits"]) if match else None


def measure_named(text: str, others: Iterable[str] = ()) -> Measure:
    """As `find_measure`.

    Args:
        text: What was typed.
        others: Measures that the configuration adds, for the hint.

    Raises:
        UsageError: It names no measure.
    """
    found = find_measure(text)
    if found is not None:
        return found
    known = [*measure_names(), *others]
    words = [*known, *_BY_SYNONYM]
    hint = did_you_mean(text.strip().lower(), words) or f"the measures are: {', '.join(known)}"
    raise UsageError(f"there is no measure called {text!r}", hint=hint)


def measure_names() -> Sequence[str]:
    """Every measure that is listed, in the order in which people look at them."""
    first, *rest = (measure.name for measure in MEASURES)
    return [first, *(f"latency_p{digits}" for digits in QUANTILES), *rest]


def _latency(digits: str) -> Measure | None:
    """`99` is the 99th percentile, `999` and `99.9` the 99.9th; None for 0 and for 100."""
    whole, _, part = digits.replace("_", ".").partition(".")
    figures = whole if len(whole) > 2 else whole.zfill(2) + part
    quantile = f"0.{figures}".rstrip("0").rstrip(".")
    if quantile == "0" or whole == "100":
        return None
    return Measure(
        name=f"latency_p{figures.lstrip('0') if len(figures) == 2 else figures}",
        title=f"{_ordinal(quantile)} percentile of how long requests take",
        unit="s",
        direction="up",
        family=LATENCY,
        quantile=quantile,
    )


def _ordinal(quantile: str) -> str:
    """`99th`, `99.9th`, `50th`.

    >>> _ordinal("0.99"), _ordinal("0.5"), _ordinal("0.999"), _ordinal("0.91")
    ('99th', '50th', '99.9th', '91st')
    """
    number = f"{float(quantile) * 100:g}"
    ending = {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")
    return number + ("th" if "." in number or number in {"11", "12", "13"} else ending)
