"""Signs that the cause is no change of ours: a provider that is down, a host outside, more requests than usual."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from obs_magics.analysis.root_cause.findings import Finding
from obs_magics.analysis.root_cause.inputs import nanoseconds
from obs_magics.analysis.root_cause.words import words

_HOST = re.compile(r"https?://([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
_OUTSIDE = re.compile(r"(?i)provider|third.?party|external|vendor|partner")
_PEOPLE = re.compile(r"(?i)request|rps|traffic|visit|session|workload")  # what people ask, rather than what we ask
_LOCAL = re.compile(r"(?i)localhost|\.local(domain)?$|\.svc(\.|$)|\.internal$|^\d+\.\d+\.\d+\.\d+$")

_NEAR_NS = 20 * 60 * 1_000_000_000  # between the start of a provider's incident and ours
_SURPRISING = 3.0
_MORE = 1.25  # times as many requests

# What each sign leaves of the score of a change.
_PROVIDER, _SOME_PROVIDER, _NAMED_HOST, _NAMED_METRIC = 0.3, 0.9, 0.6, 0.7
_LOAD = (0.5, 0.9)  # by how many times as many: its reciprocal, within these bounds


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign: in words that complete "but …", what it leaves of a change's score, where it is seen, and its kind."""

    text: str
    left: float
    service: str
    kind: Literal["provider", "host", "metric", "load"]


def signs(
    findings: Sequence[Finding],
    events: pd.DataFrame | None,
    onset_ns: int,
    services: Collection[str],
    calls: Collection[tuple[str, str]],
) -> list[Sign]:
    """All signs, the strongest of each kind.

    Args:
        findings: What is not as usual.
        events: An events frame, where there is one.
        onset_ns: When the symptom began.
        services: All services that are known.
        calls: Who calls whom.
    """
    told = [finding for finding in findings if finding.surprise > 1.0 and finding.signal in {"logs", "errors"}]
    hosts = list(_hosts(told, services))
    found = [*_providers(events, onset_ns, told, hosts), *hosts[:1], *_outside(findings), *load(findings, calls)]
    best: dict[float, Sign] = {}
    for sign in found:
        best.setdefault(sign.left, sign)
    return sorted(best.values(), key=lambda sign: sign.left)


def _hosts(told: Sequence[Finding], services: Collection[str]) -> Iterator[Sign]:
    known = {service.lower() for service in services}
    for finding in told:
        if finding.kind != "appeared":
            continue
        for host in _HOST.findall(finding.details.get("example", "")):
            if not _LOCAL.search(host) and host.split(".")[0].lower() not in known:
                text = f"new errors of {finding.service} name the outside host {host}"
                yield Sign(text, _NAMED_HOST, finding.service, "host")


def _providers(
    events: pd.DataFrame | None, onset_ns: int, told: Sequence[Finding], hosts: Sequence[Sign]
) -> Iterator[Sign]:
    """Incidents that a provider itself told of, when they began as ours did."""
    if events is None:
        return
    rows = events[(events["kind"].astype(object) == "incident") & events["source"].notna() & events["service"].isna()]
    spoken = {word for finding in told for word in words(finding.details.get("example", ""))}
    for row, at in zip(rows.itertuples(index=False), nanoseconds(rows["timestamp"]).tolist(), strict=True):
        if abs(at - onset_ns) > _NEAR_NS:
            continue
        named = bool(words(str(row.source)) & spoken)
        text = f"{row.source} tells of an incident of its own: {row.title}"
        yield Sign(text, _PROVIDER if named else _SOME_PROVIDER, hosts[0].service if hosts else "", "provider")


def _outside(findings: Sequence[Finding]) -> Iterator[Sign]:
    for finding in findings:
        if finding.signal == "metrics" and finding.surprise > _SURPRISING and _OUTSIDE.search(finding.subject):
            yield Sign(f"{finding.subject} of {finding.service} rose as well", _NAMED_METRIC, finding.service, "metric")


def load(findings: Sequence[Finding], calls: Collection[tuple[str, str]]) -> Iterator[Sign]:
    """More requests where they come in, as far up as requests are counted."""
    counted = {finding.service for finding in findings if (finding.signal, finding.kind) == ("metrics", "traffic")}
    called = {callee for _caller, callee in calls}
    explained = {callee for caller, callee in calls if caller in counted}
    for finding in findings:
        if (finding.signal, finding.kind) != ("metrics", "traffic") or finding.service in explained or not calls:
            continue  # a caller's requests explain it, or nobody knows who calls
        if finding.during > _MORE * finding.before > 0 and finding.surprise > _SURPRISING:
            ratio = finding.during / finding.before
            people = finding.service not in called or _PEOPLE.search(finding.subject)
            left = float(min(max(1.0 / ratio, _LOAD[0]), _LOAD[1])) if people else 1.0  # else a caller may be why
            yield Sign(f"{finding.service} had {ratio:.1f} times as many requests", left, finding.service, "load")
