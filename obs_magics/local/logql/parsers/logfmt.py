"""``| logfmt``: `key=value` pairs, with what is broken between them passed over or, if strict, an error.

Source: Loki's `pkg/logql/log/logfmt/decode.go` and `LogfmtParser`. Lines that are whole are taken apart by one regular
expression; the others pair by pair.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from obs_magics.local.logql.lines import SUFFIX, Lines
from obs_magics.local.logql.parsers.names import label_name
from obs_magics.local.logql.parsers.wanted import CHUNK, LOGFMT_ERROR, Findings, Wanted
from obs_magics.local.logs.column import Column, scattered, without_invalid
from obs_magics.syntax.logql.paths import logfmt_key
from obs_magics.syntax.logql.tree import Logfmt

_SPACE, _BARE = r"[\x00-\x20]", r"[^\x00-\x20=\"]"
_QUOTED = r'"(?:[^"\\]|\\[\s\S])*+"'
_PAIR = rf"{_BARE}++(?:=(?:{_QUOTED}|{_BARE}*+(?![=\"]))|(?![=\"]))"
_WHOLE = re.compile(rf"{_SPACE}*+(?:{_PAIR}{_SPACE}*+)*+")
_PAIRS = re.compile(rf"({_BARE}++)(?:=(?:({_QUOTED})|({_BARE}*+)))?")
_SPACES, _KEY, _VALUE = re.compile(rf"{_SPACE}*"), re.compile(rf"{_BARE}*"), re.compile(rf"{_BARE}*")
_STRING = re.compile(_QUOTED)
_SURROGATE = re.compile("[\ud800-\udfff]")
_REST = re.compile(r"[^\x00-\x20]*")

Pairs = list[tuple[str, str]]


def parse_logfmt(stage: Logfmt, lines: Lines, wanted: Wanted) -> Lines:
    """The lines with the labels of their pairs, or of those that the stage names."""
    if stage.fields:
        return _named(stage, lines, wanted)
    findings = Findings(len(lines))
    texts = lines.texts()
    for start in range(0, len(texts), CHUNK):
        wanted.check()
        _chunk(stage, texts.slice(start, CHUNK).to_pylist(), start, findings, wanted)
    return findings.into(lines, wanted, LOGFMT_ERROR)


def _chunk(stage: Logfmt, texts: list[str], start: int, findings: Findings, wanted: Wanted) -> None:
    shapes: dict[tuple[str, ...], tuple[list[int], list[tuple[str, ...]]]] = {}
    for position, text in enumerate(texts, start):
        pairs, why = pairs_of(text, strict=stage.strict)
        if why and stage.strict:
            findings.fail(position, why)
        if not pairs:
            continue
        keys, values = zip(*pairs, strict=True)
        group = shapes.setdefault(keys, ([], []))
        group[0].append(position)
        group[1].append(values)
    for shape, (positions, rows) in shapes.items():
        places = np.asarray(positions, np.int64)
        for key, values in zip(shape, zip(*rows, strict=True), strict=True):
            name = label_name(key)
            if name and wanted.asks_for(name):
                findings.add(name, places, _strings(values, keep_empty=stage.keep_empty))


def _strings(values: Sequence[str], *, keep_empty: bool) -> pa.Array:
    if keep_empty or "" not in values:
        return pa.array(values, pa.large_string())
    return pa.array([value or None for value in values], pa.large_string())


def pairs_of(text: str, *, strict: bool) -> tuple[Pairs, str]:
    r"""The pairs of a line, and what is wrong with it (the last thing, or if strict the first; then it ends there).

    >>> pairs_of('level=info msg="a \\"b\\"" flag', strict=False)
    ([('level', 'info'), ('msg', 'a "b"'), ('flag', '')], '')
    >>> pairs_of('a=1 b==2 c=3', strict=False)
    ([('a', '1'), ('c', '3')], "logfmt syntax error at pos 7 : unexpected '='")
    """
    if _WHOLE.fullmatch(text) and "\\" not in text and "\ufffd" not in text:
        return [(key, quoted[1:-1] or bare) for key, quoted, bare in _PAIRS.findall(text)], ""
    return _scanned(text, strict=strict)


def _scanned(text: str, *, strict: bool) -> tuple[Pairs, str]:
    pairs: Pairs = []
    said, place = "", 0
    while True:
        place = _end(_SPACES, text, place)
        if place >= len(text):
            return pairs, said
        pair, place, why = _pair(text, place)
        if pair is not None:
            pairs.append(pair)
        if why:
            said = why
            if strict:
                return pairs, said


def _pair(text: str, place: int) -> tuple[tuple[str, str] | None, int, str]:
    """The pair that begins at `place`, where the next may begin, and what is wrong."""
    end = _end(_KEY, text, place)
    key, mark = text[place:end], text[end : end + 1]
    if mark == '"' or (mark == "=" and not key):
        return None, _end(_REST, text, end), _unexpected(text, end)
    if "\ufffd" in key:
        return None, _end(_REST, text, end), _wrong(text, end, "invalid key")
    if mark != "=":
        return (key, ""), end, ""
    start = end + 1
    if text[start : start + 1] == '"':
        return _quoted(key, text, start)
    end = _end(_VALUE, text, start)
    if text[end : end + 1] in {"=", '"'}:
        return None, _end(_REST, text, end), _unexpected(text, end)
    return (key, text[start:end]), end, ""


def _quoted(key: str, text: str, start: int) -> tuple[tuple[str, str] | None, int, str]:
    string = _STRING.match(text, start)
    if string is None:
        return None, len(text), _wrong(text, len(text), "unterminated quoted value")
    value: str | None = string[0][1:-1]
    if "\\" in string[0]:
        try:
            value = json.loads(string[0], strict=False)
        except ValueError:
            value = None
    if value is None:
        return None, string.end(), _wrong(text, string.end(), "invalid quoted value")
    return (key, _SURROGATE.sub("\ufffd", value)), string.end(), ""


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    match = pattern.match(text, place)
    return place if match is None else match.end()


def _unexpected(text: str, place: int) -> str:
    return _wrong(text, place, f"unexpected '{text[place]}'")


def _wrong(text: str, place: int, what: str) -> str:
    return f"logfmt syntax error at pos {len(text[:place].encode('utf-8', 'surrogatepass')) + 1} : {what}"


def _named(stage: Logfmt, lines: Lines, wanted: Wanted) -> Lines:
    """One label for each `label="key"`; it is empty where there is no such key and no stored label of its name."""
    keys = {name: logfmt_key(path) for name, path in stage.fields}
    values: dict[str, list[str | None]] = {name: [] for name in keys}
    failures: dict[int, str] = {}
    texts = lines.texts()
    for start in range(0, len(texts), CHUNK):
        wanted.check()
        for position, text in enumerate(texts.slice(start, CHUNK).to_pylist(), start):
            pairs, why = pairs_of(text, strict=stage.strict)
            if why and stage.strict:
                failures[position] = why
            found = {label_name(key): value for key, value in pairs}
            for name, key in keys.items():
                values[name].append(found.get(key, found.get(name)))
    for name in keys:
        column = without_invalid(Column.of(pa.array(values[name], pa.large_string())))
        clash = lines.clashes(name)
        lines = lines.set(name, Column.constant(len(lines), "").where(~clash))
        lines = lines.set(name, column.where(~clash)).set(name + SUFFIX, column.where(clash))
    if not failures:
        return lines
    places = np.fromiter(failures, np.int64, len(failures))
    mask = np.zeros(len(lines), bool)
    mask[places] = True
    details = scattered(len(lines), [places], [pa.array(list(failures.values()), pa.large_string())])
    return lines.fail(LOGFMT_ERROR, details, mask, kept=wanted.keeps_errors)
