"""The words of TraceQL: operators, intrinsics, scopes, functions, and what Tempo calls them in its errors.

Kept as in Tempo's `pkg/traceql` (`lexer.go`, `expr.y`, `enum_attributes.go`).
"""

from __future__ import annotations

from collections.abc import Mapping

from obs_magics.syntax.traceql.tree import Scope, StaticType

# Longer ones are looked for first, but only what begins with a shorter one (Tempo reads character by character).
OPERATORS = frozenset(
    ", . { } ( ) = != =~ !~ > >= < <= + - / % * ^ && || ! | >> << ~ !> !< !>> !<< &~ &> &< &>> &<<".split()  # noqa: SIM905
)
SCOPES: Mapping[str, Scope] = {
    "span": "span",
    "resource": "resource",
    "parent": "parent",
    "event": "event",
    "link": "link",
    "instrumentation": "instrumentation",
}
"""What stands before the dot of an attribute."""
INTRINSIC_SCOPES: Mapping[str, tuple[str, ...]] = {
    "trace": ("duration", "rootName", "rootService", "id"),
    "span": ("duration", "name", "kind", "status", "statusMessage", "id", "parentID", "childCount"),
    "event": ("name", "timeSinceStart"),
    "link": ("traceID", "spanID"),
    "instrumentation": ("name", "version"),
}
"""What stands behind the colon of an intrinsic, by what stands before it."""
SHORT: Mapping[str, str] = {
    "duration": "span:duration",
    "name": "span:name",
    "status": "span:status",
    "statusMessage": "span:statusMessage",
    "kind": "span:kind",
    "rootName": "trace:rootName",
    "rootServiceName": "trace:rootService",
    "traceDuration": "trace:duration",
    "nestedSetLeft": "nestedSetLeft",
    "nestedSetRight": "nestedSetRight",
    "nestedSetParent": "nestedSetParent",
    "parent": "parent",
}
"""Intrinsics without a scope, and the name they have in the tree."""
SHOWN: Mapping[str, str] = {scoped: short for short, scoped in SHORT.items()}
"""What Tempo calls an intrinsic in its errors, where that is not its scoped name."""

INTRINSICS: Mapping[str, StaticType | None] = {
    **dict.fromkeys(("span:duration", "trace:duration", "event:timeSinceStart"), "duration"),
    **dict.fromkeys(("span:name", "span:statusMessage", "span:id", "span:parentID", "event:name"), "string"),
    **dict.fromkeys(("trace:id", "trace:rootName", "trace:rootService", "link:traceID", "link:spanID"), "string"),
    **dict.fromkeys(("span:childCount", "nestedSetLeft", "nestedSetRight", "nestedSetParent"), "int"),
    **dict.fromkeys(("instrumentation:name", "instrumentation:version"), None),
    "span:status": "status",
    "span:kind": "kind",
    "parent": "nil",
}
"""The type of each intrinsic; None where Tempo finds it out when it sees the value."""

STATICS: Mapping[str, tuple[StaticType, str | bool | None]] = {
    "true": ("bool", True),
    "false": ("bool", False),
    **{word: ("status", word) for word in ("ok", "error", "unset")},
    **{word: ("kind", word) for word in ("unspecified", "internal", "server", "client", "producer", "consumer")},
}
"""Words that are values; `nil` is none of them, it stands beside ``=`` and ``!=`` alone."""
LIMITS: Mapping[str, int] = {"minInt": -(2**63), "maxInt": 2**63 - 1}
"""Names that are numbers."""

AGGREGATES = frozenset({"count", "avg", "min", "max", "sum"})
OF_NOTHING = frozenset({"rate", "count_over_time"})
OF_ONE = frozenset(
    {"min_over_time", "max_over_time", "avg_over_time", "sum_over_time", "histogram_over_time", "quantile_over_time"}
)
METRICS = OF_NOTHING | OF_ONE | {"compare"}
SECOND_STAGES = frozenset({"topk", "bottomk"})
STAGES = frozenset({"by", "coalesce", "select", "with"})
FEWER_GROUPS = frozenset({"avg_over_time", "histogram_over_time", "quantile_over_time"})
"""Metrics functions that need one of the five labels themselves."""
MAX_GROUPS = 5

# Words of the language; `id`, `version` … are such everywhere, not behind a colon alone.
WORDS = (
    frozenset(SHORT)
    | {name for names in INTRINSIC_SCOPES.values() for name in names}
    | frozenset(STATICS)
    | {"nil"}
    | AGGREGATES
    | METRICS
    | SECOND_STAGES
    | STAGES
)

COMPARISONS = frozenset({"=", "!=", ">", ">=", "<", "<="})
REGEXES = frozenset({"=~", "!~"})
LOGICAL = frozenset({"&&", "||"})
RELATIONS = frozenset("> >> < << ~ !> !>> !< !<< !~ &> &>> &< &<< &~".split())  # noqa: SIM905
"""Structural operators between sets of spans; ``!~`` is "no sibling" there."""

ADDING, NEGATING = 3, 4
BINDING: Mapping[str, int] = {
    **dict.fromkeys(LOGICAL, 1),
    **dict.fromkeys(COMPARISONS | REGEXES | RELATIONS, 2),
    **dict.fromkeys(("+", "-"), ADDING),
    **dict.fromkeys(("*", "/", "%"), NEGATING + 1),
    "^": NEGATING + 2,
}
"""How tightly a binary operator binds (``!`` as `NEGATING`, unary minus as `ADDING`); ``&&`` and ``||`` alike.

All group from the left but ``^``.
"""
