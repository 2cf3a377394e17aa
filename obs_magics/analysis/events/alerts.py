"""What an alert of Prometheus' kind becomes as an event: its labels, its annotations, and what its state is.

Labels keep their names, annotations get the prefix `annotation_`, and what the platform says of its state `alert_`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from obs_magics.analysis.loglines.names import NO_SERVICE, SERVICE_NAMES, present, squashed
from obs_magics.model.events import EVENT_RESERVED, Event
from obs_magics.model.query import EventMatcher
from obs_magics.net.reply import shown

ALERT_NAME = "alertname"
ANNOTATION, OWN = "annotation_", "alert_"
# In which label people write how bad it is, the usual one first.
SEVERITY_NAMES = ("severity", "alertseverity", "priority", "level")
# Annotations that say in one line what is wrong, the usual one first.
_TITLES = ("summary", "title", "message", "description", "__value_string__")
_TITLE_LENGTH = 300
# What Prometheus puts where a template of a rule cannot be filled in: recording `alerts-groups`.
_BROKEN = "<error expanding template"
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


def service_of(labels: Mapping[str, str]) -> str:
    """The service that labels tell of, by the table of names that log lines are read with; empty when none does."""
    told = (labels[name] for name in present(labels, SERVICE_NAMES))
    return next((value for value in told if value and value.lower() not in NO_SERVICE), "")


def severity_of(labels: Mapping[str, str]) -> str:
    """How bad it is, in the words of whoever wrote the rule; empty when they do not say."""
    return next((labels[name] for name in present(labels, SEVERITY_NAMES)), "")


def alert_event(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    *,
    start_ns: int,
    end_ns: int | None,
    source: str,
    url: str = "",
    own: Mapping[str, str] | None = None,
) -> Event:
    """One alert as an event.

    Args:
        labels: As the platform has them; those that begin with `__` are its own business.
        annotations: Likewise.
        start_ns: Since when it fires.
        end_ns: Until when it fired; None when it still does.
        source: Who says so.
        url: Where one can look at it.
        own: What the platform says beside it, each name with the prefix `alert_`; empty values are left out.
    """
    service, severity = service_of(labels), severity_of(labels)
    kept = {name: value for name, value in labels.items() if not name.startswith("__") and value}
    for name, value in (("service", service), ("severity", severity)):
        if kept.get(name) == value:
            del kept[name]
    told = {f"{ANNOTATION}{name}": value for name, value in annotations.items() if value}
    return Event(
        start_ns=start_ns,
        end_ns=end_ns,
        kind="alert",
        service=service,
        title=_title(labels, annotations, service),
        severity=severity,
        url=url,
        source=source,
        attributes={**{name: value for name, value in (own or {}).items() if value}, **told, **kept},
    )


def is_broken(annotations: Mapping[str, str]) -> bool:
    """Whether a template of the rule could not be filled in."""
    return any(value.startswith(_BROKEN) for value in annotations.values())


def _title(labels: Mapping[str, str], annotations: Mapping[str, str], service: str) -> str:
    lower = {squashed(name): value for name, value in annotations.items() if not value.startswith(_BROKEN)}
    told = next((lower[squashed(name)] for name in _TITLES if lower.get(squashed(name), "").strip()), "")
    if told:
        return shown(told, _TITLE_LENGTH)
    name = labels.get(ALERT_NAME, "alert")
    return f"{name} on {service}" if service else name


def pushed_down(matchers: Iterable[EventMatcher]) -> list[EventMatcher]:
    """Those matchers that can be about nothing but labels of an alert: the platform can keep them itself."""
    return [
        matcher
        for matcher in matchers
        if matcher.name not in EVENT_RESERVED
        and not matcher.name.startswith((ANNOTATION, OWN, "label_"))
        and _LABEL.fullmatch(matcher.name)
    ]
