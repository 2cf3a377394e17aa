"""Alertmanager as a source of events: what fires now, who hears of it, and what was silenced."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any
from urllib.parse import quote

from obs_magics.adapters.alertmanager import answers
from obs_magics.adapters.alertmanager.answers import Alert, Group, Silence, read_list
from obs_magics.adapters.alertmanager.errors import VENDOR
from obs_magics.adapters.alertmanager.product import find_status
from obs_magics.adapters.alertmanager.settings import AlertmanagerSettings
from obs_magics.adapters.http_source import HttpSource
from obs_magics.analysis.events import chosen
from obs_magics.analysis.events.alerts import is_broken, pushed_down
from obs_magics.display.units import count_text
from obs_magics.model.errors import QueryError, SourceError
from obs_magics.model.events import Event, EventKind, events_frame
from obs_magics.model.query import EventMatcher, EventsQuery
from obs_magics.model.sources import Answer, Health, Progress, ProgressListener, no_progress
from obs_magics.net.tasks import stop

ALERTS, GROUPS, SILENCES = "/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences"
NO_HISTORY = "Alertmanager keeps no history: of alerts it has those that fire now (ask Prometheus for ALERTS)"
_Pairs = list[tuple[str, str]]


class AlertmanagerSource(HttpSource[AlertmanagerSettings]):
    """An Alertmanager of version 0.16 or later, or what speaks its API v2.

    Implements `EventsSource`: alerts that fire now, with who hears of them and what keeps them quiet, and silences, as
    events of kind `annotation`.

    Args:
        name: As the user calls it.
        settings: Its entry in the configuration; secrets in it are looked up when it is first asked.
    """

    platform = "alertmanager"
    vendor = VENDOR
    event_kinds: tuple[EventKind, ...] = ("alert", "annotation")

    async def health(self) -> Health:
        """Ask for its status.

        Raises:
            SourceError: Nobody answers, or not an Alertmanager.
        """
        began = time.perf_counter()
        status = await find_status(self._client)
        return Health(True, status.title, time.perf_counter() - began, status.detail)

    async def alerts(self, matchers: Sequence[EventMatcher] = ()) -> list[Alert]:
        """The alerts that fire now, quiet ones too.

        Raises:
            QueryError: The server refused a matcher.
            SourceError: It could not be asked, or its answer makes no sense.
        """
        reply = await self._client.request("GET", ALERTS, params=self._about_alerts(matchers))
        return read_list(reply, answers.ALERTS)

    async def groups(self, matchers: Sequence[EventMatcher] = ()) -> list[Group]:
        """The same alerts in the groups in which they are told, once for each receiver; raises as `alerts`."""
        reply = await self._client.request("GET", GROUPS, params=self._about_alerts(matchers))
        return read_list(reply, answers.GROUPS)

    async def silences(self) -> list[Silence]:
        """The silences, expired ones too (they are kept for five days); raises as `alerts`."""
        return read_list(await self._client.request("GET", SILENCES), answers.SILENCES)

    def _about_alerts(self, matchers: Sequence[EventMatcher]) -> _Pairs:
        receiver = [("receiver", self._settings.receiver)] if self._settings.receiver else []
        return [*(("filter", str(matcher)) for matcher in matchers), *receiver]

    async def events(self, query: EventsQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer with what fires now and began before the range ends, and with silences; see `EventsSource.events`.

        Raises:
            QueryError: The server refused a condition.
            SourceError: The source could not be asked, or its answer makes no sense.
        """
        matchers = pushed_down(query.matchers)
        wants_alerts = not query.kinds or "alert" in query.kinds
        wants_silences = not query.kinds or "annotation" in query.kinds
        progress(Progress(0, 1))
        alerts, silences, failed = await self._ask(matchers, alerts=wants_alerts, silences=wants_silences)
        found = [*alerts, *silences]
        kept = chosen(found, EventsQuery(range=query.range, limit=query.limit)).events
        progress(Progress(1, 1, len(kept)))
        broken = sum(event.kind == "alert" and is_broken(event.attributes) for event in kept)
        return Answer(
            events_frame(kept),
            self._native(matchers, alerts=wants_alerts, silences=wants_silences),
            failed=tuple(failed),
            warnings=(f"{count_text(broken, 'alert')} with a template that could not be filled in",) if broken else (),
            link=self._link(matchers),
            empty_reason="" if kept else _why_empty(len(found), wants_alerts=wants_alerts),
            signal="events",
            notes=(NO_HISTORY,) if wants_alerts else (),
        )

    async def _ask(
        self, matchers: Sequence[EventMatcher], *, alerts: bool, silences: bool
    ) -> tuple[list[Event], list[Event], list[str]]:
        """Alerts, silences, and what did not come. Groups, and silences beside alerts, can be done without."""
        asked: dict[str, Coroutine[Any, Any, list[Any]] | None] = {
            "alerts": self.alerts(matchers) if alerts else None,
            "groups": self.groups(matchers) if alerts else None,
            "silences": self.silences() if silences else None,
        }
        tasks = {name: asyncio.create_task(work) for name, work in asked.items() if work is not None}
        try:
            await asyncio.gather(*tasks.values(), return_exceptions=True)
        finally:
            await stop(tasks.values())
        errors = {name: error for name, task in tasks.items() if (error := task.exception()) is not None}
        needed = "alerts" if alerts else "silences"
        for name, error in errors.items():
            if name == needed or not isinstance(error, SourceError | QueryError):
                raise error
        came = {name: task.result() for name, task in tasks.items() if name not in errors}
        groups = answers.groups_by_alert(came.get("groups", ()))
        failed = [
            f"{name}: {error.message}" for name, error in errors.items() if isinstance(error, SourceError | QueryError)
        ]
        return (
            answers.alert_events(came.get("alerts", ()), groups, source=self.name),
            answers.silence_events(came.get("silences", ()), source=self.name),
            failed,
        )

    def _native(self, matchers: Sequence[EventMatcher], *, alerts: bool, silences: bool) -> str:
        parameters = "&".join(f"{name}={value}" for name, value in self._about_alerts(matchers))
        paths = [f"{ALERTS}{'?' if parameters else ''}{parameters}"] if alerts else []
        return " and ".join(f"GET {path}" for path in [*paths, *([SILENCES] if silences else [])])

    def _link(self, matchers: Sequence[EventMatcher]) -> str:
        """The page of alerts, quiet ones too."""
        chosen_ones = ",".join(map(str, matchers))
        condition = f"&filter={quote(f'{{{chosen_ones}}}')}" if chosen_ones else ""
        return f"{self._client.address.rstrip('/')}/#/alerts?silenced=true&inhibited=true&active=true{condition}"


def _why_empty(total: int, *, wants_alerts: bool) -> str:
    if total:
        return f"of {total:,} alerts and silences that it has, none began before the range ended and lasted into it"
    return (
        "nothing fires now, and nothing is silenced; what fired before is not kept here"
        if wants_alerts
        else ("there are no silences")
    )
