"""The sections of a postmortem, in the order of the known forms: what people wrote first, then what was measured.

Google's SRE book, Atlassian and PagerDuty name them alike; of Howie comes that there are contributing factors, and not
one cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from obs_magics.display.document import Block, Bullets, Code, Facts, Figure, Paragraph, Piece, Prose
from obs_magics.display.panel import Note, notes_of
from obs_magics.display.root_cause import factors_section, ruled_out_section
from obs_magics.display.table import Table
from obs_magics.display.timeline.picture import timeline_chart
from obs_magics.display.timeline.table import timeline_table
from obs_magics.display.timeline.times import response_sentences
from obs_magics.display.times import days_and_zone
from obs_magics.display.visible import short, upper_first
from obs_magics.incident.missing import missing
from obs_magics.incident.report.evidence import evidence_blocks, references
from obs_magics.incident.report.figures import charts_of
from obs_magics.incident.report.plain import plain_factors, plain_ruled_out, plain_timeline
from obs_magics.incident.report.summary import done_sentence, extent, summary_rows
from obs_magics.incident.verdict import conclusion_sentence, spread_sentence
from obs_magics.incident.words import (
    clock_of,
    extent_sentence,
    load_sentence,
    neighbours_sentence,
    symptom_sentence,
)

if TYPE_CHECKING:
    from obs_magics.incident.report.postmortem import Action, Postmortem

Builder = Callable[["Postmortem"], Sequence[Block]]
_SERVICE = 100
_CALIBRATED = (
    "a percentage says how often a factor with so much evidence was the one that mattered most in public benchmarks;"
    " they need not add up to 100 %"
)


def subtitle(report: Postmortem) -> str:
    """Which service, from when to when, on which day, in which zone."""
    return f"{short(report.found.enriched.service, _SERVICE)} {extent(report)}"


def _written(report: Postmortem, key: str) -> list[Block]:
    text = report.written.sections.get(key, "")
    return [Prose(text)] if text else []


def _summary(report: Postmortem) -> list[Block]:
    return [
        *_written(report, "summary"),
        Facts(summary_rows(report)),
        *notes_of(failed=missing(report.failed), warnings=report.warnings),
    ]


def _impact(report: Postmortem) -> list[Block]:
    enriched, impact = report.found.enriched, report.impact
    clock = clock_of(enriched, report.zone)
    told = (symptom_sentence(enriched, clock), neighbours_sentence(enriched, clock), load_sentence(enriched, clock))
    blocks: list[Block] = [*_written(report, "impact"), Facts(impact.facts(report.zone)), _bullets(told)]
    if impact.budget_share is not None:
        blocks.append(Note("the error budget is that of the requests that were usual before the incident", "note"))
    changes = [one.change for one in report.found.report.factors if one.change is not None]
    ended = report.response.of("mitigated")
    also = {(one.at_ns, one.title) for one in changes} | {(ended.at_ns or 0, ended.because)}
    return [*blocks, *charts_of(enriched, report.zone, also=also)]


def _bullets(sentences: Iterable[str]) -> Bullets:
    return Bullets([f"{upper_first(sentence)}." for sentence in sentences if sentence])


def _detection(report: Postmortem) -> list[Block]:
    enriched = report.found.enriched
    clock = clock_of(enriched, report.zone)
    told = (
        extent_sentence(enriched, clock),
        *response_sentences(report.response, zone=report.zone),
        done_sentence(report, clock),
    )
    return [*_written(report, "detection"), _bullets(told)]


def _timeline(report: Postmortem) -> list[Block]:
    frame, response, service = report.timeline, report.response, report.found.enriched.service
    if frame.empty:
        return _written(report, "timeline")
    title = f"{short(service, _SERVICE)} and what it is connected to"
    chart = timeline_chart(frame, response=response, service=service, zone=report.zone, title=title)
    table = timeline_table(frame, response=response, zone=report.zone, title="All that is known")
    return [
        *_written(report, "timeline"),
        *([Figure(chart, alt=f"timeline of {service}")] if chart else []),
        Piece(table, plain_timeline(report)),
    ]


def _factors(report: Postmortem) -> list[Block]:
    found, day = report.found.report, report.several_days
    blocks = _written(report, "factors")
    blocks.append(Paragraph(f"{upper_first(conclusion_sentence(found))}."))
    if not found.factors:
        return blocks
    spread = spread_sentence(report.found, zone=report.zone)
    if spread:
        blocks.append(Paragraph(f"{upper_first(spread)}."))
    refer = references(found)
    section = factors_section(found.factors, zone=report.zone, title="Most likely first", day=day, refer=refer)
    plain = plain_factors(found.factors, report.zone, day=day, refer=refer)
    return [*blocks, Piece(section, plain), Note(_CALIBRATED, "note")]


def _ruled_out(report: Postmortem) -> list[Block]:
    rows = report.found.report.ruled_out
    if not rows:
        return _written(report, "ruled_out")
    incident = report.found.enriched.incident
    zone = days_and_zone(incident.start_ns, incident.start_ns, report.zone)
    title = f"With the reason; {zone}" if any(one.change is not None for one in rows) else "With the reason"
    section = ruled_out_section(rows, zone=report.zone, title=title, day=report.several_days)
    return [*_written(report, "ruled_out"), Piece(section, plain_ruled_out(rows, report.zone, day=report.several_days))]


def _actions(report: Postmortem) -> list[Block]:
    over = report.found.enriched.incident.end_ns is not None
    words = {"mitigate": "if it comes back" if over else "now", "prevent": "for good"}
    rows = [
        (f"{upper_first(one.what)}.", words[one.kind], _because(one, report), "to be named", "to be set")
        for one in report.actions
    ]
    table = Table(["action", "when", "because of", "owner", "due"], rows, caption="Proposed from what was found")
    return [*_written(report, "actions"), *([table] if rows else [])]


def _because(action: Action, report: Postmortem) -> str:
    """Which factor asks for it; else the words in which its sign was found."""
    for place, one in enumerate(report.found.report.factors, 1):
        titles = {one.title} if one.change is None else {one.title, one.change.title}
        if any(action.because == title or action.because.endswith(f": {title}") for title in titles):
            return f"factor {place}"
    return short(action.because, 120)


def _lessons(report: Postmortem) -> list[Block]:
    return _written(report, "lessons")


def _evidence(report: Postmortem) -> list[Block]:
    return evidence_blocks(report.found, report.zone)


def _notes(report: Postmortem) -> list[Block]:
    return _written(report, "notes")


def _cells(report: Postmortem) -> list[Block]:
    return [Code(cell) for cell in report.written.cells]


SECTIONS: tuple[tuple[str, str, Builder], ...] = (
    ("summary", "Summary", _summary),
    ("impact", "Impact", _impact),
    ("detection", "Detection and response", _detection),
    ("timeline", "Timeline", _timeline),
    ("factors", "Contributing factors", _factors),
    ("ruled_out", "What was ruled out", _ruled_out),
    ("actions", "Actions", _actions),
    ("lessons", "Lessons", _lessons),
    ("notes", "Notes", _notes),
    ("evidence", "Evidence", _evidence),
    ("cells", "How it was investigated", _cells),
)
