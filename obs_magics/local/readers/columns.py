"""Which columns of a table mean what: by the user's word, else by their names and by what they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from obs_magics.local.readers.base import Mapping
from obs_magics.model.errors import did_you_mean
from obs_magics.model.frames import METRIC_NAME_LABEL

_TIME_NAMES = (
    "timestamp", "@timestamp", "time", "_time", "ts", "datetime", "date", "timestamp_ms", "time_ms", "timestamp_ns",
    "epoch", "epoch_ms", "unix_time", "when", "t",
)  # fmt: skip
_VALUE_NAMES = ("value", "_value", "val")
_METRIC_NAMES = (METRIC_NAME_LABEL, "metric", "metric_name", "_measurement", "measurement", "name")
# Numbers that name things: they tell series apart and are not measured.
_NAMING = re.compile(r"(.*_)?(id|code|status|port|pid|shard|partition|version|le|quantile)", re.IGNORECASE)

# Up to which size a number is a time in seconds, milliseconds, microseconds; each reaches to the year 5138.
_UNITS = ((1e11, "s"), (1e14, "ms"), (1e17, "us"))
_MILLISECONDS = {"s": 1e3, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
_MOSTLY = 0.8


@dataclass(frozen=True, slots=True)
class Column:
    """What is in a column, seen in a sample: how many values, how many of them are numbers or times.

    Args:
        name: As in the file.
        typed_time: Whether the file itself says that these are times.
        typed_number: Whether the file itself says that these are numbers.
        filled: Values that are there.
        numbers: Of them, how many can be read as a number.
        times: Of them, how many can be read as a time.
        largest: The largest number; 0 when there is none.
    """

    name: str
    typed_time: bool
    typed_number: bool
    filled: int
    numbers: int
    times: int
    largest: float

    @property
    def is_number(self) -> bool:
        """Whether nearly all of it are numbers; of a column called `value`, one is enough."""
        share = 0.0 if self.name.lower() in _VALUE_NAMES else _MOSTLY
        return self.typed_number or (not self.typed_time and self.numbers > 0 and share * self.filled <= self.numbers)

    @property
    def is_time(self) -> bool:
        """Whether nearly all of it are times in words; of a column called like one, one is enough."""
        share = 0.0 if self.name.lower() in _TIME_NAMES else _MOSTLY
        return self.typed_time or (not self.is_number and self.times > 0 and share * self.filled <= self.times)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a table becomes series.

    Args:
        timestamp: The column with the time.
        factor: What makes milliseconds of its numbers; None when it holds times in words.
        values: Column with numbers → name of its metric.
        metric: The column with the metric's name, which then wins over `values`; None when there is none.
        labels: The columns that become labels.
    """

    timestamp: str
    factor: float | None
    values: dict[str, str]
    metric: str | None
    labels: tuple[str, ...]


def plan(columns: Sequence[Column], mapping: Mapping, stem: str) -> Plan:
    """Say which column means what.

    Args:
        columns: What was seen.
        mapping: What the user says.
        stem: The file's name, for a metric that has no other.

    Raises:
        ValueError: No column holds times, or none holds numbers, or one that the user named is not there.
    """
    known = {column.name: column for column in columns}
    for name in (mapping.timestamp, *(mapping.value or ()), *(mapping.labels or ())):
        if name is not None and name not in known:
            near = did_you_mean(name, known) or f"it has {', '.join(known)}"
            raise ValueError(f"there is no column {name!r}; {near}")
    time = known[mapping.timestamp] if mapping.timestamp else _time_column(columns)
    left = [column for column in columns if column is not time]
    metric = _metric_column(left, mapping)
    measured = [known[name] for name in mapping.value] if mapping.value else _measured(left, metric)
    if not measured:
        raise ValueError("no column holds numbers; name one with the option value")
    used = {time.name, metric, *(column.name for column in measured)}
    labels = mapping.labels if mapping.labels is not None else [one.name for one in left if one.name not in used]
    fixed = mapping.metric if mapping.metric and metric is None else None
    return Plan(
        time.name,
        _factor(time, mapping.time_unit),
        {column.name: _metric_name(column.name, fixed, stem, alone=len(measured) == 1) for column in measured},
        metric,
        tuple(labels),
    )


def _time_column(columns: Sequence[Column]) -> Column:
    named = {column.name.lower(): column for column in reversed(columns)}
    for name in _TIME_NAMES:
        column = named.get(name)
        if column is not None and (column.is_time or column.is_number):
            return column
    for column in columns:
        if column.is_time:
            return column
    names = ", ".join(column.name for column in columns)
    raise ValueError(f"no column holds times (there are {names}); name one with the option timestamp")


def _metric_column(columns: Sequence[Column], mapping: Mapping) -> str | None:
    texts = {column.name: column for column in columns if not column.is_number}
    if mapping.metric is not None:
        return mapping.metric if mapping.metric in texts else None
    if mapping.value and not any(name.lower() in _VALUE_NAMES for name in mapping.value):
        return None  # the columns are called like the metrics
    if not any(column.name.lower() in _VALUE_NAMES and column.is_number for column in columns):
        return None
    lower = {name.lower(): name for name in reversed(texts)}
    return next((lower[name] for name in _METRIC_NAMES if name in lower), None)


def _measured(columns: Sequence[Column], metric: str | None) -> list[Column]:
    numbers = [column for column in columns if column.is_number and column.name != metric]
    values = [column for column in numbers if column.name.lower() in _VALUE_NAMES]
    if values:
        return values[:1]
    return [column for column in numbers if not _NAMING.fullmatch(column.name)]


def _metric_name(column: str, fixed: str | None, stem: str, *, alone: bool) -> str:
    if fixed is not None and alone:
        return fixed
    if alone and column.lower() in _VALUE_NAMES:
        return metric_name(stem)
    return metric_name(f"{fixed}_{column}" if fixed else column)


def metric_name(text: str) -> str:
    """A text as a metric name: what may not stand in one becomes an underscore."""
    name = re.sub(r"[^a-zA-Z0-9_:]+", "_", text).strip("_") or "value"
    return f"_{name}" if name[0].isdigit() else name


def label_name(text: str) -> str:
    """A text as a label name."""
    return metric_name(text).replace(":", "_")


def _factor(time: Column, unit: str | None) -> float | None:
    if not time.is_number:
        return None
    chosen = unit or next((name for limit, name in _UNITS if time.largest < limit), "ns")
    return _MILLISECONDS[chosen]
