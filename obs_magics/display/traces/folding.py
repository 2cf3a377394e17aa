"""Which spans of a long trace get a row of their own, and how the others are folded together.

Shown are the bottleneck, what is on the critical path, what failed, and what took longest, in turns, each with the
spans that it hangs on as far as there is room. Of similar spans (service and operation are the same, and those of their
parents) a few stand for all. Everything else is folded: by the span that it hangs on, service and operation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, zip_longest

import numpy as np

from obs_magics.display.traces.trace import Array, Trace

MAX_ROWS = 60
_SHOWN = 36
_ALIKE, _ALIKE_FAILED = 2, 4  # of similar spans: of those that went well, of those that failed
_ABOVE = 8  # spans above one that are shown for its sake


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a waterfall.

    Args:
        spans: Whom it stands for: one span, or those that are folded together.
        depth: How far it is indented.
        alike: Whether all of them are of one service and operation.
        skipped: How many levels between it and the row above it are folded away.
    """

    spans: tuple[int, ...]
    depth: int
    alike: bool = True
    skipped: int = 0

    @property
    def span(self) -> int:
        """The first of its spans."""
        return self.spans[0]

    @property
    def folded(self) -> bool:
        """Whether it stands for several."""
        return len(self.spans) > 1


def folded(trace: Trace, most: int = MAX_ROWS) -> list[Row]:
    """The rows of a waterfall in their order, at most `most`."""
    if len(trace) <= most:
        return [Row((row,), int(trace.depth[row])) for row in trace.walk.tolist()]
    shown = _chosen(trace, most * _SHOWN // MAX_ROWS)
    anchors = _anchors(trace, shown)
    groups = _groups(trace, shown, anchors)
    ranked = sorted(groups, key=lambda key: (-_weight(trace, groups[key]), groups[key][0]))
    kept = ranked[: most - len(shown) - 1]
    rest = [span for key in ranked[len(kept) :] for span in groups[key]]
    rows = list(_ordered(trace, shown, anchors, {key: groups[key] for key in kept}))
    return [*rows, *([Row(tuple(sorted(rest)), 0, alike=len(rest) == 1)] if rest else [])]


def _chosen(trace: Trace, room: int) -> set[int]:
    shown: set[int] = set()
    alike: dict[tuple[str, ...], int] = {}
    for row in _candidates(trace):
        if len(shown) >= room:
            break
        if row in shown:
            continue
        key = _kind(trace, row)
        if alike.get(key, 0) >= (_ALIKE_FAILED if trace.failed[row] else _ALIKE):
            continue
        above = _above(trace, row, shown)
        for one in [row, *(above if len(above) < min(room - len(shown), _ABOVE) else [])]:
            shown.add(one)
            alike[_kind(trace, one)] = alike.get(_kind(trace, one), 0) + 1
    return shown


def _candidates(trace: Trace) -> Iterator[int]:
    lasted = trace.end - trace.start
    roots = np.flatnonzero(trace.parent < 0)
    first = [*roots[np.argsort(-lasted[roots], kind="stable")][:3].tolist(), trace.bottleneck]
    caused = trace.parent[trace.failed & (trace.parent >= 0)]
    origins = trace.failed.copy()
    origins[caused] = False
    by_time, by_length = (np.argsort(-values, kind="stable") for values in (trace.spent, lasted))
    critical = by_time[trace.spent[by_time] > 0]
    errors = np.concatenate([np.flatnonzero(origins), np.flatnonzero(trace.failed & ~origins)])
    turns = zip_longest(critical.tolist(), errors.tolist(), by_length.tolist())
    yield from (row for row in chain(first, chain.from_iterable(turns)) if row is not None and row >= 0)


def _kind(trace: Trace, row: int) -> tuple[str, ...]:
    """What similar spans share."""
    above = int(trace.parent[row])
    over = (trace.services[above], trace.operations[above]) if above >= 0 else ("", "")
    return *over, trace.services[row], trace.operations[row], "failed" if trace.failed[row] else ""


def _above(trace: Trace, row: int, shown: set[int]) -> list[int]:
    """The ancestors of a span up to the first that is shown."""
    found = []
    above = int(trace.parent[row])
    while above >= 0 and above not in shown:
        found.append(above)
        above = int(trace.parent[above])
    return found


def _anchors(trace: Trace, shown: set[int]) -> Array:
    """The nearest shown ancestor of each span; -1 for none."""
    anchor = np.full(len(trace), -1, dtype=np.int64)
    for row in trace.walk.tolist():
        above = int(trace.parent[row])
        anchor[row] = above if above in shown else anchor[above] if above >= 0 else -1
    return anchor


def _groups(trace: Trace, shown: set[int], anchors: Array) -> dict[tuple[int, str, str], list[int]]:
    groups: dict[tuple[int, str, str], list[int]] = {}
    for row in range(len(trace)):
        if row not in shown:
            groups.setdefault((int(anchors[row]), trace.services[row], trace.operations[row]), []).append(row)
    return groups


def _weight(trace: Trace, spans: list[int]) -> int:
    """What decides whether spans that are folded together get a row: time on the critical path before all else."""
    longest = int((trace.end[spans] - trace.start[spans]).max())
    failed = int(trace.failed[spans].any())
    return int(trace.spent[spans].sum()) * 1000 + failed * trace.length + longest


def _ordered(
    trace: Trace, shown: set[int], anchors: Array, groups: dict[tuple[int, str, str], list[int]]
) -> Iterator[Row]:
    """What is shown and what is folded, each after what it hangs on, by start."""
    below: dict[int, list[tuple[int, tuple[int, ...]]]] = {}
    for spans in [*((row,) for row in shown), *map(tuple, groups.values())]:
        below.setdefault(int(anchors[spans[0]]), []).append((int(trace.start[list(spans)].min()), spans))
    stack = [(0, one) for one in sorted(below.get(-1, []), reverse=True)]
    while stack:
        depth, (_, spans) = stack.pop()
        anchor = int(anchors[spans[0]])
        levels = int(trace.depth[spans[0]]) - (int(trace.depth[anchor]) + 1 if anchor >= 0 else 0)
        yield Row(spans, depth, skipped=levels if len(spans) == 1 else 0)
        if spans[0] in shown:
            stack += [(depth + 1, one) for one in sorted(below.get(spans[0], []), reverse=True)]
