"""What Tempo finds wrong with a query that its grammar accepts: types, regular expressions, limits, what is to come.

The order is Tempo's (`ast_validate.go`): from the first stage to the last, the innermost wrong node first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from obs_magics.model.errors import QueryError
from obs_magics.syntax.logql.regexes import regex_problem
from obs_magics.syntax.traceql.cursor import Cursor, refused
from obs_magics.syntax.traceql.shown import shown
from obs_magics.syntax.traceql.tree import (
    AggregateOf,
    Attribute,
    By,
    Field,
    Filter,
    Grouped,
    Intrinsic,
    Metrics,
    MetricsOperation,
    Operation,
    Pipeline,
    Scalar,
    ScalarFilter,
    ScalarOperation,
    SecondStage,
    Select,
    Stage,
    Static,
    Structural,
    Unary,
)
from obs_magics.syntax.traceql.types import NUMERIC, Type, names_span, sign_takes, takes, type_of, types_meet
from obs_magics.syntax.traceql.words import FEWER_GROUPS, MAX_GROUPS, REGEXES, SECOND_STAGES, SHOWN

_VALUES: Mapping[Type, str] = {
    "duration": "a duration has a unit and no quotes: duration > 5s",
    "status": "a status is error, ok or unset, without quotes",
    "kind": "a kind is server, client, producer, consumer or internal, without quotes",
    "string": "a text stands in quotes",
}


class Checker:
    """Looks at every node of one query.

    Args:
        cursor: What the query was read with; it knows where each node stands.
    """

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._rules: Mapping[type[Any], Callable[[Any], None]] = {
            Filter: self._filter,
            Structural: self._structural,
            Grouped: lambda stage: self.pipeline(stage.pipeline),
            ScalarFilter: self._scalar_filter,
            By: self._by,
            Select: self._select,
            Metrics: self._metrics,
            SecondStage: self._second_stage,
            MetricsOperation: self._metrics_operation,
        }

    def pipeline(self, pipeline: Pipeline) -> None:
        """Checks a whole query.

        Raises:
            QueryError: The first thing that Tempo would refuse.
        """
        for stage in pipeline.stages:
            self._stage(stage)
        stages = pipeline.stages
        compare = pipeline.metrics if pipeline.metrics and pipeline.metrics.function == "compare" else None
        if compare and stages[-1] is not compare:
            message = "`compare()` cannot be used with second stage functions"
            raise self._refused(message, stages[-1], "leave out what stands behind compare(…)")

    def _stage(self, stage: Stage) -> None:
        rule = self._rules.get(type(stage))
        if rule:
            rule(stage)

    # Sets of spans

    def _structural(self, node: Structural) -> None:
        self._stage(node.left)
        self._stage(node.right)

    def _filter(self, node: Filter) -> None:
        if node.condition is None:
            return
        self._field(node.condition)
        if type_of(node.condition) not in {"any", "bool"}:
            message = f"span filter field expressions must resolve to a boolean: {shown(node)}"
            raise self._refused(message, node.condition, f"compare it: {{ {_example(node.condition)} }}")

    # Fields

    def _field(self, node: Field) -> None:
        if isinstance(node, Operation):
            self._operation(node)
        elif isinstance(node, Unary):
            self._unary(node)
        elif isinstance(node, Attribute | Intrinsic):
            self._name(node)

    def _name(self, node: Attribute | Intrinsic) -> None:
        hint = "conditions on the parent are a filter of their own: { status = error } > { kind = server }"
        if node.parent:
            raise self._refused("parent not yet supported", node, hint)
        if node.name == "parent" and isinstance(node, Intrinsic):
            message = "intrinsic (parent) not yet supported"
            raise self._refused(message, node, "roots are { nestedSetParent < 0 }; for the parent's id: span:parentID")

    def _unary(self, node: Unary) -> None:
        self._field(node.operand)
        if not sign_takes(node.op, type_of(node.operand)):
            message = f"illegal operation for the given type: {shown(node)}"
            hint = f"! stands before what is true or false: !({_example(node.operand)})"
            raise self._refused(message, node, hint if node.op == "!" else "only numbers and durations have a minus")

    def _operation(self, node: Operation) -> None:
        self._field(node.left)
        self._field(node.right)
        self._types(node)
        if node.op in REGEXES:
            self._regex(node)
        sides = (node.left, node.right)
        if node.op == "=" and any(isinstance(side, Static) and side.type == "nil" for side in sides):
            for side in sides:
                self._never_nil(node, side)

    def _types(self, node: Operation | ScalarOperation | ScalarFilter) -> None:
        left, right = type_of(node.left), type_of(node.right)
        if not types_meet(left, right):
            message = f"binary operations must operate on the same type: {shown(node)}"
            raise self._refused(message, node, _meeting_hint(left, right))
        if not takes(node.op, left) or not takes(node.op, right):
            wrong = node.left if not takes(node.op, left) else node.right
            message = f"illegal operation for the given types: {shown(node)}"
            raise self._refused(message, wrong, _operator_hint(node.op, type_of(wrong)))

    def _regex(self, node: Operation) -> None:
        pattern = node.right
        if not isinstance(pattern, Static):
            message = f"invalid type for =~ or !~: {shown(pattern)}"
            raise self._refused(message, pattern, "behind =~ and !~ stands a text in quotes")
        problem = regex_problem(str(pattern.value))
        if problem:
            hint = f"correct the regular expression (RE2): {problem.removeprefix('error parsing regexp: ')}"
            raise self._refused(f"invalid regex: {pattern.value}", pattern, hint)

    def _never_nil(self, node: Operation, side: Field) -> None:
        name = "resource.service.name"
        if isinstance(side, Intrinsic):
            name, what = SHOWN.get(side.name, side.name), "intrinsics"
        elif isinstance(side, Attribute) and (side.scope, side.name) == ("resource", "service.name"):
            what = name
        else:
            return
        message = f"{name}=nil is not valid because {what} cannot be nil"
        raise self._refused(message, node, f"every span has it: leave this condition out, or write {name} != nil")

    # Aggregates

    def _scalar_filter(self, node: ScalarFilter) -> None:
        self._scalar(node.left)
        self._scalar(node.right)
        self._types(node)
        sides = (("lhs", node.left, AggregateOf), ("rhs", node.right, Static))
        for side, operand, wanted in sides:
            if not isinstance(operand, wanted):
                message = f"scalar filter {side} of type ({type(operand).__name__}) not yet supported"
                raise self._refused(message, node, "one aggregate on the left, one number on the right: count() > 3")

    def _scalar(self, node: Scalar) -> None:
        if isinstance(node, ScalarOperation):
            self._scalar(node.left)
            self._scalar(node.right)
            self._types(node)
        elif isinstance(node, AggregateOf) and node.expression is not None:
            self._field(node.expression)
            if type_of(node.expression) not in {"any", *NUMERIC}:
                message = f"aggregate field expressions must resolve to a number type: {shown(node)}"
                raise self._refused(message, node, f"{node.function} takes numbers and durations: duration, span.x")
            self._of_span(node.expression, f"aggregate field expressions must reference the span: {shown(node)}")

    def _by(self, node: By) -> None:
        expression = node.expressions[0]
        self._of_span(expression, f"grouping field expressions must reference the span: by({shown(expression)})")
        self._field(expression)

    def _select(self, node: Select) -> None:
        for item in node.fields:
            self._name(item)

    def _of_span(self, expression: Field, message: str) -> None:
        if not names_span(expression):
            raise self._refused(message, expression, "name an attribute or an intrinsic: resource.service.name")

    # Metrics

    def _metrics(self, node: Metrics) -> None:
        if node.selection is not None:
            self._filter(node.selection)
            self._compare(node)
        limit = MAX_GROUPS - (node.function in FEWER_GROUPS)
        if len(node.by) > limit:
            message = f"metrics group by {len(node.by)} values not yet supported"
            raise self._refused(message, node, f"{node.function} is grouped by at most {limit}")
        wrong = [value for value in node.parameters if not 0 <= value <= 1]
        if node.function == "quantile_over_time" and wrong:
            message = f"quantile must be between 0 and 1: {wrong[0]:g}"
            raise self._refused(message, node, "the 99th percentile is 0.99")

    def _compare(self, node: Metrics) -> None:
        values, start, end = (*node.parameters, 0, 0)[:3]
        problem = ""
        if values <= 0:
            problem = "top number of values must be integer greater than 0"
        elif (start, end) != (0, 0) and min(start, end) <= 0:
            problem = "timestamps must be positive integer unix nanoseconds"
        elif (start, end) != (0, 0) and end <= start:
            problem = "end timestamp must be greater than start timestamp"
        if problem:
            hint = "compare({ selection }, 10), or with a window: compare({ selection }, 10, start, end)"
            raise self._refused(f"compare() {problem}", node, hint)

    def _second_stage(self, node: SecondStage) -> None:
        if node.op in SECOND_STAGES and node.value <= 0:
            raise self._refused("limit must be greater than 0", node, f"ask for one series at least: {node.op}(5)")

    def _metrics_operation(self, node: MetricsOperation) -> None:
        for side in (node.left, node.right):
            if isinstance(side, Pipeline):
                self.pipeline(side)
            elif isinstance(side, MetricsOperation):
                self._metrics_operation(side)

    def _refused(self, message: str, node: object, hint: str) -> QueryError:
        start, end = self._cursor.span(node)
        return refused(self._cursor.text, message, start, end - start, hint)


def _example(node: Field) -> str:
    """A condition that the user may have meant."""
    if isinstance(node, Static):
        return f"span.x = {shown(node)}"
    kind = type_of(node)
    values = {"duration": "> 1s", "status": "= error", "kind": "= server", "string": '= "…"'}
    return f"{shown(node)} {values.get(kind, '= …')}"


def _meeting_hint(left: Type, right: Type) -> str:
    pair = {left, right}
    special = next((kind for kind in ("duration", "status", "kind", "string") if kind in pair), None)
    return _VALUES[special] if special else "compare values of one type"


def _operator_hint(op: str, operand: Type) -> str:
    if op in REGEXES:
        return "regular expressions match texts alone"
    if op in {"&&", "||"}:
        return "&& and || stand between conditions: { .a = 1 && .b = 2 }"
    if operand in {"bool", "status", "kind", "nil"}:
        return f"a {operand} is compared with = and != alone"
    return f"{op} does not work on a {operand}"
