"""Selectors and the stages of a pipeline: `{app="api"} |= "error" | json | status >= 500`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from obs_magics.syntax.logql.cursor import Cursor
from obs_magics.syntax.logql.filters import label_filter, matcher
from obs_magics.syntax.logql.patterns import pattern_problem
from obs_magics.syntax.logql.regexes import parser_problem
from obs_magics.syntax.logql.tree import (
    Decolorize,
    Drop,
    Format,
    Json,
    Keep,
    LabelFormat,
    LineFilter,
    LineFormat,
    LineText,
    Logfmt,
    LogQuery,
    Matcher,
    Pattern,
    Regexp,
    Stage,
    Unpack,
)
from obs_magics.syntax.logql.words import FLAGS

LINE_OPERATORS = frozenset({"|=", "|~", "|>", "!=", "!~", "!>"})
_POSITIVE = frozenset({"|=", "|~", "|>"})
_TEXT_FOLLOWS = "STRING or ip"


def selector(cursor: Cursor) -> LogQuery:
    """``{app="api", env!="dev"}`` without its pipeline."""
    at = cursor.take("{", expecting="").start
    matchers: list[Matcher] = []
    if not cursor.accept("}"):
        if cursor.kind != "IDENTIFIER":
            raise cursor.unexpected("IDENTIFIER or }")
        matchers.append(matcher(cursor))
        while cursor.take("}", ",", expecting="} or ,").kind == ",":
            matchers.append(matcher(cursor))
    return LogQuery(tuple(matchers), at=at)


def pipeline(cursor: Cursor) -> list[Stage]:
    """The stages that follow, as far as they go; `unwrap` is none of them and stays where it is."""
    stages: list[Stage] = []
    while cursor.kind in LINE_OPERATORS or (cursor.kind == "|" and cursor.next_kind() != "unwrap"):
        stages.append(_line_filter(cursor) if cursor.kind in LINE_OPERATORS else _piped(cursor))
    return stages


def _line_filter(cursor: Cursor) -> LineFilter:
    sign = cursor.advance()
    texts = [_line_text(cursor)]
    while cursor.accept("or"):
        texts.append(_line_text(cursor))
    return LineFilter(sign.kind, tuple(texts), at=sign.start)  # type: ignore[arg-type]


def _line_text(cursor: Cursor) -> LineText:
    if cursor.kind == "ip":
        return LineText(ip_call(cursor), is_ip=True)
    return LineText(cursor.take("STRING", expecting=_TEXT_FOLLOWS).value)


def ip_call(cursor: Cursor) -> str:
    """``ip("10.0.0.0/8")``."""
    cursor.take("ip")
    cursor.take("(")
    value = cursor.take("STRING").value
    cursor.take(")")
    return str(value)


def _piped(cursor: Cursor) -> Stage:
    bar = cursor.advance()
    stage = _STAGES.get(cursor.kind)
    if stage is not None:
        cursor.advance()
        return stage(cursor, bar.start)
    if cursor.kind not in {"IDENTIFIER", "("}:
        raise cursor.unexpected()
    return label_filter(cursor)


def _json(cursor: Cursor, at: int) -> Stage:
    return Json(_extractions(cursor) if cursor.kind == "IDENTIFIER" else (), at=at)


def _logfmt(cursor: Cursor, at: int) -> Stage:
    flags = set()
    while cursor.kind == "FUNCTION_FLAG":
        flags.add(cursor.advance().value)
    fields = _extractions(cursor) if cursor.kind == "IDENTIFIER" else ()
    strict, keep_empty = (flag in flags for flag in sorted(FLAGS, reverse=True))
    return Logfmt(fields, strict=strict, keep_empty=keep_empty, at=at)


def _extractions(cursor: Cursor) -> tuple[tuple[str, str], ...]:
    """``a, b="path"``: pairs of label and what to look up; a name alone stands for both."""
    fields = [_extraction(cursor)]
    while cursor.accept(","):
        fields.append(_extraction(cursor))
    return tuple(fields)


def _extraction(cursor: Cursor) -> tuple[str, str]:
    name = cursor.take("IDENTIFIER").value
    return name, cursor.take("STRING").value if cursor.accept("=") else name


def _regexp(cursor: Cursor, at: int) -> Stage:
    return Regexp(_checked(cursor, "regexp", parser_problem), at=at)


def _pattern(cursor: Cursor, at: int) -> Stage:
    return Pattern(_checked(cursor, "pattern", pattern_problem), at=at)


def _checked(cursor: Cursor, parser: str, problem_of: Callable[[str], tuple[str, str]]) -> str:
    token = cursor.take("STRING")
    problem, hint = problem_of(token.value)
    if problem:
        raise cursor.invalid(f"invalid {parser} parser: {problem}", token.start, token.end, hint=hint)
    return str(token.value)


def _line_format(cursor: Cursor, at: int) -> Stage:
    return LineFormat(cursor.take("STRING").value, at=at)


def _label_format(cursor: Cursor, at: int) -> Stage:
    formats = [_format(cursor, "IDENTIFIER")]
    while cursor.accept(","):
        formats.append(_format(cursor, "IDENTIFIER"))
    return LabelFormat(tuple(formats), at=at)


def _format(cursor: Cursor, expecting: str) -> Format:
    name = cursor.take("IDENTIFIER", expecting=expecting).value
    cursor.take("=")
    value = cursor.take("IDENTIFIER", "STRING")
    return Format(name, template=value.value) if value.kind == "STRING" else Format(name, source=value.value)


def _names(cursor: Cursor) -> tuple[str | Matcher, ...]:
    """``a, b="x"``: names, or names with a condition."""
    names = [_name(cursor)]
    while cursor.accept(","):
        names.append(_name(cursor))
    return tuple(names)


def _name(cursor: Cursor) -> str | Matcher:
    if cursor.kind != "IDENTIFIER":
        raise cursor.unexpected("IDENTIFIER")
    if cursor.next_kind() in {"=", "!=", "=~", "!~"}:
        return matcher(cursor)
    return str(cursor.advance().value)


_STAGES: Mapping[str, Callable[[Cursor, int], Stage]] = {
    "json": _json,
    "logfmt": _logfmt,
    "regexp": _regexp,
    "pattern": _pattern,
    "unpack": lambda _cursor, at: Unpack(at=at),
    "decolorize": lambda _cursor, at: Decolorize(at=at),
    "line_format": _line_format,
    "label_format": _label_format,
    "drop": lambda cursor, at: Drop(_names(cursor), at=at),
    "keep": lambda cursor, at: Keep(_names(cursor), at=at),
}
