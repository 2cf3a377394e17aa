"""Which labels a range aggregation keeps, and what its parsers therefore have to find.

Source: `RangeAggregationExpr.extractor` in Loki's `pkg/logql/syntax` and `NewParserHint` in `pkg/logql/log`. It is
more than a matter of speed: a parser that is not asked for a label does not look at the line, and finds nothing wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from obs_magics.local.logql.label_filters import names_read
from obs_magics.local.logql.lines import ERROR, SUFFIX
from obs_magics.local.logql.parsers.wanted import Wanted
from obs_magics.local.logql.pipeline import labels_read
from obs_magics.syntax.logql.tree import Grouping, RangeAggregation

# A sum over these is the same whether lines are put together before or after, so only the sum's labels are needed.
_SUMMED = frozenset({"bytes_over_time", "bytes_rate", "sum_over_time", "rate", "count_over_time"})


@dataclass(frozen=True, slots=True)
class Kept:
    """The labels of a series: those of `names`, or, when `without`, all but those."""

    names: tuple[str, ...]
    without: bool

    def of(self, all_names: Iterable[str]) -> list[str]:
        """The labels that stay, of those that lines have."""
        return sorted(set(all_names) - set(self.names)) if self.without else sorted(set(self.names))


def can_push_down(outer_op: str, inner: RangeAggregation) -> bool:
    """Whether the grouping of a vector aggregation may be that of the range aggregation inside it."""
    return outer_op == "sum" and inner.op in _SUMMED and inner.grouping is None


def plan(
    node: RangeAggregation, outer: Grouping | None, check: Callable[[], None], *, pushed: bool
) -> tuple[Kept, Wanted]:
    """The labels to keep, and what parsers have to find.

    Args:
        node: The range aggregation.
        outer: The grouping of the vector aggregation around it, None for none.
        check: See `Wanted`.
        pushed: Whether `outer` (even None) is to be used.
    """
    grouping = (outer or Grouping(())) if pushed else node.grouping
    if node.op == "absent_over_time":
        grouping = Grouping(())
    no_labels = grouping is not None and not grouping.labels and not grouping.without
    without = grouping is None or grouping.without
    names = () if grouping is None else grouping.labels
    read = set(labels_read(node.range.query.stages))
    unwrap = node.range.unwrap
    if unwrap is not None:
        read |= {name for stage in unwrap.filters for name in names_read(stage)}
        if without:
            names = (*names, unwrap.label)
    kept = Kept(names, without)
    if without:
        return kept, Wanted(check=check)
    hints = read | set(names) | ({unwrap.label} if unwrap else set())
    hints |= {name.removesuffix(SUFFIX) for name in hints}
    if no_labels and not hints:
        return kept, Wanted(nothing=True, check=check)
    return kept, Wanted(frozenset(hints), ends_early=True, keeps_errors=ERROR in hints, check=check)
