"""Matchers and label filters: `level="error"`, `(status >= 500 or took > 1s) and addr = ip("10.0.0.0/8")`."""

from __future__ import annotations

from obs_magics.syntax.logql.cursor import Cursor
from obs_magics.syntax.logql.lexer import Token
from obs_magics.syntax.logql.numbers import go_float
from obs_magics.syntax.logql.regexes import regex_problem
from obs_magics.syntax.logql.tree import (
    BothFilters,
    EitherFilter,
    IpFilter,
    LabelFilter,
    Matcher,
    NumberFilter,
    StringFilter,
)

_MATCH = ("=", "=~", "!~", "!=")
_COMPARE = frozenset({"==", ">", ">=", "<", "<="})
_BINDING = {"or": 1, "and": 2}
_BARE = frozenset({",", "IDENTIFIER", "("})  # a comma, or what begins the next filter


def matcher(cursor: Cursor) -> Matcher:
    """``name="value"``.

    Raises:
        QueryError: No matcher, or its regular expression is none.
    """
    name = cursor.take("IDENTIFIER")
    sign = cursor.take(*_MATCH)
    return _matcher(cursor, name, sign, cursor.take("STRING"))


def _matcher(cursor: Cursor, name: Token, sign: Token, value: Token) -> Matcher:
    if sign.kind in {"=~", "!~"}:
        problem = regex_problem(value.value)
        if problem:
            hint = "correct the regular expression; for a literal text use = or escape it"
            raise cursor.invalid(problem, value.start, value.end, hint=hint)
    return Matcher(name.value, sign.kind, value.value, at=name.start)  # type: ignore[arg-type]


def label_filter(cursor: Cursor) -> LabelFilter:
    """Filters on labels, combined by `and`, `or`, commas, or nothing at all.

    The grammar of Loki is ambiguous here, and yacc settles it: `and` binds tighter than `or`, while a comma or a mere
    space takes everything behind it, ``a, b or c`` is ``a, (b or c)`` and ``a or b, c`` is ``a or (b, c)``.
    """
    filters, signs = [_single(cursor)], list[str]()
    while cursor.kind in _BINDING or cursor.kind in _BARE:
        cursor.one_more_term()
        sign = "," if cursor.kind in _BARE else cursor.kind
        while signs and signs[-1] != "," and sign != "," and _BINDING[signs[-1]] >= _BINDING[sign]:
            _combine(filters, signs)
        signs.append(sign)
        if cursor.kind not in {"IDENTIFIER", "("}:
            cursor.advance()
        filters.append(_single(cursor))
    while signs:
        _combine(filters, signs)
    return filters[0]


def _combine(filters: list[LabelFilter], signs: list[str]) -> None:
    """Puts the last two filters together with the last sign."""
    right, left = filters.pop(), filters.pop()
    filters.append(EitherFilter(left, right) if signs.pop() == "or" else BothFilters(left, right))


def _single(cursor: Cursor) -> LabelFilter:
    if cursor.kind == "(":
        with cursor.deeper():
            cursor.advance()
            inner = label_filter(cursor)
            cursor.take(")", expecting="")
        return inner
    if cursor.kind != "IDENTIFIER":
        raise cursor.unexpected("IDENTIFIER or (")
    name = cursor.advance()
    if cursor.kind not in _MATCH and cursor.kind not in _COMPARE:
        raise cursor.unexpected()
    sign = cursor.advance()
    if sign.kind in _MATCH and cursor.kind == "STRING":
        return StringFilter(_matcher(cursor, name, sign, cursor.advance()))
    if sign.kind in {"=~", "!~"}:
        raise cursor.unexpected("STRING")
    if sign.kind in {"=", "!="} and cursor.kind == "ip":
        return _ip_filter(cursor, name, sign)
    return _number_filter(cursor, name, sign)


def _ip_filter(cursor: Cursor, name: Token, sign: Token) -> IpFilter:
    cursor.advance()
    cursor.take("(")
    value = cursor.take("STRING").value
    cursor.take(")")
    return IpFilter(name.value, sign.kind, value, at=name.start)  # type: ignore[arg-type]


def _number_filter(cursor: Cursor, name: Token, sign: Token) -> NumberFilter:
    operator = "==" if sign.kind == "=" else sign.kind
    kind = cursor.kind
    if kind == "DURATION":
        value = cursor.advance().value / 10**9
        return NumberFilter(name.value, operator, value, "duration", at=name.start)  # type: ignore[arg-type]
    if kind == "BYTES":
        value = float(cursor.advance().value)
        return NumberFilter(name.value, operator, value, "bytes", at=name.start)  # type: ignore[arg-type]
    value = number(cursor)
    return NumberFilter(name.value, operator, value, "number", at=name.start)  # type: ignore[arg-type]


def number(cursor: Cursor) -> float:
    """``5``, ``-5``, ``+ 5``."""
    sign = -1.0 if cursor.kind == "-" else 1.0
    if cursor.kind in {"-", "+"}:
        cursor.advance()
        token = cursor.take("NUMBER")
    else:
        token = cursor.take("NUMBER", expecting="")
    value = go_float(token.value)
    if value is None:
        message = f'unable to parse literal as a float: strconv.ParseFloat: parsing "{token.value}": invalid syntax'
        cursor.later_invalid(cursor.invalid(message, token.start, token.end, hint="write it as a decimal number"))
    return sign * (value or 0.0)
