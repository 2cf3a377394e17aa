"""Log entries that come as JSON objects: which key is the time, which the message; the others become columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from obs_magics.local.readers.logs.collect import Entries, Fields
from obs_magics.local.readers.logs.plain import in_zone
from obs_magics.local.readers.logs.stamps import Stamp, find_stamps
from obs_magics.local.readers.logs.times import NO_TIME

Array = np.ndarray[Any, Any]
Json = dict[str, Any]

TIME_KEYS = (
    "@timestamp", "timestamp", "time", "_time", "ts", "datetime", "@t", "Timestamp", "TimeStamp", "eventTime",
    "__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP", "asctime", "date", "timeMillis", "instant", "timestamp_ms",
    "epoch", "t", "created", "time_unix_nano", "timeUnixNano", "observedTimeUnixNano", "receiveTimestamp", "start_time",
)  # fmt: skip
MESSAGE_KEYS = (
    "message", "msg", "@m", "_msg", "MESSAGE", "Message", "RenderedMessage", "short_message", "textPayload", "line",
    "log", "_raw", "@message", "@mt", "MessageTemplate", "event", "text", "body", "Body", "content",
)  # fmt: skip
# Names that a table of numbers may have as well: they count only beside a level, or when nothing is measured.
_WEAK_MESSAGES = frozenset({"event", "text", "body", "Body", "content", "line", "log"})
LEVEL_KEYS = frozenset({
    "level", "severity", "lvl", "levelname", "log.level", "loglevel", "logLevel", "@l", "Level", "severityText",
    "severity_text", "PRIORITY",
})  # fmt: skip
_VALUE_KEYS = frozenset({"value", "_value", "val"})
# Objects whose fields are the record's own, and what a service's answer wraps around a record.
_WRAPPERS = ("_source", "attributes", "jsonPayload", "fields", "Properties", "extra", "record")
_UNITS = ((1e11, 1_000_000_000), (1e14, 1_000_000), (1e17, 1_000))  # a number up to this size, and its nanoseconds
_NAME = re.compile(r"[^a-zA-Z0-9_]")
_DEEPEST = 4


def decoded(line: bytes) -> Any:
    """A JSON value; with Python's own reader when a text has half a surrogate pair.

    Raises:
        msgspec.DecodeError: It is not JSON.
        UnicodeDecodeError: A text in it is no UTF-8.
    """
    try:
        return msgspec.json.decode(line)
    except RecursionError:
        raise msgspec.DecodeError("it is nested too deeply") from None
    except msgspec.DecodeError as problem:
        if b"\\ud" not in line.lower():
            raise
        try:
            return json.loads(line)
        except (ValueError, RecursionError):
            raise problem from None


def is_log_record(record: Any) -> bool:
    """Whether an object has a time and a text that is called like a message, and measures nothing."""
    if not isinstance(record, dict):
        return False
    flat = unwrapped(record)
    if time_of(flat) is None:
        return False
    key = message_key(flat)
    if key is None:
        return False
    if any(isinstance(flat.get(name), int | float) for name in _VALUE_KEYS):
        return bool(LEVEL_KEYS & flat.keys())
    return key not in _WEAK_MESSAGES or bool(LEVEL_KEYS & flat.keys()) or not _measures(flat)


def _measures(record: Json) -> bool:
    used = {key for key in TIME_KEYS if key in record}
    return any(isinstance(value, int | float) for key, value in record.items() if key not in used)


def message_key(record: Json) -> str | None:
    """The key of the message; None when there is none with a text."""
    return next((key for key in MESSAGE_KEYS if isinstance(record.get(key), str)), None)


def unwrapped(record: Json) -> Json:
    """A record whose message or time lies in an object inside it, with that object's fields in its place."""
    if message_key(record) is not None and time_of(record) is not None:
        return record
    for name in _WRAPPERS:
        inner = record.get(name)
        if isinstance(inner, dict):
            outer = {key: value for key, value in record.items() if key != name}
            return unwrapped({**outer, **inner})
    return record


def _translated(record: Json) -> Json:
    """A record with the names of our own for what Serilog, MongoDB and bunyan call otherwise."""
    if "@t" in record:  # https://github.com/serilog/serilog-formatting-compact#reified-properties
        levelled = {"@l": "Information", **record}
        return {_SERILOG.get(key, key): value for key, value in levelled.items()}
    if record.keys() >= _MONGO and isinstance(
        record["s"], str
    ):  # https://www.mongodb.com/docs/manual/reference/log-messages/
        return {**{key: value for key, value in record.items() if key != "s"}, "level": record["s"][:1]}
    if record.keys() >= _BUNYAN and isinstance(record["name"], str):
        return {"service": record["name"], **record}
    return record


_SERILOG = {"@l": "level", "@x": "exception", "@tr": "trace_id", "@sp": "span_id", "@i": "event_id"}
_MONGO, _BUNYAN = {"t", "s", "c", "msg"}, {"hostname", "pid", "name", "msg"}


def time_of(record: Mapping[str, Any]) -> Any:
    """The value of the first key that is called like a time; None when there is none."""
    for key in TIME_KEYS:
        value = record.get(key)
        if value is not None and value != "" and not isinstance(value, bool | list):
            return value
    return None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is what in records with the same keys.

    Args:
        time: The key of the time.
        message: The key of the message; empty when each record must be looked at by itself.
        columns: The other keys, with the columns that they become.
    """

    time: str = ""
    message: str = ""
    columns: tuple[tuple[str, str], ...] = ()


_NO_PLAN = _Plan()
_MOST_PLANS = 1_000


def _plan(record: Json) -> _Plan:
    message = next((key for key in MESSAGE_KEYS if key in record), "")
    time = next((key for key in TIME_KEYS if key in record), "")
    if not message or not time or _translated(record) is not record:
        return _NO_PLAN
    return _Plan(time, message, tuple((key, column_name(key)) for key in record if key not in (time, message)))


def _told(record: Json, plan: _Plan) -> Iterator[tuple[str, str | None]]:
    """What `flattened` gives, for a record that is flat mostly."""
    for key, name in plan.columns:
        value = record[key]
        if value.__class__ is str and value.isascii():
            yield name, value
        elif value.__class__ is dict:
            yield from flattened(value.items(), name, 1)
        else:
            yield name, text_of(value)


class Records:
    """Collects records of one file.

    Args:
        title: The format, for people.
        zone: Of times that name none.
    """

    def __init__(self, title: str, zone: str = "UTC") -> None:
        self.title, self._zone = title, zone
        self._times: list[int] = []
        self._words: dict[int, str] = {}
        self._messages: list[str] = []
        self._lines: list[int] = []
        self._fields = Fields()
        self._plans: dict[tuple[str, ...], _Plan] = {}

    def add(self, record: Json, line: int = 0, more: Iterable[tuple[str, str | None]] = ()) -> bool:
        """One more record; False when it has neither a message nor anything else to tell, and is left out."""
        keys = tuple(record)
        plan = self._plans.get(keys)
        if plan is None:
            plan = self._plans[keys] = _plan(record) if len(self._plans) < _MOST_PLANS else _NO_PLAN
        if plan.message and record[plan.message].__class__ is str and record[plan.time] and not more:
            self.put(record[plan.time], record[plan.message].rstrip("\n"), _told(record, plan), line)
            return True
        return self._add_slowly(record, line, more)

    def _add_slowly(self, record: Json, line: int, more: Iterable[tuple[str, str | None]]) -> bool:
        flat = _translated(unwrapped(record))
        key = message_key(flat)
        time = time_of(flat)
        if key is None and len(flat) <= (time is not None):
            return False
        message = flat[key].rstrip("\n") if key is not None else msgspec.json.encode(record).decode()
        time_key = next((name for name in TIME_KEYS if flat.get(name) is time), None)
        rest = flattened((name, value) for name, value in flat.items() if name not in (key, time_key))
        self.put(time, message, [*more, *rest], line)
        return True

    def put(self, time: Any, message: str, fields: Iterable[tuple[str, str | None]], line: int = 0) -> None:
        """One more entry, taken apart already."""
        instant = instant_of(time)
        if instant is None:
            self._words[len(self._times)] = encodable(str(time))
        self._times.append(NO_TIME if instant is None else instant)
        self._messages.append(encodable(message))
        self._lines.append(line)
        self._fields.add(fields)

    @property
    def lines(self) -> Array:
        """The line of each record."""
        return np.asarray(self._lines, np.int64)

    def entries(self) -> Entries:
        """The entries; those whose time cannot be read have `NO_TIME`."""
        times, how = with_words(self._times, self._words, self._zone)
        messages = pa.array(self._messages, pa.large_string())
        return Entries(times, messages, self._fields.columns(), self.title, how)


def times_of(values: Iterable[Any], zone: str) -> tuple[Array, str]:
    """Times that are numbers or words, one by one, and how those in words are written."""
    times: list[int] = []
    words: dict[int, str] = {}
    for value in values:
        instant = instant_of(value)
        if instant is None:
            words[len(times)] = encodable(str(value))
        times.append(NO_TIME if instant is None else instant)
    return with_words(times, words, zone)


def with_words(instants: list[int], words: Mapping[int, str], zone: str) -> tuple[Array, str]:
    """Times, with those in words read; by row."""
    times, how = np.asarray(instants, np.int64), ""
    if words:
        rows = np.fromiter(words, np.int64, len(words))
        times[rows], how = read_words(pa.array(list(words.values()), pa.string()), zone)
    return times, how


def read_words(words: pa.Array, zone: str) -> tuple[Array, str]:
    """Times that are written in words, and how they are written; `NO_TIME` where one is no time."""
    times, zoned = np.full(len(words), NO_TIME), np.ones(len(words), bool)
    stamps: list[Stamp] = find_stamps([word for word in words.slice(0, 200).to_pylist() if word])
    for stamp in stamps:
        left = np.flatnonzero(times == NO_TIME)
        if len(left):
            moments = stamp.read(words.take(pa.array(left)))
            times[left], zoned[left] = moments.local_ns, moments.zoned
    naive = ~zoned & (times != NO_TIME)
    if naive.any() and zone != "UTC":
        times[naive] = in_zone(times[naive], zone)
    how = " and ".join(stamp.form.title for stamp in stamps)
    return times, f"{how}, no zone is written: {zone}" if naive.any() else how


def instant_of(time: Any) -> int | None:
    """Nanoseconds since the epoch of a number, or of a number in quotes; None for a time in words."""
    if isinstance(time, dict):  # MongoDB's {"$date": …}, log4j's {"epochSecond": …, "nanoOfSecond": …}
        if "epochSecond" in time:
            return _scaled(time["epochSecond"]) + int(time.get("nanoOfSecond", 0))
        return instant_of(next(iter(time.values()), None))
    if isinstance(time, str):
        bare = time.strip()
        if not bare.replace(".", "", 1).isdigit() or not bare.isascii() or len(bare) > 30 or bare[:3] in ("202", "201"):
            return None
        time = float(bare) if "." in bare else int(bare)
    if isinstance(time, int | float) and not isinstance(time, bool):
        return _scaled(time)
    return NO_TIME


def _scaled(number: float) -> int:
    scale = next((scale for limit, scale in _UNITS if abs(number) < limit), 1)
    whole = int(number)  # of a fraction, no more than microseconds: that is what a double of this size holds
    instant = whole * scale + round((number - whole) * scale / 1000) * 1000
    return instant if abs(instant) < 2**63 - 1 else NO_TIME


def flattened(fields: Iterable[tuple[str, Any]], above: str = "", depth: int = 0) -> Iterator[tuple[str, str | None]]:
    """Fields as texts; those of objects inside under their names joined with an underscore."""
    for key, value in fields:
        name = column_name(f"{above}_{key}" if above else str(key))
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from flattened(value.items(), name, depth + 1)
        else:
            yield name, text_of(value)


_NAMES: dict[str, str] = {}


def column_name(key: str) -> str:
    """A key as a label's name, as Loki writes those of OpenTelemetry: `service.name` is `service_name`."""
    name = _NAMES.get(key)
    if name is None:
        name = _NAME.sub("_", key).lstrip("_") or "_"
        name = f"_{name}" if name[0].isdigit() else name
        if len(_NAMES) < 10_000:
            _NAMES[key] = name
    return name


def text_of(value: Any) -> str | None:
    """A value as text: texts as they are, numbers and truth as JSON has them, lists and objects as JSON."""
    if value is None:
        return None
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return encodable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def encodable(text: str) -> str:
    """A text with replacement characters for halves of surrogate pairs, which JSON can write and UTF-8 cannot."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
