"""Findings and changes as evidence: a sentence, the rows, the query, and the number that anyone can compute again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from obs_magics.analysis.root_cause.case import Case
from obs_magics.analysis.root_cause.changes import Judged
from obs_magics.analysis.root_cause.findings import Finding
from obs_magics.analysis.root_cause.inputs import Observations
from obs_magics.analysis.root_cause.measures import Measures
from obs_magics.analysis.root_cause.metric_shifts import LABEL
from obs_magics.analysis.root_cause.said import called, lasts, valued
from obs_magics.analysis.root_cause.statistics import INCIDENT, REFERENCE
from obs_magics.model.root_cause import Evidence, Frame, Statistic


def evidence_of(finding: Finding, case: Case) -> Evidence:
    """One finding as evidence."""
    frame, statistic, rows, unit, claim = _MADE[finding.signal](finding, case.given)
    value, usual = finding.during, finding.before
    if finding.signal == "symptom":
        measures = Measures(case.given, case.periods)
        value, usual = (measures.of(statistic, "metrics", rows, side) for side in (INCIDENT, REFERENCE))
    return Evidence(
        claim=claim,
        frame=frame,
        rows=MappingProxyType(dict(rows)),
        query=_query(frame, rows),
        statistic=statistic,
        value=value,
        usual=usual,
        unit=unit,
        start_ns=case.incident.start_ns,
        end_ns=case.incident.end_ns,
    )


def evidence_of_change(judged: Judged) -> Evidence:
    """A change as evidence: that it happened, and when it took effect."""
    change = judged.change
    rows = {"title": change.title} if "@" in change.id and change.id.startswith(change.title) else {"id": change.id}
    if change.kind == "commit" or change.deployed == "carried":
        rows["kind"] = "commit"
        at_ns = change.told_ns
    else:
        rows["kind"] = change.kind
        at_ns = change.effect_ns
    return Evidence(
        claim=f"{change.title}: {'; '.join(judged.reasons)}",
        frame="events",
        rows=MappingProxyType(rows),
        query=_query("events", rows),
        statistic="instant",
        value=at_ns / 1e9,
        unit="s",
        start_ns=at_ns,
        end_ns=at_ns + 1,
    )


_VARIABLES = re.compile(r"(?: [\w.-]+=<\*>)+$")  # what stands behind a message, and says nothing of it
_Made = tuple[Frame, Statistic, Mapping[str, str], str, str]


def _of_logs(finding: Finding, observed: Observations) -> _Made:
    rows = {"service": finding.service, "statement": finding.subject}
    said = _VARIABLES.sub("", finding.subject)
    if finding.details.get("unit"):
        rates = f"{finding.during:.3g} times a second, usually {finding.before:.3g}"
        claim = f"{finding.service} wrote “{said}” {rates}"
        return "logs", "lines per second", rows, "1/s", claim
    given = finding.details.get("given", "")
    among = f" that wrote “{given}”" if given else ""
    whose = "requests with error lines of" if _errors_alone(observed) else "requests to"
    claim = (
        f"{_percent(finding.during)} of the {whose} {finding.service}{among} wrote “{said}”, "
        f"usually {_percent(finding.before)}"
    )
    return "logs", "share of requests", {**rows, "given": given}, "", claim


def _errors_alone(observed: Observations) -> bool:
    """Whether the logs hold error lines alone: requests that wrote none are not among those that are counted."""
    return observed.logs is not None and bool((observed.logs["level"] >= "error").all())


def _of_calls(finding: Finding, _given: Observations) -> _Made:
    given = finding.details.get("given", "")
    among = f" with {given}" if given else ""
    claim = (
        f"{_percent(finding.during)} of the requests to {finding.service}{among} came to {finding.subject}, "
        f"usually {_percent(finding.before)}"
    )
    return (
        "spans",
        "share of requests",
        {"service": finding.service, "operation": finding.subject, "given": given},
        "",
        claim,
    )


def _of_latency(finding: Finding, _given: Observations) -> _Made:
    times = f"{lasts(finding.during)}, usually {lasts(finding.before)}"
    if "caller" in finding.details:
        rows = {name: finding.details[name] for name in ("caller", "callee")}
        return "spans", "median gap", rows, "ms", f"between {rows['caller']} and {rows['callee']} a call loses {times}"
    rows = {"service": finding.service, "operation": finding.subject}
    return (
        "spans",
        "median own time",
        rows,
        "ms",
        f"{finding.subject} of {finding.service} takes {times}, without its calls",
    )


def _of_errors(finding: Finding, _given: Observations) -> _Made:
    example = finding.details.get("example", "")
    said = f" (“{example}”)" if example and example != "nan" else ""
    shares = _percent(finding.during), _percent(finding.before)
    claim = f"{shares[0]} of all requests begin to fail at {finding.service}{said}, usually {shares[1]}"
    return "spans", "failing share", {"service": finding.service}, "", claim


def _of_metrics(finding: Finding, given: Observations) -> _Made:
    labels = {name.removeprefix(LABEL): value for name, value in finding.details.items() if name.startswith(LABEL)}
    rows = {"service": finding.service, "metric": finding.subject, **labels}
    which = f" ({', '.join(labels.values())})" if labels else ""
    if "counter" in finding.details:
        now, usual = f"{finding.during:.4g} a second", f"{finding.before:.4g}"
        statistic: Statistic = "median rate"
        unit = "1/s"
    else:
        values = (finding.during, finding.before)
        now, usual = (valued(given, finding.subject, finding.service, one) for one in values)
        statistic, unit = "median", given.units.get((finding.subject, finding.service), "")
    return (
        "metrics",
        statistic,
        rows,
        unit,
        f"{called(given, finding.subject)} of {finding.service}{which}: {now}, usually {usual}",
    )


def _of_symptom(finding: Finding, _given: Observations) -> _Made:
    statistic: Statistic = "median rate" if "counter" in finding.details else "median"
    if "callee" in finding.details:
        callee = finding.details["callee"]
        claim = f"{finding.service} still gets requests and calls {callee} no more"
        return "metrics", statistic, {"service": callee, "metric": finding.subject}, "", claim
    share = float(finding.details["share"])
    claim = (
        f"{_percent(share)} of the symptom's excess is {finding.service}'s own in {finding.subject}, not its callees'"
    )
    return "metrics", statistic, {"service": finding.service, "metric": finding.subject}, "", claim


_MADE: Mapping[str, Callable[[Finding, Observations], _Made]] = {
    "logs": _of_logs,
    "calls": _of_calls,
    "latency": _of_latency,
    "errors": _of_errors,
    "metrics": _of_metrics,
    "symptom": _of_symptom,
}


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


# Which of a row's parts are columns; all of a metric's are.
_COLUMNS: Mapping[Frame, frozenset[str]] = {
    "logs": frozenset({"service"}),
    "spans": frozenset({"service", "operation"}),
    "events": frozenset({"id", "title", "kind"}),
}


def _query(frame: Frame, rows: Mapping[str, str]) -> str:
    """What `DataFrame.query` takes, of what are columns; the callee's service stands for a call."""
    named = {"service": rows["callee"]} if "callee" in rows else rows
    columns = _COLUMNS.get(frame, named)
    told = (
        (name if name.isidentifier() else f"`{name}`", value)
        for name, value in named.items()
        if value and name in columns
    )
    return " and ".join(f"{name} == {value!r}" for name, value in told)
