"""A tree as LogQL text: canonical, and read back as the same tree."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from obs_magics.syntax.logql.strings import quote
from obs_magics.syntax.logql.tree import (
    Binary,
    BothFilters,
    Decolorize,
    Drop,
    EitherFilter,
    Expression,
    Grouping,
    IpFilter,
    Json,
    Keep,
    LabelFilter,
    LabelFormat,
    LabelReplace,
    LineFilter,
    LineFormat,
    Logfmt,
    LogQuery,
    LogRange,
    Matcher,
    Number,
    NumberFilter,
    Pattern,
    RangeAggregation,
    Regexp,
    Stage,
    StringFilter,
    Unpack,
    Unwrap,
    VectorAggregation,
    VectorOf,
)
from obs_magics.syntax.logql.units import written_duration
from obs_magics.syntax.logql.words import BINDING

Quote = Callable[[str], str]


def write(expression: Expression) -> str:
    """A query as text; `parse` reads the same tree from it.

    The one tree that has no text of its own, ``drop a`` before the line filter ``!= "x"``, is written with another line
    filter between them that holds for every line.

    >>> from obs_magics.syntax.logql import parse
    >>> write(parse("sum(rate({a='b'}[60s]))".replace("'", '"')))
    'sum(rate({a="b"}[1m]))'
    """
    return str(_EXPRESSIONS[type(expression)](expression))


def write_stage(stage: Stage, quoted: Quote = quote) -> str:
    """One stage, with the bar or the operator in front of it.

    Args:
        stage: The stage.
        quoted: How to write strings.
    """
    if isinstance(stage, LineFilter):
        texts = (f"ip({quoted(text.value)})" if text.is_ip else quoted(text.value) for text in stage.texts)
        return f"{stage.op} {' or '.join(texts)}"
    if isinstance(stage, StringFilter | NumberFilter | IpFilter | BothFilters | EitherFilter):
        return f"| {_label_filter(stage, quoted)}"
    return f"| {_STAGES[type(stage)](stage, quoted)}".rstrip()


def _matcher(matcher: Matcher, quoted: Quote = quote) -> str:
    return f"{matcher.name}{matcher.op}{quoted(matcher.value)}"


# Stages


def _fields(fields: Iterable[tuple[str, str]], quoted: Quote) -> str:
    return ", ".join(f"{label}={quoted(path)}" for label, path in fields)


def _logfmt(stage: Logfmt, quoted: Quote) -> str:
    flags = [flag for flag, is_set in (("--strict", stage.strict), ("--keep-empty", stage.keep_empty)) if is_set]
    return " ".join(["logfmt", *flags, _fields(stage.fields, quoted)])


def _label_format(stage: LabelFormat, quoted: Quote) -> str:
    parts = (f"{part.name}={part.source if part.template is None else quoted(part.template)}" for part in stage.formats)
    return f"label_format {', '.join(parts)}"


def _names(labels: Iterable[str | Matcher], quoted: Quote) -> str:
    return ", ".join(label if isinstance(label, str) else _matcher(label, quoted) for label in labels)


_STAGES: Mapping[type[Any], Callable[[Any, Quote], str]] = {
    Json: lambda stage, quoted: f"json {_fields(stage.fields, quoted)}",
    Logfmt: _logfmt,
    Regexp: lambda stage, quoted: f"regexp {quoted(stage.pattern)}",
    Pattern: lambda stage, quoted: f"pattern {quoted(stage.pattern)}",
    Unpack: lambda _stage, _quoted: "unpack",
    Decolorize: lambda _stage, _quoted: "decolorize",
    LineFormat: lambda stage, quoted: f"line_format {quoted(stage.template)}",
    LabelFormat: _label_format,
    Drop: lambda stage, quoted: f"drop {_names(stage.labels, quoted)}",
    Keep: lambda stage, quoted: f"keep {_names(stage.labels, quoted)}",
}


# Label filters


def _label_filter(item: LabelFilter, quoted: Quote) -> str:
    if isinstance(item, StringFilter):
        return _matcher(item.matcher, quoted)
    if isinstance(item, NumberFilter):
        return f"{item.name} {item.op} {_measured(item)}"
    if isinstance(item, IpFilter):
        return f"{item.name} {item.op} ip({quoted(item.value)})"
    if isinstance(item, BothFilters) and isinstance(item.right, BothFilters):  # a comma takes all that follows
        return f"{_bracketed(item.left, quoted)}, {_label_filter(item.right, quoted)}"
    word, is_and = ("and", True) if isinstance(item, BothFilters) else ("or", False)
    left = _bracketed(item.left, quoted, unless=_binds_left(item.left, is_and=is_and))
    right = _bracketed(item.right, quoted, unless=not is_and and _binds_left(item.right, is_and=True))
    return f"{left} {word} {right}"


def _bracketed(item: LabelFilter, quoted: Quote, *, unless: bool = False) -> str:
    text = _label_filter(item, quoted)
    return f"({text})" if isinstance(item, BothFilters | EitherFilter) and not unless else text


def _binds_left(item: LabelFilter, *, is_and: bool) -> bool:
    """Whether a filter keeps its parts together in front of an `and` (or an `or`) without brackets."""
    if isinstance(item, BothFilters):
        return not isinstance(item.right, BothFilters)
    return not is_and


def _measured(item: NumberFilter) -> str:
    if item.kind == "duration":
        return written_duration(round(item.value * 10**9))
    return f"{int(item.value)}B" if item.kind == "bytes" else _number(item.value)


# Expressions


def _log_query(query: LogQuery) -> str:
    selector = "{" + ", ".join(map(_matcher, query.matchers)) + "}"
    parts = [selector]
    for before, stage in zip((None, *query.stages), query.stages, strict=False):
        if _would_be_read_as_one(before, stage):
            parts.append('|= ""')  # holds for every line
        parts.append(write_stage(stage))
    return " ".join(parts)


def _would_be_read_as_one(before: Stage | None, stage: Stage) -> bool:
    """``| drop a`` and ``!= "x"`` side by side are ``| drop a!="x"`` to Loki."""
    ends_with_name = isinstance(before, Drop | Keep) and isinstance(before.labels[-1], str)
    return ends_with_name and isinstance(stage, LineFilter) and stage.op in {"!=", "!~"}


def _range(log_range: LogRange) -> str:
    parts = [_log_query(log_range.query)]
    if log_range.unwrap is not None:
        parts.append(_unwrap(log_range.unwrap))
    is_bare = len(parts) == 1 and not log_range.query.stages
    text = " ".join(parts) + ("" if is_bare else " ") + f"[{written_duration(log_range.range_ns)}]"
    return f"{text} offset {written_duration(log_range.offset_ns)}" if log_range.offset_ns else text


def _unwrap(unwrap: Unwrap) -> str:
    label = f"{unwrap.conversion}({unwrap.label})" if unwrap.conversion else unwrap.label
    return " ".join([f"| unwrap {label}", *map(write_stage, unwrap.filters)])


def _grouping(grouping: Grouping | None) -> str:
    if grouping is None:
        return ""
    return f" {'without' if grouping.without else 'by'} ({', '.join(grouping.labels)})"


def _range_aggregation(found: RangeAggregation) -> str:
    parameter = "" if found.parameter is None else f"{_number(found.parameter)}, "
    return f"{found.op}({parameter}{_range(found.range)}){_grouping(found.grouping)}"


def _vector_aggregation(found: VectorAggregation) -> str:
    parameter = "" if found.parameter is None else f"{_number(found.parameter)}, "
    gap = " " if found.grouping is not None else ""
    return f"{found.op}{_grouping(found.grouping)}{gap}({parameter}{write(found.expression)})"


def _label_replace(found: LabelReplace) -> str:
    texts = (found.target, found.replacement, found.source, found.pattern)
    return f"label_replace({write(found.expression)}, {', '.join(map(quote, texts))})"


def _binary(found: Binary) -> str:
    left, right = _side(found, found.left, is_left=True), _side(found, found.right, is_left=False)
    return f"{left} {found.op}{_modifiers(found)} {right}"


def _side(found: Binary, side: Expression, *, is_left: bool) -> str:
    """An operand, in brackets where it would fall apart without them."""
    if not isinstance(side, Binary):
        return write(side)
    binding, own = BINDING[side.op], BINDING[found.op]
    holds = binding > own or (binding == own and is_left != (found.op == "^"))
    return write(side) if holds else f"({write(side)})"


def _modifiers(found: Binary) -> str:
    text = " bool" if found.returns_bool else ""
    if found.on or found.labels or found.group:
        text += f" {'on' if found.on else 'ignoring'} ({', '.join(found.labels)})"
    if found.group:
        text += f" group_{found.group} ({', '.join(found.include)})"
    return text


def _number(value: float) -> str:
    """A number; what has no literal is written as a calculation that gives it."""
    if math.isnan(value):
        return "(0 / 0)"
    if math.isinf(value):
        return "(1e308 * 10)" if value > 0 else "(-1e308 * 10)"
    return str(int(value)) if value.is_integer() and 0 < abs(value) < 1e15 else repr(value)


_EXPRESSIONS: Mapping[type[Any], Callable[[Any], str]] = {
    LogQuery: _log_query,
    RangeAggregation: _range_aggregation,
    VectorAggregation: _vector_aggregation,
    Binary: _binary,
    LabelReplace: _label_replace,
    Number: lambda found: _number(found.value),
    VectorOf: lambda found: f"vector({_number(found.value)})",
}
