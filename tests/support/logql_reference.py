"""LogQL evaluated slowly and plainly, line by line, with Python's own dicts: the engine is held against it.

Written from Loki's sources, not from the engine; shares with it the parser, the templates, and how Go reads numbers.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import re2

from obs_magics.local.logql.conversions import number, seconds, size
from obs_magics.syntax.logql import tree
from obs_magics.syntax.logql.paths import json_path, logfmt_key
from obs_magics.syntax.logql.template import TemplateError, compile_template

ALIASES = {"service_name": ("service", "unknown_service"), "detected_level": ("level", "unknown")}


@dataclass(frozen=True)
class Entry:
    """A stored line: nanoseconds, text, labels of its stream, structured metadata."""

    time: int
    line: str
    stream: Mapping[str, str]
    metadata: Mapping[str, str] = field(default_factory=dict)


class PipelineError(Exception):
    """A metric would have to carry a line's error."""


class Row:
    """A line on its way through a pipeline."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.line = entry.line
        self.metadata = dict(entry.metadata)
        self.parsed: dict[str, str] = {}
        self.deleted: set[str] = set()
        self.found: set[str] = set()
        self.error = self.details = ""

    def get(self, name: str) -> str | None:
        if name in self.parsed:
            return self.parsed[name]
        if name in self.metadata:
            return self.metadata[name]
        if name in self.entry.stream and name not in self.deleted:
            return self.entry.stream[name]
        if name in ALIASES and name not in self.entry.stream:
            if name in self.deleted:
                return None
            own, fallback = ALIASES[name]  # a label of its own: taking the stored one away does not change it
            return self.entry.stream.get(own) or fallback
        return None

    def set(self, name: str, value: str) -> None:
        self.metadata.pop(name, None)
        self.parsed[name] = value
        self.found.add(name)

    def delete(self, name: str) -> None:
        self.metadata.pop(name, None)
        self.parsed.pop(name, None)
        self.deleted.add(name)

    def extract(self, name: str, value: str) -> None:
        if name in self.entry.stream or name in self.metadata:
            name += "_extracted"
        if name not in self.found:
            self.set(name, value)

    def labels(self) -> dict[str, str]:
        stream = {name: value for name, value in self.entry.stream.items() if name not in self.deleted}
        return {**stream, **self.metadata, **self.parsed}

    def all_labels(self) -> dict[str, str]:
        errors = {"__error__": self.error, "__error_details__": self.details}
        return {**self.labels(), **{name: value for name, value in errors.items() if value}}

    def fail(self, error: str, details: str) -> None:
        self.error = error
        self.details = details or self.details


# Stages: whether the line stays -------------------------------------------------------------------------------------


def _line_filter(stage: tree.LineFilter, row: Row) -> bool:
    def holds(text: tree.LineText) -> bool:
        if text.is_ip:
            return _has_address(text.value, row.line)
        if stage.op in ("|=", "!="):
            return text.value in row.line
        if stage.op in ("|~", "!~"):
            return re2.search(text.value, row.line) is not None
        return _fits(text.value, row.line)

    found = any(holds(text) for text in stage.texts)
    return not found if stage.op.startswith("!") else found


def _has_address(pattern: str, line: str) -> bool:
    if "/" in pattern:
        network = ipaddress.ip_network(pattern, strict=False)
        first, last = network[0], network[-1]
    else:
        ends = pattern.split("-")
        first, last = ipaddress.ip_address(ends[0]), ipaddress.ip_address(ends[-1])
    for word in re.findall(r"[0-9a-fA-F:.]+", line):  # the worlds of the tests have addresses between spaces
        try:
            address = ipaddress.ip_address(word)
        except ValueError:
            continue
        if address.version == first.version and first <= address <= last:
            return True
    return False


def _fits(pattern: str, line: str) -> bool:
    parts = [part for part in re.split(r"(<_>)", pattern) if part]
    if not line or not parts:
        return not line and not parts
    place = 0
    for index, part in enumerate(parts):
        if part == "<_>":
            continue
        at = line.find(part, place)
        if at < 0 or (index > 0 and at == place):
            return False
        place = at + len(part)
    return (parts[-1] == "<_>") == (place < len(line))


def _name(key: str) -> str:
    key = key.strip()
    if key and key[0] in "0123456789":
        key = "_" + key
    return "".join(letter if re.match(r"[a-zA-Z0-9_]", letter) else "_" for letter in key)


def _json(stage: tree.Json, row: Row) -> bool:
    if stage.fields:
        return _json_paths(stage, row)
    try:
        found = json.loads(row.line, parse_float=str, parse_int=str)
        broken = not isinstance(found, dict)
    except ValueError:
        broken = True
    if broken:  # the worlds break JSON in front only, so nothing is found before the error
        row.fail("JSONParserErr", "?")
        return True

    def walk(value: Mapping[str, Any], prefix: tuple[str, ...]) -> None:
        for key, inner in value.items():
            names = (*prefix, key)
            if isinstance(inner, dict):
                walk(inner, names)
            elif inner is not None and not isinstance(inner, list):
                text = {True: "true", False: "false"}[inner] if isinstance(inner, bool) else inner
                row.extract(_name("_".join(part.strip() for part in names)), text.replace("\ufffd", " "))

    walk(found, ())
    return True


_MISSING = object()


def _json_paths(stage: tree.Json, row: Row) -> bool:
    if not row.line:
        return True
    if row.line[0] not in '"{[':
        row.fail("JSONParserErr", "")
        return True
    try:
        whole = json.loads(row.line, parse_float=str, parse_int=str)
    except ValueError:
        whole = _MISSING
    for name, path in stage.fields:
        value: Any = whole
        for step in json_path(path):
            try:
                value = value[step] if isinstance(value, dict if isinstance(step, str) else list) else _MISSING
            except (KeyError, IndexError):
                value = _MISSING
        if value is _MISSING:
            if row.get(name) is None:
                row.set(name, "")
            continue
        if value is None:
            value = ""
        elif isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, dict | list):
            value = json.dumps(
                value, ensure_ascii=False
            )  # the worlds write JSON as Python does, with strings alone inside
        clash = name in row.entry.stream or name in row.metadata
        row.set(name + "_extracted" if clash else name, value)
    return True


def _logfmt_pairs(line: str, strict: bool) -> tuple[list[tuple[str, str]], bool]:
    """Character by character."""
    pairs, place, wrong = [], 0, False
    while place < len(line):
        if line[place] <= " ":
            place += 1
            continue
        if wrong and strict:
            break
        start = place
        while place < len(line) and line[place] > " " and line[place] not in '="':
            place += 1
        key = line[start:place]
        bad = place < len(line) and (line[place] == '"' or (line[place] == "=" and not key))
        value = ""
        if not bad and place < len(line) and line[place] == "=":
            place += 1
            if place < len(line) and line[place] == '"':
                start = place
                place += 1
                while place < len(line) and line[place] != '"':
                    place += 2 if line[place] == "\\" else 1
                if place >= len(line):
                    wrong = True
                    break
                place += 1
                try:
                    value = json.loads(line[start:place], strict=False)
                except ValueError:
                    wrong = True
                    continue
            else:
                start = place
                while place < len(line) and line[place] > " " and line[place] not in '="':
                    place += 1
                value = line[start:place]
                bad = place < len(line) and line[place] in '="'
        if bad:
            wrong = True
            while place < len(line) and line[place] > " ":
                place += 1
            continue
        pairs.append((key, value))
    return pairs, wrong


def _logfmt(stage: tree.Logfmt, row: Row) -> bool:
    pairs, wrong = _logfmt_pairs(row.line, stage.strict)
    if stage.fields:
        found = {_name(key): value for key, value in pairs}
        for name, path in stage.fields:
            clash = name in row.entry.stream or name in row.metadata
            if not clash:
                row.set(name, "")
            value = found.get(logfmt_key(path), found.get(name))
            if value is not None:
                row.set(name + "_extracted" if clash else name, value)
    else:
        for key, value in pairs:
            if value or stage.keep_empty:
                row.extract(_name(key), value)
    if wrong and stage.strict:
        row.fail("LogfmtParserErr", "?")
    return True


def _pattern(stage: tree.Pattern, row: Row) -> bool:
    parts = [part for part in re.split(r"(<\w+>)", stage.pattern) if part]
    rest = row.line
    if not rest:
        return True
    if not re.fullmatch(r"<\w+>", parts[0]):
        if not rest.startswith(parts[0]):
            return True
        rest = rest[len(parts[0]) :]
        parts = parts[1:]
    for index in range(0, len(parts), 2):
        name = parts[index][1:-1]
        literal = parts[index + 1] if index + 1 < len(parts) else None
        at = rest.find(literal) if literal is not None else -1
        if name != "_":
            row.extract(name, rest if at < 0 else rest[:at])
        if at < 0:
            break
        rest = rest[at + len(literal or "") :]
    return True


def _regexp(stage: tree.Regexp, row: Row) -> bool:
    match = re2.search(stage.pattern, row.line)
    if match:
        for name in re2.compile(stage.pattern).groupindex:
            row.extract(name, match.group(name) or "")
    return True


def _unpack(_stage: tree.Unpack, row: Row) -> bool:
    if not row.line:
        return True
    try:
        found = json.loads(row.line)
        broken = not isinstance(found, dict)
    except ValueError:
        broken = True
    if broken:
        row.fail("JSONParserErr", "?")
    elif isinstance(found.get("_entry"), str):
        row.line = found.pop("_entry")
        for key, value in found.items():
            if isinstance(value, str):
                row.extract(key, value)
    return True


def _decolorize(_stage: tree.Decolorize, row: Row) -> bool:
    row.line = re.sub("\x1b\\[[0-9;]*m", "", row.line)  # the worlds have colours alone
    return True


def _label_filter(stage: tree.LabelFilter, row: Row) -> bool:
    if isinstance(stage, tree.BothFilters):
        left = _label_filter(stage.left, row)
        return _label_filter(stage.right, row) and left
    if isinstance(stage, tree.EitherFilter):
        return _label_filter(stage.left, row) or _label_filter(stage.right, row)
    if isinstance(stage, tree.StringFilter):
        name = stage.matcher.name
        special = {"__error__": row.error, "__error_details__": row.details}
        value = special[name] if name in special else row.get(name) or ""
        return matches(stage.matcher, value)
    value = row.get(stage.name)
    if isinstance(stage, tree.IpFilter):
        if row.error:
            return True
        return value is not None and _has_address(stage.value, value) == (stage.op == "=")
    if value is None:
        return False
    try:
        read = {"number": number, "duration": seconds, "bytes": size}[stage.kind](value)
    except ValueError as problem:
        if not row.error:
            row.fail("LabelFilterErr", str(problem))
        return True
    return bool(_COMPARE[stage.op](read, stage.value))


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


def matches(matcher: tree.Matcher, value: str) -> bool:
    if matcher.op in ("=", "!="):
        return (value == matcher.value) == (matcher.op == "=")
    return (re2.fullmatch(matcher.value, value) is not None) == (matcher.op == "=~")


def _line_format(stage: tree.LineFormat, row: Row) -> bool:
    try:
        row.line = compile_template(stage.template).render(row.all_labels(), row.line, row.entry.time)
    except TemplateError as problem:
        row.fail("TemplateFormatErr", str(problem))
    return True


def _label_format(stage: tree.LabelFormat, row: Row) -> bool:
    seen: dict[str, str] | None = None
    for one in stage.formats:
        if one.template is None:
            value = row.get(one.source or "")
            if value is not None:
                row.set(one.name, value)
                row.delete(one.source or "")
            continue
        seen = row.all_labels() if seen is None else seen
        try:
            row.set(one.name, compile_template(one.template).render(seen, row.line, row.entry.time))
        except TemplateError as problem:
            row.fail("TemplateFormatErr", str(problem))
    return True


def _drop(stage: tree.Drop, row: Row) -> bool:
    for one in stage.labels:
        name = one if isinstance(one, str) else one.name
        if name == "__error__":
            if isinstance(one, str) or matches(one, row.error):
                row.error = ""
        elif name == "__error_details__":
            if isinstance(one, str) or matches(one, row.details):
                row.details = ""
        elif isinstance(one, str) or matches(one, row.get(name) or ""):
            row.delete(name)
    return True


def _keep(stage: tree.Keep, row: Row) -> bool:
    aliases = {name: row.get(name) or "" for name in ALIASES if row.get(name) is not None}
    for name, value in {**aliases, **row.labels()}.items():
        kept = (
            name in (one, ALIASES.get(one, (one,))[0])
            if isinstance(one, str)
            else one.name == name and matches(one, value)
            for one in stage.labels
        )
        if not any(kept):
            row.delete(name)
    return True


_STAGES: dict[type, Callable[[Any, Row], bool]] = {
    tree.LineFilter: _line_filter,
    tree.Json: _json,
    tree.Logfmt: _logfmt,
    tree.Pattern: _pattern,
    tree.Regexp: _regexp,
    tree.Unpack: _unpack,
    tree.Decolorize: _decolorize,
    tree.LineFormat: _line_format,
    tree.LabelFormat: _label_format,
    tree.Drop: _drop,
    tree.Keep: _keep,
}


def run(query: tree.LogQuery, entries: Sequence[Entry]) -> Iterator[Row]:
    """The lines that are left, in their order."""
    for entry in entries:
        row = Row(entry)
        stored = {name: row.get(name) or "" if name not in entry.metadata else "" for name in _names(query)}
        if not all(matches(matcher, stored[matcher.name]) for matcher in query.matchers):
            continue
        if all(_STAGES.get(type(stage), _label_filter)(stage, row) for stage in query.stages):
            yield row


def _names(query: tree.LogQuery) -> set[str]:
    return {matcher.name for matcher in query.matchers}


# Metrics ------------------------------------------------------------------------------------------------------------

Key = tuple[tuple[str, str], ...]
Instant = dict[Key, float]


def _key(labels: Mapping[str, str]) -> Key:
    return tuple(sorted((name, value) for name, value in labels.items() if value))


def at(node: Any, entries: Sequence[Entry], time: int) -> Instant | float:
    """The value of a metric expression at one time."""
    if isinstance(node, tree.Number):
        return node.value
    if isinstance(node, tree.VectorOf):
        return {(): node.value}
    if isinstance(node, tree.RangeAggregation):
        return _range(node, entries, time)
    if isinstance(node, tree.VectorAggregation):
        inner = at(node.expression, entries, time)
        assert isinstance(inner, dict)
        return _aggregate(node, inner)
    assert isinstance(node, tree.Binary)
    return _binary(node, at(node.left, entries, time), at(node.right, entries, time))


def _range(node: tree.RangeAggregation, entries: Sequence[Entry], time: int) -> Instant:
    end = time - node.range.offset_ns
    inside = [entry for entry in entries if end - node.range.range_ns < entry.time <= end]
    series: dict[Key, list[float]] = {}
    for row in run(node.range.query, inside):
        labels = row.labels()
        value = float(len(row.line.encode())) if node.op.startswith("bytes") else 1.0
        unwrap = node.range.unwrap
        if unwrap is not None:
            text = row.get(unwrap.label)
            if not text:
                continue
            try:
                value = {"": number, "bytes": size}.get(unwrap.conversion, seconds)(text)
            except ValueError as problem:
                row.fail("SampleExtractionErr", str(problem))
            if not all(_label_filter(one, row) for one in unwrap.filters):
                continue
            labels = {name: text for name, text in labels.items() if name != unwrap.label}
        if row.error:
            raise PipelineError(row.error)
        series.setdefault(_key(_grouped(labels, row, node.grouping)), []).append(value)
    if node.op == "absent_over_time":
        return _absent(node) if not series else {}
    return {key: _OVER[node.op](values, node) for key, values in series.items()}


def _grouped(labels: Mapping[str, str], row: Row, grouping: tree.Grouping | None) -> dict[str, str]:
    if grouping is None:
        return dict(labels)
    if grouping.without:
        return {name: value for name, value in labels.items() if name not in grouping.labels}
    return {name: value for name in grouping.labels if (value := row.get(name))}


def _absent(node: tree.RangeAggregation) -> Instant:
    matchers = node.range.query.matchers
    names = [one.name for one in matchers]
    return {_key({one.name: one.value for one in matchers if one.op == "=" and names.count(one.name) == 1}): 1.0}


def _variance(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / len(values)


def _quantile(q: float, values: Sequence[float]) -> float:
    rank = q * (len(values) - 1)
    ordered, low = sorted(values), math.floor(rank)
    high = min(len(values) - 1, low + 1)
    return ordered[low] * (1 - (rank - low)) + ordered[high] * (rank - low)


_OVER: dict[str, Callable[[list[float], tree.RangeAggregation], float]] = {
    "count_over_time": lambda values, node: float(len(values)),
    "rate": lambda values, node: math.fsum(values) / (node.range.range_ns / 1e9),
    "bytes_rate": lambda values, node: math.fsum(values) / (node.range.range_ns / 1e9),
    "bytes_over_time": lambda values, node: math.fsum(values),
    "sum_over_time": lambda values, node: math.fsum(values),
    "avg_over_time": lambda values, node: math.fsum(values) / len(values),
    "min_over_time": lambda values, node: min(values),
    "max_over_time": lambda values, node: max(values),
    "first_over_time": lambda values, node: values[0],
    "last_over_time": lambda values, node: values[-1],
    "stdvar_over_time": lambda values, node: _variance(values),
    "stddev_over_time": lambda values, node: math.sqrt(_variance(values)),
    "quantile_over_time": lambda values, node: _quantile(node.parameter or 0.0, values),
}


def _aggregate(node: tree.VectorAggregation, inner: Instant) -> Instant:
    groups: dict[Key, list[tuple[Key, float]]] = {}
    for key, value in inner.items():
        labels = dict(key)
        if node.grouping is None:
            kept: Key = ()
        elif node.grouping.without:
            kept = _key({name: text for name, text in labels.items() if name not in node.grouping.labels})
        else:
            kept = _key({name: text for name, text in labels.items() if name in node.grouping.labels})
        groups.setdefault(kept, []).append((key, value))
    if node.op in ("sort", "sort_desc"):
        return inner
    if node.op in ("topk", "bottomk"):
        return {
            key: value
            for rows in groups.values()
            for key, value in sorted(rows, key=lambda row: row[1], reverse=node.op == "topk")[
                : int(node.parameter or 0)
            ]
        }
    return {key: _GROUPED[node.op]([value for _, value in rows]) for key, rows in groups.items()}


_GROUPED: dict[str, Callable[[list[float]], float]] = {
    "sum": math.fsum,
    "avg": lambda values: math.fsum(values) / len(values),
    "min": min,
    "max": max,
    "count": lambda values: float(len(values)),
    "stdvar": _variance,
    "stddev": lambda values: math.sqrt(_variance(values)),
}


def _power(left: float, right: float) -> float:
    try:
        result = left**right
    except (OverflowError, ZeroDivisionError):
        return math.inf
    return result if isinstance(result, float) else math.nan


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: math.nan if b == 0 else a / b,
    "%": lambda a, b: math.nan if b == 0 else math.fmod(a, b),
    "^": _power,
}


def _binary(node: tree.Binary, left: Instant | float, right: Instant | float) -> Instant | float:
    def pair(a: float, b: float, kept: float) -> float | None:
        if node.op in _ARITHMETIC:
            return _ARITHMETIC[node.op](a, b)
        true = _COMPARE[node.op](a, b)
        return float(true) if node.returns_bool else kept if true else None

    if isinstance(left, float) or isinstance(right, float):
        vector, swapped = (right, True) if isinstance(left, float) else (left, False)
        assert isinstance(vector, dict)
        found = {}
        for key, value in vector.items():
            a, b = (left, value) if swapped else (value, right)
            assert isinstance(a, float)
            assert isinstance(b, float)
            result = pair(a, b, value)
            if result is not None:
                found[key] = result
        return found

    def group(key: Key) -> Key:
        return tuple(item for item in key if (item[0] in node.labels) == node.on)

    if node.op in ("and", "or", "unless"):
        lefts, rights = {group(key) for key in left}, {group(key) for key in right}
        if node.op == "or":
            return {**{key: value for key, value in right.items() if group(key) not in lefts}, **left}
        return {key: value for key, value in left.items() if (group(key) in rights) == (node.op == "and")}
    found = {}
    for key, value in left.items():
        partners = [other for other in right if group(other) == group(key)]
        if partners:
            result = pair(value, right[partners[0]], value)
            if result is not None:
                found[tuple(item for item in key if (item[0] in node.labels) == node.on)] = result
    return found
