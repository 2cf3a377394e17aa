"""An incident: the service, when it was, how that is known, and how quickly people saw, eased and ended it.

Everything here is frozen and can be written as JSON and read back. Times are nanoseconds since the epoch; in JSON they
are ISO 8601 in UTC, exact to the nanosecond.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal, get_args

from obs_magics.model.durations import HOUR, MINUTE
from obs_magics.model.ranges import TimeRange
from obs_magics.model.time import parse_instant
from obs_magics.model.zones import format_instant, to_datetime

FoundBy = Literal["told", "measured", "alert"]
Moment = Literal["onset", "detected", "mitigated", "recovered"]
Direction = Literal["callers", "callees"]

MOMENTS: tuple[Moment, ...] = get_args(Moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """How much around an incident is gathered; lengths in nanoseconds. The configuration's section `incident`.

    Args:
        metrics_before_ns: Metrics from so long before the start.
        logs_before_ns: Error lines from so long before the start.
        traces_before_ns: Traces from so long before the start.
        deployments_before_ns: Deployments and scaling from so long before the start.
        config_changes_before_ns: Changes of configuration from so long before the start.
        flags_before_ns: Feature flags from so long before the start.
        alerts_before_ns: Alerts, incidents and notes from so long before the start.
        restarts_before_ns: Restarts from so long before the start.
        after_ns: Everything until so long after the end.
        longest_ns: Where no end is known, everything until so long after the start.
        log_lines: Error lines that are kept; patterns are counted over all.
        traces: Failing traces, and as many slow ones.
        neighbours: Callers and callees that are asked for as well, those with most calls first.
    """

    metrics_before_ns: int = 30 * MINUTE
    logs_before_ns: int = 5 * MINUTE
    traces_before_ns: int = 5 * MINUTE
    deployments_before_ns: int = 2 * HOUR
    config_changes_before_ns: int = HOUR
    flags_before_ns: int = HOUR
    alerts_before_ns: int = 10 * MINUTE
    restarts_before_ns: int = HOUR
    after_ns: int = 10 * MINUTE
    longest_ns: int = 2 * HOUR
    log_lines: int = 100
    traces: int = 20
    neighbours: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What a person noted.

    Args:
        at_ns: When, in nanoseconds since the epoch.
        text: One or more lines.
        author: Who; empty when that is not known.
        service: Which service it is about; empty for none in particular.
        source: Where it was written: `note` in this notebook, `chat` where it was pasted from one.
    """

    at_ns: int
    text: str
    author: str = ""
    service: str = ""
    source: str = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A measure of a service that left its usual values.

    Args:
        service: Whose.
        measure: Its name: `latency_p99`.
        title: What it is, in words: `p99 latency`.
        unit: UCUM as OpenTelemetry writes it.
        start_ns: When it began.
        earliest_ns: The earliest it may have begun, as far as the points tell; the start itself when they are exact.
        end_ns: When it was back to usual; None when it was not before the data ends.
        usual: What is usual.
        value: What it was afterwards (the median).
        peak: The value furthest from what is usual.
    """

    service: str
    measure: str
    title: str
    unit: str = ""
    start_ns: int
    earliest_ns: int | None = None
    end_ns: int | None = None
    usual: float
    value: float
    peak: float

    @property
    def rises(self) -> bool:
        """Whether it went up."""
        return self.value >= self.usual

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return _plain(asdict(self))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Shift:
        """From what `to_dict` gave."""
        return cls(**_read(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What happened to which service, and when.

    Args:
        service: The one that people complain about.
        start_ns: When it began.
        end_ns: When it was over; None when that is not known, or it goes on.
        detected_ns: When somebody was told of it; None when nobody was.
        found_by: How the start is known: somebody told it, it was measured, or an alert fired.
        start_because: The same in words.
        end_because: How the end is known, or why it is not, in words.
        detected_because: Who or what told of it, in words.
        title: What it is called; empty when it has no name.
        windows: From when to when each kind of evidence was asked for.
    """

    service: str
    start_ns: int
    end_ns: int | None = None
    detected_ns: int | None = None
    found_by: FoundBy = "told"
    start_because: str = ""
    end_because: str = ""
    detected_because: str = ""
    title: str = ""
    windows: Mapping[str, TimeRange] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "windows", MappingProxyType(dict(self.windows)))

    @property
    def start(self) -> datetime:
        """When it began, in UTC, to the microsecond."""
        return to_datetime(self.start_ns, UTC)

    @property
    def end(self) -> datetime | None:
        """When it was over."""
        return None if self.end_ns is None else to_datetime(self.end_ns, UTC)

    @property
    def detected_at(self) -> datetime | None:
        """When somebody was told of it."""
        return None if self.detected_ns is None else to_datetime(self.detected_ns, UTC)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        data = {name: getattr(self, name) for name in self.__slots__ if name != "windows"}
        windows = {
            name: [format_instant(one.start_ns), format_instant(one.end_ns)] for name, one in self.windows.items()
        }
        return {**_plain(data), "windows": windows}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Incident:
        """From what `to_dict` gave."""
        read = _read({name: value for name, value in data.items() if name != "windows"})
        windows = {name: TimeRange(_instant(start), _instant(end)) for name, (start, end) in data["windows"].items()}
        return cls(**read, windows=windows)

    def __reduce__(self) -> tuple[Any, ...]:
        return Incident.from_dict, (self.to_dict(),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """One of the moments between which the times of an incident are told.

    Args:
        moment: Which one.
        at_ns: When; None when it is not known.
        row: The row of the timeline that says so; None when there is none.
        because: What that row is, or why nothing is known, in words.
    """

    moment: Moment
    at_ns: int | None = None
    row: int | None = None
    because: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """How quickly an incident was seen, eased and over: four moments, in the order of `MOMENTS`.

    Times are counted from the onset, as DORA and Google's SRE workbook do (time to detect, to mitigate, to recover).
    """

    milestones: tuple[Milestone, ...]

    def of(self, moment: Moment) -> Milestone:
        """One of the moments."""
        return next(one for one in self.milestones if one.moment == moment)

    def since_onset(self, moment: Moment) -> timedelta | None:
        """From the onset to a moment, to the microsecond; None when one of both is not known."""
        start, end = self.of("onset").at_ns, self.of(moment).at_ns
        return None if start is None or end is None else timedelta(microseconds=(end - start) // 1000)

    @property
    def to_detect(self) -> timedelta | None:
        """From the onset until somebody was told."""
        return self.since_onset("detected")

    @property
    def to_mitigate(self) -> timedelta | None:
        """From the onset to the last change before it got better."""
        return self.since_onset("mitigated")

    @property
    def to_recover(self) -> timedelta | None:
        """From the onset until everything was as usual."""
        return self.since_onset("recovered")

    def to_dict(self) -> list[dict[str, Any]]:
        """As plain JSON values."""
        return [_plain(asdict(one)) for one in self.milestones]

    @classmethod
    def from_dict(cls, data: Sequence[Mapping[str, Any]]) -> Response:
        """From what `to_dict` gave."""
        return cls(tuple(Milestone(**_read(one)) for one in data))


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """Instants as ISO 8601, under names without their unit."""
    return {
        name.removesuffix("_ns"): format_instant(value) if name.endswith("_ns") and value is not None else value
        for name, value in data.items()
    }


_INSTANTS = frozenset({"start", "end", "detected", "earliest", "at"})


def _read(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{name}_ns" if name in _INSTANTS else name: _instant(value)
        if name in _INSTANTS and value is not None
        else value
        for name, value in data.items()
    }


def _instant(text: str) -> int:
    return parse_instant(text, now_ns=0, zone=UTC)
