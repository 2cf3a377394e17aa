"""The timeline, the factors and what was ruled out in plain blocks, for the forms that have no panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from obs_magics.display.clock import MS, offset_text
from obs_magics.display.document import Block, Bullets, Paragraph
from obs_magics.display.root_cause import Refer, about_factor, named_factor, outcome_words
from obs_magics.display.table import Table
from obs_magics.display.timeline.rows import EVERYONE, Item, items_of, since
from obs_magics.display.times import clock, days_and_zone, several_days
from obs_magics.display.visible import short
from obs_magics.model.root_cause import Factor, RuledOut

if TYPE_CHECKING:
    from obs_magics.incident.report.postmortem import Postmortem

_TITLE, _SERVICE, _CLAIM = 200, 60, 400


def plain_timeline(report: Postmortem) -> list[Block]:
    """Every row of the timeline."""
    items = items_of(report.timeline)
    if not items:
        return []
    start, zone, onset = items[0].at_ns, report.zone, report.found.enriched.incident.start_ns
    last = max(one.at_ns if one.end_ns is None else one.end_ns for one in items)
    day = several_days(start, last, zone)
    elsewhere = any(offset_text(one.at_ns // MS, zone) != "UTC" for one in items)
    rows = [
        (
            clock(one.at_ns, zone, day=day),
            *((clock(one.at_ns, "UTC", day=day),) if elsewhere else ()),
            since(one.at_ns, onset),
            one.word,
            "" if one.lane == EVERYONE else short(one.lane, _SERVICE),
            one.said(_TITLE),
            _until(one, zone, day=day),
        )
        for one in items
    ]
    columns = ["time", *(["UTC"] if elsewhere else []), "from onset", "what", "service", "event", "until"]
    return [Table(columns, rows, caption=f"All that is known: {days_and_zone(start, last, zone)}")]


def _until(one: Item, zone: str, *, day: bool) -> str:
    if one.ongoing:
        return "goes on"
    return "" if one.end_ns is None else clock(one.end_ns, zone, day=day)


def plain_factors(factors: Sequence[Factor], zone: str, *, day: bool, refer: Refer) -> list[Block]:
    """Each factor with its evidence and its tests."""
    blocks: list[Block] = []
    for place, one in enumerate(factors, 1):
        blocks.append(
            Paragraph(f"Factor {place}: {short(named_factor(one), _TITLE)} – {about_factor(one, zone, day=day)}")
        )
        blocks.append(Bullets([f"{short(said.claim, _CLAIM)} ({refer(said)})" for said in one.evidence]))
        if one.refutations:
            blocks += [Paragraph("Put to the test:"), Bullets([outcome_words(test) for test in one.refutations])]
    return blocks


def plain_ruled_out(rows: Sequence[RuledOut], zone: str, *, day: bool) -> list[Block]:
    """What was ruled out, with the reason."""
    told = [
        (
            "" if one.change is None else clock(one.change.at_ns, zone, day=day),
            short(one.title, _TITLE),
            "" if one.service == one.title else short(one.service, _SERVICE),
            short(one.reason, _CLAIM),
        )
        for one in rows
    ]
    return [Table(["time", "what", "service", "why not"], told)]
