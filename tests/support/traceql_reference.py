"""A slow evaluator of TraceQL, span by span, as plainly as it can be written: what the fast one is compared with.

Values are pairs of a type and a value; several values of one span are `("many", elements, all_differ)`.
"""

from __future__ import annotations

import math
import operator
import struct
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import re2

from obs_magics.model.errors import QueryError
from obs_magics.syntax.spans.ids import read_id
from obs_magics.syntax.traceql import tree
from obs_magics.syntax.traceql.shown import shown
from tests.support.traceql_worlds import BASE, Row

NIL = ("nil", None)
NUMERIC = {"int", "float", "duration"}
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip
SECOND = 10**9


class World:
    """The spans of a test, by trace, in the order of a store."""

    def __init__(self, rows: Sequence[Row]) -> None:
        first = {row.trace: min(one.start for one in rows if one.trace == row.trace) for row in rows}
        seen = list(dict.fromkeys(row.trace for row in rows))
        place = {id(row): number for number, row in enumerate(rows)}
        self.rows = sorted(rows, key=lambda row: (first[row.trace], seen.index(row.trace), row.start, place[id(row)]))
        self.place = {id(row): number for number, row in enumerate(self.rows)}
        self.parent = self._parents()

    def traces(self) -> list[list[Row]]:
        found: dict[int, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.trace, []).append(row)
        return list(found.values())

    def _parents(self) -> dict[int, Row | None]:
        ids = {(row.trace, row.span): row for row in self.rows}
        parents = {id(row): ids.get((row.trace, row.parent)) for row in self.rows if row.parent is not None}
        parents = {id(row): None if parents.get(id(row)) is row else parents.get(id(row)) for row in self.rows}
        for row in self.rows:  # a ring is opened at the first of its spans
            seen, at = [], row
            while at is not None and at not in seen:
                seen.append(at)
                at = parents[id(at)]
            if at is row:
                parents[id(row)] = None
        return parents

    def above(self, row: Row) -> list[Row]:
        found, at = [], self.parent[id(row)]
        while at is not None:
            found.append(at)
            at = self.parent[id(at)]
        return found

    def children(self, row: Row) -> list[Row]:
        return [one for one in self.rows if self.parent[id(one)] is row]

    def numbers(self, row: Row) -> tuple[int, int]:
        """Left and right, counted through the trace."""
        counter, found = 0, {}

        def walk(one: Row) -> None:
            nonlocal counter
            counter += 1
            left = counter
            for child in self.children(one):
                walk(child)
            counter += 1
            found[id(one)] = (left, counter)

        for root in [one for one in self.rows if one.trace == row.trace and self.parent[id(one)] is None]:
            walk(root)
        return found[id(row)]

    # Values

    def static(self, value: Any) -> tuple[Any, ...]:
        if value is None:
            return NIL
        kind = {str: "string", bool: "bool", int: "int", float: "float", list: "many"}[type(value)]
        if kind != "many":
            return kind, value
        if len({type(one) for one in value}) > 1:
            return NIL
        return "many", [self.static(one) for one in value], True

    def attribute(self, scope: str, name: str, row: Row) -> tuple[Any, ...]:
        if scope == "":
            for other in ("span", "resource", "event", "instrumentation"):
                found = self.attribute(other, name, row)
                if found != NIL:
                    return found
            return NIL
        if scope == "resource" and name == "service.name":
            return self.static(row.service)
        if scope == "event":
            return _many([("string", one[2][name]) for one in row.events if name in one[2]])
        owners = {"span": row.attributes, "resource": row.resource, "instrumentation": row.scope, "link": {}}
        return self.static(owners[scope].get(name))

    def intrinsic(self, name: str, row: Row) -> tuple[Any, ...]:
        mine = [one for one in self.rows if one.trace == row.trace]
        root = next((one for one in mine if one.parent is None), None)
        left, right = self.numbers(row) if name.startswith("nested") else (0, 0)
        parent = self.parent[id(row)]
        table: Mapping[str, tuple[Any, ...]] = {
            "span:duration": ("duration", row.duration),
            "span:name": ("string", row.name),
            "span:kind": ("kind", row.kind or "unspecified"),
            "span:status": ("status", row.status),
            "span:statusMessage": ("string", row.message or ""),
            "span:id": ("string", row.span_id),
            "span:parentID": ("string", row.parent_id or ""),
            "span:childCount": ("int", len(self.children(row))),
            "trace:id": ("string", row.trace_id),
            "trace:duration": ("duration", max(o.start + o.duration for o in mine) - min(o.start for o in mine)),
            "trace:rootName": ("string", root.name if root else ""),
            "trace:rootService": ("string", (root.service if root else "") or ""),
            "nestedSetLeft": ("int", left),
            "nestedSetRight": ("int", right),
            "nestedSetParent": (
                "int",
                self.numbers(parent)[0] if parent and name.startswith("nested") else -1 if row.parent is None else 0,
            ),
            "event:name": _many([("string", one[0]) for one in row.events]),
            "event:timeSinceStart": _many([("duration", one[1]) for one in row.events]),
            "link:traceID": _many([("string", f"{one[0]:032x}") for one in row.links]),
            "link:spanID": _many([("string", f"{one[1]:016x}") for one in row.links]),
            "instrumentation:name": self.static(row.scope.get("otel.scope.name")),
            "instrumentation:version": self.static(row.scope.get("otel.scope.version")),
        }
        return table[name]

    def value(self, node: Any, row: Row) -> tuple[Any, ...]:
        if isinstance(node, tree.Static):
            return (node.type, node.value)
        if isinstance(node, tree.Attribute):
            return self.attribute(node.scope, node.name, row)
        if isinstance(node, tree.Intrinsic):
            return self.intrinsic(node.name, row)
        if isinstance(node, tree.Unary):
            kind, value = _first(self.value(node.operand, row))[:2]
            if node.op == "!":
                return ("bool", not value) if kind == "bool" else NIL
            return (kind, _wrapped(-value) if kind != "float" else -value) if kind in NUMERIC else NIL
        return self.operation(node, row)

    def operation(self, node: tree.Operation, row: Row) -> tuple[Any, ...]:
        nils = [isinstance(side, tree.Static) and side.type == "nil" for side in (node.left, node.right)]
        if any(nils):
            other = node.right if nils[0] else node.left
            found = NIL if all(nils) else self.value(other, row)
            exists = found != NIL and not (found[0] == "many" and not found[1])
            return "bool", exists == (node.op == "!=")
        left, right = self.value(node.left, row), self.value(node.right, row)
        if node.op in {"=", "!="}:
            left, right = _padded(left, node.left, node.right), _padded(right, node.right, node.left)
        if node.op in "+-*/%^":
            return _arithmetic(node.op, _first(left), _first(right))
        if node.op in {"&&", "||"}:
            sides = [_first(side) == ("bool", True) for side in (left, right)]
            return "bool", all(sides) if node.op == "&&" else any(sides)
        return "bool", _compared(node.op, left, right)

    # Sets

    def run(self, stages: Sequence[Any], sets: list[list[Row]]) -> list[list[Row]]:
        for stage in stages:
            sets = self.stage(stage, sets)
        return sets

    def stage(self, stage: Any, sets: list[list[Row]]) -> list[list[Row]]:
        if isinstance(stage, tree.Filter):
            kept = [
                [row for row in one if stage.condition is None or self.value(stage.condition, row) == ("bool", True)]
                for one in sets
            ]
            return [one for one in kept if one]
        if isinstance(stage, tree.Grouped):
            return self.run(stage.pipeline.stages, sets)
        if isinstance(stage, tree.Structural):
            found = [self.related(stage, one) for one in sets]
            return [one for one in found if one]
        if isinstance(stage, tree.By):
            made = []
            for one in sets:
                groups: dict[Any, list[Row]] = defaultdict(list)
                for row in one:
                    groups[_key(_first(self.value(stage.expressions[0], row)))].append(row)
                made += groups.values()
            return made
        if isinstance(stage, tree.Coalesce):
            whole = sorted((row for one in sets for row in one), key=lambda row: self.place[id(row)])
            return [whole] if whole else []
        if isinstance(stage, tree.ScalarFilter):
            wanted = (stage.right.type, stage.right.value)
            return [one for one in sets if _compared(stage.op, self.aggregate(stage.left, one), wanted)]
        return sets

    def aggregate(self, node: tree.AggregateOf, rows: list[Row]) -> tuple[Any, ...]:
        if node.expression is None:
            return "int", len(rows)
        found = [_first(self.value(node.expression, row)) for row in rows]
        found = [one for one in found if one[0] in NUMERIC]
        if not found:
            return NIL
        if node.function != "avg" and all(kind != "float" for kind, _ in found):
            whole = [value for _, value in found]
            return "int", _wrapped({"sum": sum, "min": min, "max": max}[node.function](whole))
        numbers = [float(value) for _, value in found]
        if node.function in {"min", "max"}:
            pick = np.fmin if node.function == "min" else np.fmax
            return "float", float(pick.reduce(numbers))
        total = 0.0
        for number in numbers:
            total += number
        return "float", total / (len(numbers) if node.function == "avg" else 1)

    def related(self, node: tree.Structural, rows: list[Row]) -> list[Row]:
        left, right = self.run([node.left], [rows]), self.run([node.right], [rows])
        if node.op == "&&" and not (left and right):
            return []
        if node.op in {"&&", "||"}:
            return self.unique([row for one in left + right for row in one])
        if len(left) > 1 or len(right) > 1:
            raise QueryError("multiple spansets")
        ones, others = (one[0] if one else [] for one in (left, right))
        bare = node.op.lstrip("!&")
        hits = [row for row in others if any(self.stands(bare, one, row) for one in ones)]
        if node.op.startswith("!"):
            return [row for row in others if row not in hits]
        if node.op.startswith("&"):
            hits = hits + [one for one in ones if any(self.stands(bare, one, row) for row in others)]
        return self.unique(hits)

    def stands(self, op: str, one: Row, other: Row) -> bool:
        """`one op other`: whether `other` stands so to `one`."""
        if op == ">":
            return self.parent[id(other)] is one
        if op == "<":
            return self.parent[id(one)] is other
        if op == ">>":
            return one in self.above(other)
        if op == "<<":
            return other in self.above(one)
        family = [self.parent[id(row)] or (row.parent is None and "root") for row in (one, other)]
        return one is not other and bool(family[0]) and family[0] is family[1]

    def unique(self, rows: list[Row]) -> list[Row]:
        return [self.rows[place] for place in sorted({self.place[id(row)] for row in rows})]

    def search(self, query: tree.Pipeline) -> set[tuple[int, int]]:
        """The spans that a query finds, as trace and span."""
        found = [self.run(query.stages, [one]) for one in self.traces()]
        return {(row.trace, row.span) for sets in found for one in sets for row in one}

    # Metrics

    def metrics(self, query: tree.Pipeline, start: int, end: int, step: int) -> dict[Any, dict[int, float]]:
        """Points by time (nanoseconds) by labels; missing ones are not there."""
        first = query.stages[0]
        if isinstance(first, tree.MetricsOperation):
            series, rest = self.calculated(first, start, end, step), query.stages[1:]
        else:
            place = next(number for number, stage in enumerate(query.stages) if isinstance(stage, tree.Metrics))
            sets = [self.run(query.stages[:place], [one]) for one in self.traces()]
            rows = self.unique([row for found in sets for one in found for row in one])
            times = list(range(start // step * step, -(-end // step) * step + 1, step))
            series, rest = self.function(query.stages[place], rows, times, step), query.stages[place + 1 :]
        for stage in rest:
            series = _second(stage, series)
        return {labels: points for labels, points in series.items() if points}

    def calculated(self, node: tree.MetricsOperation, *grid: int) -> dict[Any, dict[int, float]]:
        sides = [
            self.calculated(side, *grid) if isinstance(side, tree.MetricsOperation)
            else self.metrics(side, *grid) if isinstance(side, tree.Pipeline) else side
            for side in (node.left, node.right)
        ]  # fmt: skip
        combine = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[node.op]
        left, right = sides
        if not isinstance(left, dict):
            pairs = {key: {t: (left, v) for t, v in points.items()} for key, points in right.items()}
        elif not isinstance(right, dict):
            pairs = {key: {t: (v, right) for t, v in points.items()} for key, points in left.items()}
        else:
            bare = {_unnamed(key): points for key, points in right.items()}
            pairs = {
                key: {t: (v, bare[_unnamed(key)][t]) for t, v in points.items() if t in bare[_unnamed(key)]}
                for key, points in left.items() if _unnamed(key) in bare
            }  # fmt: skip
        with np.errstate(all="ignore"):
            done = {key: {t: float(combine(*pair)) for t, pair in points.items()} for key, points in pairs.items()}
        return {key: {t: v for t, v in points.items() if math.isfinite(v)} for key, points in done.items()}

    def function(self, node: Any, rows: list[Row], times: list[int], step: int) -> dict[Any, dict[int, float]]:
        groups: dict[Any, dict[int, list[Row]]] = {}
        for row in rows:
            time = -(-(BASE + row.start) // step) * step
            if time in times:
                found = [(shown(name), _first(self.value(name, row))) for name in node.by]
                labels = tuple(sorted((name, _text(value)) for name, value in found)) or (("__name__", node.function),)
                groups.setdefault(labels, {}).setdefault(time, []).append(row)
        made: dict[Any, dict[int, float]] = {}
        for labels, cells in groups.items():
            for extra, points in self.points(node, cells, times, step).items():
                name = tuple(sorted([*_unnamed(labels), extra])) if extra else labels
                made[name] = points
        return made

    def points(self, node: Any, cells: Any, times: list[int], step: int) -> dict[Any, dict[int, float]]:
        if node.measured is None:
            share = 1 if node.function == "count_over_time" else SECOND / step
            return {None: {time: len(cells.get(time, [])) * share for time in times}}
        measured = {
            time: [one for one in (_first(self.value(node.measured, row)) for row in rows) if one[0] in NUMERIC]
            for time, rows in cells.items()
        }
        if node.function in {"quantile_over_time", "histogram_over_time"}:
            return _bucketed(node, measured, times)
        numbers = {
            time: [n for n in (_seconds(one) for one in found) if not math.isnan(n)] for time, found in measured.items()
        }
        with np.errstate(all="ignore"):
            reduce = {
                "sum_over_time": lambda found: sum(found, 0.0),
                "avg_over_time": lambda found: sum(found, 0.0) / len(found),
                "min_over_time": min,
                "max_over_time": max,
            }[node.function]
            return {None: {time: float(reduce(found)) for time, found in numbers.items() if found}}


def _bucketed(node: Any, measured: Any, times: list[int]) -> dict[Any, dict[int, float]]:
    ends: dict[int, list[float]] = {}
    for time, found in measured.items():
        for kind, value in found:
            if float(value) >= 2:
                end = float(np.exp2(np.ceil(np.log2(np.float64(value)))))
                ends.setdefault(time, []).append(end / SECOND if kind == "duration" else end)
    known = sorted({end for found in ends.values() for end in found})
    if node.function == "histogram_over_time":
        return {
            ("__bucket", _text(("float", end))): {time: ends.get(time, []).count(end) for time in times}
            for end in known
        }
    if not known:
        return {}
    return {
        ("p", _text(("float", share))): {time: _quantile(share, ends.get(time, [])) for time in times}
        for share in node.parameters
    }


def _quantile(share: float, ends: list[float]) -> float:
    if not ends:
        return 0.0
    known = sorted(set(ends))
    wanted = max(math.ceil(share * len(ends)), 1)
    total = 0
    for place, end in enumerate(known):
        count = ends.count(end)
        if total + count > wanted:
            top = math.log2(end)
            bottom = math.log2(known[place - 1]) if place else top - 1
            return 2 ** (bottom + (top - bottom) * (wanted - total) / count)
        total += count
        if total == wanted:
            return end
    raise AssertionError


def _second(stage: tree.SecondStage, series: dict[Any, dict[int, float]]) -> dict[Any, dict[int, float]]:
    if stage.op in COMPARISONS:
        return {
            key: {t: v for t, v in points.items() if COMPARISONS[stage.op](v, stage.value)}
            for key, points in series.items()
        }
    kept: dict[Any, dict[int, float]] = {key: {} for key in series}
    for time in {time for points in series.values() for time in points}:
        present = sorted((points[time], key) for key, points in series.items() if time in points)
        largest = stage.op == "topk"
        if largest:
            present.reverse()
        for value, key in present[: int(stage.value)]:
            kept[key][time] = value
    return kept


def _many(elements: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    return ("many", elements, False) if elements else NIL


def _first(value: tuple[Any, ...]) -> tuple[Any, ...]:
    if value[0] != "many":
        return value
    return value[1][0] if value[1] else NIL


def _padded(value: tuple[Any, ...], node: Any, other: Any) -> tuple[Any, ...]:
    digits = {"trace:id": 32, "link:traceID": 32, "span:id": 16, "span:parentID": 16, "link:spanID": 16}
    if isinstance(node, tree.Static) and isinstance(other, tree.Intrinsic) and other.name in digits and value[1]:
        return "string", read_id(value[1], digits[other.name]) or value[1]
    return value


def _compared(op: str, left: tuple[Any, ...], right: tuple[Any, ...]) -> bool:
    for many, other, turned in ((left, right, False), (right, left, True)):
        if many[0] == "many":
            if other[0] == "many":
                return False
            hits = [_compared(op, other, one) if turned else _compared(op, one, other) for one in many[1]]
            if many[2] and op in {"!=", "!~"}:
                return bool(hits) and all(hits)
            return any(hits)
    (one, a), (other_type, b) = left, right
    if one == other_type == "string":
        if op in {"=~", "!~"}:
            options = re2.Options()
            options.dot_nl = True
            return (re2.compile(b, options).fullmatch(a) is not None) == (op == "=~")
        return COMPARISONS[op](a.encode(), b.encode())
    if op not in COMPARISONS:
        return False
    if one in NUMERIC and other_type in NUMERIC:
        if "float" in {one, other_type}:
            a, b = float(a), float(b)
        return COMPARISONS[op](a, b)
    return one == other_type and one in {"bool", "status", "kind"} and op in {"=", "!="} and COMPARISONS[op](a, b)


def _arithmetic(op: str, left: tuple[Any, ...], right: tuple[Any, ...]) -> tuple[Any, ...]:
    (one, a), (other, b) = left, right
    if one not in NUMERIC or other not in NUMERIC:
        return NIL
    floats = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "%": np.fmod, "^": np.power}
    with np.errstate(all="ignore"):
        result = float(floats[op](np.float64(a), np.float64(b)))
    if not one == other == "int":
        return "float", result
    if op in {"/", "%"}:
        if b == 0:
            return NIL
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return "int", _wrapped(quotient if op == "/" else a - quotient * b)
    if op == "^":
        if not abs(result) < 2.0**63:
            return NIL
        return "int", pow(a, b) if b >= 0 else math.trunc(result)
    return "int", _wrapped({"+": a + b, "-": a - b, "*": a * b}[op])


def _wrapped(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63


def _key(value: tuple[Any, ...]) -> tuple[Any, ...]:
    return ("float", struct.pack("d", value[1])) if value[0] == "float" else value


def _text(value: tuple[Any, ...]) -> str:
    kind, content = value[:2]
    if kind == "float":
        return repr(float(content)).removesuffix(".0")
    if kind == "duration":
        return repr(content / SECOND).removesuffix(".0") + "s"
    return "nil" if kind == "nil" else str(content).lower() if kind == "bool" else str(content)


def _seconds(value: tuple[Any, ...]) -> float:
    return float(value[1]) / (SECOND if value[0] == "duration" else 1)


def _unnamed(labels: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((name, text) for name, text in labels if name != "__name__")
