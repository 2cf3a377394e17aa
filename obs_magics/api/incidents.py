"""Incidents of a session, for whoever waits and for whoever awaits. What they need is imported when they are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_magics.api.base import Base
from obs_magics.api.catalogs import bridged
from obs_magics.model.sources import ProgressListener, no_progress
from obs_magics.net.loop import background
from obs_magics.session.plan import When

if TYPE_CHECKING:
    from obs_magics.incident.enrich import Enricher
    from obs_magics.incident.enriched import Enriched
    from obs_magics.incident.gathering import Asked
    from obs_magics.model.incident import Incident


class IncidentsBase(Base):
    """What both kinds of session do the same way."""

    def now_ns(self) -> int:
        """The now of the default source in nanoseconds since the epoch; the clock's where it has none of its own."""
        name = self.default or next((one.name for one in self.sources if not one.problem), None)
        own = None if name is None else self._core.book.source(name).now_ns()
        return self._clock_ns() if own is None else own

    async def _enrich(self, asked: Asked, progress: ProgressListener) -> Enriched:
        return await self._enricher().enrich(asked, progress=progress)

    async def _declare(self, asked: Asked, progress: ProgressListener) -> Incident:
        return await self._enricher().declare(asked, progress=progress)

    def _enricher(self) -> Enricher:
        from obs_magics.incident.configured import settings_of
        from obs_magics.incident.enrich import Enricher
        from obs_magics.incident.reach import Desks

        return Enricher(
            Desks(self._core, self._traces, self._events, self._measures),
            settings_of(self.settings.settings.incident),
            zone=self.zone,
            clock_ns=self._clock_ns,
        )


class SyncIncidents(IncidentsBase):
    """Each call waits for its answer."""

    def enrich(
        self,
        service: str,
        start: When | None = None,
        *,
        end: When | None = None,
        source: str | None = None,
        title: str = "",
        progress: ProgressListener = no_progress,
    ) -> Enriched:
        """Gather everything around an incident, from all sources at once.

        Metrics (rate, errors, duration, resources) of the service and of its callers and callees, error lines and their
        patterns, failing, slow and usual traces, deployments, changes of configuration, flags, alerts and restarts. How
        far around is set by the section `incident` of the configuration. A source that fails takes nothing else with
        it: what did not come is in `failed`.

        Args:
            service: The one that people complain about.
            start: When it began, as in `metrics`; None to find the last time in which its errors, latency or traffic
                were not as usual, else the last alert.
            end: When it was over; None to find it: when the measures by which it was noticed were back to usual.
            source: Names of the sources to ask, with commas between them; None or `auto` for all.
            title: What the incident is called.
            progress: As in `metrics`.

        Returns:
            The incident with its frames: `metrics`, `error_logs`, `error_traces`, `slow_traces`, `deployments`,
            `config_changes`, `flags`, `alerts`, `restarts`, `patterns`, `topology`, `neighbours` …; `timeline()` puts
            them on one axis.

        Raises:
            UsageError: There is no source, no such service, the times make no sense, or no start can be found.

        >>> enriched = session.enrich("payment-api", "14:15")                       # doctest: +SKIP
        >>> enriched.incident.end, len(enriched.error_logs), enriched.failed         # doctest: +SKIP
        """
        from obs_magics.incident.gathering import Asked

        asked = Asked(service=service, start=start, end=end, source=source, title=title)
        return background().run(self._enrich(asked, progress))

    def incident(
        self,
        service: str,
        start: When | None = None,
        *,
        end: When | None = None,
        source: str | None = None,
        title: str = "",
        progress: ProgressListener = no_progress,
    ) -> Incident:
        """When an incident was and when somebody was told of it, without all that `enrich` gathers.

        Args:
            service: As in `enrich`, and so are all others.
            start: As in `enrich`.
            end: As in `enrich`.
            source: As in `enrich`.
            title: As in `enrich`.
            progress: As in `enrich`.

        Returns:
            The incident; `to_dict()` gives it as JSON.

        Raises:
            UsageError: As in `enrich`.
        """
        from obs_magics.incident.gathering import Asked

        asked = Asked(service=service, start=start, end=end, source=source, title=title)
        return background().run(self._declare(asked, progress))


class AsyncIncidents(IncidentsBase):
    """The same calls, to be awaited."""

    async def enrich(
        self,
        service: str,
        start: When | None = None,
        *,
        end: When | None = None,
        source: str | None = None,
        title: str = "",
        progress: ProgressListener = no_progress,
    ) -> Enriched:
        """As `Session.enrich`."""
        from obs_magics.incident.gathering import Asked

        asked = Asked(service=service, start=start, end=end, source=source, title=title)
        return await bridged(self._enrich(asked, progress))

    async def incident(
        self,
        service: str,
        start: When | None = None,
        *,
        end: When | None = None,
        source: str | None = None,
        title: str = "",
        progress: ProgressListener = no_progress,
    ) -> Incident:
        """As `Session.incident`."""
        from obs_magics.incident.gathering import Asked

        asked = Asked(service=service, start=start, end=end, source=source, title=title)
        return await bridged(self._declare(asked, progress))
