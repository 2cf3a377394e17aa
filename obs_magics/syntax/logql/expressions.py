"""The grammar above the pipeline: ranges, aggregations, operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from obs_magics.syntax.logql.cursor import Cursor
from obs_magics.syntax.logql.filters import number
from obs_magics.syntax.logql.judge import (
    judge_binary,
    judge_label_replace,
    judge_range,
    judge_selector,
    judge_vector,
)
from obs_magics.syntax.logql.lexer import Token
from obs_magics.syntax.logql.literals import folded
from obs_magics.syntax.logql.numbers import go_float
from obs_magics.syntax.logql.ranges import log_range_of
from obs_magics.syntax.logql.stages import pipeline, selector
from obs_magics.syntax.logql.tree import (
    Binary,
    Expression,
    Grouping,
    LabelReplace,
    LogQuery,
    Number,
    RangeAggregation,
    VectorAggregation,
    VectorOf,
)
from obs_magics.syntax.logql.words import BINDING, RANGE_OPS, SHOWN, VECTOR_OPS

_RANGE_KINDS = {SHOWN[name] for name in RANGE_OPS}
_VECTOR_KINDS = {SHOWN[name] for name in VECTOR_OPS}


def expression(cursor: Cursor) -> Expression:
    """Operands and the operators between them, put together by how tightly these bind."""
    operands, signs = [_operand(cursor)], list[Binary]()
    while cursor.kind in BINDING:
        cursor.one_more_term()
        kind = cursor.kind
        while signs and (BINDING[signs[-1].op], kind != "^") > (BINDING[kind], False):
            _combine(cursor, operands, signs)
        signs.append(_operator(cursor))
        operands.append(_operand(cursor))
    while signs:
        _combine(cursor, operands, signs)
    return operands[0]


def _combine(cursor: Cursor, operands: list[Expression], signs: list[Binary]) -> None:
    """Puts the last two operands together with the last operator."""
    right, left = operands.pop(), operands.pop()
    sign = signs.pop()
    judge_binary(cursor, sign, left, right)
    operands.append(folded(sign, left, right))  # type: ignore[arg-type]


def _operand(cursor: Cursor) -> Expression:
    kind = cursor.kind
    if kind == "{":
        query = selector(cursor)
        return _with_stages(cursor, query)
    if kind == "(":
        return _bracketed(cursor)
    if kind in {"NUMBER", "+", "-"}:
        at = cursor.here.start
        return Number(number(cursor), at=at)
    if kind in _RANGE_KINDS:
        return _range_aggregation(cursor)
    if kind in _VECTOR_KINDS:
        return _vector_aggregation(cursor)
    rule = _CALLS.get(kind)
    if rule is None:
        raise cursor.unexpected()
    return rule(cursor)


def _bracketed(cursor: Cursor) -> Expression:
    with cursor.deeper():
        cursor.advance()
        inner = expression(cursor)
        cursor.take(")", expecting="")
    return inner


def _with_stages(cursor: Cursor, query: LogQuery) -> LogQuery:
    stages = pipeline(cursor)
    if cursor.kind == "|":  # only `unwrap` stays behind, and it needs a range
        cursor.advance()
        raise cursor.unexpected()
    full = LogQuery(query.matchers, tuple(stages), at=query.at)
    judge_selector(cursor, full)
    return full


# Aggregations


def _range_aggregation(cursor: Cursor) -> RangeAggregation:
    name = cursor.advance()
    cursor.take("(")
    parameter = None
    with cursor.deeper():
        if cursor.kind == "NUMBER":
            parameter = cursor.advance()
            cursor.take(",")
            log_range = log_range_of(cursor)
        elif cursor.kind in {"{", "("}:
            log_range = log_range_of(cursor)
        else:
            raise cursor.unexpected("NUMBER or { or (")
        cursor.take(")")
    grouping = _grouping(cursor) if cursor.kind in {"by", "without"} else None
    value = go_float(parameter.value) if parameter else None
    found = RangeAggregation(name.value, log_range, value, grouping, at=name.start)
    judge_range(cursor, found, parameter)
    return found


def _vector_aggregation(cursor: Cursor) -> VectorAggregation:
    name = cursor.advance()
    grouping = _grouping(cursor) if cursor.kind in {"by", "without"} else None
    cursor.take("(", expecting="(" if grouping else "( or by or without")
    parameter = None
    with cursor.deeper():
        if cursor.kind == "NUMBER" and cursor.next_kind() == ",":
            parameter = cursor.advance()
            cursor.advance()
        inner = _sample(cursor)
        cursor.take(")", expecting="")
    if grouping is None and cursor.kind in {"by", "without"}:
        grouping = _grouping(cursor)
    value = go_float(parameter.value) if parameter else None
    found = VectorAggregation(name.value, inner, value, grouping, at=name.start)  # type: ignore[arg-type]
    judge_vector(cursor, found, parameter)
    return found


def _sample(cursor: Cursor) -> Expression:
    """An expression that gives numbers; a log query is none."""
    inner = expression(cursor)
    if isinstance(inner, LogQuery):
        raise cursor.unexpected()
    return inner


def _grouping(cursor: Cursor) -> Grouping:
    without = cursor.advance().kind == "without"
    return Grouping(_labels(cursor), without=without)


def _labels(cursor: Cursor) -> tuple[str, ...]:
    """``(a, b)``, possibly empty."""
    cursor.take("(")
    if cursor.accept(")"):
        return ()
    labels = [cursor.take("IDENTIFIER", expecting="IDENTIFIER or )").value]
    while cursor.take(",", ")").kind == ",":
        labels.append(cursor.take("IDENTIFIER").value)
    return tuple(labels)


# Operators and functions


def _operator(cursor: Cursor) -> Binary:
    """The operator with its modifiers, still without operands."""
    sign = cursor.advance()
    nothing = Number(0.0)
    returns_bool = cursor.accept("bool")
    on, labels, group, include = False, tuple[str, ...](), "", tuple[str, ...]()
    if cursor.kind in {"on", "ignoring"}:
        on = cursor.advance().kind == "on"
        labels = _labels(cursor)
        if cursor.kind in {"group_left", "group_right"}:
            group = cursor.advance().kind.removeprefix("group_")
            include = _labels(cursor) if cursor.kind == "(" else ()
    return Binary(sign.kind, nothing, nothing, returns_bool, on, labels, group, include, at=sign.start)  # type: ignore[arg-type]


def _vector(cursor: Cursor) -> VectorOf:
    at = cursor.advance().start
    cursor.take("(")
    value = _number_in_brackets(cursor)
    cursor.take(")")
    return VectorOf(value, at=at)


def _number_in_brackets(cursor: Cursor) -> float:
    """A number without a sign."""
    if cursor.kind != "NUMBER":
        raise cursor.unexpected("NUMBER")
    return number(cursor)


def _label_replace(cursor: Cursor) -> LabelReplace:
    at = cursor.advance().start
    cursor.take("(")
    with cursor.deeper():
        inner = _sample(cursor)
        texts: list[Token] = []
        for _ in range(4):
            cursor.take(",", expecting="," if texts else "")
            texts.append(cursor.take("STRING"))
        cursor.take(")")
    target, replacement, source, pattern = (token.value for token in texts)
    found = LabelReplace(inner, target, replacement, source, pattern, at=at)  # type: ignore[arg-type]
    judge_label_replace(cursor, found, texts[-1])
    return found


def _variants(cursor: Cursor) -> Expression:
    token = cursor.here
    message = "multi variant queries are disabled for this instance"
    raise cursor.invalid(message, token.start, token.end, hint="ask for each of the variants in a query of its own")


_CALLS: Mapping[str, Callable[[Cursor], Expression]] = {
    "VECTOR": _vector,
    "label_replace": _label_replace,
    "variants": _variants,
}
