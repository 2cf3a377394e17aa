"""The summary of a postmortem: what happened, what it cost, why, what was not the cause, what was done, what is next.

Each line is made of what the sections below it show in full, and says nothing that they do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_magics.display.marks import event_word
from obs_magics.display.root_cause import confidence_words
from obs_magics.display.timeline.rows import items_of
from obs_magics.display.times import clock, days_and_zone, several_days
from obs_magics.display.units import count_text, seconds_text
from obs_magics.display.visible import short, upper_first
from obs_magics.incident.timeline import shift_text
from obs_magics.incident.words import Clock, affected, clock_of
from obs_magics.model.durations import SECOND
from obs_magics.model.root_cause import Factor, RuledOut

if TYPE_CHECKING:
    from obs_magics.incident.report.postmortem import Postmortem

_SERVICE, _TITLE, _REASON = 100, 200, 300
_FELT = {"latency": "slow", "error": "failing", "availability": "partly down"}  # by the first word of a measure
_SYMPTOMS, _NAMED, _FACTORS = 3, 6, 2


def summary_rows(report: Postmortem) -> list[tuple[str, str]]:
    """Names and sentences; what there is nothing to say of is left out."""
    rows = [
        ("What happened", _happened(report)),
        ("Impact", _impact(report)),
        ("Why", why(report)),
        ("Ruled out", _ruled_out(report)),
        ("Response", _response(report)),
        ("Next", _next(report)),
    ]
    return [(name, text) for name, text in rows if text]


def extent(report: Postmortem) -> str:
    """From when to when, how long, on which day, in which zone."""
    incident, zone = report.found.enriched.incident, report.zone
    start, end = incident.start_ns, incident.end_ns
    if end is None:
        since = f"since {clock(start, zone, day=False)} on {days_and_zone(start, start, zone)}"
        if not goes_on(report):
            return f"{since}; when it ended is not known"
        last = report.found.enriched.now_ns or incident.windows["metrics"].end_ns
        return f"{since}; not over by {_last(start, last, zone)}"
    day = several_days(start, end, zone)
    between = f"from {clock(start, zone, day=day)} to {clock(end, zone, day=day)}"
    return f"{between} ({_length(end - start)}){',' if day else ' on'} {days_and_zone(start, end, zone)}"


def goes_on(report: Postmortem) -> bool:
    """Whether it is measured that the incident was not over where the data ends."""
    enriched = report.found.enriched
    return enriched.incident.end_ns is None and any(one.end_ns is None for one in enriched.symptoms)


def _last(start: int, last: int, zone: str) -> str:
    return f"{clock(last, zone, day=several_days(start, last, zone))}, where the data ends"


def _length(ns: int) -> str:
    return seconds_text(ns / SECOND)


def _happened(report: Postmortem) -> str:
    enriched = report.found.enriched
    service, symptoms = short(enriched.service, _SERVICE), enriched.symptoms
    if symptoms:
        words = dict.fromkeys(_FELT.get(one.measure.partition("_")[0], "not as usual") for one in symptoms)
        told = ", ".join(shift_text(one) for one in symptoms[:_SYMPTOMS])
        verb = "has been" if enriched.incident.end_ns is None else "was"
        return f"{service} {verb} {' and '.join(words)} {extent(report)}: {told}."
    why_not = "No measure of it left what is usual" if len(enriched.metrics) else "No source has metrics of it"
    return f"{service} was told to be in trouble {extent(report)}. {why_not}."


def _impact(report: Postmortem) -> str:
    impact, enriched = report.impact, report.found.enriched
    told = []
    if impact.failed is not None:
        told.append(f"{impact.failed_text(report.zone)}.")
    else:
        told.append(_unmeasured(report))
    if impact.budget_share is not None:
        told.append(f"That is {impact.budget_text()}.")
    names = [short(name, _SERVICE) for name in affected(enriched)]
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        told.append(f"Also affected: {', '.join(names[:_NAMED])}{more}.")
    return " ".join(told)


def _unmeasured(report: Postmortem) -> str:
    """What there is of errors, where nothing tells how many requests failed."""
    enriched = report.found.enriched
    lines, traces = enriched.error_lines, enriched.error_traces["trace_id"].nunique()
    told = [count_text(number, noun) for number, noun in ((lines, "error line"), (traces, "failing trace")) if number]
    seen = f"; there are {' and '.join(told)}" if told else ""
    return f"No source tells how many requests failed{seen}."


def why(report: Postmortem) -> str:
    """What most likely contributed; where no change is known that did, what stands out, and where."""
    factors = report.found.report.factors
    if not factors:
        return f"What caused it is not known: {report.found.report.reason}."
    first, *others = factors
    named, sure = _factor(first, report), confidence_words(first.confidence)
    if first.change is not None:
        told = [f"{upper_first(named)} – {sure}."]
    elif not report.found.enriched.symptoms and len(report.found.enriched.metrics):
        return f"There is no symptom to explain. What stands out most around it: {named} – {sure}."
    else:
        place = short(first.service, _SERVICE) or "nowhere in particular"
        told = [f"What caused it is not known. Where to look: {place}, {sure}; what stands out most there: {named}."]
    beside = [one for one in others if one.kind != "symptom"][:_FACTORS]
    if beside:
        said = "; ".join(f"{_factor(one, report)} – {confidence_words(one.confidence)}" for one in beside)
        told.append(f"It may have mattered as well: {said}.")
    return " ".join(told)


def _factor(one: Factor, report: Postmortem) -> str:
    title = short(one.title, _TITLE)
    named = one.service and one.service not in one.title
    if one.change is None:
        return f"{title} ({short(one.service, _SERVICE)})" if named else title
    whose = f" of {short(one.service, _SERVICE)}" if named else ""
    at = clock_of(report.found.enriched, report.zone)(one.change.at_ns)
    return f"the {event_word(one.change.kind)} “{title}”{whose} at {at}"


def _ruled_out(report: Postmortem) -> str:
    """The change that was most to be suspected and was not the cause, with the reason; and how many more."""
    rows, enriched = report.found.report.ruled_out, report.found.enriched
    changes = [one for one in rows if one.change is not None]
    if not changes:
        return ""

    def suspect(one: RuledOut) -> tuple[bool, int]:
        at_ns = one.change.at_ns if one.change is not None else 0
        return one.service != enriched.service, abs(at_ns - enriched.onset_ns)

    first = min(changes, key=suspect)
    assert first.change is not None  # noqa: S101 - for the type checker
    at = clock_of(enriched, report.zone)(first.change.at_ns)
    more = f" And {count_text(len(rows) - 1, 'more', 'more')}." if len(rows) > 1 else ""
    what = f"the {event_word(first.change.kind)} “{short(first.title, _TITLE)}” at {at}"
    return f"{upper_first(what)}: {short(first.reason, _REASON)}.{more}"


def _response(report: Postmortem) -> str:
    moments, zone = report.response, clock_of(report.found.enriched, report.zone)
    detected, mitigated, over = (moments.of(name) for name in ("detected", "mitigated", "recovered"))
    told = []
    length = moments.since_onset("detected")
    if detected.at_ns is not None and length is not None:
        after = f"after {seconds_text(length.total_seconds())}, at" if length.total_seconds() > 0 else "at once,"
        told.append(f"Noticed {after} {zone(detected.at_ns)} ({short(detected.because, _TITLE)}).")
    else:
        told.append(f"Nothing tells when it was noticed: {short(detected.because, _TITLE)}.")
    if over.at_ns is None:
        because = short(report.found.enriched.incident.end_because or over.because, _TITLE)
        return " ".join([*told, f"Its end is {because}." if because.startswith("not known") else "It is not over."])
    end = f"Over at {zone(over.at_ns)}"
    if mitigated.at_ns is not None:
        end += f", {_length(over.at_ns - mitigated.at_ns)} after “{short(mitigated.because, _TITLE)}”"
    return " ".join([*told, f"{end}."])


def _next(report: Postmortem) -> str:
    actions = report.actions
    if not actions:
        return ""
    first = next((one for one in actions if one.kind == "prevent"), actions[0])
    later = f"{count_text(len(actions), 'action')} proposed, the first to keep it from coming back: {first.what}."
    now = next((one for one in actions if one.kind == "mitigate"), None)
    return f"Now: {now.what}. {later}" if now is not None and goes_on(report) else later


def done_sentence(report: Postmortem, clock: Clock) -> str:
    """What was changed in the service and what it is connected to while it went on, in order of time."""
    start, over = (report.response.of(name).at_ns for name in ("onset", "recovered"))
    until = report.found.enriched.now_ns if over is None else over
    rows = [
        f"{clock(one.at_ns)} {short(one.title, _TITLE)}"
        for one in items_of(report.timeline)
        if one.what == "change" and start is not None and start < one.at_ns <= until
    ]
    if not rows:
        return "no change is recorded while it went on"
    more = f"; and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return f"changed while it went on: {'; '.join(rows[:_NAMED])}{more}"


def status(report: Postmortem) -> str:
    """What people still have to write; empty where nothing is missing."""
    written = report.written.sections
    open_ones = []
    if report.actions and not written.get("actions"):
        open_ones.append(f"owners and dates of {count_text(len(report.actions), 'action')}")
    if not written.get("lessons"):
        open_ones.append("lessons: what went well, what went badly, where you were lucky")
    if not open_ones:
        return ""
    return f"Draft, made from measurements. Still to be written by people: {'; '.join(open_ones)}."
