"""Reads logs of one JSON object a line: what loggers write, and what Docker, logcli and journald put around lines.

What stands between the objects is read as text (`mixed`), and of an object that is cut short what is left of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import numpy as np

from obs_magics.local.readers.base import Complaints, File, Mapping, Reading
from obs_magics.local.readers.logs.collect import reading_of, without_times
from obs_magics.local.readers.logs.cut_json import completed
from obs_magics.local.readers.logs.mixed import TextLines, with_text
from obs_magics.local.readers.logs.partial import joined_parts
from obs_magics.local.readers.logs.plain import decoded_line, foreign_words
from obs_magics.local.readers.logs.records import Records, decoded, flattened, is_log_record, text_of

_SAMPLE = 100
_MOSTLY = 0.5
_BLANKS = b" \t\r\n\0"  # NULs stand at the top of a file that was cut while its program went on writing
_NO_TIME = "it has no time that can be read: left out"
# https://docs.docker.com/engine/logging/drivers/json-file/ and https://grafana.com/docs/loki/latest/query/logcli/
_DOCKER, _LOGCLI = {"log", "stream", "time"}, {"labels", "line", "timestamp"}
_JOURNAL = "__REALTIME_TIMESTAMP"
# Of journald's fields those that people look for; the others say how the line came there.
_JOURNAL_FIELDS = {
    "PRIORITY": "priority", "SYSLOG_IDENTIFIER": "syslog_identifier", "_SYSTEMD_UNIT": "unit", "_HOSTNAME": "host",
    "_PID": "pid", "CONTAINER_NAME": "container_name",
}  # fmt: skip


def looks_right(file: File, mapping: Mapping) -> bool:
    """Whether most of the first objects have a time and a message, and the user does not measure them.

    Where text stands before them, they are most of the lines as well.
    """
    if mapping.value or mapping.metric:
        return False
    text = TextLines()
    records = [one for _, one in _objects(file.head.split(b"\n")[: _SAMPLE + 1], text, Complaints(""))]
    good = sum(map(_is_ours, records))
    others = 0 if file.head.lstrip().startswith(b"{") else len(text.lines)
    return good > 0 and good >= _MOSTLY * (len(records) + others)


def _is_ours(record: dict[str, Any]) -> bool:
    known = record.keys() >= _DOCKER or record.keys() >= _LOGCLI or _JOURNAL in record
    return known or is_log_record(record)


def _objects(lines: Iterable[bytes], text: TextLines, complaints: Complaints) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects, each with the number of its line; what is none is text."""
    for number, line in enumerate(lines, start=1):
        bare = line.strip(_BLANKS)
        if not bare:
            continue
        record = _record(bare, text)
        if record is None and bare.startswith(b"{") and (record := completed(bare)) is not None:
            complaints.add("the object is cut short: what could be read of it is kept", number)
        if record is None:
            text.add(number, line.rstrip(b"\r\n"))
        else:
            yield number, record


def _record(line: bytes, text: TextLines) -> dict[str, Any] | None:
    try:
        record = decoded(line)
    except msgspec.DecodeError:
        return None
    except UnicodeDecodeError:
        text.foreign += 1
        return _record(decoded_line(line)[0].encode(), text)
    return record if isinstance(record, dict) else None


def read(file: File, mapping: Mapping) -> Reading:
    """Read JSON Lines, and the text between them."""
    complaints = Complaints(file.name)
    text = TextLines()
    with file.open(partial=True) as stream:
        records, parts = _collect(_objects(stream, text, complaints), complaints, mapping.zone)
    entries, lines = records.entries(), records.lines
    if any(parts):
        entries, kept = joined_parts(entries, np.asarray(parts, bool))
        lines = lines[kept]
    if text.foreign:
        complaints.add(foreign_words(text.foreign))
    entries, lines = with_text(entries, lines, text, file=file, zone=mapping.zone, say=complaints)
    return reading_of(file, without_times(entries, complaints, _NO_TIME, lines), complaints)


def _collect(
    objects: Iterator[tuple[int, dict[str, Any]]], complaints: Complaints, zone: str
) -> tuple[Records, list[bool]]:
    """The records, and which of them go on in the next one of their stream."""
    records = Records("JSON Lines", zone)
    parts: list[bool] = []
    for number, record in objects:
        if _is_docker(record):
            records.title = "Docker JSON lines"
            log = record["log"]
            extra = record.get("attrs")
            rest = flattened(extra.items()) if isinstance(extra, dict) else ()
            records.put(
                record["time"],
                log.removesuffix("\n").removesuffix("\r"),
                [("stream", text_of(record["stream"])), *rest],
                number,
            )
            parts.append(not log.endswith("\n"))
            continue
        if record.keys() >= _LOGCLI and isinstance(record["labels"], dict):
            records.title = "lines of logcli"
            records.put(record["timestamp"], str(record["line"]), flattened(record["labels"].items()), number)
        elif _JOURNAL in record:
            records.title = "journald's JSON"
            _put_journal(records, record, number)
        elif not records.add(record, number):
            complaints.add("it has no message: left out", number)
            continue
        parts.append(False)
    return records, parts


def _is_docker(record: dict[str, Any]) -> bool:
    return _DOCKER <= record.keys() <= _DOCKER | {"attrs"} and isinstance(record["log"], str)


def _put_journal(records: Records, record: dict[str, Any], number: int) -> None:
    message = record.get("MESSAGE")
    if isinstance(message, list):  # bytes that are no UTF-8
        message = bytes(byte for byte in message if isinstance(byte, int) and 0 <= byte < 256).decode(
            "utf-8", "replace"
        )
    fields = [(name, text_of(record[key])) for key, name in _JOURNAL_FIELDS.items() if key in record]
    records.put(record[_JOURNAL], text_of(message) or "", fields, number)
