"""Conditions in words (`--service`, `--min-duration`, …) as TraceQL, alone or beside a query.

All conditions hold for one span of the trace together: the span of this service has this name, takes this long, and has
this status. What cannot be said of one span is asked as far as it can: `ok` is "a span that has not failed", and who
wants traces without any failed span has to look at the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import reduce
from typing import Literal, TypeAlias, cast

from obs_magics.model.errors import UsageError, did_you_mean
from obs_magics.syntax.traceql.parser import parse
from obs_magics.syntax.traceql.printer import write
from obs_magics.syntax.traceql.tree import (
    Attribute,
    Field,
    FieldOp,
    Filter,
    Grouped,
    Intrinsic,
    MetricsOperand,
    MetricsOperation,
    Operation,
    Pipeline,
    Select,
    Spanset,
    Stage,
    Static,
    Structural,
)
from obs_magics.syntax.traceql.walk import is_metrics
from obs_magics.syntax.traceql.words import INTRINSICS, LOGICAL, SCOPES, SHORT, STATICS

AttributeValue: TypeAlias = str | int | float | bool
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_FRACTION = re.compile(r"-?[0-9]{1,300}\.[0-9]{1,300}")


def conditions_query(
    *,
    service: str | None = None,
    operation: str | None = None,
    status: Literal["ok", "error"] | None = None,
    min_duration_ns: int | None = None,
    max_duration_ns: int | None = None,
    attributes: Iterable[tuple[str, AttributeValue]] = (),
) -> str:
    """The query for traces with a span for which all of this holds.

    Args:
        service: Its service.
        operation: Its name.
        status: `error`: it failed; `ok`: it did not.
        min_duration_ns: It takes at least so long.
        max_duration_ns: It takes at most so long.
        attributes: Names and values. A name may have a scope (``resource.k8s.pod.name``); without one span and resource
            are looked at. A text that looks like a number, or true or false, is looked for as such too.

    Raises:
        UsageError: An intrinsic with a value that it cannot have.
        QueryError: A name that TraceQL cannot write.

    >>> conditions_query(service="checkout-api", min_duration_ns=5_000_000_000)
    '{ resource.service.name = "checkout-api" && span:duration >= 5s }'
    """
    conditions: list[Field] = []
    if service is not None:
        conditions.append(_compared(Attribute("resource", "service.name"), "=", Static("string", service)))
    if operation is not None:
        conditions.append(_compared(Intrinsic("span:name"), "=", Static("string", operation)))
    if status is not None:
        op: FieldOp = "=" if status == "error" else "!="
        conditions.append(_compared(Intrinsic("span:status"), op, Static("status", "error")))
    if min_duration_ns is not None:
        conditions.append(_compared(Intrinsic("span:duration"), ">=", Static("duration", min_duration_ns)))
    if max_duration_ns is not None:
        conditions.append(_compared(Intrinsic("span:duration"), "<=", Static("duration", max_duration_ns)))
    conditions += [_attribute(name, value) for name, value in attributes]
    text = write(Filter(reduce(_both, conditions) if conditions else None))
    parse(text)
    return text


def combined(text: str, conditions: str) -> str:
    """A query together with conditions, which hold for one span of the trace.

    In a search that is any span of the trace: ``{ a } && { conditions }``, behind which stages that only select stay; a
    pipeline that counts, groups or filters is put in brackets, so that its numbers stay what they are. In a metrics
    query the conditions hold for every span that is counted: they go into the filters that give these spans (of
    ``{ a } >> { b }`` into the right one).

    Args:
        text: The query; empty for the conditions alone.
        conditions: What `conditions_query` gave.

    Raises:
        QueryError: The query is none that Tempo would take.

    >>> combined("{ span.http.status_code = 500 } | rate()", '{ resource.service.name = "api" }')
    '{ span.http.status_code = 500 && resource.service.name = "api" } | rate()'
    >>> combined("{ name = `a` } >> { status = error }", '{ resource.service.name = "api" }')
    '{ span:name = "a" } >> { span:status = error } && { resource.service.name = "api" }'
    """
    if not text.strip():
        return conditions
    query, first = parse(text), parse(conditions).stages[0]
    if not isinstance(first, Filter) or first.condition is None:
        return text
    if is_metrics(query):
        return write(_narrowed(query, first.condition))
    return write(Pipeline(_beside(query.stages, first), query.hints))


def _compared(left: Field, op: FieldOp, right: Static) -> Field:
    return Operation(op, left, right)


def _both(left: Field, right: Field) -> Field:
    return Operation("&&", left, right)


def _attribute(name: str, value: AttributeValue) -> Field:
    """``name = value``."""
    field = _field(name)
    if isinstance(field, Intrinsic) and INTRINSICS[field.name] in {"status", "kind"}:
        kind = INTRINSICS[field.name]
        if STATICS.get(str(value), ("", ""))[0] != kind:
            words = [word for word, (of, _) in STATICS.items() if of == kind]
            hint = did_you_mean(str(value), words) or f"it is {', '.join(words)}"
            raise UsageError(f"{name} cannot be {value}", hint=hint)
        return _compared(field, "=", Static(kind, str(value)))
    wanted = [_compared(field, "=", static) for static in _statics(value)]
    return reduce(lambda left, right: Operation("||", left, right), wanted)


def _field(name: str) -> Attribute | Intrinsic:
    if name in SHORT or name in INTRINSICS:
        return Intrinsic(SHORT.get(name, name))
    scope, dot, rest = name.partition(".")
    if dot and rest and (not scope or (scope in SCOPES and scope != "parent")):
        return Attribute(SCOPES[scope] if scope else "", rest)
    return Attribute("", name)


def _statics(value: AttributeValue) -> list[Static]:
    """The values of TraceQL that a value may mean."""
    if isinstance(value, bool):
        return [Static("bool", value)]
    if isinstance(value, int | float):
        return [Static("int" if isinstance(value, int) else "float", value)]
    found = [Static("string", value)]
    if _WHOLE.fullmatch(value):
        found.append(Static("int", int(value)))
    elif _FRACTION.fullmatch(value):
        found.append(Static("float", float(value)))
    elif value in {"true", "false"}:
        found.append(Static("bool", value == "true"))
    return found


# Beside a query


def _beside(stages: tuple[Stage, ...], conditions: Filter) -> tuple[Stage, ...]:
    """The stages of a search with another set of spans beside them."""
    first, *rest = stages
    if isinstance(first, Filter | Structural) and all(isinstance(stage, Select) for stage in rest):
        return (Structural("&&", first, conditions), *rest)
    return (Structural("&&", Grouped(Pipeline(stages)), conditions),)


def _narrowed(query: Pipeline, condition: Field) -> Pipeline:
    """A metrics query of fewer spans."""
    first, *rest = query.stages
    if isinstance(first, MetricsOperation):
        return Pipeline((_narrowed_operation(first, condition), *rest), query.hints)
    if isinstance(first, Filter | Structural):
        return Pipeline((_narrowed_set(first, condition), *rest), query.hints)
    return Pipeline((Filter(condition), *query.stages), query.hints)


def _narrowed_operation(node: MetricsOperation, condition: Field) -> MetricsOperation:
    left, right = (_narrowed_operand(side, condition) for side in (node.left, node.right))
    return MetricsOperation(node.op, left, right)


def _narrowed_operand(side: MetricsOperand, condition: Field) -> MetricsOperand:
    if isinstance(side, Pipeline):
        return _narrowed(side, condition)
    return _narrowed_operation(side, condition) if isinstance(side, MetricsOperation) else side


def _narrowed_set(node: Spanset, condition: Field) -> Spanset:
    """A set of spans with a condition on the spans that it gives; no pipelines in brackets are in front of metrics."""
    if isinstance(node, Structural):
        gives_both = node.op in LOGICAL or node.op.startswith("&")
        left = _narrowed_set(node.left, condition) if gives_both else node.left
        return Structural(node.op, left, _narrowed_set(node.right, condition))
    present = cast(Filter, node).condition
    return Filter(condition if present is None else _both(present, condition))
