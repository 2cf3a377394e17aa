"""What other tools send or export when something happens: a table of shapes of JSON, the surest first.

Where each is described: GitHub https://docs.github.com/webhooks/webhook-events-and-payloads · GitLab
https://docs.gitlab.com/user/project/integrations/webhook_events/ · Argo CD `Application` (status.history) · PagerDuty
https://developer.pagerduty.com (REST, webhooks V3, change events) · Alertmanager
https://prometheus.io/docs/alerting/latest/configuration/#webhook_config · Grafana annotations
https://grafana.com/docs/grafana/latest/developers/http_api/annotations/ · Kubernetes core/v1 Event · LaunchDarkly
https://launchdarkly.com/docs/integrations/webhooks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from obs_magics.analysis.loglines.names import SERVICE_NAMES, present
from obs_magics.local.events.ends import over
from obs_magics.local.readers.events.alert_shapes import ALERT_SHAPES, AlertShape
from obs_magics.local.readers.events.paths import ID, Element, holds, short_version, top_key
from obs_magics.model.events import Event, EventKind
from obs_magics.syntax.event_query import KIND_WORDS
from obs_magics.syntax.moments import moment_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One shape: how it is recognised, and where in it stands what. See `paths` for how places are written.

    Args:
        title: For people.
        source: Who tells so.
        needs: Places that hold something; with ``=`` behind it, what they hold.
        each: Where the list stands of which every element is an event; empty: the document is one.
        kind: What it is, or says what an element is (None: nothing that matters).
        time: When it happened, or began.
        end: When it was over.
        ended: Values of `state` with which it is over; with any other, `end` does not count.
        state: How it went.
        skipped: Values of `state` that are only on the way, or no news.
        service: Which service.
        says: A title of its own; else `template` is filled.
        template: A sentence with places in braces.
        version: What was deployed.
        severity: How bad.
        url: Where to read more.
        id: What messages about the same thing have in common.
        attributes: What else to keep, by name.
    """

    title: str
    source: str
    needs: tuple[str, ...]
    each: str = ""
    kind: EventKind | Callable[[Element], EventKind | None]
    time: str
    end: str = ""
    ended: frozenset[str] | None = None
    state: str = ""
    skipped: frozenset[str] = frozenset()
    service: str | Callable[[Element], str] = ""
    says: str = ""
    template: str = ""
    version: str = ""
    severity: str = ""
    url: str = ""
    id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    def fits(self, document: Any) -> bool:
        """Whether a document has this shape."""
        return all(map(partial(holds, Element(document, document)), self.needs))

    def events(self, document: Any) -> Iterator[Event | None]:
        """Its events; None for an element that has no time."""
        elements = Element(document, document).at(self.each) if self.each else [document]
        for inside in elements if isinstance(elements, list) else ():
            element = Element(inside, document)
            kind = self.kind(element) if callable(self.kind) else self.kind
            if kind is not None and element.text(self.state) not in self.skipped:
                yield self._event(element, kind)

    def _event(self, element: Element, kind: EventKind) -> Event | None:
        start = moment_ns(element.at(self.time))
        if start is None:
            return None
        service = self.service(element) if callable(self.service) else element.text(self.service).rpartition("/")[2]
        state = element.text(self.state)
        is_over = self.ended is None or state in self.ended
        told = moment_ns(element.at(self.end)) if self.end and is_over else None
        end_ns, contradiction = over(kind, start, told)
        named = {"state": self.state, ID: self.id, **self.attributes}
        kept = {name: text for name, path in named.items() if (text := element.text(path))}
        return Event(
            start_ns=start,
            end_ns=end_ns,
            kind=kind,
            service=service,
            title=element.text(self.says) or element.filled(self.template),
            version=short_version(element.text(self.version)),
            severity=element.text(self.severity),
            url=element.text(self.url),
            source=self.source,
            attributes=kept | contradiction,
        )


_DONE = frozenset({"success", "failure", "error", "failed", "canceled"})
_ON_THE_WAY = frozenset({"pending", "queued", "in_progress", "inactive", "waiting", "created", "running", "blocked"})
# What a Deployment puts behind its own name: a hash for its ReplicaSets, and five characters more for their pods.
_POD = re.compile(r"-[0-9a-z]{8,10}(?:-[0-9a-z]{5})?$|-[0-9a-z]{5}$|-\d+$")
_PAIR = re.compile(r"[^:=]+[:=].+")
_RESOLVED = frozenset({"resolved"})
# Reasons of Kubernetes' events that say that a container went down, or that there are more or fewer of them.
_REASONS: Mapping[str, EventKind] = {
    **dict.fromkeys(
        ("OOMKilling", "Killing", "BackOff", "Evicted", "Preempting", "NodeNotReady", "Rebooted"), "restart"
    ),
    **dict.fromkeys(("ScalingReplicaSet", "SuccessfulRescale", "TriggeredScaleUp", "ScaleDown"), "scale"),
}


def _of_kubernetes(element: Element) -> EventKind | None:
    found = _REASONS.get(element.text("reason"))
    return found or ("annotation" if element.text("type") == "Warning" else None)


def _of_grafana(element: Element) -> EventKind:
    if element.text("newState") or element.text("alertId") not in ("", "0"):
        return "alert"
    tags = element.at("tags") or []
    return next(
        (KIND_WORDS[tag.lower()] for tag in tags if isinstance(tag, str) and tag.lower() in KIND_WORDS), "annotation"
    )


def _tagged(element: Element) -> str:
    """The service that a tag names: `service:cart`, `app=cart`."""
    tags = element.at("tags") or []
    pairs = dict(re.split("[:=]", tag, maxsplit=1) for tag in tags if isinstance(tag, str) and _PAIR.fullmatch(tag))
    return next((pairs[name] for name in present(pairs, SERVICE_NAMES)), "")


def _workload(element: Element) -> str:
    """The Deployment that a pod or a ReplicaSet belongs to, by its name."""
    name = element.text("involvedObject.name")
    return _POD.sub("", name) if element.text("involvedObject.kind") in ("Pod", "ReplicaSet") else name


_GITHUB_DEPLOYMENT = {
    "environment": "deployment.environment",
    "ref": "deployment.ref",
    "by": "deployment.creator.login",
}

SHAPES: tuple[Shape, ...] = (
    Shape(
        title="GitHub deployment_status webhook", source="github", needs=("deployment_status.state", "deployment.sha"),
        kind="deployment", time="deployment.created_at|deployment_status.created_at",
        end="deployment_status.created_at", state="deployment_status.state", ended=_DONE, skipped=_ON_THE_WAY,
        service="repository.name", version="deployment.ref|deployment.sha",
        template="{repository.name} {deployment.ref|deployment.sha} to {deployment.environment}:"
        " {deployment_status.state}",
        url="deployment_status.log_url|deployment_status.target_url|repository.html_url", id="deployment.id",
        attributes={**_GITHUB_DEPLOYMENT, "sha": "deployment.sha"},
    ),
    Shape(
        title="GitHub deployment webhook", source="github", needs=("deployment.sha", "repository"),
        kind="deployment", time="deployment.created_at", service="repository.name",
        version="deployment.ref|deployment.sha", url="repository.html_url", id="deployment.id",
        template="{repository.name} {deployment.ref|deployment.sha} to {deployment.environment}",
        attributes={**_GITHUB_DEPLOYMENT, "sha": "deployment.sha"},
    ),
    Shape(
        title="GitHub release webhook", source="github", needs=("release.tag_name", "action=published"),
        kind="deployment", time="release.published_at|release.created_at", service="repository.name",
        version="release.tag_name", template="{repository.name} {release.tag_name}: {release.name}",
        url="release.html_url", attributes={"by": "release.author.login"},
    ),
    Shape(
        title="GitHub deployments (REST)", source="github", needs=("statuses_url", "sha"), kind="deployment",
        time="created_at", service="repository_url", version="ref|sha", template="{ref|sha} to {environment}",
        id="id", attributes={"environment": "environment", "by": "creator.login", "sha": "sha"},
    ),
    Shape(
        title="GitHub releases (REST)", source="github", needs=("tag_name", "published_at"), kind="deployment",
        time="published_at", version="tag_name", template="{tag_name}: {name}", url="html_url",
        attributes={"by": "author.login"},
    ),
    Shape(
        title="GitLab deployment webhook", source="gitlab", needs=("object_kind=deployment",), kind="deployment",
        time="status_changed_at", state="status", skipped=_ON_THE_WAY, service="project.name",
        version="ref|short_sha", template="{project.name} {ref|short_sha} to {environment}: {status} {commit_title}",
        url="deployable_url|commit_url", id="deployment_id",
        attributes={"environment": "environment", "by": "user.username|user.name", "sha": "short_sha"},
    ),
    Shape(
        title="GitLab release webhook", source="gitlab", needs=("object_kind=release", "tag"), kind="deployment",
        time="released_at|created_at", service="project.name", version="tag",
        template="{project.name} {tag}: {name}", url="url",
    ),
    Shape(
        title="Argo CD application", source="argo-cd", needs=("kind=Application", "status.history"),
        each="status.history", kind="deployment", time="deployStartedAt|deployedAt", end="deployedAt",
        service="^metadata.name", version="revision|revisions.0",
        template="{^metadata.name} {revision|revisions.0} synced to {^spec.destination.namespace}", id="",
        attributes={"by": "initiatedBy.username", "repository": "source.repoURL|sources.0.repoURL"},
    ),
    Shape(
        title="PagerDuty incident webhook (V3)", source="pagerduty",
        needs=("event.event_type", "event.data.type=incident"),
        kind="incident", time="event.data.created_at|event.occurred_at",
        end="event.data.resolved_at|event.occurred_at", state="event.data.status", ended=_RESOLVED,
        service="event.data.service.summary", says="event.data.title|event.data.summary",
        severity="event.data.priority.summary|event.data.urgency", url="event.data.html_url", id="event.data.id",
    ),
    Shape(
        title="PagerDuty incidents (REST)", source="pagerduty", needs=("incidents.0.created_at",), each="incidents",
        kind="incident", time="created_at", end="resolved_at|last_status_change_at", state="status", ended=_RESOLVED,
        service="service.summary", says="title|summary", severity="priority.summary|urgency", url="html_url", id="id",
    ),
    Shape(
        title="PagerDuty incident (REST)", source="pagerduty", needs=("incident.created_at", "incident.id"),
        kind="incident", time="incident.created_at", end="incident.resolved_at|incident.last_status_change_at",
        state="incident.status", ended=_RESOLVED, service="incident.service.summary",
        says="incident.title|incident.summary", severity="incident.priority.summary|incident.urgency",
        url="incident.html_url", id="incident.id",
    ),
    Shape(
        title="PagerDuty change events (REST)", source="pagerduty", needs=("change_events.0.timestamp",),
        each="change_events", kind="config_change", time="timestamp", service="services.0.summary", says="summary",
        url="links.0.href", id="id", attributes={"by": "source"},
    ),
    Shape(
        title="PagerDuty change event", source="pagerduty",
        needs=("routing_key", "payload.summary", "payload.timestamp"),
        kind="config_change", time="payload.timestamp", says="payload.summary", service="payload.component",
        url="links.0.href", severity="payload.severity", attributes={"by": "payload.source"},
    ),
    Shape(
        title="Kubernetes events", source="kubernetes", needs=("kind=Event", "involvedObject.name"),
        kind=_of_kubernetes, time="firstTimestamp|eventTime|lastTimestamp|metadata.creationTimestamp",
        service=_workload, template="{involvedObject.name}: {reason}: {message}", id="metadata.uid",
        attributes={"reason": "reason", "namespace": "involvedObject.namespace", "object": "involvedObject.kind",
                    "count": "count"},
    ),
    Shape(
        title="LaunchDarkly webhook", source="launchdarkly", needs=("kind=flag", "date", "accesses"),
        kind="feature_flag", time="date", says="title|name", template="{name}: {titleVerb}", url="_links.site.href",
        attributes={"key": "name", "by": "member.email"},
    ),
    Shape(
        title="Grafana annotation", source="grafana", needs=("time", "text", "tags"), kind=_of_grafana,
        service=_tagged, time="time", end="timeEnd", says="text", template="annotation", state="newState", id="id",
        attributes={"by": "login|email", "dashboard": "dashboardUID"},
    ),
)  # fmt: skip


ALL_SHAPES: tuple[Shape | AlertShape, ...] = (*ALERT_SHAPES, *SHAPES)


# The keys at the top of a document without which it cannot have a shape: most documents are told apart by them.
_TOP_KEYS = tuple((frozenset(map(top_key, shape.needs)), shape) for shape in ALL_SHAPES)


def shape_of(document: Any) -> Shape | AlertShape | None:
    """The shape of a document, when it has one of those that are known."""
    if not isinstance(document, Mapping):
        return None
    there = document.keys()
    return next((shape for keys, shape in _TOP_KEYS if keys <= there and shape.fits(document)), None)
