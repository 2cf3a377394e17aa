"""Which columns of a table mean what: by the user's word, else by their names and by what they hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
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

# The number of rows, which pandas writes beside the columns.
_ROW_NUMBERS = re.compile(r"unnamed: 0|__index_level_0__", re.IGNORECASE)
# Seconds before 1976: a day written as 20261122, or seconds since the start of a test.
_HARDLY_EPOCH = 2e8
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
        largest: The largest finite number; 0 when there is none.
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
        words: Whether it holds times in words, and not numbers.
        values: Column with numbers → name of its metric.
        metric: The column with the metric's name, which then wins over `values`; None when there is none.
        labels: Column that becomes a label → name of the label.
        doubt: What may be wrong with this plan, a sentence; mostly nothing.
    """

    timestamp: str
    words: bool
    values: dict[str, str]
    metric: str | None
    labels: dict[str, str]
    doubt: str = ""


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
    given = mapping.labels is not None
    labels = mapping.labels or [one.name for one in left if not given and one.name not in used and not _counts(one)]
    fixed = mapping.metric if mapping.metric and metric is None else None
    metrics = [_metric_name(column.name, fixed, stem, alone=len(measured) == 1) for column in measured]
    return Plan(
        time.name,
        not time.is_number or mapping.time_format is not None,
        dict(zip([column.name for column in measured], _distinct(metrics), strict=True)),
        metric,
        dict(zip(labels, _distinct(map(label_name, labels)), strict=True)),
        _doubt(time, mapping),
    )


def _doubt(time: Column, mapping: Mapping) -> str:
    if mapping.time_unit or mapping.time_format or not time.is_number or time.largest >= _HARDLY_EPOCH:
        return ""
    return (
        f"the numbers of column {time.name} go up to {time.largest:.0f} only and are taken for seconds since 1970; "
        "if they are not, say what they are with the option time_unit or time_format"
    )


def _counts(column: Column) -> bool:
    """Whether a column only numbers the rows."""
    return column.is_number and _ROW_NUMBERS.fullmatch(column.name) is not None


def _distinct(names: Iterable[str]) -> list[str]:
    """The names, with a number behind those that were there before: two columns must not become one series."""
    distinct: list[str] = []
    for name in names:
        again = next(f"{name}_{n}" for n in range(1, len(distinct) + 2) if f"{name}_{n}" not in distinct)
        distinct.append(name if name not in distinct else again)
    return distinct


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
    raise ValueError(
        f"no column holds times (there are {names}); name one with the option timestamp, and its form with time_format"
    )


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
    return [column for column in numbers if not _NAMING.fullmatch(column.name) and not _counts(column)]


def _metric_name(column: str, fixed: str | None, stem: str, *, alone: bool) -> str:
    if fixed is not None and alone:
        return fixed
    if alone and column.lower() in _VALUE_NAMES:
        return metric_name(stem)
    return metric_name(f"{fixed}_{column}" if fixed else column)


def metric_name(text: str) -> str:
    """A text as a metric name: what may not stand in one becomes an underscore, `é` an `e`, and `度` `u5ea6`."""
    plain = "".join(map(_ascii, unicodedata.normalize("NFKD", text)))
    name = re.sub(r"[^a-zA-Z0-9_:]+", "_", plain).strip("_") or "value"
    return f"_{name}" if name[0].isdigit() else name


def _ascii(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.combining(character):
        return ""
    if character == "μ":  # of µs
        return "u"
    return f" u{ord(character):x} " if character.isalnum() else " "


def label_name(text: str) -> str:
    """A text as a label name."""
    return metric_name(text).replace(":", "_")
