"""The evidence of a postmortem: each number with its rows once, each query with the times it was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd

from obs_magics.display import markup
from obs_magics.display.document import Block, Paragraph, Piece
from obs_magics.display.inline import inline
from obs_magics.display.panel import Section
from obs_magics.display.root_cause import Refer
from obs_magics.display.table import Table
from obs_magics.display.times import clock, days_and_zone, several_days
from obs_magics.display.traces import grid
from obs_magics.display.traces.grid import Column
from obs_magics.display.traces.style import STYLE
from obs_magics.display.units import format_value
from obs_magics.display.visible import short
from obs_magics.incident.investigate import Investigation
from obs_magics.model.provenance import Provenance
from obs_magics.model.root_cause import Evidence, RootCauseReport

_CLAIM, _ROWS, _QUERY, _SOURCE = 300, 300, 1500, 60
_HOW = (
    "Each number is computed from the rows of a frame that the investigation keeps (metrics, logs, spans, events);"
    " the last column selects them with DataFrame.query. %obs_report --check computes all of them again."
)
_Numbered = dict[tuple[str, str, str], list[str]]


def evidence_blocks(found: Investigation, zone: str) -> list[Block]:
    """Numbers that anyone can compute again, and what was asked of which source.

    Args:
        found: What was found.
        zone: IANA name of the zone in which times are written.
    """
    numbered = _numbered(found.report)
    rows = [
        (f"E{place}", ", ".join(dict.fromkeys(factors)), *cells)
        for place, (cells, factors) in enumerate(numbered.items(), 1)
    ]
    numbers = Table(
        ["ref", "factor", "claim", "number", "frame and rows"],
        rows,
        caption="Numbers that anyone can compute again",
        empty="there are none",
        anchors=[row[0] for row in rows],
    )
    how: list[Block] = [Paragraph(_HOW)] if rows else []
    return [*how, numbers, _asked(found.enriched.questions, zone)]


def references(report: RootCauseReport) -> Refer:
    """Where in the table of numbers a piece of evidence stands: "E3"."""
    places = {cells: f"E{place}" for place, cells in enumerate(_numbered(report), 1)}
    return lambda one: places.get(_cells(one), "")


def _numbered(report: RootCauseReport) -> _Numbered:
    """The cells of each number, with the factors that it speaks for."""
    factors: _Numbered = {}
    for place, factor in enumerate(report.factors, 1):
        for one in factor.evidence:
            factors.setdefault(_cells(one), []).append(str(place))
    return factors


def _cells(one: Evidence) -> tuple[str, str, str]:
    value = "" if one.statistic == "instant" else format_value(one.value, one.unit)
    return short(one.claim, _CLAIM), value, f"{one.statistic} of {one.frame}: {short(one.query, _ROWS)}"


def _asked(questions: Sequence[Provenance], zone: str) -> Block:
    """A row for each query, with how often it was asked, and the time that it was asked for in all."""
    spans: dict[tuple[str, str, str], list[Provenance]] = {}
    for one in questions:
        key = (one.source, one.signal, short(one.native_query or "everything", _QUERY))
        spans.setdefault(key, []).append(one)
    every = [edge for told in spans.values() for one in told for edge in (_ns(one.start), _ns(one.end))]
    day = bool(every) and several_days(min(every), max(every), zone)
    rows = [(*key, *_extent(told, zone, day=day), len(told)) for key, told in spans.items()]
    about = days_and_zone(min(every), max(every), zone) if every else ""
    columns = ["source", "signal", "query", "from", "until", "times"]
    caption = f"What was asked: {about}" if about else "What was asked"
    plain = Table(columns, rows, caption=caption, empty="nothing")
    return Piece(_queries(rows, [told[-1].link for told in spans.values()], about), (plain,)) if rows else plain


def _queries(rows: Sequence[tuple[str, str, str, str, str, int]], links: Sequence[str], about: str) -> Section:
    """The same with queries as code; one that a platform can open is a link to it."""
    sources, signals, queries, starts, ends, times = (list(cells) for cells in zip(*rows, strict=True))
    asked = [_code(str(query), link) for query, link in zip(queries, links, strict=True)]
    columns = [
        Column("source", [inline(str(one), _SOURCE).html for one in sources], [str(one) for one in sources]),
        Column("signal", [markup.text(str(one)) for one in signals], [str(one) for one in signals]),
        Column("query", asked, [str(one) for one in queries], "name"),
        grid.numbers("from", [str(one) for one in starts]),
        grid.numbers("until", [str(one) for one in ends]),
        grid.numbers("times", [str(one) for one in times]),
    ]
    title = "What was asked"
    return Section(
        partial(grid.section_html, title, about, columns, ()),
        partial(grid.section_text, title, about, columns, ()),
        STYLE,
    )


def _code(query: str, link: str) -> str:
    """A query as code; below it a link, where the platform can open it."""
    shown = f'<span class="obs-query">{inline(query, _QUERY).html}</span>'
    return f"{shown}<br>{markup.link(link, 'open in the platform ↗')}" if link and markup.is_link(link) else shown


def _extent(told: Sequence[Provenance], zone: str, *, day: bool) -> tuple[str, str]:
    edges = min(_ns(one.start) for one in told), max(_ns(one.end) for one in told)
    return clock(edges[0], zone, day=day), clock(edges[1], zone, day=day)


def _ns(text: str) -> int:
    return int(pd.Timestamp(text).as_unit("ns").value)
