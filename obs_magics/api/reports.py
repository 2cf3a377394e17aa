"""The postmortem of a session's incident."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from obs_magics.api.base import Base

if TYPE_CHECKING:
    from obs_magics.incident.investigate import Investigation
    from obs_magics.incident.report import Postmortem
    from obs_magics.model.incident import Remark


class Reports(Base):
    """Writes postmortems; asks no source."""

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
