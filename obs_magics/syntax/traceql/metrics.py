"""Numbers over time: metrics functions, what may stand behind them, and hints."""

from __future__ import annotations

from obs_magics.syntax.traceql.cursor import Cursor
from obs_magics.syntax.traceql.fields import LITERALS, listed, name, spans_filter, value
from obs_magics.syntax.traceql.tree import Attribute, Intrinsic, Metrics, SecondStage, Static
from obs_magics.syntax.traceql.words import COMPARISONS, METRICS, OF_NOTHING, SECOND_STAGES

DEFAULT_VALUES = 10
"""How many values `compare` gives of each attribute."""
_NANOSECONDS = 10**9


def metrics(cursor: Cursor) -> Metrics:
    """``rate() by (…)``, ``quantile_over_time(duration, .9)``, ``compare({ … }, 10)``."""
    token = cursor.take(*METRICS, expecting="")
    if token.kind == "compare":
        return _compare(cursor, token.start)
    cursor.take("(")
    measured: Attribute | Intrinsic | None = None
    parameters: list[float] = []
    if token.kind not in OF_NOTHING:
        measured = name(cursor)
    while token.kind == "quantile_over_time" and (not parameters or cursor.kind == ","):
        cursor.take(",")
        parameters.append(float(cursor.take("INTEGER", "FLOAT", expecting="FLOAT or INTEGER").value))
    cursor.take(")")
    by = listed(cursor, name) if cursor.accept("by") else ()
    return cursor.noted(Metrics(token.kind, measured, tuple(parameters), by, at=token.start), token.start)


def _compare(cursor: Cursor, start: int) -> Metrics:
    cursor.take("(")
    selection = spans_filter(cursor)
    numbers = [cursor.take("INTEGER").value] if cursor.accept(",") else [DEFAULT_VALUES]
    if cursor.accept(","):
        numbers.append(cursor.take("INTEGER").value)
        cursor.take(",")
        numbers.append(cursor.take("INTEGER").value)
    cursor.take(")", expecting=") or ,")
    return cursor.noted(Metrics("compare", None, tuple(numbers), (), selection, at=start), start)


def second_stages(cursor: Cursor) -> tuple[SecondStage, ...]:
    """``| topk(5)``, ``> 0.5``, in any order and number."""
    stages = []
    while cursor.kind in COMPARISONS or cursor.kind == "|":
        stages.append(_second_stage(cursor))
    return tuple(stages)


def _second_stage(cursor: Cursor) -> SecondStage:
    start = cursor.here.start
    if cursor.kind in COMPARISONS:
        op = cursor.advance().kind
        return cursor.noted(SecondStage(op, seconds_of(number(cursor)), at=start), start)
    cursor.advance()
    function = cursor.take(*sorted(SECOND_STAGES), expecting="topk or bottomk")
    cursor.take("(")
    limit = float(cursor.take("INTEGER").value)
    cursor.take(")")
    return cursor.noted(SecondStage(function.kind, limit, at=function.start), function.start)


def number(cursor: Cursor) -> Static:
    """A number or a duration, with a minus or without."""
    start = cursor.here.start
    is_negative = cursor.accept("-")
    token = cursor.take("INTEGER", "FLOAT", "DURATION", expecting="INTEGER or FLOAT or DURATION" if is_negative else "")
    found = -token.value if is_negative else token.value
    return cursor.noted(Static(LITERALS[token.kind], found, at=start), start)


def seconds_of(found: Static) -> float:
    """What a literal beside a metric means: durations are seconds."""
    assert isinstance(found.value, int | float)  # noqa: S101 - the grammar has taken a number
    return found.value / _NANOSECONDS if found.type == "duration" else float(found.value)


def hints(cursor: Cursor) -> tuple[tuple[str, Static], ...]:
    """``with (sample=true, exemplars=5)``; of several clauses the last counts, as in Tempo."""
    found: tuple[tuple[str, Static], ...] = ()
    while cursor.accept("with"):
        found = listed(cursor, _hint)
    return found


def _hint(cursor: Cursor) -> tuple[str, Static]:
    word = str(cursor.take("IDENTIFIER").value)
    cursor.take("=")
    return word, value(cursor)
