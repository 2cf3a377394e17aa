"""TraceQL as a tree: what the parser gives and the evaluator takes. Names follow Tempo's `pkg/traceql`.

`at` is where a node begins in the text of the query, counted in characters from 0; it does not count for equality.

What the parser makes of the forms that have several spellings: intrinsics have their scoped name (``duration`` is
``span:duration``; `nestedSetLeft`, `nestedSetRight` and `nestedSetParent` have no other), brackets are gone where they
only group, `minInt` and `maxInt` are numbers, a `compare` has its number of values (10 where none is written),
durations behind a metrics function are seconds, and nil stands beside ``=`` and ``!=`` alone (on either side).

Arithmetic of metrics, ``100 * ({ a } | rate()) / ({ b } | rate())``, is a `MetricsOperation`: the first stage of its
pipeline, behind which second stages may stand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Scope = Literal["", "span", "resource", "parent", "event", "link", "instrumentation"]
StaticType = Literal["string", "int", "float", "bool", "duration", "status", "kind", "nil"]
FieldOp = Literal["=", "!=", "=~", "!~", ">", ">=", "<", "<=", "+", "-", "*", "/", "%", "^", "&&", "||"]
StructuralOp = Literal[
    "&&", "||",
    ">", ">>", "<", "<<", "~",
    "!>", "!>>", "!<", "!<<", "!~",
    "&>", "&>>", "&<", "&<<", "&~",
]  # fmt: skip
Aggregate = Literal["count", "avg", "min", "max", "sum"]
ScalarOp = Literal["+", "-", "*", "/", "%", "^"]
ComparisonOp = Literal["=", "!=", ">", ">=", "<", "<="]
MetricsOp = Literal["+", "-", "*", "/"]


# What stands inside braces ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Static:
    """A literal; durations are int nanoseconds, status is ok, error, unset, kind is server, client, …, nil is None."""

    type: StaticType
    value: str | int | float | bool | None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Attribute:
    """``.http.method`` (scope empty: span, then resource), ``span.x``, ``resource.x``, ``parent.x``, ``event.x``."""

    scope: Scope
    name: str
    parent: bool = False
    """Of the parent span: ``parent.span.x``."""
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """``duration``, ``name``, ``status``, ``trace:duration``, …; `name` in the scoped form (``span:duration``)."""

    name: str
    parent: bool = False
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """``left op right``."""

    op: FieldOp
    left: Field
    right: Field
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """``!x`` or ``-x``."""

    op: Literal["!", "-"]
    operand: Field
    at: int = field(default=0, compare=False)


Field: TypeAlias = Static | Attribute | Intrinsic | Operation | Unary


# Sets of spans ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filter:
    """``{ … }``; None for every span (``{}``)."""

    condition: Field | None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Structural:
    """``{ a } >> { b }``: the spans of the right side (of both for ``&…``, ``&&`` and ``||``)."""

    op: StructuralOp
    left: Spanset
    right: Spanset
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Grouped:
    """``( pipeline )`` used as a set of spans."""

    pipeline: Pipeline


Spanset: TypeAlias = Filter | Structural | Grouped


# Stages of a pipeline --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AggregateOf:
    """``avg(duration)``; `expression` is None for ``count()``."""

    function: Aggregate
    expression: Field | None = None


@dataclass(frozen=True, slots=True)
class ScalarOperation:
    """Arithmetic of aggregates and literals."""

    op: ScalarOp
    left: Scalar
    right: Scalar


Scalar: TypeAlias = AggregateOf | Static | ScalarOperation


@dataclass(frozen=True, slots=True)
class ScalarFilter:
    """``| count() > 3``, ``| avg(duration) >= 1s``."""

    op: ComparisonOp
    left: Scalar
    right: Scalar
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class By:
    """``| by(resource.service.name)``."""

    expressions: tuple[Field, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Select:
    """``| select(span.http.url, resource.k8s.pod.name)``."""

    fields: tuple[Attribute | Intrinsic, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Coalesce:
    """``| coalesce()``."""

    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Metrics:
    """``| rate() by (…)``, ``| quantile_over_time(duration, .99, .9)``, ``| compare({ … }, 10)``.

    Args:
        function: As written.
        measured: What is measured; None for `rate`, `count_over_time` and `compare`.
        parameters: Quantiles; of `compare` the number of values, start and end.
        by: What the series are grouped by.
        selection: Of `compare`: what is compared with the rest.
    """

    function: str
    measured: Attribute | Intrinsic | None = None
    parameters: tuple[float, ...] = ()
    by: tuple[Attribute | Intrinsic, ...] = ()
    selection: Filter | None = None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class SecondStage:
    """``| topk(5)``, ``| bottomk(5)``, or a comparison (``| > 0.5``) behind a metrics function."""

    op: str
    value: float
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class MetricsOperation:
    """``({ a } | rate()) / ({ b } | rate())``: arithmetic of whole metrics queries and numbers.

    Args:
        op: The operator.
        left: A metrics query (its own second stages in it), a number (durations in seconds), or another operation.
        right: The same; one of both is no number.
        at: Where it begins.
    """

    op: MetricsOp
    left: MetricsOperand
    right: MetricsOperand
    at: int = field(default=0, compare=False)


MetricsOperand: TypeAlias = "Pipeline | float | MetricsOperation"
Stage: TypeAlias = Spanset | ScalarFilter | By | Select | Coalesce | Metrics | SecondStage | MetricsOperation


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A whole query.

    Args:
        stages: The first is a set of spans; or a leading `ScalarFilter`, `By`, `Select` (of every span of a trace); or
            a `MetricsOperation`.
        hints: ``with (most_recent=true)``, in order of writing; of several clauses the last, as in Tempo.
    """

    stages: tuple[Stage, ...]
    hints: tuple[tuple[str, Static], ...] = ()

    @property
    def metrics(self) -> Metrics | None:
        """The stage that makes numbers over time of spans; None where the query finds spans, or is arithmetic."""
        return next((stage for stage in self.stages if isinstance(stage, Metrics)), None)
