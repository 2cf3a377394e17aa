"""Alerts with labels and annotations in JSON: of Alertmanager's webhook and API, of Grafana's, of Prometheus' API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from obs_magics.analysis.events.alerts import alert_event
from obs_magics.local.events.ends import over
from obs_magics.local.readers.events.paths import ID, Element, holds, text_of
from obs_magics.model.events import Event
from obs_magics.syntax.moments import moment_ns


@dataclass(frozen=True, slots=True)
class AlertShape:
    """Alerts with labels and annotations: of Alertmanager's webhook and API, of Grafana's, of Prometheus' API.

    Args:
        title: For people.
        source: Who tells so.
        needs: As in `Shape`.
        each: Where the alerts stand; empty: the document is one.
        start: The key of its beginning.
        states: Those of `state` that count.
    """

    title: str
    source: str
    needs: tuple[str, ...]
    each: str
    start: str = "startsAt"
    states: frozenset[str] | None = None

    def fits(self, document: Any) -> bool:
        """Whether a document has this shape."""
        return all(map(partial(holds, Element(document, document)), self.needs))

    def events(self, document: Any) -> Iterator[Event | None]:
        """Its events; None for an element that has no time."""
        alerts = Element(document, document).at(self.each) if self.each else [document]
        for alert in alerts if isinstance(alerts, list) else ():
            element = Element(alert, document)
            if self.states is None or element.text("state") in self.states:
                yield self._event(element)

    def _event(self, element: Element) -> Event | None:
        start = moment_ns(element.at(self.start))
        if start is None:
            return None
        labels, annotations = _texts(element.at("labels")), _texts(element.at("annotations"))
        state = element.text("status|status.state|state")
        told = moment_ns(element.at("endsAt")) if state == "resolved" else None
        end, contradiction = over("alert", start, told)
        fingerprint = element.text("fingerprint") or "\n".join(f"{key}={labels[key]}" for key in sorted(labels))
        own = {
            "alert_state": state,
            "alert_receivers": element.text("^receiver"),
            "alert_value": element.text("value|valueString"),
            ID: f"{fingerprint} {start}",
            **contradiction,
        }
        url = element.text("generatorURL|panelURL|dashboardURL")
        return alert_event(labels, annotations, start_ns=start, end_ns=end, source=self.source, url=url, own=own)


def _texts(found: Any) -> dict[str, str]:
    return {str(name): text_of(value) for name, value in found.items()} if isinstance(found, Mapping) else {}


ALERT_SHAPES: tuple[AlertShape, ...] = (
    AlertShape("Alertmanager webhook", "alertmanager", ("alerts.0.labels", "alerts.0.startsAt"), "alerts"),
    AlertShape("Alertmanager alerts (API)", "alertmanager", ("labels", "startsAt", "annotations"), ""),
    AlertShape(
        "Prometheus alerts (API)",
        "prometheus",
        ("data.alerts.0.labels",),
        "data.alerts",
        "activeAt",
        frozenset({"firing"}),
    ),
)
