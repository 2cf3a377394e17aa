"""The sections of a postmortem, in the order of the known forms: what people wrote first, then what was measured.

Google's SRE book, Atlassian and PagerDuty name them alike; of Howie comes that there are contributing factors, and not
one cause.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from obs_magics.display.document import Block, Bullets, Code, Facts, Figure, Paragraph, Piece, Prose
from obs_magics.display.panel import Note, notes_of
from obs_magics.display.root_cause import confidence_words, factors_section, ruled_out_section
from obs_magics.display.table import Table
from obs_magics.display.timeline.picture import timeline_chart
from obs_magics.display.timeline.table import timeline_table
from obs_magics.display.timeline.times import response_sentences
from obs_magics.display.times import clock, days_and_zone, several_days
from obs_magics.display.units import format_value
from obs_magics.display.visible import short, upper_first
from obs_magics.incident.investigate import Investigation
from obs_magics.incident.missing import missing
from obs_magics.incident.report.evidence import evidence_blocks
from obs_magics.incident.report.figures import charts_of
from obs_magics.incident.report.plain import plain_factors, plain_ruled_out, plain_timeline
from obs_magics.incident.verdict import conclusion_sentence, spread_sentence
from obs_magics.incident.words import incident_sentences
from obs_magics.model.durations import SECOND

if TYPE_CHECKING:
    from obs_magics.incident.report.postmortem import Postmortem

Builder = Callable[["Postmortem"], Sequence[Block]]
_SERVICE = 100


def subtitle(report: Postmortem) -> str:
    """Which service, on which day, from when to when, in which zone."""
    incident, zone = report.found.enriched.incident, report.zone
    start, end = incident.start_ns, incident.end_ns
    day = end is not None and several_days(start, end, zone)
    until = "not over in the data" if end is None else f"{clock(end, zone, day=day)} ({_length(end - start)})"
    words = "since" if end is None else "from"
    joint = ", " if end is None else " to "
    days = days_and_zone(start, start if end is None else end, zone)
    return f"{short(incident.service, _SERVICE)} {words} {clock(start, zone, day=day)}{joint}{until}, {days}"


def _length(ns: int) -> str:
    return format_value(ns / SECOND, "s")


def _written(report: Postmortem, key: str) -> list[Block]:
    text = report.written.sections.get(key, "")
    return [Prose(text)] if text else []


def _summary(report: Postmortem) -> list[Block]:
    found, zone = report.found, report.zone
    told = (*incident_sentences(found.enriched, zone=zone)[:4], spread_sentence(found, zone=zone))
    return [
        *_written(report, "summary"),
        Paragraph(_verdict(found)),
        Bullets([upper_first(sentence) for sentence in told if sentence]),
        *notes_of(failed=missing(found.enriched.failed), warnings=found.enriched.warnings),
    ]


def _verdict(found: Investigation) -> str:
    """What most likely contributed; where no change is known that did, what stands out and where."""
    first = found.report.factors[0] if found.report.factors else None
    if first is None:
        return f"What caused it is not known: {found.report.reason}."
    where = f" ({first.service})" if first.service and first.service not in first.title else ""
    sure = confidence_words(first.confidence)
    if first.change is not None:
        return f"Most likely contributing: {first.title}{where} – {sure}."
    return f"What caused it is not known. What stands out most: {first.title}{where} – {sure}."


def _impact(report: Postmortem) -> list[Block]:
    blocks: list[Block] = [*_written(report, "impact"), Facts(report.impact.facts())]
    if report.impact.budget_share is not None:
        blocks.append(Note("the budget's window is counted at the rate of requests that was usual before", "note"))
    return [*blocks, *charts_of(report.found.enriched, report.zone)]


def _detection(report: Postmortem) -> list[Block]:
    told = response_sentences(report.response, zone=report.zone)
    return [*_written(report, "detection"), Bullets([upper_first(sentence) for sentence in told])]


def _timeline(report: Postmortem) -> list[Block]:
    frame, response, service = report.timeline, report.response, report.found.enriched.service
    if frame.empty:
        return _written(report, "timeline")
    chart = timeline_chart(frame, response=response, service=service, zone=report.zone)
    table = timeline_table(frame, response=response, zone=report.zone, title="All that is known")
    return [
        *_written(report, "timeline"),
        *([Figure(chart, alt=f"timeline of {service}")] if chart else []),
        Piece(table, plain_timeline(report)),
    ]


def _factors(report: Postmortem) -> list[Block]:
    found = report.found.report
    blocks = _written(report, "factors")
    blocks.append(Paragraph(f"{upper_first(conclusion_sentence(found))}."))
    if not found.factors:
        return blocks
    section = factors_section(found.factors, zone=report.zone, title="Most likely first")
    return [*blocks, Piece(section, plain_factors(found.factors, report.zone))]


def _ruled_out(report: Postmortem) -> list[Block]:
    rows = report.found.report.ruled_out
    if not rows:
        return _written(report, "ruled_out")
    section = ruled_out_section(rows, zone=report.zone, title="With the reason")
    return [*_written(report, "ruled_out"), Piece(section, plain_ruled_out(rows, report.zone))]


def _actions(report: Postmortem) -> list[Block]:
    rows = [(upper_first(one.what), one.kind, short(one.because, 120), "") for one in report.actions]
    table = Table(["action", "to", "because of", "owner"], rows, caption="Proposed from what was found")
    return [*_written(report, "actions"), *([table] if rows else [])]


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
