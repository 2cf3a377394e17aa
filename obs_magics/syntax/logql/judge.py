"""What the grammar allows and Loki refuses all the same: parameters, groupings, `unwrap`, empty selectors.

The words are those of Loki's `pkg/logql/syntax/ast.go` and `parser.go`. Loki finds these only after the whole text was
read, outer expressions first; so they are kept aside here, and the first one is raised at the end.
"""

from __future__ import annotations

import re
from functools import lru_cache

from obs_magics.syntax.logql.cursor import Cursor
from obs_magics.syntax.logql.lexer import Token
from obs_magics.syntax.logql.regexes import regex_problem
from obs_magics.syntax.logql.tree import (
    Binary,
    Expression,
    LabelReplace,
    LogQuery,
    Matcher,
    Number,
    RangeAggregation,
    VectorAggregation,
)
from obs_magics.syntax.logql.words import GROUPED, OF_LINES, OF_UNWRAPPED, SET_OPERATORS, WITH_PARAMETER

NO_SELECTION = (
    "queries require at least one regexp or equality matcher that does not have an empty-compatible value. For "
    'instance, app=~".*" does not meet this requirement, but app=~".+" will'
)
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")


def judge_selector(cursor: Cursor, query: LogQuery) -> None:
    """One matcher at least has to ask for something that is there."""
    if any(_selects(matcher) for matcher in query.matchers):
        return
    hint = 'name a label with a value, such as {app="api"}, or {app=~".+"} for all that have it'
    cursor.later_invalid(cursor.invalid(NO_SELECTION, query.at, hint=hint))


def _selects(matcher: Matcher) -> bool:
    if matcher.op == "=":
        return matcher.value != ""
    return matcher.op == "=~" and not _matches_empty(matcher.value)


@lru_cache(maxsize=256)
def _matches_empty(pattern: str) -> bool:
    import re2

    return re2.compile(f"(?s:{pattern})").fullmatch("") is not None


def judge_range(cursor: Cursor, found: RangeAggregation, parameter: Token | None) -> None:
    """Parameter, grouping and `unwrap` of a range aggregation."""
    problem, hint = _range_problem(found, parameter)
    if problem:
        cursor.later_invalid(cursor.invalid(problem, found.at, found.at + len(found.op), hint=hint))
    judge_selector(cursor, found.range.query)


def _range_problem(  # noqa: PLR0911 - one line a rule
    found: RangeAggregation, parameter: Token | None
) -> tuple[str, str]:
    name = found.op
    if parameter is not None and name != "quantile_over_time":
        return f"parameter {parameter.value} not supported for operation {name}", f"drop the {parameter.value}"
    if parameter is None and name == "quantile_over_time":
        return f"parameter required for operation {name}", "say which quantile: quantile_over_time(0.99, …)"
    if parameter is not None and found.parameter is None:
        message = f'strconv.ParseFloat: parsing "{parameter.value}": invalid syntax'
        return f"invalid parameter for operation {name}: {message}", "write the quantile as a decimal number: 0.99"
    if found.grouping is not None and name not in GROUPED:
        return f"grouping not allowed for {name} aggregation", f"group outside: sum by (…) ({name}(…))"
    if found.range.unwrap is not None and name not in OF_UNWRAPPED:
        return f"invalid aggregation {name} with unwrap", "drop the unwrap, or use sum_over_time"
    if found.range.unwrap is None and name not in OF_LINES:
        return f"invalid aggregation {name} without unwrap", "say which label holds the number: | unwrap label"
    return "", ""


def judge_vector(cursor: Cursor, found: VectorAggregation, parameter: Token | None) -> None:
    """Parameter and grouping of an aggregation."""
    problem, hint = _vector_problem(found, parameter)
    if problem:
        cursor.later_invalid(cursor.invalid(problem, found.at, found.at + len(found.op), hint=hint))


def _vector_problem(  # noqa: PLR0911 - one line a rule
    found: VectorAggregation, parameter: Token | None
) -> tuple[str, str]:
    name, grouping = found.op, found.grouping
    if name in WITH_PARAMETER:
        if parameter is None:
            return f"parameter required for operation {name}", f"say how many: {name}(5, …)"
        if not _WHOLE_NUMBER.fullmatch(parameter.value) or len(parameter.value) > 18:
            return f"invalid parameter {name}({parameter.value},", "the number of series is a whole number"
        if int(parameter.value) <= 0:
            return f"invalid parameter (must be greater than 0) {name}({parameter.value}", "ask for one at least"
        if name == "approx_topk" and grouping is not None:
            return f"grouping not allowed for {name} aggregation", "use topk, or drop the grouping"
    elif parameter is not None:
        return f"unsupported parameter for operation {name}({parameter.value},", f"drop the {parameter.value}"
    if name in {"sort", "sort_desc"} and grouping is not None and grouping.labels:
        return "sort and sort_desc doesn't allow grouping by ", "drop the grouping"
    return "", ""


def judge_binary(cursor: Cursor, sign: Binary, left: Expression, right: Expression) -> None:
    """Both operands have to be numbers over time; `and`, `or`, `unless` take no plain number."""
    for side, operand in (("left", left), ("right", right)):
        if isinstance(operand, LogQuery):
            kind = "PipelineExpr" if operand.stages else "MatchersExpr"
            problem = f"unexpected type for {side} leg of binary operation ({sign.op}): *syntax.{kind}"
            hint = "count the lines first: count_over_time({…}[5m])"
            cursor.later_invalid(cursor.invalid(problem, sign.at, sign.at + len(sign.op), hint=hint), _start(left))
            return
    for side, operand in (("left", left), ("right", right)):
        if sign.op in SET_OPERATORS and isinstance(operand, Number):
            words = f"unexpected literal for {side} leg of logical/set binary operation"
            problem = f"{words} ({sign.op}): {operand.value:f}"
            hint = f"write vector({operand.value:g})"
            cursor.later_invalid(cursor.invalid(problem, sign.at, sign.at + len(sign.op), hint=hint), _start(left))
            return


def judge_label_replace(cursor: Cursor, found: LabelReplace, pattern: Token) -> None:
    """The pattern has to be a regular expression, and what is relabelled has to have labels."""
    problem = regex_problem(found.pattern)
    if problem:
        message = f"invalid regex in label_replace: {problem}"
        error = cursor.invalid(message, pattern.start, pattern.end, hint="correct the regular expression")
        cursor.later_invalid(error, found.at)
    elif isinstance(found.expression, Number):
        hint = "a number has no labels: use vector(…)"
        cursor.later_invalid(cursor.invalid(NO_SELECTION, found.at, hint=hint))


def _start(expression: Expression) -> int:
    """Where an expression begins; a binary operation is marked at its operator."""
    while isinstance(expression, Binary):
        expression = expression.left
    return expression.at
