"""The evidence of a postmortem: each number with its rows once, each query with the times it was asked for."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from obs_magics.display.document import Block
from obs_magics.display.table import Table
from obs_magics.display.times import clock, days_and_zone, several_days
from obs_magics.display.units import format_value
from obs_magics.display.visible import short
from obs_magics.incident.investigate import Investigation
from obs_magics.model.provenance import Provenance
from obs_magics.model.root_cause import Evidence

_CLAIM, _ROWS, _QUERY = 300, 300, 1500


def evidence_blocks(found: Investigation, zone: str) -> list[Block]:
    """Numbers that anyone can compute again, and what was asked of which source.

    Args:
        found: What was found.
        zone: IANA name of the zone in which times are written.
    """
    numbers = Table(
        ["factor", "claim", "number", "usual", "frame and rows"],
        _number_rows(found),
        caption="Numbers that anyone can compute again",
        empty="there are none",
    )
    return [numbers, _asked(found.enriched.questions, zone)]


def _number_rows(found: Investigation) -> list[tuple[str, str, str, str, str]]:
    """A row for each number; one that speaks for several factors names them all."""
    factors: dict[tuple[str, str, str, str], list[str]] = {}
    for place, factor in enumerate(found.report.factors, 1):
        for one in factor.evidence:
            factors.setdefault(_cells(one), []).append(str(place))
    return [(", ".join(dict.fromkeys(places)), *cells) for cells, places in factors.items()]


def _cells(one: Evidence) -> tuple[str, str, str, str]:
    usual = "" if one.usual is None else format_value(one.usual, one.unit)
    value = "" if one.statistic == "instant" else format_value(one.value, one.unit)
    return short(one.claim, _CLAIM), value, usual, f"{one.statistic} of {one.frame}: {short(one.query, _ROWS)}"


def _asked(questions: Sequence[Provenance], zone: str) -> Table:
    """A row for each query, with how often it was asked, and the time that it was asked for in all."""
    spans: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
    for one in questions:
        key = (one.source, one.signal, short(one.native_query or "everything", _QUERY))
        spans.setdefault(key, []).append((_ns(one.start), _ns(one.end)))
    every = [edge for told in spans.values() for span in told for edge in span]
    day = bool(every) and several_days(min(every), max(every), zone)
    rows = [(*key, *_extent(told, zone, day=day), len(told)) for key, told in spans.items()]
    about = f": {days_and_zone(min(every), max(every), zone)}" if every else ""
    columns = ["source", "signal", "query", "from", "until", "times"]
    return Table(columns, rows, caption=f"What was asked{about}", empty="nothing")


def _extent(spans: Sequence[tuple[int, int]], zone: str, *, day: bool) -> tuple[str, str]:
    edges = min(start for start, _ in spans), max(end for _, end in spans)
    return clock(edges[0], zone, day=day), clock(edges[1], zone, day=day)


def _ns(text: str) -> int:
    return int(pd.Timestamp(text).as_unit("ns").value)
