"""The panel of a root-cause analysis: the verdict in words, factors with evidence, what was ruled out, what next."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from obs_magics.analysis.remedies import Applied, remedies
from obs_magics.display.panel import Note, Panel, Section, notes_of
from obs_magics.display.root_cause import confidence_words, factors_section, ruled_out_section
from obs_magics.display.times import clock, several_days
from obs_magics.display.units import count_text
from obs_magics.display.visible import short
from obs_magics.incident.investigate import Investigation
from obs_magics.incident.missing import missing
from obs_magics.incident.panel import incident_chart
from obs_magics.incident.timeline import pattern_text
from obs_magics.model.root_cause import Factor, RootCauseReport

_SAID, _STEPS, _SERVICE, _RESTARTS = 120, 6, 60, 3
_AS_LIKELY_AS_NOT = 0.5
_EVENT_WORDS = {"config_change": "configuration", "feature_flag": "feature flag", "deployment": "deploy"}


def verdict_panel(found: Investigation, *, name: str, zone: str) -> Panel:
    """What is shown under `%obs_rca`.

    Args:
        found: What was found.
        name: The variable that holds it; empty when there is none.
        zone: IANA name of the zone in which times are written.
    """
    enriched, report = found.enriched, found.report
    sections: list[Section] = [factors_section(report.factors, zone=zone)]
    if report.ruled_out:
        sections.append(ruled_out_section(report.ruled_out, zone=zone))
    return Panel(
        headline=headline(found),
        chart=incident_chart(enriched, zone),
        sentences=verdict_sentences(found, zone=zone),
        notes=[
            *notes_of(failed=missing(enriched.failed), warnings=enriched.warnings),
            *(Note(text, "note") for text in enriched.notes),
        ],
        sections=sections,
        next_cells=[f"%obs_report {name}".rstrip(), f"%obs_timeline {name}".rstrip()],
    )


def headline(found: Investigation) -> str:
    """The verdict in a line: what most likely contributed, and how sure that is."""
    report, service = found.report, short(found.enriched.service, _SERVICE)
    if not report.factors:
        return f"{service}: not enough evidence"
    first = report.factors[0]
    elsewhere = first.service not in {"", found.enriched.service} and first.service not in first.title
    place = f"{short(first.service, _SERVICE)}: " if elsewhere else ""
    sure = confidence_words(first.confidence)
    if first.change is None:
        return f"{service}: cause not known; what stands out most: {place}{short(first.title, _SAID)} – {sure}"
    return f"{service}: {place}{short(first.title, _SAID)} – {sure}"


def verdict_sentences(found: Investigation, *, zone: str) -> list[str]:
    """What the report says, a sentence each: conclusion, what is beside it, how it spread, what helps, what next."""
    report = found.report
    told = [conclusion_sentence(report)]
    told += _beside(report.factors)
    told += [
        sentence for sentence in (spread_sentence(found, zone=zone), restarts_sentence(found, zone=zone)) if sentence
    ]
    told += [f"what helps ({one.remedy.title.lower()}): {one.remedy.now}" for one in remedies_of(found)[:1]]
    told += [f"next: {step}" for step in report.next_steps]
    return told


def conclusion_sentence(report: RootCauseReport) -> str:
    """What is concluded and why, without a full stop."""
    sure = report.conclusion != "a change" or report.factors[0].confidence >= _AS_LIKELY_AS_NOT
    return f"{_CONCLUSIONS[report.conclusion] if sure else _UNSURE}: {report.reason}"


_UNSURE = "a change may have done it"
_CONCLUSIONS = {
    "a change": "a change is the most likely cause",
    "no change": "no change explains it",
    "a service": "the place is known",
    "not enough evidence": "there is not enough evidence",
}


def _beside(factors: Sequence[Factor]) -> list[str]:
    others = [one for one in factors[1:] if one.kind != "symptom"]
    if not others:
        return []
    said = "; ".join(f"{short(one.title, _SAID)} ({one.service})" if one.service else one.title for one in others)
    return [f"beside it: {said}"]


def spread_sentence(found: Investigation, *, zone: str) -> str:
    """Where it failed first, and where next: "errors: pay 14:23 (pool exhausted) → users 14:24 (timeout)"."""
    steps = found.spread()[:_STEPS]
    if not steps:
        return ""
    day = several_days(steps[0].at_ns, steps[-1].at_ns, zone)
    told = (f"{one.service} {clock(one.at_ns, zone, day=day)} ({short(pattern_text(one.sign), 60)})" for one in steps)
    return f"{'errors spread' if len(steps) > 1 else 'the first errors'}: {' → '.join(told)}"


def restarts_sentence(found: Investigation, *, zone: str) -> str:
    """How often the service and its neighbours restarted, and why, as far as events tell."""
    own = _restarts(found)
    if own.empty:
        return ""
    times = own["timestamp"].astype("int64").tolist()
    day = several_days(times[0], times[-1], zone)
    pairs = list(zip(times, own["title"].tolist(), strict=True))
    told = [f"{clock(at_ns, zone, day=day)} {short(str(title), _SERVICE)}" for at_ns, title in pairs[:_RESTARTS]]
    more = f"; and {len(pairs) - _RESTARTS} more" if len(pairs) > _RESTARTS else ""
    return f"{count_text(len(own), 'restart')}: {'; '.join(told)}{more}"


def remedies_of(found: Investigation) -> list[Applied]:
    """What helps against what was found: signs in the first factor before those in the others, then in error lines."""
    texts: list[str] = []
    for factor in found.report.factors:
        if factor.change is not None:
            kind = _EVENT_WORDS.get(factor.change.kind, factor.change.kind.replace("_", " "))
            texts += [factor.change.title, f"{kind}: {factor.change.title}"]
        texts += [factor.title] if factor.change is None else []
    lines = [pattern_text(template) for template in found.enriched.first_errors["template"].head(_STEPS).tolist()]
    if any(factor.change is not None for factor in found.report.factors):
        return remedies(texts, lines=lines)
    return remedies([], lines=[*_restarts(found)["title"].dropna().tolist(), *texts, *lines])


def _restarts(found: Investigation) -> pd.DataFrame:
    every = found.enriched.restarts
    return every[every["service"].isin(list(found.enriched.services))]
