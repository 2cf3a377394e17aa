"""``| regexp``, ``| pattern`` and ``| unpack``."""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import re2

from obs_magics.local.logql.lines import Lines
from obs_magics.local.logql.parsers.json_scan import Malformed, members, unescaped
from obs_magics.local.logql.parsers.wanted import CHUNK, JSON_ERROR, Findings, Wanted
from obs_magics.local.logql.placeholders import captures, names_of, pattern_parts
from obs_magics.local.logs.column import Column
from obs_magics.model.errors import QueryError
from obs_magics.syntax.logql.tree import Pattern, Regexp

PACKED = "_entry"
_NO_OBJECT = "expecting json object(6), but it is not"
_decode = msgspec.json.Decoder().decode


def parse_regexp(stage: Regexp, lines: Lines, wanted: Wanted) -> Lines:
    """The lines with a label for each named group; those that do not match stay as they are.

    Raises:
        QueryError: The pattern is not RE2, or names no group.
    """
    texts = lines.texts()
    if _all_named(stage.pattern):
        found = pc.extract_regex(texts, stage.pattern)
        valid = found.is_valid()
        for index, field in enumerate(found.type):
            values = pc.if_else(valid, found.field(index), None)
            lines = lines.extract(field.name, Column.of(values), wanted.names)
        return lines
    pattern = _compiled(stage.pattern)
    columns: dict[str, list[str | None]] = {name: [] for name in pattern.groupindex}
    for start in range(0, len(texts), CHUNK):
        wanted.check()
        for text in texts.slice(start, CHUNK).to_pylist():
            match = pattern.search(text)
            for name, values in columns.items():
                values.append(None if match is None else match.group(name) or "")
    for name, values in columns.items():
        lines = lines.extract(name, Column.of(pa.array(values, pa.large_string())), wanted.names)
    return lines


def _compiled(text: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    try:
        pattern = re2.compile(text, options)
    except re2.error as problem:
        said = problem.args[0]
        words = said.decode() if isinstance(said, bytes) else str(said)
        raise QueryError(f"{text!r} is not a regular expression of RE2: {words}", words=words) from None
    if not pattern.groupindex:
        raise QueryError("at least one named capture must be supplied", hint="name a group: (?P<status>[0-9]+)")
    return pattern


def _all_named(text: str) -> bool:
    """Whether Arrow can take the groups out by itself: it wants every one of them to have a name."""
    pattern = _compiled(text)
    return bool(len(pattern.groupindex) == pattern.groups)


def parse_pattern(stage: Pattern, lines: Lines, wanted: Wanted) -> Lines:
    """The lines with a label for each named placeholder."""
    parts = pattern_parts(stage.pattern)
    names = names_of(parts)
    texts = lines.texts()
    rows: list[list[str]] = []
    for start in range(0, len(texts), CHUNK):
        wanted.check()
        rows += [captures(parts, text) for text in texts.slice(start, CHUNK).to_pylist()]
    if not any(rows):
        return lines
    for name, values in zip(names, _transposed(rows, len(names)), strict=True):
        lines = lines.extract(name, Column.of(pa.array(values, pa.large_string())), wanted.names)
    return lines


def _transposed(rows: list[list[str]], width: int) -> list[list[str | None]]:
    return [[row[place] if place < len(row) else None for row in rows] for place in range(width)]


def parse_unpack(lines: Lines, wanted: Wanted) -> Lines:
    """The lines that Promtail's `pack` has packed: `_entry` is the line, every other text a label."""
    findings = Findings(len(lines))
    entries: list[str] = []
    texts = lines.texts()
    for start in range(0, len(texts), CHUNK):
        wanted.check()
        for position, text in enumerate(texts.slice(start, CHUNK).to_pylist(), start):
            entries.append(_unpacked(text, position, findings))
    return findings.into(lines, wanted, JSON_ERROR).with_text(pa.array(entries, pa.large_string()))


def _unpacked(text: str, position: int, findings: Findings) -> str:
    if not text:
        return text
    if text[0] != "{":
        findings.fail(position, _NO_OBJECT)
        return text
    pairs: list[tuple[str, str]] = []
    entry: str | None = None
    try:
        for key, value, kind in _members(text):
            if kind != "string":
                continue
            if key == PACKED:
                entry = value
            elif key:
                pairs.append((key, value))
    except Malformed as problem:
        findings.fail(position, str(problem))
        return text
    if entry is None:
        return text
    findings.add_pairs(position, pairs)
    return entry


def _members(text: str) -> Any:
    try:
        found = _decode(text)
    except (msgspec.DecodeError, RecursionError):
        return ((key, unescaped(value) or "", kind) for key, value, kind in members(text))
    return ((key, value, "string" if isinstance(value, str) else "other") for key, value in found.items())
