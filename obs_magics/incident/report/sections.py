"""The sections of a postmortem, in the order of the known forms: what people wrote first, then what was measured.

Google's SRE book, Atlassian and PagerDuty name them alike; of Howie comes that there are contributing factors, and not
one cause.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from obs_magics.display.document import Block, Bullets, Facts, Figure, Paragraph, Piece, Prose
from obs_magics.display.panel import Note, notes_of
from obs_magics.display.root_cause import confidence_words, factors_section, ruled_out_section
from obs_magics.display.table import Table
from obs_magics.display.timeline.picture import timeline_chart
from obs_magics.display.timeline.table import timeline_table
from obs_magics.display.timeline.times import response_sentences
from obs_magics.display.units import format_value
from obs_magics.display.visible import short
from obs_magics.incident.measured import measure_title
from obs_magics.incident.panel import measure_chart
from obs_magics.incident.verdict import spread_sentence
from obs_magics.incident.words import headline, incident_sentences
from obs_magics.model.root_cause import Evidence

if TYPE_CHECKING:
    from obs_magics.incident.report.postmortem import Postmortem

Builder = Callable[["Postmortem"], Sequence[Block]]
_MEASURES = ("error_rate", "latency_p99", "throughput", "saturation")
_QUERY = 300


def subtitle(report: Postmortem) -> str:
    """Which service, from when to when."""
    return f"{headline(report.found.enriched, zone=report.zone)}, times in {report.zone}"


def _written(report: Postmortem, key: str) -> list[Block]:
    text = report.written.sections.get(key, "")
    return [Prose(text)] if text else []


def _summary(report: Postmortem) -> list[Block]:
    found = report.found
    first = found.report.factors[0] if found.report.factors else None
    blocks: list[Block] = _written(report, "summary")
    if first is None:
        blocks.append(Paragraph(f"What caused it is not known: {found.report.reason}."))
    else:
        sure = confidence_words(first.confidence)
        blocks.append(Paragraph(f"Most likely contributing: {first.title} ({first.service}) – {sure}."))
    told = [spread_sentence(found, zone=report.zone)]
    blocks.append(
        Bullets(
            [sentence for sentence in (*incident_sentences(found.enriched, zone=report.zone)[:4], *told) if sentence]
        )
    )
    enriched = found.enriched
    return [*blocks, *notes_of(failed=enriched.failed, warnings=enriched.warnings)]


def _impact(report: Postmortem) -> list[Block]:
    blocks: list[Block] = [*_written(report, "impact"), Facts(report.impact.facts())]
    if report.impact.budget_share is not None:
        blocks.append(Note("the budget's window is counted at the rate of requests that was usual before", "note"))
    for measure in _MEASURES:
        chart = measure_chart(report.found.enriched, measure, report.zone)
        if chart is not None:
            blocks.append(Figure(chart, alt=f"{measure_title(measure)} of {report.found.enriched.service}"))
    return blocks


def _detection(report: Postmortem) -> list[Block]:
    told = response_sentences(report.response, zone=report.zone)
    return [*_written(report, "detection"), Bullets(told)]


def _timeline(report: Postmortem) -> list[Block]:
    frame, response, service = report.timeline, report.response, report.found.enriched.service
    if frame.empty:
        return _written(report, "timeline")
    chart = timeline_chart(frame, response=response, service=service, zone=report.zone)
    table = timeline_table(frame, response=response, zone=report.zone, title="All that is known")
    return [
        *_written(report, "timeline"),
        *([Figure(chart, alt=f"timeline of {service}")] if chart else []),
        Piece(table),
    ]


def _factors(report: Postmortem) -> list[Block]:
    found = report.found.report
    blocks = _written(report, "factors")
    blocks.append(Paragraph(f"{found.conclusion[0].upper()}{found.conclusion[1:]}: {found.reason}."))
    return [*blocks, Piece(factors_section(found.factors, zone=report.zone, title="Most likely first"))]


def _ruled_out(report: Postmortem) -> list[Block]:
    rows = report.found.report.ruled_out
    section = [Piece(ruled_out_section(rows, zone=report.zone, title="With the reason"))] if rows else []
    return [*_written(report, "ruled_out"), *section]


def _actions(report: Postmortem) -> list[Block]:
    rows = [(one.what, one.kind, short(one.because, 120), "") for one in report.actions]
    table = Table(["action", "to", "because of", "owner"], rows, caption="Proposed from what was found")
    return [*_written(report, "actions"), *([table] if rows else [])]


def _lessons(report: Postmortem) -> list[Block]:
    missing = Note("not written yet: put it under “## Lessons” in the notebook", "note")
    return _written(report, "lessons") or [missing]


def _evidence(report: Postmortem) -> list[Block]:
    rows = [
        _evidence_row(place, one)
        for place, factor in enumerate(report.found.report.factors, 1)
        for one in factor.evidence
    ]
    numbers = Table(
        ["factor", "claim", "number", "usual", "frame and rows"],
        rows,
        caption="Numbers that anyone can compute again",
        empty="there are none",
    )
    asked = [
        (one.source, one.signal, short(one.native_query or "everything", _QUERY), f"{one.start} – {one.end}")
        for one in report.found.enriched.questions
    ]
    return [
        numbers,
        Table(["source", "signal", "query", "range (UTC)"], asked, caption="What was asked", empty="nothing"),
    ]


def _evidence_row(place: int, one: Evidence) -> tuple[str, str, str, str, str]:
    usual = "" if one.usual is None else format_value(one.usual, one.unit)
    value = "" if one.statistic == "instant" else format_value(one.value, one.unit)
    return (
        str(place),
        short(one.claim, 200),
        value,
        usual,
        f"{one.statistic} of {one.frame}: {short(one.query, _QUERY)}",
    )


def _notes(report: Postmortem) -> list[Block]:
    return _written(report, "notes")


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
)
