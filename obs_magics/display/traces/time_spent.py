"""Where the time of many traces goes: services, operations or queries by their share of the critical paths."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from obs_magics.display.panel import Section
from obs_magics.display.times import nanoseconds, several_days
from obs_magics.display.traces import grid, words
from obs_magics.display.traces.grid import Column, numbers
from obs_magics.display.traces.style import STYLE
from obs_magics.display.units import count_text

ROWS, MAX_ROWS = 12, 50
KEYS = ("service", "operation", "query")
_QUERY = 400
_BAR = 10


def where_time_goes(
    bottlenecks: pd.DataFrame, *, zone: str = "UTC", title: str = "Where the time goes", limit: int = ROWS
) -> Section:
    """The rows of a table of bottlenecks with their share of all critical paths.

    Args:
        bottlenecks: As the analysis of spans makes it: `service`, perhaps `operation` or `query`, `critical`, `share`,
            `calls`, `average`, `p95`, `errors`, `since`.
        zone: IANA name of the zone in which times are written.
        title: What stands above it.
        limit: At most so many rows, fifty at most.
    """
    table = bottlenecks.head(min(max(1, limit), MAX_ROWS))
    columns = [_shares(table), *names(table), *_figures(table, zone)]
    head = words.text(title, words.TITLE)
    about = _about(bottlenecks, zone)
    under = _under(bottlenecks, len(table))
    return Section(
        partial(grid.section_html, head, about, columns, under),
        lambda width: grid.section_text(head, about, columns, under, width),
        STYLE,
    )


def names(table: pd.DataFrame) -> list[Column]:
    """What each row is about: service, operation, query, those that the table has."""
    found = []
    for key in KEYS:
        if key in table.columns:
            length = _QUERY if key == "query" else words.NAME
            html = [words.bounded(value, length) for value in table[key].astype(object)]
            if key == "query":
                html = [f'<div class="obs-query">{cell}</div>' for cell in html]
            text = [words.text(value, length) for value in table[key].astype(object)]
            found.append(Column(key, html, text, "below" if key == "query" else "name"))
    return found


def _shares(table: pd.DataFrame) -> Column:
    shares = [float(share) for share in table["share"]]
    said = [words.percent(share) for share in shares]
    text = [f"{each:>6} {grid.blocks(share, _BAR)}" for each, share in zip(said, shares, strict=True)]
    return Column("critical path", grid.pairs(grid.bar(shares), said), text)


def _figures(table: pd.DataFrame, zone: str) -> list[Column]:
    since = table["since"]
    day = _several_days(since, zone)
    return [
        numbers("in total", [words.duration(value) for value in table["critical"]], rank=3),
        numbers("calls", [f"{value:,}" for value in table["calls"]], rank=1),
        numbers("average", [words.duration(value) for value in table["average"]]),
        numbers("p95", [words.duration(value) for value in table["p95"]], rank=2),
        errors(table["errors"]),
        *([numbers("since", [words.moment(value, zone, day=day) for value in since])] if since.notna().any() else []),
    ]


def errors(counts: pd.Series[Any]) -> Column:
    """A column of counts of errors: with an icon and a colour where there are any, else a dash."""
    said = [f"{words.ERROR} {count:,}" if count else words.NOTHING for count in counts.tolist()]
    html = [f'<span class="obs-error">{each}</span>' if each != words.NOTHING else each for each in said]
    return Column("errors", html, said, "number")


def _several_days(instants: pd.Series[Any], zone: str) -> bool:
    known = nanoseconds(instants.dropna())
    return bool(len(known)) and several_days(int(known.min()), int(known.max()), zone)


def _about(table: pd.DataFrame, zone: str) -> str:
    """What the shares are of, and in which zone times are."""
    known = nanoseconds(table["since"].dropna())
    when = f"; times are of {words.day_and_zone(int(known.min()), int(known.max()), zone)}" if len(known) else ""
    return f"by share of all critical paths{when}" if len(table) else "there are no spans"


def _under(table: pd.DataFrame, shown: int) -> list[str]:
    rest = table.iloc[shown:]
    share = words.percent(float(rest["share"].sum()))
    return [f"and {count_text(len(rest), 'more row')} ({share} of the critical paths)"] if len(rest) else []
