"""Two tables of bottlenecks side by side: what takes more of the traces than before, and what less."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from obs_magics.display.panel import Section
from obs_magics.display.traces import grid, words
from obs_magics.display.traces.grid import Column, numbers
from obs_magics.display.traces.style import STYLE
from obs_magics.display.traces.time_spent import KEYS, names
from obs_magics.display.units import count_text, plain, round_digits

ROWS, MAX_ROWS = 12, 50
_LABEL = 30


@dataclass(frozen=True, slots=True)
class _Pair:
    """What two tables are called."""

    before: str
    after: str


def diff(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    labels: tuple[str, str] = ("before", "after"),
    title: str = "What changed",
    limit: int = ROWS,
) -> Section:
    """Set two tables of bottlenecks side by side, what changed most first.

    Args:
        before: A table of bottlenecks; see `where_time_goes`.
        after: Another one, by the same names.
        labels: What the two are called.
        title: What stands above it.
        limit: At most so many rows, fifty at most.

    Raises:
        ValueError: They are not by the same names.
    """
    keys = [key for key in KEYS if key in before.columns]
    if keys != [key for key in KEYS if key in after.columns]:
        raise ValueError("the two tables are not by the same names")
    both = _joined(before, after, keys)
    table = both.head(min(max(1, limit), MAX_ROWS))
    pair = _Pair(*(words.text(label, _LABEL) for label in labels))
    head, about = words.text(title, words.TITLE), f"{pair.before} and {pair.after}, by change of the share"
    rest = len(both) - len(table)
    under = [f"and {count_text(rest, 'more row')} that changed less"] if rest else []
    columns = _columns(table, pair)
    return Section(
        partial(grid.section_html, head, about, columns, under),
        lambda width: grid.section_text(head, about, columns, under, width),
        STYLE,
    )


def _joined(before: pd.DataFrame, after: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    kept = [*keys, "share", "average", "calls"]
    both = before[kept].merge(after[kept], on=keys, how="outer", suffixes=("_before", "_after"), sort=True)
    shares = both[["share_before", "share_after"]].fillna(0.0)
    both["change"] = shares["share_after"] - shares["share_before"]
    both = both.assign(size=both["change"].abs()).sort_values(["size", *keys], ascending=[False, *[True] * len(keys)])
    return both.reset_index(drop=True)


def _columns(table: pd.DataFrame, pair: _Pair) -> list[Column]:
    first, second = ([0.0 if pd.isna(share) else float(share) for share in table[name]] for name in _SHARES)
    said = [f"{words.percent(one)} → {words.percent(other)}" for one, other in zip(first, second, strict=True)]
    bars = ["".join(both) for both in zip(grid.bar(first, "obs-before"), grid.bar(second), strict=True)]
    averages = [
        f"{words.duration(row.average_before)} → {words.duration(row.average_after)}" for row in table.itertuples()
    ]
    return [
        *names(table),
        numbers("change", [_points(change) for change in table["change"]]),
        Column("critical path", grid.pairs(bars, said), said, "number"),
        numbers("average", averages, rank=1),
        numbers("", [_ratio(row) for row in table.itertuples()]),
        numbers(
            "calls", [f"{_count(row.calls_before)} → {_count(row.calls_after)}" for row in table.itertuples()], rank=2
        ),
    ]


_SHARES = ("share_before", "share_after")


def _points(change: float) -> str:
    """A difference of shares in percentage points: "+34 pp"."""
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    return f"{sign}{plain(abs(100 * change), 2)} pp"


def _ratio(row: Any) -> str:
    """How many times the average grew, or that there is none on one side."""
    if pd.isna(row.share_before):
        return "new"
    if pd.isna(row.share_after):
        return "gone"
    before, after = row.average_before, row.average_after
    if pd.isna(before) or pd.isna(after) or not before.value:
        return ""
    return f"{plain(round_digits(after / before, 2))}×"


def _count(value: Any) -> str:
    return words.NOTHING if pd.isna(value) else f"{int(value):,}"
