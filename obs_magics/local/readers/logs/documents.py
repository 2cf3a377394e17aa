"""Reads logs that lie in one JSON document: answers of Loki, CloudWatch, Elasticsearch, Datadog, and plain arrays."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from obs_magics.local.readers.base import Complaints, File, Mapping, Reading
from obs_magics.local.readers.logs.collect import reading_of, without_times
from obs_magics.local.readers.logs.records import Json, Records, decoded, flattened, is_log_record

_NO_TIME = "an entry has no time that can be read: left out"
_WRONG = (KeyError, TypeError, ValueError, AttributeError, IndexError)
Add = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Document:
    """A kind of document.

    Args:
        title: For people.
        beginning: What stands in its first bytes.
        put: Puts the entries of a document into records.
    """

    title: str
    beginning: re.Pattern[bytes]
    put: Callable[[Any, Records], None]


def _put_loki(document: Any, records: Records) -> None:
    """https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-logs-within-a-range-of-time."""
    for stream in document["data"]["result"]:
        labels = list(flattened(stream["stream"].items()))
        for time, line, *more in stream["values"]:
            extra = more[0] if more else {}
            inner = [extra.get("structuredMetadata"), extra.get("parsed")] if _OF_CATEGORIES & extra.keys() else [extra]
            fields = [pair for part in inner if part for pair in flattened(part.items())]
            records.put(time, line, [*labels, *fields])


_OF_CATEGORIES = {"structuredMetadata", "parsed"}


def _put_events(document: Any, records: Records) -> None:
    """FilterLogEvents and GetLogEvents of CloudWatch Logs."""
    for event in document["events"]:
        rest = [("log_stream", event.get("logStreamName")), ("event_id", event.get("eventId"))]
        records.put(event["timestamp"], event["message"], [(name, value) for name, value in rest if value is not None])


def _put_insights(document: Any, records: Records) -> None:
    """GetQueryResults of CloudWatch Logs Insights: a list of fields per entry."""
    for row in document["results"]:
        fields = {field["field"]: field.get("value") for field in row if field["field"] != "@ptr"}
        records.add(fields)


def _put_hits(document: Any, records: Records) -> None:
    for hit in document["hits"]["hits"]:
        records.add({"index": hit.get("_index"), **hit["_source"]})


def _put_data(document: Any, records: Records) -> None:
    for one in document["data"]:
        attributes = dict(one["attributes"])
        if isinstance(attributes.get("status"), str):  # what Datadog calls the level
            attributes["level"] = attributes.pop("status")
        records.add(attributes)


def _put_record(document: Any, records: Records) -> None:
    records.add(document)


_ARRAY = Document("JSON array", re.compile(rb"\s*\[\s*\{"), _put_record)
# As `jq .` prints them.
_OBJECTS = Document("JSON objects over several lines", re.compile(rb"\s*\{\s*\n"), _put_record)
_OF_RECORDS = (_ARRAY, _OBJECTS)
DOCUMENTS: tuple[Document, ...] = (
    Document(
        "answer of Loki", re.compile(rb'(?s)\s*\{(?:(?!"resultType").){0,400}"resultType"\s*:\s*"streams"'), _put_loki
    ),
    Document(
        "events of CloudWatch Logs",
        re.compile(rb'(?s)\s*\{.{0,200}?"events"\s*:\s*\[\s*(?:\]|\{[^{}]{0,20000}?"message"\s*:)'),
        _put_events,
    ),
    Document(
        "results of CloudWatch Logs Insights",
        re.compile(rb'(?s)\s*\{.{0,2000}?"results"\s*:\s*\[\s*\[\s*\{\s*"(?:field|value)"'),
        _put_insights,
    ),
    Document(
        "answer of Elasticsearch", re.compile(rb'(?s)\s*\{.{0,400}?"hits"\s*:\s*\{.{0,400}?"hits"\s*:'), _put_hits
    ),
    Document(
        "answer of Datadog", re.compile(rb'(?s)\s*\{.{0,600}?"data"\s*:\s*\[.{0,4000}?"type"\s*:\s*"log"'), _put_data
    ),
    Document(
        "answer of Datadog",
        re.compile(rb'(?s)\s*\{.{0,600}?"data"\s*:\s*\[\s*\{\s*"attributes"\s*:.{0,9000}?"message"'),
        _put_data,
    ),
)


def looks_right(file: File) -> bool:
    """Whether it begins like one of these documents; an array must hold log records."""
    return _document(file) is not None


def _document(file: File) -> Document | None:
    known = next((one for one in DOCUMENTS if one.beginning.match(file.head)), None)
    if known is not None:
        return known
    found = next((one for one in _OF_RECORDS if one.beginning.match(file.head)), None)
    return found if found is not None and is_log_record(_first(file.head)) else None


def _first(head: bytes) -> Any:
    """The first object of an array, which may be cut; None when it is too long for a look."""
    text = head.decode("utf-8", "replace")
    try:
        return json.JSONDecoder().raw_decode(text, text.index("{"))[0]
    except (ValueError, RecursionError):
        return None


def read(file: File, mapping: Mapping) -> Reading:
    """Read a document; one of a service's answers a line works as well."""
    complaints = Complaints(file.name)
    document = _document(file) or _ARRAY
    records = Records(document.title, mapping.zone)
    with file.open(partial=True) as stream:
        body = stream.read()
    if document in _OF_RECORDS:
        for record in _records(body, complaints):
            document.put(record, records)
        return reading_of(file, without_times(records.entries(), complaints, _NO_TIME), complaints)
    for number, text in _texts(body):
        try:
            document.put(decoded(text), records)
        except msgspec.DecodeError as problem:
            complaints.add(f"not JSON: {problem}", number)
        except _WRONG as problem:
            complaints.add(f"not as an {document.title} has it: {problem!r}", number)
    return reading_of(file, without_times(records.entries(), complaints, _NO_TIME), complaints)


def _records(body: bytes, complaints: Complaints) -> Iterator[Json]:
    """The objects of an array, or those that stand one behind the other; those before the place where it breaks off."""
    try:
        document = decoded(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        document = list(_whole_ones(body.decode("utf-8", "replace"), complaints))
    for one in document if isinstance(document, list) else [document]:
        if isinstance(one, dict):
            yield one
        else:
            complaints.add("an element is no object: left out")


def _whole_ones(text: str, complaints: Complaints) -> Iterator[Any]:
    """The values of a text, with commas, blanks and brackets of a list between them."""
    decoder = json.JSONDecoder()
    place = 0
    while True:
        place = _BETWEEN.match(text, place).end()  # type: ignore[union-attr]  # it matches nothing as well
        if place == len(text):
            return
        try:
            one, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            line = text.count("\n", 0, place) + 1
            complaints.add("from here on it is not JSON, or cut short: what stands before is read", line)
            return
        yield one


_BETWEEN = re.compile(r"[\s,\[\]]*")


def _texts(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The document, or the documents that stand one a line."""
    first, *rest = body.lstrip().split(b"\n", 1)
    try:
        msgspec.json.decode(first, type=msgspec.Raw)
    except msgspec.DecodeError:
        yield 1, body
        return
    if not rest or not rest[0].strip():
        yield 1, first
        return
    yield from ((number, line) for number, line in enumerate(body.split(b"\n"), start=1) if line.strip())
