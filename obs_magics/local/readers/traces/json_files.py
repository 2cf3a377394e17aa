"""Recognises and reads JSON with spans: OTLP (the collector, Tempo, Jaeger's API v3), Jaeger's own, and Zipkin's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from obs_magics.local.readers.base import Complaints, File, Problem, Reading
from obs_magics.model.errors import BadAnswer
from obs_magics.syntax.spans import SpanColumns, joined, read_jaeger, read_otlp
from obs_magics.syntax.spans.zipkin import read_zipkin

Read = Callable[[bytes], SpanColumns]

_JSON = re.compile(rb"\s*[\[{]")
# Keys, and no text inside of a text: there a quotation mark has a backslash before it.
_RESOURCE_SPANS = re.compile(rb'(?<!\\)"resourceSpans"\s*:\s*\[')
_BATCHES = re.compile(rb'(?<!\\)"batches"\s*:\s*\[')
_SCOPE_SPANS = re.compile(rb'(?<!\\)"(?:scopeSpans|instrumentationLibrarySpans)"\s*:\s*\[')
_JAEGER = tuple(re.compile(rb'(?<!\\)"' + name + rb'"\s*:') for name in (b"traceID", b"spanID", b"operationName"))
_SEARCH = re.compile(rb'\s*\{\s*"traces"\s*:\s*\[\s*\{\s*"traceID"\s*:')
_KEY = re.compile(rb'(?<!\\)"(\w+)"\s*:')
_ZIPKIN = frozenset({"traceId", "id"})
_ENDPOINTS = frozenset({"localEndpoint", "remoteEndpoint"})
_TIMES = frozenset({"timestamp", "duration"})
_OF_LOGS = frozenset({"message", "msg", "level", "severity", "spanId", "span_id"})


def is_otlp(file: File) -> bool:
    """Whether it holds resources with spans."""
    head = file.head
    if not _JSON.match(head):
        return False
    return bool(_RESOURCE_SPANS.search(head) or (_BATCHES.search(head) and _SCOPE_SPANS.search(head)))


def is_jaeger(file: File) -> bool:
    """Whether it holds spans with Jaeger's names."""
    return bool(_JSON.match(file.head)) and all(name.search(file.head) for name in _JAEGER)


def is_search(file: File) -> bool:
    """Whether it is what a search of Tempo answers: traces by name, without their spans."""
    return bool(_SEARCH.match(file.head)) and not _SCOPE_SPANS.search(file.head)


def is_zipkin(file: File) -> bool:
    """Whether its first object is a span of Zipkin's."""
    if not _JSON.match(file.head):
        return False
    text = file.head.decode("utf-8", "replace")
    try:
        first, _ = json.JSONDecoder().raw_decode(text, text.index("{"))
    except (ValueError, RecursionError):  # the first object is longer than what is looked at
        return {key.decode() for key in _KEY.findall(file.head)} >= _ZIPKIN | {"localEndpoint"}
    keys = first.keys()
    looks_so = bool(keys & _ENDPOINTS) or (keys >= _TIMES and not keys & _OF_LOGS)
    return keys >= _ZIPKIN and looks_so


def reads(read: Read, what: str) -> Callable[[File], Reading]:
    """A reader of files for a reader of bodies; of a file that is not whole what can be read.

    Args:
        read: Raises `BadAnswer` for what is no such document.
        what: What it reads, for people.
    """

    def read_file(file: File) -> Reading:
        with file.open() as stream:
            body = stream.read()
        complaints = Complaints(file.name)
        try:
            columns = read(body)
        except BadAnswer as problem:
            parts = _line_by_line(body, read, complaints)
            if not any(map(len, parts)):
                return Reading(problems=[Problem(file.name, problem.message)])
            columns = joined(parts)
        if not len(columns):
            complaints.add(f"there is no span in it ({what})")
        return Reading(problems=complaints.all, files=1, spans=[columns])

    return read_file


def _line_by_line(body: bytes, read: Read, complaints: Complaints) -> Sequence[SpanColumns]:
    """The lines that can be read on their own; the others are complained of."""
    found = []
    for number, line in enumerate(body.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            found.append(read(line))
        except BadAnswer as problem:
            complaints.add(problem.message, number)
    return found


def refuse_search(file: File) -> Reading:
    """Says that a search answers without spans."""
    why = "it is the answer to a search, which names traces without their spans: save the traces themselves"
    return Reading(problems=[Problem(file.name, why)])


read_otlp_file = reads(read_otlp, "OTLP JSON")
read_jaeger_file = reads(read_jaeger, "Jaeger's JSON")
read_zipkin_file = reads(read_zipkin, "Zipkin's JSON")
