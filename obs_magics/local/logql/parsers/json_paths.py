"""``| json label="path"``: single values out of JSON, by path: ``request.method``, ``servers[0].name``, ``["a b"]``.

Objects and arrays are given as they are written; what is not there is an empty label.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from obs_magics.local.logql.lines import SUFFIX, Array, Lines
from obs_magics.local.logql.parsers.json_fields import text_of
from obs_magics.local.logql.parsers.json_scan import Kind, Malformed, members, unescaped, value_at
from obs_magics.local.logql.parsers.wanted import CHUNK, JSON_ERROR, Wanted
from obs_magics.local.logs.column import Column, without_invalid
from obs_magics.syntax.logql.paths import json_path

_QUOTE = re.compile(r'(\\.)|"', re.DOTALL)
Path = tuple[str | int, ...]


def parse_json_paths(lines: Lines, fields: Sequence[tuple[str, str]], wanted: Wanted) -> Lines:
    """The lines with one label for each path."""
    paths = {name: json_path(path) for name, path in fields}
    texts = lines.texts()
    values: dict[str, list[str | None]] = {name: [] for name in paths}
    wrong = np.zeros(len(lines), bool)
    empty = np.zeros(len(lines), bool)
    for start in range(0, len(texts), CHUNK):
        wanted.check()
        for position, text in enumerate(texts.slice(start, CHUNK).to_pylist(), start):
            empty[position] = not text
            wrong[position] = bool(text) and text[0] not in '"{['
            readable = not (empty[position] or wrong[position])
            for name, path in paths.items():
                values[name].append(_value(text, path) if readable else None)
    for name in paths:
        found = without_invalid(Column.of(pa.array(values[name], pa.large_string())))
        lines = _give(lines, name, found, ~(wrong | empty))
    return lines.fail(JSON_ERROR, Column.missing(len(lines)), wrong, kept=wanted.keeps_errors)


def _give(lines: Lines, name: str, found: Column, read: Array) -> Lines:
    clash = lines.clashes(name)
    lines = lines.set(name + SUFFIX, found.where(clash)).set(name, found.where(~clash))
    nowhere = read & ~found.present & ~lines.label(name).present
    return lines.set(name, Column.constant(len(lines), "").where(nowhere))


def _value(text: str, path: Path) -> str | None:
    """What stands at a path; None when there is nothing. What is broken elsewhere does not matter."""
    try:
        value, kind, _ = value_at(text, 0)
        for step in path:
            inner = _element(value, step, kind) if isinstance(step, int) else _member(value, step, kind)
            if inner is None:
                return None
            value, kind = inner
    except Malformed:
        return _of_broken(text, path)
    return _shown(value, kind)


def _of_broken(text: str, path: Path) -> str | None:
    """The same where the object is not closed: only members before the break can be found."""
    if not path or not isinstance(path[0], str):
        return None
    try:
        for key, value, kind in members(text):
            if key == path[0]:
                whole = value if kind != "string" else f'"{value}"'
                return _value(whole, path[1:]) if len(path) > 1 else _shown(value, kind)
    except Malformed:
        pass
    return None


def _shown(value: str, kind: Kind) -> str:
    if kind == "null":
        return ""
    if kind == "array":  # Loki unescapes it as if it were a string
        return unescaped(_QUOTE.sub(lambda found: found[1] or '\\"', value)) or ""
    return text_of(value, kind)


def _member(text: str, key: str, kind: Kind) -> tuple[str, Kind] | None:
    if kind != "object":
        return None
    return next(((value, found) for name, value, found in members(text) if name == key), None)


def _element(text: str, index: int, kind: Kind) -> tuple[str, Kind] | None:
    if kind != "array":
        return None
    place = 1
    while True:
        while text[place] in " \n\r\t,":
            place += 1
        if text[place] == "]":
            return None
        value, found, place = value_at(text, place)
        if index == 0:
            return value, found
        index -= 1
