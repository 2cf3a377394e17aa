"""Whole TraceQL trees as a hypothesis strategy: every stage, operator and type, as far as Tempo would accept them.

What the parser never makes is left out: negative numbers within braces (they are a minus and a number), brackets around
nothing but filters, several expressions in one `by`.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from obs_magics.syntax.traceql import tree
from obs_magics.syntax.traceql.words import COMPARISONS, INTRINSICS, LIMITS, RELATIONS

NAMES = ("http.status_code", "a", "x y", "span.a", 'q"q', "b\\c", "5xx", "", "ümlaut", "k8s.pod/name", "a+b", "a{b}")
REGEXES = (".+", "api|web", "5..", r"\d+\.\d", "(?i)error", "", "a`b", '"x"')
ATTRIBUTE_SCOPES = ("", "span", "resource", "event", "link", "instrumentation")
HINTS = ("sample", "most_recent", "exemplars", "x1")


def _named(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A strategy that does not show what it is made of: hypothesis refuses names of many pages."""

    @st.composite
    def part(draw: Any) -> Any:
        return draw(strategy)

    return part()


def _of_type(*types: str | None) -> list[str]:
    return sorted(name for name, kind in INTRINSICS.items() if kind in types)


texts = st.one_of(st.sampled_from(("", "error", "a b", 'say "x"', "C:\\temp", "`", "\n")), st.text(max_size=8))
attributes = st.builds(tree.Attribute, st.sampled_from(ATTRIBUTE_SCOPES), st.sampled_from(NAMES))
nanoseconds = st.one_of(st.integers(0, 10**7), st.integers(0, 10**6).map(lambda ms: ms * 10**6))

# Values and expressions by type

integers = st.one_of(st.integers(0, 100), st.integers(0, 2**63 - 1), st.just(LIMITS["minInt"]))
floats = st.floats(0, allow_nan=False, allow_infinity=False).filter(lambda value: str(value) != "-0.0")
number_values = st.one_of(
    st.builds(tree.Static, st.just("int"), integers),
    st.builds(tree.Static, st.just("float"), floats),
    st.builds(tree.Static, st.just("duration"), nanoseconds),
)
number_fields = _named(
    st.one_of(attributes, st.builds(tree.Intrinsic, st.sampled_from(_of_type("int", "duration", None))))
)
numbers = _named(
    st.recursive(
        st.one_of(number_values, number_fields),
        lambda inner: st.one_of(
            st.builds(tree.Operation, st.sampled_from("+-*/%^"), inner, inner),
            st.builds(tree.Unary, st.just("-"), inner),
        ),
        max_leaves=4,
    )
)
strings = st.builds(tree.Static, st.just("string"), texts)
string_fields = _named(st.one_of(attributes, st.builds(tree.Intrinsic, st.sampled_from(_of_type("string", None)))))
statuses = st.builds(tree.Static, st.just("status"), st.sampled_from(("ok", "error", "unset")))
kinds = st.builds(
    tree.Static,
    st.just("kind"),
    st.sampled_from(("unspecified", "internal", "server", "client", "producer", "consumer")),
)
nil = st.just(tree.Static("nil", None))
equality = st.sampled_from(("=", "!="))
orders = st.sampled_from(sorted(COMPARISONS))


def _compared(op: Any, left: Any, right: Any) -> st.SearchStrategy[tree.Operation]:
    """A comparison, either side first."""
    return st.one_of(st.builds(tree.Operation, op, left, right), st.builds(tree.Operation, op, right, left))


regexes = st.builds(
    tree.Operation,
    st.sampled_from(("=~", "!~")),
    string_fields,
    st.builds(tree.Static, st.just("string"), st.sampled_from(REGEXES)),
)
not_always_there = attributes.filter(lambda field: (field.scope, field.name) != ("resource", "service.name"))
comparisons = _named(
    st.one_of(
        _compared(orders, numbers, numbers),
        _compared(orders, string_fields, strings),
        _compared(equality, st.just(tree.Intrinsic("span:status")), statuses),
        _compared(equality, st.just(tree.Intrinsic("span:kind")), kinds),
        _compared(equality, not_always_there, nil),
        _compared(st.just("!="), string_fields, nil),
        regexes,
    )
)
conditions = _named(
    st.recursive(
        st.one_of(comparisons, attributes, st.builds(tree.Static, st.just("bool"), st.booleans())),
        lambda inner: st.one_of(
            st.builds(tree.Operation, st.sampled_from(("&&", "||", "=", "!=")), inner, inner),
            st.builds(tree.Unary, st.just("!"), inner),
            st.builds(tree.Operation, equality, inner.filter(lambda node: not isinstance(node, tree.Attribute)), nil),
        ),
        max_leaves=6,
    )
)
"""What may stand in braces."""

# Sets of spans

filters = st.builds(tree.Filter, st.one_of(st.none(), conditions))
relations = st.sampled_from(["&&", "||", *sorted(RELATIONS)])
spansets = _named(
    st.recursive(filters, lambda inner: st.builds(tree.Structural, relations, inner, inner), max_leaves=4)
)

# Stages

names = _named(
    st.one_of(
        attributes, st.builds(tree.Intrinsic, st.sampled_from(sorted(name for name in INTRINSICS if name != "parent")))
    )
)
expressions_of_spans = _named(
    st.one_of(names, st.builds(tree.Operation, st.just("+"), number_fields, numbers), comparisons)
)
signed = st.one_of(
    st.builds(tree.Static, st.just("int"), st.integers(-(2**63) + 1, 2**63 - 1)),
    st.builds(tree.Static, st.just("float"), st.floats(allow_nan=False, allow_infinity=False)),
    st.builds(tree.Static, st.just("duration"), nanoseconds),
)
aggregates = _named(
    st.one_of(
        st.just(tree.AggregateOf("count")),
        st.builds(
            tree.AggregateOf,
            st.sampled_from(("avg", "min", "max", "sum")),
            st.one_of(number_fields, st.builds(tree.Operation, st.just("*"), numbers, number_fields)),
        ),
    )
)
scalar_filters = st.builds(tree.ScalarFilter, orders, aggregates, signed)
groupings = st.builds(
    tree.By, expressions_of_spans.filter(lambda node: not _is_literal(node)).map(lambda node: (node,))
)
selections = st.builds(tree.Select, st.lists(names, min_size=1, max_size=3).map(tuple))


def _is_literal(node: Any) -> bool:
    if isinstance(node, tree.Operation):
        return _is_literal(node.left) and _is_literal(node.right)
    return _is_literal(node.operand) if isinstance(node, tree.Unary) else isinstance(node, tree.Static)


first_stages = st.one_of(spansets, spansets, scalar_filters, groupings, selections)
later_stages = st.one_of(spansets, scalar_filters, groupings, selections, st.just(tree.Coalesce()))
span_stages = _named(st.builds(lambda first, rest: (first, *rest), first_stages, st.lists(later_stages, max_size=3)))
"""Stages that begin with a set of spans, or with what works on every span."""

# Pipelines in brackets

_in_brackets = span_stages.filter(
    lambda stages: len(stages) > 1 or not isinstance(stages[0], tree.Filter | tree.Structural)
)
grouped = _named(st.builds(lambda stages: tree.Grouped(tree.Pipeline(stages)), _in_brackets))
pipeline_sets = _named(
    st.recursive(
        st.builds(tree.Structural, relations, grouped, st.one_of(grouped, spansets)),
        lambda inner: st.builds(tree.Structural, relations, inner, st.one_of(grouped, filters, inner)),
        max_leaves=3,
    )
)
"""Operators between pipelines in brackets; Tempo wants one with stages to be the first of them."""

hints = st.lists(st.tuples(st.sampled_from(HINTS), st.one_of(number_values, strings, statuses, kinds)), max_size=2).map(
    tuple
)
searches = st.builds(tree.Pipeline, st.one_of(span_stages, pipeline_sets.map(lambda node: (node,))), hints)

# Metrics

_groups = st.lists(names, max_size=4, unique=True).map(tuple)
_plain = st.builds(tree.Metrics, st.sampled_from(("rate", "count_over_time")), by=_groups)
_measured = st.builds(
    tree.Metrics,
    st.sampled_from(("min_over_time", "max_over_time", "avg_over_time", "sum_over_time", "histogram_over_time")),
    names,
    by=_groups,
)
_quantiles = st.builds(
    tree.Metrics,
    st.just("quantile_over_time"),
    names,
    st.lists(st.floats(0, 1), min_size=1, max_size=3).map(tuple),
    _groups,
)
_compare = st.builds(
    tree.Metrics,
    st.just("compare"),
    parameters=st.one_of(
        st.integers(1, 100).map(lambda values: (values,)),
        st.tuples(st.integers(1, 100), st.integers(1, 2**62), st.integers(2**62 + 1, 2**63 - 1)),
    ),
    selection=filters,
)
second_stages = st.one_of(
    st.builds(tree.SecondStage, st.sampled_from(("topk", "bottomk")), st.integers(1, 10**6).map(float)),
    st.builds(tree.SecondStage, orders, st.floats(allow_nan=False, allow_infinity=False)),
)
_chains = st.lists(second_stages, max_size=2).map(tuple)
metrics_stages = _named(
    st.one_of(
        st.builds(
            lambda stages, metrics, chain: (*stages, metrics, *chain),
            span_stages,
            st.one_of(_plain, _measured, _quantiles),
            _chains,
        ),
        st.builds(lambda stages, metrics: (*stages, metrics), span_stages, _compare),
    )
)
_operands = metrics_stages.map(tree.Pipeline)
_constants = st.floats(allow_nan=False, allow_infinity=False)
_operators = st.sampled_from("+-*/")
operations = _named(
    st.recursive(
        st.one_of(
            st.builds(tree.MetricsOperation, _operators, _operands, _operands),
            st.builds(tree.MetricsOperation, _operators, _operands, _constants),
            st.builds(tree.MetricsOperation, _operators, _constants, _operands),
        ),
        lambda inner: st.builds(tree.MetricsOperation, _operators, inner, st.one_of(inner, _operands)),
        max_leaves=2,
    )
)
metrics_queries = st.one_of(
    st.builds(tree.Pipeline, metrics_stages, hints),
    st.builds(lambda node, chain, found: tree.Pipeline((node, *chain), found), operations, _chains, hints),
)
queries = st.one_of(searches, metrics_queries)
"""Trees that Tempo would take."""
