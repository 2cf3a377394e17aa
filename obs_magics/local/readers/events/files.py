"""Recognises and reads files of events: what tools send (webhooks), what they export, and tables of people's own."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from obs_magics.analysis.loglines.names import squashed
from obs_magics.display.units import count_text
from obs_magics.local.events.ends import CONTRADICTION
from obs_magics.local.events.native import NEEDED, events_of_table
from obs_magics.local.readers.base import HEAD, Complaints, File, Problem, Reading
from obs_magics.local.readers.base import Mapping as ColumnMapping
from obs_magics.local.readers.delimited import csv_layout, fields_up_to, is_csv
from obs_magics.local.readers.events.paths import ID
from obs_magics.local.readers.events.rows import Columns, kind_of
from obs_magics.local.readers.events.rows import Reading as RowReading
from obs_magics.local.readers.events.shapes import shape_of
from obs_magics.model.events import Event, EventKind
from obs_magics.syntax.event_query import KIND_WORDS

MOST_BYTES = 64 * 1024 * 1024
"""Files that are longer are no list of events that somebody could look at."""
_WHOLE = 4 * 1024 * 1024  # up to this a document whose beginning says nothing is looked at whole
# What a list of events stands below.
_WRAPPERS = (
    "items",
    "events",
    "data",
    "results",
    "deployments",
    "releases",
    "annotations",
    "incidents",
    "alerts",
    "value",
)
_STEM = re.compile(r"[a-z]+")
_FILE_WORDS: Mapping[str, EventKind] = {
    **KIND_WORDS,
    **dict.fromkeys(("events", "event", "timeline", "happenings"), "annotation"),
    **dict.fromkeys(("changes", "changelog"), "config_change"),
}  # fmt: skip
_LEVELS = frozenset({"level", "loglevel", "severitytext", "severity_text"})
_OF_LOGS = frozenset({"event", "action", "type", "category"})  # what loggers call what they say
_NUMBERED = frozenset({"value", "values", "metric", "__name__"})
_JSON = re.compile(rb"\s*[\[{]")
_BETWEEN = frozenset(" \t\r\n,")
_LOOKED_AT = 50  # rows
_FEW_LINES = 3


def looks_right(file: File, mapping: ColumnMapping) -> bool:
    """Whether a file of a folder holds events, surely enough not to take logs or metrics for them.

    It has one of the shapes that are known, or is a table with a time, and with kinds that are known or a name that
    says so (`deployments.csv`).
    """
    if mapping.value is not None or mapping.metric is not None:
        return False
    if file.head.startswith(b"PAR1"):
        return _is_parquet(file)
    if _JSON.match(file.head):
        elements = _first_elements(file)
        if not elements and len(file.head) == HEAD:  # a first event of a length that nobody reads
            elements = _first_elements(file.looked_into(_WHOLE))
        return _looks_like_events(elements, file, mapping)
    if len(file.head) == HEAD and file.head.count(b"\n") < _FEW_LINES:
        file = file.looked_into(_WHOLE)
    if not is_csv(file):
        return False
    _, (header, *rows) = csv_layout(file)
    return _table_of_events(header, [dict(zip(header, row, strict=False)) for row in rows], file, mapping)


def read(file: File, mapping: ColumnMapping, kind: EventKind | None = None) -> Reading:
    """Read a file of events, whatever its form; what has no time is left out and said.

    Args:
        file: The file.
        mapping: Which column holds the time, and the zone of times that name none.
        kind: Of rows that do not say what they are; None: as the file's name has it, else `annotation`.
    """
    complaints = Complaints(file.name)
    if file.head.startswith(b"PAR1"):
        return _read_parquet(file)
    with file.open() as stream:
        body = stream.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        return Reading(problems=[Problem(file.name, f"it is longer than {MOST_BYTES >> 20} MB: no list of events")])
    if _JSON.match(file.head):
        found, title = _of_documents(_documents(body, complaints), file, mapping, kind)
    else:
        found, title = _of_rows(_csv_rows(file, body), file, mapping, kind), "CSV"
    events = [event for event in found if event is not None]
    if len(events) < len(found):
        lost = len(found) - len(events)
        complaints.add(f"{lost:,} of {count_text(len(found), 'event')} left out: no time that can be read")
    if not found:
        complaints.add("there is no event in it")
    joined = joined_by_id(events)
    if odd := sum(CONTRADICTION in event.attributes for event in joined):
        verb, they = ("ends", "it begins") if odd == 1 else ("end", "they begin")
        complaints.add(f"{count_text(odd, 'event')} {verb} before {they}: taken as over at once, not as going on")
    notes = [Problem(file.name, f"{title}, {count_text(len(joined), 'event')}")] if joined else []
    return Reading(problems=complaints.all, files=1, events=joined, notes=notes)


def joined_by_id(events: Iterable[Event]) -> list[Event]:
    """Messages about one and the same thing as one event: it began with the first, and the last says how it went."""
    found: dict[object, Event] = {}
    for number, event in enumerate(events):
        name = event.attributes.get(ID)
        bare = replace(event, attributes={key: value for key, value in event.attributes.items() if key != ID})
        key: object = (event.source, event.kind, name) if name else number
        before = found.get(key)
        found[key] = bare if before is None else _later(before, bare)
    return list(found.values())


def _later(one: Event, other: Event) -> Event:
    first, last = sorted((one, other), key=lambda event: (event.end_ns is not None, event.end_ns or event.start_ns))
    return replace(
        last,
        start_ns=min(one.start_ns, other.start_ns),
        service=last.service or first.service,
        title=last.title or first.title,
        url=last.url or first.url,
        attributes={**first.attributes, **last.attributes},
    )


def _is_parquet(file: File) -> bool:
    try:
        return not file.packed and set(NEEDED) <= set(pq.read_schema(file.path).names)
    except (pa.ArrowException, OSError):
        return False


def _read_parquet(file: File) -> Reading:
    try:
        return Reading(files=1, events=events_of_table(pq.read_table(file.path), file.name))
    except (pa.ArrowException, OSError) as problem:
        return Reading(problems=[Problem(file.name, f"the events cannot be read: {problem}")], files=1)


def _first_elements(file: File) -> list[Any]:
    """The first elements of a file: its lines, those of the list that it is, or of what wraps one."""
    text = file.head.decode("utf-8", "replace")
    start = len(text) - len(text.lstrip())
    found = _decoded(text, start) or (_decoded(text, start + 1) if text[start] == "[" else _whole(file))
    return list(islice((one for document in found for one in _elements(document)), _LOOKED_AT))


def _decoded(text: str, position: int) -> list[Any]:
    """The documents from a position on, with blanks or commas between them, up to the first that is not whole."""
    decoder = json.JSONDecoder()
    found: list[Any] = []
    while len(found) < _LOOKED_AT:
        while position < len(text) and text[position] in _BETWEEN:
            position += 1
        try:
            document, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            break
        found.append(document)
    return found


def _whole(file: File) -> list[Any]:
    """A document that is longer than the beginning of its file, where it is not very long."""
    with file.open() as stream:
        body = stream.read(_WHOLE + 1)
    try:
        return [msgspec.json.decode(body)] if len(body) <= _WHOLE else []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def _looks_like_events(elements: Sequence[Any], file: File, mapping: ColumnMapping) -> bool:
    if elements and shape_of(elements[0]) is not None:
        return True
    rows = [row for row in elements if isinstance(row, Mapping)]
    header = list(dict.fromkeys(str(name) for row in rows for name in row))
    return bool(rows) and _table_of_events(header, rows, file, mapping)


def _table_of_events(
    header: Sequence[str], rows: Sequence[Mapping[str, Any]], file: File, mapping: ColumnMapping
) -> bool:
    columns = Columns.of(header, mapping.timestamp)
    lower = {name.lower() for name in header}
    if not columns.has("time") or lower & _NUMBERED:
        return False
    kinds = [kind_of(str(columns.get(row, "kind") or "")) for row in rows]
    said = not lower & _LEVELS or squashed(columns.by_meaning.get("kind", "")) not in _OF_LOGS
    if kinds and said and sum(kind is not None for kind in kinds) * 2 > len(kinds):
        return True
    return _kind_of_name(file) is not None and not lower & _LEVELS and (columns.has("title") or columns.has("version"))


def _kind_of_name(file: File) -> EventKind | None:
    """What the name of a file says that is in it: `deployments-2026.csv`."""
    stem = file.name.rsplit("/", 1)[-1].split(".", 1)[0].lower()
    words = [stem.replace("-", "_"), *_STEM.findall(stem)]
    return next((_FILE_WORDS[word] for word in words if word in _FILE_WORDS), None)


def _documents(body: bytes, complaints: Complaints) -> list[Any]:
    """The one document, or one a line."""
    try:
        return [msgspec.json.decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        whole = problem
    found = []
    for number, line in enumerate(body.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            found.append(msgspec.json.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            complaints.add(f"not JSON: {problem}", number)
    if not found:
        complaints.add(f"not JSON: {whole}")
    return found


def _elements(document: Any) -> Iterator[Any]:
    """The documents of a file: what a list or a wrapper around one holds, one by one, else the document itself."""
    if isinstance(document, list):
        for inside in document:
            yield from _elements(inside) if isinstance(inside, list) else [inside]
    elif isinstance(document, Mapping) and shape_of(document) is None:
        inner = next((document[name] for name in _WRAPPERS if isinstance(document.get(name), list)), None)
        yield from _elements(inner) if inner is not None else [document]
    else:
        yield document


def _of_documents(
    documents: Sequence[Any], file: File, mapping: ColumnMapping, kind: EventKind | None
) -> tuple[list[Event | None], str]:
    """All events, and what their documents are called."""
    found: list[Event | None] = []
    rows: list[Mapping[str, Any]] = []
    titles: dict[str, None] = {}
    for element in (one for document in documents for one in _elements(document)):
        shape = shape_of(element)
        if shape is not None:
            titles[shape.title] = None
            found += shape.events(element)
        elif isinstance(element, Mapping):
            rows.append(element)
        else:
            found.append(None)
    if rows:
        titles["JSON"] = None
        found += _of_rows(rows, file, mapping, kind)
    return found, ", ".join(titles) or "JSON"


def _of_rows(
    rows: Sequence[Mapping[str, Any]], file: File, mapping: ColumnMapping, kind: EventKind | None
) -> list[Event | None]:
    header = list(dict.fromkeys(str(name) for row in rows for name in row))
    reading = RowReading(
        Columns.of(header, mapping.timestamp),
        kind or _kind_of_name(file) or "annotation",
        file.name.rsplit("/", 1)[-1],
        ZoneInfo(mapping.zone),
    )
    return list(reading.events(rows))


def _csv_rows(file: File, body: bytes) -> list[dict[str, Any]]:
    delimiter, _ = csv_layout(file)
    text = io.StringIO(body.decode("utf-8", "replace"), newline="")
    with fields_up_to(len(body)):
        rows = list(csv.DictReader(text, delimiter=delimiter))
    return [{name: value for name, value in row.items() if isinstance(name, str)} for row in rows]
