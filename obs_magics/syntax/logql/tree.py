"""LogQL as a tree: what the parser gives and the evaluator takes. Names follow Loki's `pkg/logql/syntax`.

`at` is where a node begins in the text of the query, counted in characters from 0; it does not count for equality.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

MatchOp = Literal["=", "!=", "=~", "!~"]
LineOp = Literal["|=", "!=", "|~", "!~", "|>", "!>"]
CompareOp = Literal["==", "!=", ">", ">=", "<", "<="]
Conversion = Literal["", "duration", "duration_seconds", "bytes"]


@dataclass(frozen=True, slots=True)
class Matcher:
    """``app="payment-api"``; regular expressions are anchored at both ends."""

    name: str
    op: MatchOp
    value: str
    at: int = field(default=0, compare=False)


# Stages of a pipeline --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LineText:
    """One text of a line filter; `is_ip` for ``ip("10.0.0.0/8")``."""

    value: str
    is_ip: bool = False


@dataclass(frozen=True, slots=True)
class LineFilter:
    """``|= "a" or "b"``: the line holds one of the texts; for the negated operators: none of them."""

    op: LineOp
    texts: tuple[LineText, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Json:
    """``| json`` or ``| json label="path", …``: pairs of label and path; empty for all fields."""

    fields: tuple[tuple[str, str], ...] = ()
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Logfmt:
    """``| logfmt [--strict] [--keep-empty] [label="key", …]``."""

    fields: tuple[tuple[str, str], ...] = ()
    strict: bool = False
    keep_empty: bool = False
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Regexp:
    """``| regexp "…"``: named groups become labels."""

    pattern: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Pattern:
    """``| pattern "<ip> - <_> …"``."""

    pattern: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Unpack:
    """``| unpack``."""

    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Decolorize:
    """``| decolorize``."""

    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class StringFilter:
    """``level="error"``, ``path=~"/api/.+"``."""

    matcher: Matcher


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """``status >= 500``, ``took > 1s`` (value in seconds), ``size < 20KB`` (value in bytes)."""

    name: str
    op: CompareOp
    value: float
    kind: Literal["number", "duration", "bytes"] = "number"
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class IpFilter:
    """``addr = ip("10.0.0.0/8")``."""

    name: str
    op: Literal["=", "!="]
    value: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class BothFilters:
    """``a and b``, ``a, b``, ``a b``."""

    left: LabelFilter
    right: LabelFilter


@dataclass(frozen=True, slots=True)
class EitherFilter:
    """``a or b``."""

    left: LabelFilter
    right: LabelFilter


LabelFilter: TypeAlias = StringFilter | NumberFilter | IpFilter | BothFilters | EitherFilter


@dataclass(frozen=True, slots=True)
class LineFormat:
    """``| line_format "{{.msg}}"``."""

    template: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Format:
    """One part of ``label_format``: `template` filled in, or, when that is None, the label `source` renamed."""

    name: str
    template: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """``| label_format a=b, c="{{.d}}"``."""

    formats: tuple[Format, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Drop:
    """``| drop a, b="x"``: names, or names with a condition."""

    labels: tuple[str | Matcher, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Keep:
    """``| keep a, b="x"``."""

    labels: tuple[str | Matcher, ...]
    at: int = field(default=0, compare=False)


Stage: TypeAlias = (
    LineFilter
    | Json
    | Logfmt
    | Regexp
    | Pattern
    | Unpack
    | Decolorize
    | LabelFilter
    | LineFormat
    | LabelFormat
    | Drop
    | Keep
)


# Expressions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A selector and its pipeline: gives lines."""

    matchers: tuple[Matcher, ...]
    stages: tuple[Stage, ...] = ()
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Grouping:
    """``by (a, b)``, ``without (a)``."""

    labels: tuple[str, ...]
    without: bool = False


@dataclass(frozen=True, slots=True)
class Unwrap:
    """``| unwrap bytes(size)`` and the label filters behind it."""

    label: str
    conversion: Conversion = ""
    filters: tuple[LabelFilter, ...] = ()
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class LogRange:
    """``{…} | … [5m] offset 1h``; both in nanoseconds."""

    query: LogQuery
    range_ns: int
    offset_ns: int = 0
    unwrap: Unwrap | None = None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class RangeAggregation:
    """``rate(…)``, ``quantile_over_time(0.99, …) by (app)``; `op` as written."""

    op: str
    range: LogRange
    parameter: float | None = None
    grouping: Grouping | None = None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class VectorAggregation:
    """``sum by (app) (…)``, ``topk(3, …)``; `op` as written."""

    op: str
    expression: Sample
    parameter: float | None = None
    grouping: Grouping | None = None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """``a / on (app) group_left (pod) b``; `labels` are those of `on` or `ignoring`, `include` those of the group."""

    op: str
    left: Sample
    right: Sample
    returns_bool: bool = False
    on: bool = False
    labels: tuple[str, ...] = ()
    group: Literal["", "left", "right"] = ""
    include: tuple[str, ...] = ()
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """A literal."""

    value: float
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class VectorOf:
    """``vector(1)``."""

    value: float
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class LabelReplace:
    """``label_replace(v, "dst", "$1", "src", "(.*)")``."""

    expression: Sample
    target: str
    replacement: str
    source: str
    pattern: str
    at: int = field(default=0, compare=False)


Sample: TypeAlias = RangeAggregation | VectorAggregation | Binary | Number | VectorOf | LabelReplace
Expression: TypeAlias = LogQuery | Sample
