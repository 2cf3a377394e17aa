"""``| json``: every field of an object becomes a label, nested ones with `_` between; arrays and nulls are passed over.

Lines are decoded one by one, but labels are made of whole columns: the lines whose objects have the same keys together.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import NoneType
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from obs_magics.local.logql.lines import Array, Lines
from obs_magics.local.logql.parsers.json_scan import Kind, Malformed, members, unescaped
from obs_magics.local.logql.parsers.names import label_name
from obs_magics.local.logql.parsers.wanted import CHUNK, JSON_ERROR, Findings, Wanted

# Fractions stay as they are written: 1.50 is not 1.5 for a label.
_decode = msgspec.json.Decoder(float_hook=str).decode
_DEEPEST = 100
_LABELS = frozenset({"string", "number", "boolean"})


def parse_json(lines: Lines, wanted: Wanted) -> Lines:
    """The lines with the labels of their fields; `JSONParserErr` where a line is no object."""
    findings = Findings(len(lines))
    parser = _Parser(findings, wanted)
    texts = lines.texts()
    for start in range(0, len(texts), CHUNK):
        wanted.check()
        parser.read(texts.slice(start, CHUNK).to_pylist(), start)
    return findings.into(lines, wanted, JSON_ERROR)


class _Parser:
    """Brings the fields of lines into `findings`, as far as they are wanted."""

    def __init__(self, findings: Findings, wanted: Wanted) -> None:
        self._findings = findings
        self._wanted = wanted

    def read(self, texts: list[str], start: int) -> None:
        """Some lines, the first of which has the position `start`."""
        shapes: dict[tuple[str, ...], tuple[list[int], list[dict[str, Any]]]] = {}
        for position, text in enumerate(texts, start):
            try:
                found = _decode(text)
            except (msgspec.DecodeError, RecursionError):
                found = None
            if type(found) is not dict:
                self._scan(text, position)
                continue
            shape = tuple(found)
            group = shapes.get(shape)
            if group is None:
                group = shapes[shape] = ([], [])
            group[0].append(position)
            group[1].append(found)
        for positions, objects in shapes.values():
            self._columns(np.asarray(positions, np.int64), objects, "", 0)

    def _columns(self, positions: Array, objects: Sequence[dict[str, Any]], prefix: str, depth: int) -> None:
        """The labels of objects that all have the same keys."""
        wanted = self._wanted
        for key in objects[0]:
            name = label_name(key, prefix)
            below = wanted.asks_below(name)
            if not name or not (below or wanted.asks_for(name)):
                continue
            values = [found[key] for found in objects]
            kinds = set(map(type, values))
            if dict in kinds and below and depth < _DEEPEST:
                self._nested(positions, values, name, depth + 1)
            if wanted.asks_for(name) and not kinds <= {dict, list, NoneType}:
                self._findings.add(name, positions, _strings(values, kinds))

    def _nested(self, positions: Array, values: Sequence[Any], prefix: str, depth: int) -> None:
        shapes: dict[tuple[str, ...], list[int]] = {}
        for place, value in enumerate(values):
            if type(value) is dict:
                shapes.setdefault(tuple(value), []).append(place)
        for places in shapes.values():
            self._columns(positions[places], [values[place] for place in places], prefix, depth)

    def _scan(self, text: str, position: int) -> None:
        """A line that is no plain object: what is there before it goes wrong."""
        pairs: list[tuple[str, str]] = []
        try:
            self._collect(text, "", pairs, 0)
        except Malformed as problem:
            self._findings.fail(position, str(problem))
        self._findings.add_pairs(position, pairs)

    def _collect(self, text: str, prefix: str, pairs: list[tuple[str, str]], depth: int) -> None:
        for key, value, kind in members(text):
            name = label_name(key, prefix)
            if kind == "object" and depth < _DEEPEST and self._wanted.asks_below(name):
                self._collect(value, name, pairs, depth + 1)
            elif name and kind in _LABELS and self._wanted.asks_for(name):
                pairs.append((name, text_of(value, kind)))


def _strings(values: Sequence[Any], kinds: set[type]) -> pa.Array:
    """Values as they are written in JSON; null for what gives no label."""
    kinds = kinds - {NoneType}
    if kinds == {str}:
        return pa.array(values, pa.large_string())
    if kinds == {int}:
        try:
            return pa.array(values, pa.int64()).cast(pa.large_string())
        except OverflowError:  # more digits than fit: kept as they are
            pass
    return pa.array([_written(value) for value in values], pa.large_string())


def _written(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None or isinstance(value, dict | list) else str(value)


def text_of(value: str, kind: Kind) -> str:
    """What a label says of a value as written; a string that cannot be unescaped is empty."""
    return (unescaped(value) or "") if kind == "string" else value
