"""What the bodies of lines tell: JSON and logfmt by their keys, other text by its head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.loglines.json_bodies import is_service, read_json_bodies
from obs_magics.analysis.loglines.levels import UNKNOWN_CODE, level_code
from obs_magics.analysis.loglines.text import Text, matching, some, text_levels
from obs_magics.analysis.loglines.words import SYSLOG_HEADER
from obs_magics.model.frames import categories

Array = np.ndarray[Any, Any]

_JSON = r"^\s*\{"
# Two fields or more make a line logfmt, in part at least; a key within quotes is part of a text.
_UNQUOTED = r'^(?:[^"\\]|\\.|"(?:[^"\\]|\\.)*")*?'
_FIELDS = r"[\w\])]=\S.*?[\s,{(\[][\w.@/-]+=|^[\w.@/-]+=\S+$"
_LEVEL_KEY = r"(?i:log[._]?level|level(?:name)?|lvl|severity(?:_text)?|at)"
_LEVEL_FIELD = rf'(?:^|[\s,{{(\[]){_LEVEL_KEY}="?(?P<level>[A-Za-z]+|\d\d?)(?:[",;\s)\]}}]|$)'
# A JSON body that was cut off: whatever is left of it.
_BROKEN_LEVEL = r'[{,\s]"(?i:log\.level|level|levelname|lvl|severity|severitytext|loglevel|@l)"\s*:\s*"?(?P<level>\w+)'
_BROKEN_SERVICE = r'[{,\s]"(?:service|service\.name|service_name|serviceName|app)"\s*:\s*"(?P<service>[^"\\]+)"'

_SERVICE_KEY = r"(?:resource\.)?service(?:[._]?[nN]ame)?|dd\.service|app(?:lication)?(?:[._]?[nN]ame)?"
_SERVICE_FIELD = rf'(?:^|[\s,{{(\[])(?:{_SERVICE_KEY})=(?:"(?P<quoted>[^"\\]*)"|(?P<service>[^\s",;)\]}}]+))'
# `[service,trace,span]` of Spring Cloud Sleuth
SLEUTH = r"\[(?P<service>[\w.-]+), ?(?P<trace>[0-9a-f]{16}(?:[0-9a-f]{16})?), ?(?P<span>[0-9a-f]{16})(?:,[^\]]*)?\]"
_SYSLOG_PROGRAM = rf"^{SYSLOG_HEADER}(?P<service>[A-Za-z_][\w./-]*)(?:\([\w-]+\))?(?:\[\d+\]|\(\w+\))?:(?:\s|$)"
_SYSLOG_5424 = r"^<\d{1,3}>1 \S+ \S+ (?P<service>[A-Za-z_][\w./-]*) \S+ "
_SERVICE_RULES = (_SERVICE_FIELD, SLEUTH, _SYSLOG_5424, _SYSLOG_PROGRAM)


@dataclass(frozen=True, slots=True)
class Told:
    """What bodies tell, one entry per line.

    Args:
        levels: int8, positions in `LEVELS` or -1.
        services: Missing where none is told.
    """

    levels: Array
    services: pd.Categorical


def infer_levels(messages: Text) -> Array:
    """The level that each line tells by itself: int8 positions in `LEVELS`, -1 where it tells none."""
    return read_bodies(messages, services=False).levels


def read_bodies(messages: Text, *, levels: bool = True, services: bool = True) -> Told:
    """What lines tell by themselves, JSON, logfmt or plain text.

    Args:
        messages: Strings; a null tells nothing.
        levels: Whether levels are wanted.
        services: Whether services are wanted.
    """
    size = len(messages)
    codes, names = np.full(size, UNKNOWN_CODE, np.int8), np.full(size, None, object)
    is_json = matching(messages, _JSON)
    if is_json.any():
        rows = np.flatnonzero(is_json)
        _read_json(some(messages, rows), rows, codes, names)
    if not is_json.all():
        rows = np.flatnonzero(~is_json)
        lines = some(messages, rows)
        fielded = matching(lines, _FIELDS)
        if levels:
            codes[rows] = _line_levels(lines, fielded)
        if services:
            names[rows] = _line_services(lines, fielded)
    return Told(codes, categories(names.tolist()))


def _read_json(lines: Text, rows: Array, codes: Array, names: Array) -> None:
    bodies = read_json_bodies(lines)
    codes[rows] = bodies.levels
    names[rows] = bodies.services
    broken = np.flatnonzero(bodies.broken)
    if len(broken):
        remains = lines.take(pa.array(broken))
        codes[rows[broken]] = _level_words(_extracted(remains, _BROKEN_LEVEL, ("level",)))
        names[rows[broken]] = _service_names(_extracted(remains, _BROKEN_SERVICE, ("service",)))
    inner = np.asarray([row for row, text in enumerate(bodies.texts) if text is not None], np.int64)
    if len(inner):
        codes[rows[inner]] = infer_levels(pa.array([_encodable(bodies.texts[row]) for row in inner], pa.large_string()))


def _encodable(text: str | None) -> str:
    """A text without the lone surrogates that JSON can write and UTF-8 cannot."""
    return (text or "").encode("utf-8", "replace").decode()


def _line_levels(lines: Text, fielded: Array) -> Array:
    codes = np.full(len(lines), UNKNOWN_CODE, np.int8)
    rows = np.flatnonzero(fielded)
    if len(rows):
        codes[rows] = _field_levels(some(lines, rows))
    left = np.flatnonzero(codes == UNKNOWN_CODE)
    if len(left):
        codes[left] = text_levels(some(lines, left))
    return codes


def _field_levels(lines: Text) -> Array:
    codes = _level_words(_extracted(lines, _LEVEL_FIELD, ("level",)))
    told = np.flatnonzero(codes != UNKNOWN_CODE)
    if len(told):  # nearly always: a look whether the key stands outside of quotes
        inside = ~matching(some(lines, told), _UNQUOTED + _LEVEL_FIELD)
        codes[told[inside]] = UNKNOWN_CODE
    return codes


def _line_services(lines: Text, fielded: Array) -> Array:
    names = np.full(len(lines), None, object)
    left = np.arange(len(lines))
    for rule in _SERVICE_RULES:
        rows = left[fielded[left]] if rule is _SERVICE_FIELD else left
        if len(rows):
            part = some(lines, rows)
            hits = np.flatnonzero(matching(part, rule))
            if len(hits):
                groups = ("service", "quoted") if rule is _SERVICE_FIELD else ("service",)
                names[rows[hits]] = _service_names(_extracted(some(part, hits), rule, groups))
                left = left[[name is None for name in names[left]]]
    return names


def _extracted(lines: Text, pattern: str, groups: Sequence[str]) -> pa.Array:
    """The first of the groups that holds something, per line; null where the pattern does not match."""
    found = pc.extract_regex(lines, pattern)
    joined = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    columns = [pc.struct_field(joined, group) for group in groups]
    return pc.coalesce(*(pc.if_else(pc.not_equal(column, ""), column, None) for column in columns))


def _level_words(words: pa.Array) -> Array:
    encoded = words.dictionary_encode()
    table = np.array([*(level_code(word) for word in encoded.dictionary.to_pylist()), UNKNOWN_CODE], np.int8)
    codes: Array = table[pc.fill_null(encoded.indices, -1).to_numpy()]
    return codes


def _service_names(words: pa.Array) -> Array:
    encoded = words.dictionary_encode()
    table = np.array([*(name if is_service(name) else None for name in encoded.dictionary.to_pylist()), None], object)
    names: Array = table[pc.fill_null(encoded.indices, -1).to_numpy()]
    return names
