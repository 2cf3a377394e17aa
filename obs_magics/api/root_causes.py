"""Root causes and postmortems of a session, for whoever waits and for whoever awaits."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from obs_magics.api.catalogs import bridged
from obs_magics.api.incidents import IncidentsBase
from obs_magics.model.bus import RCA_COMPLETE
from obs_magics.model.sources import ProgressListener, no_progress
from obs_magics.net.loop import background
from obs_magics.session.plan import When

if TYPE_CHECKING:
    from obs_magics.incident.enriched import Enriched
    from obs_magics.incident.gathering import Asked
    from obs_magics.incident.investigate import Investigation
    from obs_magics.incident.report import Postmortem
    from obs_magics.model.incident import Remark


class RootCausesBase(IncidentsBase):
    """What both kinds of session do the same way."""

    async def _root_cause(self, asked: Asked | Enriched, progress: ProgressListener) -> Investigation:
        from obs_magics.incident.enriched import Enriched
        from obs_magics.incident.investigate import investigate

        enriched = asked if isinstance(asked, Enriched) else await self._enrich(asked, progress)
        found = await asyncio.to_thread(investigate, enriched)
        first = found.report.factors[0].title if found.report.factors else found.conclusion
        self.bus.emit(RCA_COMPLETE, incident=enriched.incident.to_dict(), root_cause=first)
        return found

    def report(
        self,
        found: Investigation,
        *,
        notes: Sequence[Remark] = (),
        notebook: str | os.PathLike[str] | None = None,
        slo: str | None = None,
    ) -> Postmortem:
        """The postmortem of an incident, to be saved as HTML, PDF, Markdown or JSON.

        Args:
            found: What `root_cause` gave.
            notes: Of people, for the timeline.
            notebook: A notebook file; what people wrote in its Markdown cells under headings such as Summary, Impact,
                Actions or Lessons goes into these sections, all else into notes.
            slo: The service's objective: `99.9%/30d`.

        Raises:
            UsageError: The notebook cannot be read, or the objective is none.

        >>> session.report(session.root_cause("payment-api", "14:15")).save("report.html")    # doctest: +SKIP
        """
        from obs_magics.incident.prose import Written, read_notebook
        from obs_magics.incident.report import Postmortem, Slo
        from obs_magics.model.zones import zone_name

        written = Written() if notebook is None else read_notebook(Path(notebook))
        cells = tuple(map(self._core.hidden, written.cells))
        return Postmortem(
            found=found,
            notes=tuple(notes),
            written=replace(written, cells=cells),
            slo=None if slo is None else Slo.parse(slo),
            zone=zone_name(self.zone),
        )


class SyncRootCauses(RootCausesBase):
    """Each call waits for its answer."""

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
        asked = _asked(incident, start, end, source, title)
        return background().run(self._root_cause(asked, progress))


class AsyncRootCauses(RootCausesBase):
    """The same calls, to be awaited."""

    async def root_cause(
        self,
        incident: str | Enriched,
        start: When | None = None,
        *,
        end: When | None = None,
        source: str | None = None,
        title: str = "",
        progress: ProgressListener = no_progress,
    ) -> Investigation:
        """As `Session.root_cause`."""
        return await bridged(self._root_cause(_asked(incident, start, end, source, title), progress))


def _asked(
    incident: str | Enriched, start: When | None, end: When | None, source: str | None, title: str
) -> Asked | Enriched:
    from obs_magics.incident.gathering import Asked

    if isinstance(incident, str):
        return Asked(service=incident, start=start, end=end, source=source, title=title)
    return incident
