"""Incidents and what contributed to them. What they need is imported when they are asked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from obs_magics.api.base import Base
from obs_magics.api.faces import Waiting
from obs_magics.model.bus import RCA_COMPLETE, Bus
from obs_magics.model.sources import ProgressListener, no_progress
from obs_magics.session.plan import When

if TYPE_CHECKING:
    from obs_magics.incident.enrich import Enricher
    from obs_magics.incident.enriched import Enriched
    from obs_magics.incident.gathering import Asked
    from obs_magics.incident.investigate import Investigation
    from obs_magics.model.incident import Incident


class Incidents(Base, Waiting):
    """Gathers an incident and says what contributed to it."""

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
        return self._run(self._enricher().enrich(asked, progress=progress))

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
        return self._run(self._enricher().declare(asked, progress=progress))

    def root_cause(
        self,
        incident: str | Enriched,
        start: When | None = None,
        *,
        end: When | None = None,
        source: str | None = None,
        title: str = "",
        progress: ProgressListener = no_progress,
    ) -> Investigation:
        """Say what most likely contributed to an incident, with the rows that say so, and what was ruled out.

        Args:
            incident: What `enrich` gave; or a service, whose incident is gathered first.
            start: As in `enrich`.
            end: As in `enrich`.
            source: As in `enrich`.
            title: As in `enrich`.
            progress: As in `metrics`.

        Returns:
            `factors` (most likely first, each with evidence and the tests that it stood), `ruled_out`, `conclusion`,
            `report`; `check()` computes every number again.

        Raises:
            UsageError: As in `enrich`.

        >>> found = session.root_cause("payment-api", "14:15")                      # doctest: +SKIP
        >>> found.factors[0].title                                                  # doctest: +SKIP
        """
        from obs_magics.incident.gathering import Asked

        if not isinstance(incident, str):
            return self._run(_investigated(incident, self.bus))
        asked = Asked(service=incident, start=start, end=end, source=source, title=title)
        return self._run(_gathered(self._enricher(), asked, self.bus, progress))


async def _gathered(enricher: Enricher, asked: Asked, bus: Bus, progress: ProgressListener) -> Investigation:
    return await _investigated(await enricher.enrich(asked, progress=progress), bus)


async def _investigated(enriched: Enriched, bus: Bus) -> Investigation:
    from obs_magics.incident.investigate import investigate

    found = await asyncio.to_thread(investigate, enriched)
    first = found.report.factors[0].title if found.report.factors else found.conclusion
    bus.emit(RCA_COMPLETE, incident=enriched.incident.to_dict(), root_cause=first)
    return found
