"""Filters on labels: texts, numbers, durations, sizes, addresses, and their combinations.

Source: Loki's `pkg/logql/log/label_filter.go`. A value that is no number sets `__error__` and keeps the line; a line
without the label is left out, except that for texts a missing label counts as an empty one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.local.logql.addresses import address_test
from obs_magics.local.logql.conversions import Conversion, number, seconds, size
from obs_magics.local.logql.lines import Array, Lines
from obs_magics.local.logs.column import Column
from obs_magics.local.promql.match import anchored
from obs_magics.syntax.logql.tree import (
    BothFilters,
    EitherFilter,
    IpFilter,
    LabelFilter,
    Matcher,
    NumberFilter,
    StringFilter,
)

LABEL_FILTERS = (StringFilter, NumberFilter, IpFilter, BothFilters, EitherFilter)
FILTER_ERROR = "LabelFilterErr"

_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_KINDS: Mapping[str, Conversion] = {"number": number, "duration": seconds, "bytes": size}


def filter_labels(stage: LabelFilter, lines: Lines) -> Lines:
    """Keep the lines that fulfil a filter; those whose value cannot be read are kept with an error."""
    lines, mask = _decide(stage, lines, np.ones(len(lines), bool))
    return lines.keep(mask)


def _of_text(matcher: Matcher, lines: Lines) -> Array:
    """bool: which lines have a text that fulfils; patterns are RE2 and match the whole value.

    Raises:
        QueryError: The pattern is not RE2.
    """
    column = lines.label(matcher.name)
    negated = matcher.op in {"!=", "!~"}
    if matcher.op in {"=", "!="}:
        equal = column.spread(pc.equal(column.values, matcher.value), missing=not matcher.value)
        return _negated(equal, negated)
    # a dot stops at line ends here, while it does not in a stream selector
    pattern = anchored(matcher.value, dot_matches_newline=False)
    fits = pc.match_substring_regex(column.values, f"\\A(?:{matcher.value})\\z")
    return _negated(column.spread(fits, missing=pattern.fullmatch("") is not None), negated)


def _negated(mask: Array, negated: bool) -> Array:
    return ~mask if negated else mask


def _decide(stage: LabelFilter, lines: Lines, asked: Array) -> tuple[Lines, Array]:
    """The lines with new errors, and which of them fulfil the filter; errors only where it is `asked`."""
    if isinstance(stage, BothFilters):
        lines, left = _decide(stage.left, lines, asked)
        lines, right = _decide(stage.right, lines, asked)
        return lines, left & right
    if isinstance(stage, EitherFilter):
        lines, left = _decide(stage.left, lines, asked)
        lines, right = _decide(stage.right, lines, asked & ~left)
        return lines, left | right
    if isinstance(stage, StringFilter):
        return lines, _of_text(stage.matcher, lines)
    return _of_address(stage, lines) if isinstance(stage, IpFilter) else _of_number(stage, lines, asked)


def _of_address(stage: IpFilter, lines: Lines) -> tuple[Lines, Array]:
    test = address_test(stage.value)
    column = lines.label(stage.name)
    mask = column.mask(lambda value: test(value) == (stage.op == "="), missing=False)
    return lines, mask | lines.failed()  # only texts can leave out a line with an error


def _of_number(stage: NumberFilter, lines: Lines, asked: Array) -> tuple[Lines, Array]:
    column = lines.label(stage.name)
    values, wrong, details = converted(column, _KINDS[stage.kind])
    mask = _COMPARE[stage.op](values, stage.value) & column.present
    fresh = wrong & asked & ~lines.failed()  # the first error is the more useful one
    return lines.fail(FILTER_ERROR, details, fresh), mask | wrong


def converted(column: Column, conversion: Conversion) -> tuple[Array, Array, Column]:
    """A label's values as numbers: float64, which could not be read (bool), and why."""
    column = column.compact() if len(column.values) > len(column) else column
    numbers = np.zeros(len(column.values) + 1)
    said: list[str | None] = []
    for place, text in enumerate(column.texts()):
        try:
            numbers[place] = conversion(text)
            said.append(None)
        except ValueError as problem:
            said.append(str(problem))
    bad = np.asarray([*(why is not None for why in said), False], bool)
    if not bad.any():
        return numbers[column.codes], bad[column.codes], Column.missing(len(column))
    reasons = Column.of(pa.array(said, pa.large_string()))
    details = Column(np.append(reasons.codes, np.int32(-1))[column.codes].astype(np.int32), reasons.values)
    return numbers[column.codes], bad[column.codes], details


def names_read(stage: LabelFilter) -> Iterator[str]:
    """The labels that a filter looks at."""
    if isinstance(stage, BothFilters | EitherFilter):
        yield from names_read(stage.left)
        yield from names_read(stage.right)
    else:
        yield stage.matcher.name if isinstance(stage, StringFilter) else stage.name
