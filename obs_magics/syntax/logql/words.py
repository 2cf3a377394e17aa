"""The words of LogQL: which are reserved, which are functions, and what Loki calls them in its errors.

Kept as in Loki's `pkg/logql/syntax/lex.go`: reserved words are the grammar's wherever they stand, functions only where
a bracket or a grouping follows, so that a label may be called `rate` or `duration` but not `json` or `by`.
"""

from __future__ import annotations

from collections.abc import Mapping

OPERATORS = frozenset(
    ", . { } = != =~ !~ !> |= |~ |> | ( ) [ ] + - * / % ^ == > >= < <=".split()  # noqa: SIM905
)
RESERVED = frozenset(
    """
    unwrap by without bool label_replace offset on ignoring group_left group_right or and unless json regexp logfmt
    unpack pattern label_format line_format ip decolorize drop keep variants of
    """.split()  # noqa: SIM905
)
RANGE_OPS = frozenset(
    """
    count_over_time rate rate_counter bytes_over_time bytes_rate avg_over_time sum_over_time min_over_time
    max_over_time stdvar_over_time stddev_over_time quantile_over_time first_over_time last_over_time
    absent_over_time
    """.split()  # noqa: SIM905
)
VECTOR_OPS = frozenset(
    "sum avg count max min stddev stdvar bottomk topk sort sort_desc approx_topk".split()  # noqa: SIM905
)
WITH_PARAMETER = frozenset({"bottomk", "topk", "approx_topk"})
CONVERSIONS = frozenset({"bytes", "duration", "duration_seconds"})
STAGES = frozenset(
    """
    json logfmt regexp pattern unpack line_format label_format decolorize drop keep unwrap
    """.split()  # noqa: SIM905
)
FLAGS = frozenset({"--strict", "--keep-empty"})
FUNCTIONS = RANGE_OPS | VECTOR_OPS | CONVERSIONS | {"vector", "label_replace", "ip"}
"""What is a function where a bracket (or `by`, `without` with one) follows, and a plain name elsewhere."""

# What Loki calls a function in its errors; its own name where the word is in its table of reserved words too.
SHOWN: Mapping[str, str] = {
    **{name: name.upper() for name in FUNCTIONS - RESERVED},
    **{name: f"{name.upper()}_CONV" for name in CONVERSIONS},
}

GROUPED = frozenset(
    """
    avg_over_time stddev_over_time stdvar_over_time quantile_over_time max_over_time min_over_time first_over_time
    last_over_time
    """.split()  # noqa: SIM905
)
"""Range aggregations that take `by` and `without`."""
OF_UNWRAPPED = frozenset(
    """
    avg_over_time sum_over_time max_over_time min_over_time stddev_over_time stdvar_over_time quantile_over_time rate
    rate_counter absent_over_time first_over_time last_over_time
    """.split()  # noqa: SIM905
)
OF_LINES = frozenset("bytes_over_time bytes_rate count_over_time rate absent_over_time".split())  # noqa: SIM905

COMPARISONS = frozenset({"==", "!=", ">", ">=", "<", "<="})
SET_OPERATORS = frozenset({"or", "and", "unless"})
BINDING: Mapping[str, int] = {
    "or": 1,
    **dict.fromkeys(("and", "unless"), 2),
    **dict.fromkeys(COMPARISONS, 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%"), 5),
    "^": 6,
}
"""How tightly a binary operator binds; `^` groups from the right, the others from the left."""
