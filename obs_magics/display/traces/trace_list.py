"""The list of traces: the slowest first, with their ids to be copied."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pandas as pd

from obs_magics.display import markup
from obs_magics.display.panel import Section
from obs_magics.display.times import nanoseconds, several_days, stamp
from obs_magics.display.traces import grid, words
from obs_magics.display.traces.grid import Column, numbers
from obs_magics.display.traces.style import STYLE
from obs_magics.display.traces.time_spent import errors
from obs_magics.display.units import count_text

ROWS, MAX_ROWS = 20, 100


def trace_list(traces: pd.DataFrame, *, zone: str = "UTC", title: str = "Slowest traces", limit: int = ROWS) -> Section:
    """The slowest traces of a table of them.

    Args:
        traces: As the analysis of spans makes it: `trace_id`, `service`, `operation`, `start`, `duration`, `spans`,
            `services`, `errors`, one row a trace, in any order.
        zone: IANA name of the zone in which times are written; the list names it.
        title: What stands above it.
        limit: At most so many, a hundred at most.
    """
    ordered = traces.sort_values(["duration", "start", "trace_id"], ascending=[False, True, True], kind="stable")
    table = ordered.head(min(max(1, limit), MAX_ROWS))
    head, about = words.text(title, words.TITLE), _about(table, len(traces), zone)
    columns = _columns(table, zone)
    return Section(
        partial(grid.section_html, head, about, columns),
        lambda width: grid.section_text(head, about, columns, (), width),
        STYLE,
    )


def _about(table: pd.DataFrame, total: int, zone: str) -> str:
    if not total:
        return "there are no traces"
    start = nanoseconds(table["start"])
    when = words.day_and_zone(int(start.min()), int(start.max()), zone)
    return f"{len(table):,} of {count_text(total, 'trace')}; times are of {when}"


def _columns(table: pd.DataFrame, zone: str) -> list[Column]:
    start = nanoseconds(table["start"])
    day = bool(len(start)) and several_days(int(start.min()), int(start.max()), zone)
    lasted = [words.duration(value) for value in table["duration"]]
    shares = (table["duration"] / table["duration"].max()).fillna(0.0).tolist() if len(table) else []
    ids = [str(value) for value in table["trace_id"]]
    return [
        numbers("time", [stamp(ns, zone, day=day) for ns in start.tolist()]),
        Column("duration", grid.pairs(grid.bar(shares), lasted), lasted, "number"),
        _root(table),
        numbers("spans", [f"{value:,}" for value in table["spans"]], rank=1),
        numbers("services", [f"{value:,}" for value in table["services"]], rank=2),
        replace(errors(table["errors"]), rank=3),
        Column("trace", [words.trace_id(one) for one in ids], [words.text(one) for one in ids]),
    ]


def _root(table: pd.DataFrame) -> Column:
    """Service and operation of the first root; in a terminal, where the column of errors may give way, with a mark."""
    columns = (table["service"].astype(object), table["operation"].astype(object), table["errors"] > 0)
    rows = list(zip(*columns, strict=True))
    html = [f"{markup.element('strong', words.bounded(name))} {words.bounded(what)}" for name, what, _ in rows]
    marks = [f"{words.ERROR} " if failed else "" for _, _, failed in rows]
    text = [f"{mark}{words.text(name)} {words.text(what)}" for mark, (name, what, _) in zip(marks, rows, strict=True)]
    return Column("root", html, text, "name")
