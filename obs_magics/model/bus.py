"""The event bus: who wants to know what the session does subscribes here.

Events and their payloads (DESIGN, section 3):

==================================  ================================
`observability:query:start`         query, platforms
`observability:query:complete`      query, results, duration
`observability:anomaly:detected`    metric, value, severity
`observability:correlation:found`   anomaly, correlated_event
`observability:rca:complete`        incident, root_cause
`observability:dashboard:created`   dashboard_id, platform
==================================  ================================
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

QUERY_START = "observability:query:start"
QUERY_COMPLETE = "observability:query:complete"
ANOMALY_DETECTED = "observability:anomaly:detected"
CORRELATION_FOUND = "observability:correlation:found"
RCA_COMPLETE = "observability:rca:complete"

Payload = Mapping[str, Any]
Listener = Callable[[str, Payload], None]

_log = logging.getLogger(__name__)


class Bus:
    """Calls every listener of an event, in the order in which they subscribed.

    A listener that fails is logged and does not stop the query that it listens to.
    """

    def __init__(self) -> None:
        self._listeners: list[tuple[str, Listener]] = []
        self._lock = Lock()

    def subscribe(self, event: str, listener: Listener) -> Callable[[], None]:
        """Call `listener(event, payload)` for each `event`; returns a function that ends the subscription.

        Args:
            event: A full name, or a prefix ending in ``*`` (``observability:query:*``, or ``*`` for all).
            listener: Called in the thread that emits; should return fast.
        """
        entry = (event, listener)
        with self._lock:
            self._listeners.append(entry)

        def unsubscribe() -> None:
            with self._lock:  # by identity: the same listener may have subscribed twice
                self._listeners = [other for other in self._listeners if other is not entry]

        return unsubscribe

    def emit(self, event: str, /, **payload: Any) -> None:
        """Tell every listener of `event`."""
        with self._lock:
            listeners = [listener for pattern, listener in self._listeners if _matches(pattern, event)]
        for listener in listeners:
            try:
                listener(event, payload)
            except Exception:  # noqa: BLE001 - a listener is foreign code: whatever it raises is its own affair
                _log.warning("a listener of %s failed", event, exc_info=True)


def _matches(pattern: str, event: str) -> bool:
    return event.startswith(pattern[:-1]) if pattern.endswith("*") else event == pattern
