"""Reads OTLP JSON logs, as the OpenTelemetry collector's file exporter writes them: a request a line, or one.

Attributes of the resource, the scope's name and the attributes of the record become columns; `service.name` tells the
service. Format: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from obs_magics.local.readers.base import Complaints, File, Mapping, Reading
from obs_magics.local.readers.logs.collect import reading_of, without_times
from obs_magics.local.readers.logs.records import Records, decoded, flattened, text_of

_BEGINNING = re.compile(rb'\s*\{\s*"resourceLogs"\s*:')
_WRONG = (KeyError, TypeError, ValueError, AttributeError)
_NO_TIME = "a record has no time: left out"


def looks_right(file: File) -> bool:
    """Whether it is JSON that begins with logs of resources."""
    return _BEGINNING.match(file.head) is not None


def read(file: File, mapping: Mapping) -> Reading:
    """Read requests, one a line or one over several lines."""
    complaints = Complaints(file.name)
    records = Records("OTLP JSON logs", mapping.zone)
    with file.open() as stream:
        body = stream.read()
    for number, text in _requests(body):
        try:
            _put_request(decoded(text), records, number)
        except msgspec.DecodeError as problem:
            complaints.add(f"not JSON: {problem}", number)
        except _WRONG as problem:
            complaints.add(f"not OTLP logs: {problem!r}", number)
    return reading_of(file, without_times(records.entries(), complaints, _NO_TIME, records.lines), complaints)


def _requests(body: bytes) -> Iterator[tuple[int, bytes]]:
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), start=1) if line.strip()]
    try:
        msgspec.json.decode(lines[0][1], type=msgspec.Raw)
    except msgspec.DecodeError:
        yield 1, body
    else:
        yield from lines


def _put_request(request: Any, records: Records, line: int) -> None:
    for resource in request["resourceLogs"]:
        of_resource = _attributes(resource.get("resource", {}).get("attributes", []))
        for scope in resource.get("scopeLogs") or resource.get("instrumentationLibraryLogs") or []:
            name = scope.get("scope", {}).get("name")
            for record in scope.get("logRecords", []):
                fields = {**_attributes(record.get("attributes", [])), **_of_record(record)}
                whole = {**of_resource, **({"scope_name": name} if name else {}), **fields}
                time = record.get("timeUnixNano")
                if time in (None, 0, "0"):
                    time = record.get("observedTimeUnixNano")
                body = _value(record.get("body", {}))
                records.put(time, text_of(body) or "", flattened(whole.items()), line)


def _of_record(record: Any) -> dict[str, Any]:
    found = {
        "severity_text": record.get("severityText"),
        "severity_number": _severity(record.get("severityNumber")),
        "trace_id": record.get("traceId"),
        "span_id": record.get("spanId"),
        "event_name": record.get("eventName"),
    }
    return {name: value for name, value in found.items() if value}


def _severity(number: Any) -> str | None:
    """A number, or a name such as SEVERITY_NUMBER_INFO2: the word in it."""
    if isinstance(number, str) and number.startswith("SEVERITY_NUMBER_"):
        return number.removeprefix("SEVERITY_NUMBER_").rstrip("1234")
    return text_of(number)


def _attributes(attributes: Any) -> dict[str, Any]:
    return {attribute["key"]: _value(attribute.get("value", {})) for attribute in attributes}


def _value(value: Any) -> Any:
    """An AnyValue as plain JSON."""
    if "kvlistValue" in value:
        return _attributes(value["kvlistValue"].get("values", []))
    if "arrayValue" in value:
        return [_value(one) for one in value["arrayValue"].get("values", [])]
    return next(
        (
            value[kind]
            for kind in ("stringValue", "intValue", "doubleValue", "boolValue", "bytesValue")
            if kind in value
        ),
        None,
    )
