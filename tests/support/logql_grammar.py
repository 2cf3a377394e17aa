"""Whole LogQL trees as a hypothesis strategy: every stage, aggregation and operator, as far as Loki would accept them.

What the parser never makes is left out: two numbers beside an operator (they become one), `unwrap` where it is refused.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from obs_magics.syntax.logql import tree
from obs_magics.syntax.logql.words import (
    BINDING,
    GROUPED,
    OF_LINES,
    OF_UNWRAPPED,
    SET_OPERATORS,
    VECTOR_OPS,
    WITH_PARAMETER,
)

NAMES = ("app", "level", "status", "duration", "rate", "sum", "bytes", "__error__", "trace_id", "ip", "a1")
REGEXES = (".+", "api|web", "5..", r"\d+\.\d", "(?i)error", "", "a`b", '"x"')
PATTERNS = ("<ip> - <_>", "<a> <b>", "<_> took <ms>ms", "[<x>]")
LINE_PATTERNS = ("<_> failed", "", "plain", "a <_> b <_>")
TEMPLATES = ("{{.msg}}", "{{ .a | lower }} `x`", 'plain "text"', "{{if .a}}\n{{else}}{{__line__}}{{end}}", "")
PATHS = ("a", "a.b[0]", '["x y"].z', "_")
ADDRESSES = ("10.0.0.1", "10.0.0.0/8", "10.0.0.1-10.0.0.9", "::1", "2001:db8::/32")

names = st.sampled_from(NAMES)
texts = st.one_of(st.sampled_from(("", "error", "a b", 'say "x"', "C:\\temp", "`", "\n")), st.text(max_size=8))
labels = st.lists(names, max_size=3, unique=True).map(tuple)


def _matchers(values: st.SearchStrategy[str] = texts) -> st.SearchStrategy[tree.Matcher]:
    plain = st.builds(tree.Matcher, names, st.sampled_from(("=", "!=")), values)
    regex = st.builds(tree.Matcher, names, st.sampled_from(("=~", "!~")), st.sampled_from(REGEXES))
    return st.one_of(plain, regex)


matchers = _matchers()
selecting = st.builds(tree.Matcher, names, st.just("="), texts.filter(bool))
finite = st.floats(allow_nan=False, allow_infinity=False)
nanoseconds = st.one_of(st.integers(0, 10**6), st.integers(0, 400 * 86_400_000).map(lambda ms: ms * 10**6))
compare = st.sampled_from(("==", "!=", ">", ">=", "<", "<="))
number_filters = st.one_of(
    st.builds(tree.NumberFilter, names, compare, finite),
    st.builds(tree.NumberFilter, names, compare, nanoseconds.map(lambda ns: ns / 10**9), st.just("duration")),
    st.builds(tree.NumberFilter, names, compare, st.integers(1, 2**50).map(float), st.just("bytes")),
)
ip_filters = st.builds(tree.IpFilter, names, st.sampled_from(("=", "!=")), st.sampled_from(ADDRESSES))
label_filters = st.recursive(
    st.one_of(st.builds(tree.StringFilter, matchers), number_filters, ip_filters),
    lambda inner: st.one_of(st.builds(tree.BothFilters, inner, inner), st.builds(tree.EitherFilter, inner, inner)),
    max_leaves=5,
)

plain_texts = st.builds(tree.LineText, texts)
ip_texts = st.builds(tree.LineText, st.sampled_from(ADDRESSES), st.just(True))
line_filters = st.one_of(
    st.builds(
        tree.LineFilter,
        st.sampled_from(("|=", "!=")),
        st.lists(st.one_of(plain_texts, ip_texts), min_size=1, max_size=3).map(tuple),
    ),
    st.builds(
        tree.LineFilter,
        st.sampled_from(("|~", "!~")),
        st.lists(st.builds(tree.LineText, st.sampled_from(REGEXES)), min_size=1, max_size=3).map(tuple),
    ),
    st.builds(
        tree.LineFilter,
        st.sampled_from(("|>", "!>")),
        st.lists(st.builds(tree.LineText, st.sampled_from(LINE_PATTERNS)), min_size=1, max_size=3).map(tuple),
    ),
)


def _fields(paths: tuple[str, ...]) -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    return st.lists(st.tuples(names, st.sampled_from(paths)), max_size=3).map(tuple)


def _formats() -> st.SearchStrategy[tuple[tree.Format, ...]]:
    targets = st.sampled_from([name for name in NAMES if name != "__error__"])
    one = st.one_of(
        st.builds(tree.Format, targets, template=st.sampled_from(TEMPLATES)),
        st.builds(tree.Format, targets, source=names),
    )
    return st.lists(one, min_size=1, max_size=3, unique_by=lambda part: part.name).map(tuple)


chosen = st.lists(st.one_of(names, matchers), min_size=1, max_size=3).map(tuple)
stages = st.one_of(
    line_filters,
    st.builds(tree.Json, _fields(PATHS)),
    st.builds(tree.Logfmt, _fields(("a", '"x y"')), strict=st.booleans(), keep_empty=st.booleans()),
    st.builds(tree.Regexp, st.sampled_from((r"(?P<method>\w+) /", "(?P<a>.)(?P<b>.)"))),
    st.builds(tree.Pattern, st.sampled_from(PATTERNS)),
    st.just(tree.Unpack()),
    st.just(tree.Decolorize()),
    label_filters,
    st.builds(tree.LineFormat, st.sampled_from(TEMPLATES)),
    st.builds(tree.LabelFormat, _formats()),
    st.builds(tree.Drop, chosen),
    st.builds(tree.Keep, chosen),
)


def _has_text(pipeline: list[tree.Stage]) -> bool:
    """``| drop a`` before ``!= "x"`` reads as ``| drop a!="x"``: Loki has no text for these two."""
    return not any(
        isinstance(before, tree.Drop | tree.Keep)
        and isinstance(before.labels[-1], str)
        and isinstance(stage, tree.LineFilter)
        and stage.op in {"!=", "!~"}
        for before, stage in pairwise(pipeline)
    )


log_queries = st.builds(
    lambda first, rest, pipeline: tree.LogQuery((first, *rest), tuple(pipeline)),
    selecting,
    st.lists(matchers, max_size=2),
    st.lists(stages, max_size=4).filter(_has_text),
)

unwraps = st.builds(
    tree.Unwrap,
    names,
    st.sampled_from(("", "duration", "duration_seconds", "bytes")),
    st.lists(label_filters, max_size=2).map(tuple),
)
ranges_ns = st.integers(0, 400 * 86_400_000).map(lambda ms: ms * 10**6)
offsets_ns = st.one_of(st.just(0), ranges_ns, nanoseconds.map(lambda ns: -ns), st.integers(0, 10**10))
groupings = st.builds(tree.Grouping, labels, without=st.booleans())


@st.composite
def range_aggregations(draw: Any) -> tree.RangeAggregation:
    """Every range aggregation with what it allows: `unwrap`, grouping, parameter."""
    unwrap = draw(st.one_of(st.none(), unwraps))
    name = draw(st.sampled_from(sorted(OF_LINES if unwrap is None else OF_UNWRAPPED)))
    grouping = draw(groupings) if name in GROUPED and draw(st.booleans()) else None
    parameter = draw(st.floats(0, 1)) if name == "quantile_over_time" else None
    log_range = tree.LogRange(draw(log_queries), draw(ranges_ns), draw(offsets_ns), unwrap)
    return tree.RangeAggregation(name, log_range, parameter, grouping)


@st.composite
def vector_aggregations(draw: Any, inner: st.SearchStrategy[Any]) -> tree.VectorAggregation:
    """Every aggregation with what it allows: a number of series, a grouping."""
    name = draw(st.sampled_from(sorted(VECTOR_OPS)))
    parameter = float(draw(st.integers(1, 10**6))) if name in WITH_PARAMETER else None
    takes_grouping = name not in {"approx_topk", "sort", "sort_desc"}
    grouping = draw(groupings) if takes_grouping and draw(st.booleans()) else None
    return tree.VectorAggregation(name, draw(inner), parameter, grouping)


@st.composite
def binaries(draw: Any, inner: st.SearchStrategy[Any]) -> tree.Binary:
    """Every operator with its modifiers; never two numbers."""
    op = draw(st.sampled_from(sorted(BINDING)))
    numbers = st.builds(tree.Number, st.floats(allow_nan=False))
    side = inner if op in SET_OPERATORS else st.one_of(inner, numbers)
    left, right = draw(side), draw(inner)
    if draw(st.booleans()):
        left, right = right, left
    on = draw(st.booleans())
    matching = draw(labels)
    group = draw(st.sampled_from(("", "left", "right")))
    include = draw(labels) if group else ()
    return tree.Binary(op, left, right, draw(st.booleans()), on, matching, group, include)


def _relabelled(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[tree.LabelReplace]:
    return st.builds(tree.LabelReplace, inner, names, texts, names, st.sampled_from(REGEXES))


samples = st.recursive(
    st.one_of(range_aggregations(), st.builds(tree.VectorOf, st.floats(0, allow_infinity=False))),
    lambda inner: st.one_of(vector_aggregations(inner), binaries(inner), _relabelled(inner)),
    max_leaves=4,
)
expressions = st.one_of(log_queries, samples)
"""Trees that Loki would take."""
