"""Reads plain text logs, and takes off what runtimes and command lines put around each line.

Envelopes are a table of patterns (RE2): a group `message`, and groups that become columns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.local.readers.base import Complaints, File, Mapping, Reading
from obs_magics.local.readers.logs.collect import Entries, reading_of
from obs_magics.local.readers.logs.partial import joined_parts
from obs_magics.local.readers.logs.plain import blocks, read_text

_MOSTLY, _SAMPLE = 0.9, 500
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
_REST = r"(?P<message>(?s:.*))$"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands around a line.

    Args:
        title: The format, for people.
        pattern: RE2, for the whole entry.
    """

    title: str
    pattern: str


ENVELOPES: tuple[Envelope, ...] = (
    # https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
    Envelope("Kubernetes (CRI) log", rf"^{_TIME} (?P<stream>stdout|stderr) (?P<tag>[FP](?::[^ ]*)?) {_REST}"),
    Envelope("kubectl logs --prefix", rf"^\[pod/(?P<pod>[\w.-]+)/(?P<container>[\w.-]+)\] (?:{_TIME} )?{_REST}"),
    Envelope(
        "text of logcli",
        rf"^{_TIME} (?P<labels>\{{(?:[a-zA-Z_]\w*=\"(?:[^\"\\]|\\.)*\"(?:, ?)?)*\}}) *{_REST}",
    ),
    # aws logs tail: time, stream (with a slash or a random part), message
    Envelope(
        "text of aws logs tail",
        rf"^\d{{4}}-\d\d-\d\dT[\d:]+\.\d{{6}}\+00:00 (?P<log_stream>\S*[/\[$][^ ]*|[\w-]{{32,}}) {_REST}",
    ),
    Envelope("docker compose logs", rf"^(?P<container>[a-z0-9][\w.-]*) +\| {_REST}"),
)
_LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')


def read(file: File, mapping: Mapping) -> Reading:
    """Read a plain text log, with whatever stands around its lines."""
    complaints = Complaints(file.name)
    with file.open(partial=True) as stream:
        entries = read_text(blocks(stream, complaints), file, mapping, complaints)
    envelope = _find(entries.messages)
    if envelope is not None:
        entries = _opened(entries, envelope)
    return reading_of(file, entries, complaints)


def _find(messages: pa.Array | pa.ChunkedArray) -> Envelope | None:
    """What stands around nearly all of the first messages; None when nothing does."""
    sample = messages.slice(0, _SAMPLE)
    for envelope in ENVELOPES:
        if len(sample) and pc.mean(pc.match_substring_regex(sample, envelope.pattern)).as_py() >= _MOSTLY:
            return envelope
    return None


def _opened(entries: Entries, envelope: Envelope) -> Entries:
    groups = pc.extract_regex(entries.messages, envelope.pattern)
    found = groups.combine_chunks() if isinstance(groups, pa.ChunkedArray) else groups
    parts = {field.name: pc.struct_field(found, field.name) for field in found.type}
    messages = pc.coalesce(parts.pop("message"), pa.chunked_array(entries.messages.chunks).combine_chunks())
    columns = {
        name: pa.chunked_array([column.cast(pa.string())])
        for name, column in parts.items()
        if name not in ("tag", "labels")
    }
    if "labels" in parts:
        columns |= _labels(parts["labels"])
    opened = Entries(entries.timestamps_ns, messages, columns, envelope.title, entries.times)
    if "tag" not in parts:
        return opened
    goes_on = pc.fill_null(pc.starts_with(parts["tag"], "P"), False).to_numpy(zero_copy_only=False)
    return joined_parts(opened, goes_on)[0] if goes_on.any() else opened


def _labels(texts: pa.Array) -> Map[str, pa.ChunkedArray]:
    """Columns of label sets as `{a="x", b="y"}`."""
    encoded = texts.dictionary_encode()
    sets = [dict(_LABEL.findall(text)) for text in encoded.dictionary.to_pylist()]
    columns = {}
    for name in sorted({name for one in sets for name in one}):
        values = pa.array([_unquoted(one.get(name)) for one in sets], pa.string())
        columns[name] = pa.chunked_array([values.take(encoded.indices)])
    return columns


def _unquoted(text: str | None) -> str | None:
    return (
        text if text is None else re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), text)
    )
