"""JSON bodies: level and service by their keys, decoded one by one but only for these keys.

Keys of Go's zap, logrus and slog, pino and bunyan, Serilog, structlog, python-json-logger, the Elastic common schema,
Google's structured logs, Datadog, MongoDB, and what Fluent Bit wraps around lines of Kubernetes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from obs_magics.analysis.loglines.levels import UNKNOWN_CODE, level_code
from obs_magics.analysis.loglines.names import NO_SERVICE
from obs_magics.analysis.loglines.text import Text, matching

Array = np.ndarray[Any, Any]

_LEVEL_KEYS = (
    "level", "severity", "severityText", "severity_text", "SeverityText", "lvl", "levelname", "levelName", "level_name",
    "log.level", "loglevel", "logLevel", "log_level", "LogLevel", "@l", "Level", "LEVEL", "Severity", "SEVERITY",
    "severityNumber", "severity_number", "SeverityNumber", "levelno", "PRIORITY",
)  # fmt: skip
_SERVICE_KEYS = (
    "service", "service_name", "service.name", "serviceName", "ServiceName", "Service", "dd.service", "app",
    "application", "app_name", "appName", "appname", "Application", "SourceContextService", "SYSLOG_IDENTIFIER",
)  # fmt: skip
# Where the line itself stands that something else has wrapped.
_TEXT_KEYS = ("message", "msg", "log", "MESSAGE")
# Objects that hold them: key, and the names inside in order.
_LEVEL_INSIDE = {"log": ("level",), "fields": ("level", "severity"), "attributes": ("level",)}
_SERVICE_INSIDE = {
    "dd": ("service",),
    "serviceContext": ("service",),
    "resource": ("service.name",),
    "fields": ("service", "app"),
    "kubernetes": ("labels", "container_name"),
}
_LABELS_INSIDE = ("app.kubernetes.io/name", "app", "k8s-app")
# MongoDB's `s`, and bunyan's `name`, mean this only in the company of these.
_MONGO, _BUNYAN = {"t", "c", "s"}, {"hostname", "pid", "name"}
_BATCH = 65_536


_LEVEL_RANKS = {key: rank for rank, key in enumerate((*_LEVEL_KEYS, *_LEVEL_INSIDE))}
_SERVICE_RANKS = {key: rank for rank, key in enumerate((*_SERVICE_KEYS, *_SERVICE_INSIDE))}
_decode: Callable[[bytes], dict[str, Any]] = msgspec.json.Decoder(dict[str, Any]).decode
_decode_plain: Callable[[bytes], Any] = msgspec.json.Decoder(
    msgspec.defstruct("Plain", [("level", Any, None), ("service", Any, None)], gc=False)
).decode
# Keys that need more than a look at `level` and `service`; an escaped quote before them makes them part of a text.
_ELSEWHERE = (
    r'[{,\s]"(?:'
    + "|".join(
        re.escape(key)
        for key in (*_LEVEL_KEYS, *_SERVICE_KEYS, *_LEVEL_INSIDE, *_SERVICE_INSIDE, "s", "hostname")
        if key not in ("level", "service")
    )
    + r')"\s*:'
)


@dataclass(frozen=True, slots=True)
class JsonBodies:
    """What JSON bodies tell, one entry per line.

    Args:
        levels: int8, positions in `LEVELS` or -1.
        services: Names, None where there is none.
        texts: The line inside, where no level is told beside it; None where it is told, or there is none.
        broken: bool, whether it is no JSON after all.
    """

    levels: Array
    services: list[str | None]
    texts: list[str | None]
    broken: Array


def read_json_bodies(lines: Text) -> JsonBodies:
    """Read lines that begin like JSON objects; those that are none are marked as broken."""
    size = len(lines)
    bodies = JsonBodies(np.full(size, UNKNOWN_CODE, np.int8), [None] * size, [None] * size, np.zeros(size, bool))
    elsewhere = matching(lines, _ELSEWHERE)
    plain = np.flatnonzero(~elsewhere)
    left = _read_plain(bodies, lines if len(plain) == size else lines.take(pa.array(plain)), plain)
    rest = np.sort(np.concatenate([np.flatnonzero(elsewhere), np.asarray(left, np.int64)]))
    _read_fully(bodies, lines.take(pa.array(rest)), rest)
    return bodies


def _read_plain(bodies: JsonBodies, lines: Text, rows: Array) -> list[int]:
    """Read the bodies that have no more than `level` and `service`; gives back the rows that need a closer look."""
    codes: dict[str, int] = {}
    left = []
    levels, services, broken = bodies.levels, bodies.services, bodies.broken
    for row, line in zip(rows.tolist(), _bytes_of(lines), strict=True):
        try:
            body = _decode_plain(line)
        except msgspec.DecodeError:
            broken[row] = True
            continue
        told, service = body.level, body.service
        code = codes.get(told) if told.__class__ is str else None
        if code is None:
            code = _code(told, "level")
            if told.__class__ is str and len(codes) < _BATCH:
                codes[told] = code
        if code == UNKNOWN_CODE:
            left.append(row)
            continue
        levels[row] = code
        if service is not None:
            services[row] = _name_of(service)
    return left


def _read_fully(bodies: JsonBodies, lines: Text, rows: Array) -> None:
    for row, line in zip(rows.tolist(), _bytes_of(lines), strict=True):
        try:
            body = _decode(line)
        except msgspec.DecodeError:
            bodies.broken[row] = True
            continue
        bodies.levels[row] = code = _level(body)
        bodies.services[row] = _service(body)
        if code == UNKNOWN_CODE:
            bodies.texts[row] = next((body[key] for key in _TEXT_KEYS if isinstance(body.get(key), str)), None)


def _bytes_of(lines: Text) -> Iterator[bytes]:
    for start in range(0, len(lines), _BATCH):
        yield from lines.slice(start, _BATCH).cast(pa.large_binary()).to_pylist()


def _level(body: dict[str, Any]) -> int:
    for key in _ranked(body, _LEVEL_RANKS):
        for told in _inside(body[key], _LEVEL_INSIDE.get(key, ())):
            code = _code(told, key)
            if code != UNKNOWN_CODE:
                return code
    return _code(str(body["s"])[:1], "s") if body.keys() >= _MONGO else UNKNOWN_CODE  # it counts D1 to D5


def _ranked(body: dict[str, Any], ranks: dict[str, int]) -> list[str]:
    """The keys of a body that may tell, the most trusted first."""
    found = [key for key in body if key in ranks]
    return sorted(found, key=ranks.__getitem__) if len(found) > 1 else found


def _code(told: Any, key: str) -> int:
    if isinstance(told, bool) or not isinstance(told, str | int | float):
        return UNKNOWN_CODE
    return level_code(str(told), key)


def _service(body: dict[str, Any]) -> str | None:
    for key in _ranked(body, _SERVICE_RANKS):
        for told in _inside(body[key], _SERVICE_INSIDE.get(key, ())):
            name = _name_of(told, ("name", *_LABELS_INSIDE))
            if name is not None:
                return name
    return _name_of(body["name"]) if body.keys() >= _BUNYAN else None


def _name_of(told: Any, inside: tuple[str, ...] = ("name",)) -> str | None:
    """A service's name, which may be a field of an object."""
    name = next(_inside(told, inside), None) if isinstance(told, dict) else told
    return name if isinstance(name, str) and is_service(name) else None


def _inside(value: Any, names: tuple[str, ...]) -> Iterator[Any]:
    """What an object holds under these names, in their order; without names, the value itself."""
    if not names:
        yield value
    elif isinstance(value, dict):
        yield from (value[name] for name in names if value.get(name) is not None)


def is_service(name: str) -> bool:
    """Whether a text names a service, and is no stand-in for none."""
    return bool(name) and name.lower().split(":", 1)[0] not in NO_SERVICE
