"""What stands inside braces and brackets: attributes, intrinsics, values, and operators between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from obs_magics.syntax.traceql.cursor import Cursor
from obs_magics.syntax.traceql.lexer import END_OF_NAME
from obs_magics.syntax.traceql.tree import (
    Attribute,
    Field,
    FieldOp,
    Filter,
    Intrinsic,
    Operation,
    Scope,
    Static,
    StaticType,
    Unary,
)
from obs_magics.syntax.traceql.words import (
    ADDING,
    BINDING,
    COMPARISONS,
    INTRINSIC_SCOPES,
    LIMITS,
    LOGICAL,
    NEGATING,
    REGEXES,
    SCOPES,
    SHORT,
    STATICS,
)

_OPERATORS = frozenset({"+", "-", "*", "/", "%", "^"}) | COMPARISONS | REGEXES | LOGICAL
_UNARY = {"-": ADDING, "!": NEGATING}
_SCOPE_KINDS = {f"{scope}.": scope for scope in SCOPES} | {".": ""}
_INTRINSIC_KINDS = {f"{scope}:": scope for scope in INTRINSIC_SCOPES}
LITERALS: Mapping[str, StaticType] = {"INTEGER": "int", "FLOAT": "float", "DURATION": "duration", "STRING": "string"}
"""What a token is the value of."""
Item = TypeVar("Item")


def spans_filter(cursor: Cursor) -> Filter:
    """``{ … }``."""
    start = cursor.take("{").start
    condition = None if cursor.kind == "}" else expression(cursor)
    cursor.take("}", expecting="")
    return cursor.noted(Filter(condition, at=start), start)


def expression(cursor: Cursor, tightest: int = 1) -> Field:
    """Operands and the operators between them that bind at least as tightly as `tightest`."""
    start = cursor.here.start
    left = _nil_first(cursor) if cursor.kind == "nil" else _operand(cursor)
    while cursor.kind in _OPERATORS and BINDING[cursor.kind] >= tightest:
        cursor.one_more_term()
        op = cast(FieldOp, cursor.advance().kind)
        if op in {"=", "!="} and cursor.kind == "nil":
            right: Field = _nil(cursor)
        else:
            right = expression(cursor, BINDING[op] + (op != "^"))
        left = cursor.noted(Operation(op, left, right, at=start), start)
    return left


def _nil_first(cursor: Cursor) -> Field:
    """``nil = x``, ``nil != x``, ``nil = nil``; it may stand nowhere else."""
    nil = _nil(cursor)
    op = cursor.take("=", "!=", expecting="= or !=").kind
    right = _nil(cursor) if cursor.kind == "nil" else expression(cursor, BINDING[op] + 1)
    return cursor.noted(Operation(cast(FieldOp, op), nil, right, at=nil.at), nil.at)


def _nil(cursor: Cursor) -> Static:
    start = cursor.take("nil").start
    return cursor.noted(Static("nil", None, at=start), start)


def _operand(cursor: Cursor) -> Field:
    kind, start = cursor.kind, cursor.here.start
    if kind == "(":
        cursor.advance()
        with cursor.deeper():
            inner = expression(cursor)
        cursor.take(")", expecting="")
        return inner
    if kind in _UNARY:
        cursor.advance()
        with cursor.deeper():
            operand = expression(cursor, _UNARY[kind] + 1)
        return cursor.noted(Unary(kind, operand, at=start), start)  # type: ignore[arg-type]
    if _is_name(kind):
        return name(cursor)
    return value(cursor)


def _is_name(kind: str) -> bool:
    return kind in _SCOPE_KINDS or kind in _INTRINSIC_KINDS or kind in SHORT


def name(cursor: Cursor) -> Attribute | Intrinsic:
    """An attribute or an intrinsic."""
    kind, start = cursor.kind, cursor.here.start
    if not _is_name(kind):
        raise cursor.unexpected()
    cursor.advance()
    if kind in SHORT:
        return cursor.noted(Intrinsic(SHORT[kind], at=start), start)
    if kind in _INTRINSIC_KINDS:
        names = INTRINSIC_SCOPES[_INTRINSIC_KINDS[kind]]
        expecting = " or ".join(names) if len(names) <= 4 else ""
        return cursor.noted(Intrinsic(kind + cursor.take(*names, expecting=expecting).kind, at=start), start)
    scope, of_parent = _SCOPE_KINDS[kind], kind == "parent."
    if of_parent:
        scope = _SCOPE_KINDS[cursor.advance().kind] if cursor.kind in _SCOPE_KINDS else ""
    word = cursor.take("IDENTIFIER").value
    cursor.take(END_OF_NAME)
    if of_parent and not scope and word in SHORT:
        return cursor.noted(Intrinsic(SHORT[word], parent=True, at=start), start)
    return cursor.noted(Attribute(cast(Scope, scope), word, parent=of_parent, at=start), start)


def value(cursor: Cursor) -> Static:
    """A literal."""
    kind, token = cursor.kind, cursor.here
    if kind in LITERALS:
        found = Static(LITERALS[kind], token.value, at=token.start)
    elif kind in STATICS:
        found = Static(*STATICS[kind], at=token.start)
    elif kind == "IDENTIFIER" and token.value in LIMITS:
        found = Static("int", LIMITS[token.value], at=token.start)
    elif kind == "IDENTIFIER":
        raise cursor.unknown_name(token)
    else:
        raise cursor.unexpected()
    cursor.advance()
    return cursor.noted(found, token.start)


def listed(cursor: Cursor, item: Callable[[Cursor], Item]) -> tuple[Item, ...]:
    """At least one, commas between, in brackets."""
    cursor.take("(")
    items = [item(cursor)]
    while cursor.accept(","):
        items.append(item(cursor))
    cursor.take(")", expecting=", or )")
    return tuple(items)
