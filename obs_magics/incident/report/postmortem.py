"""A postmortem: everything that is known of an incident, and what people wrote about it, in one document."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from obs_magics import __version__
from obs_magics.display.clock import MS, at, clock_text, dates_text
from obs_magics.display.document import Document, Part, to_html, to_markdown
from obs_magics.display.times import several_days
from obs_magics.display.visible import short
from obs_magics.incident.investigate import Investigation
from obs_magics.incident.pdf import write_pdf
from obs_magics.incident.prose import Written
from obs_magics.incident.report.impact import Impact, Slo, impact_of
from obs_magics.incident.report.portable import portable
from obs_magics.incident.response import response
from obs_magics.incident.verdict import remedies_of
from obs_magics.model.errors import ObsError, UsageError, did_you_mean
from obs_magics.model.incident import Remark, Response

Format = Literal["html", "pdf", "md", "json"]
_TITLE = 120
FORMATS: tuple[Format, ...] = ("html", "pdf", "md", "json")


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do, and why.

    Args:
        what: One action that somebody can own.
        kind: `mitigate` eases it now, `prevent` keeps it from coming back.
        because: What was found that asks for it.
    """

    what: str
    kind: Literal["mitigate", "prevent"]
    because: str


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Postmortem:
    """A postmortem.

    Args:
        found: The incident with its evidence, and what contributed to it.
        notes: Of people, with their times.
        written: What people wrote in the notebook.
        slo: The service's objective, where there is one.
        zone: IANA name of the zone in which times are written, beside UTC.
    """

    found: Investigation
    notes: Sequence[Remark] = ()
    written: Written = field(default_factory=Written)
    slo: Slo | None = None
    zone: str = "UTC"

    def __repr__(self) -> str:
        return f"<Postmortem “{short(self.title, _TITLE)}”, {len(self.document.parts)} sections>"

    @property
    def title(self) -> str:
        """As people called it, else the service and the day."""
        incident = self.found.enriched.incident
        day = at(incident.start_ns // MS, self.zone)
        return self.written.title or incident.title or f"{incident.service}: incident of {day.day} {day:%B %Y}"

    @property
    def several_days(self) -> bool:
        """Whether times need their day: the incident, and the changes that are thought of, are not of one."""
        enriched, told = self.found.enriched, self.found.report
        incident = enriched.incident
        changes = [*(one.change for one in told.factors), *(one.change for one in told.ruled_out)]
        times = [incident.start_ns, incident.end_ns or incident.start_ns]
        times += [one.at_ns for one in changes if one is not None]
        return several_days(min(times), max(times), self.zone)

    @property
    def failed(self) -> list[str]:
        """What did not come from the sources, without folders of this machine."""
        return [portable(text) for text in self.found.enriched.failed]

    @property
    def warnings(self) -> list[str]:
        """What else to know of the answers, likewise."""
        return [portable(text) for text in self.found.enriched.warnings]

    @cached_property
    def impact(self) -> Impact:
        """What it cost."""
        return impact_of(self.found.enriched, self.slo)

    @cached_property
    def response(self) -> Response:
        """How quickly it was detected, mitigated and over, with the rows of `timeline` that say so."""
        enriched = self.found.enriched
        return response(self.timeline, enriched.incident, enriched.services)

    @cached_property
    def timeline(self) -> pd.DataFrame:
        """What concerns the service and its neighbours, in order of time."""
        return self.found.enriched.timeline(self.notes, near=True)

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """What the table of remedies proposes for what was found."""
        told: dict[str, Action] = {}
        for one in remedies_of(self.found):
            told.setdefault(one.remedy.now, Action(one.remedy.now, "mitigate", one.because))
            for what in one.remedy.prevent:
                told.setdefault(what, Action(what, "prevent", one.because))
        return tuple(told.values())

    @cached_property
    def document(self) -> Document:
        """The whole of it, in sections."""
        from obs_magics.incident.report.sections import SECTIONS, subtitle
        from obs_magics.incident.report.summary import status

        parts = [Part(key, title, build(self)) for key, title, build in SECTIONS]
        return Document(self.title, subtitle=subtitle(self), status=status(self), parts=parts, footer=self._footer())

    def _footer(self) -> str:
        asked = dict.fromkeys(f"{one.source} ({one.platform})" for one in self.found.enriched.questions)
        now = self.found.enriched.now_ns
        day, time = dates_text(now // MS, now // MS, self.zone), clock_text(now // MS, self.zone)
        until = f"; the data ends on {day} at {time}" if now else ""
        return f"Written by obs_magics {__version__} from {', '.join(asked) or 'no source'}{until}."

    def check(self) -> int:
        """Compute every number of the evidence again; see `Investigation.check`."""
        return self.found.check()

    def to_html(self) -> str:
        """One page that needs nothing from anywhere else: light, dark, printable, no script."""
        return to_html(self.document)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        from obs_magics.incident.report.summary import status, summary_rows

        enriched = self.found.enriched
        told = {
            "title": self.title,
            "status": status(self),
            "zone": self.zone,
            "summary": dict(summary_rows(self)),
            "incident": enriched.incident.to_dict(),
            "impact": self.impact.to_dict(),
            "response": self.response.to_dict(),
            "timeline": self.timeline.to_dict("records"),
            "root_cause": self.found.report.to_dict(),
            "spread": [asdict(step) for step in self.found.spread()],
            "actions": [asdict(one) for one in self.actions],
            "written": dict(self.written.sections),
            "questions": [
                {"source": one.source, "signal": one.signal, "query": one.native_query, "start": one.start,
                 "end": one.end, "digest": one.digest, "link": one.link}
                for one in enriched.questions
            ],
            "failed": list(self.failed),
            "warnings": list(self.warnings),
            "generator": f"obs_magics {__version__}",
        }  # fmt: skip
        plain: dict[str, Any] = _plain(told)
        return plain

    def to_json(self) -> str:
        """As JSON, keys in a fixed order."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it in the form that the file's ending names: .html, .pdf, .md or .json.

        Markdown has its pictures in a folder beside it. What was there before is replaced when the new one is whole.

        Raises:
            UsageError: The ending names none of these, or there is no browser to print a PDF with.
            ObsError: The file cannot be written.
        """
        target = Path(path)
        form = format_of(target)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if form == "pdf":
                write_pdf(self.to_html(), target)
            elif form == "md":
                self._save_markdown(target)
            else:
                _replace(target, self.to_html() if form == "html" else self.to_json())
        except OSError as problem:
            raise ObsError(f"the report cannot be written: {problem.strerror}", where=str(target)) from problem
        return target.resolve()

    def _save_markdown(self, target: Path) -> None:
        files = to_markdown(self.document, folder=f"{target.stem}_files")
        for name, svg in files.pictures.items():
            picture = target.parent / name
            picture.parent.mkdir(exist_ok=True)
            _replace(picture, svg)
        _replace(target, files.text)


def format_of(path: Path) -> Format:
    """The form that a file's ending names.

    Raises:
        UsageError: It names none.
    """
    ending = path.suffix.removeprefix(".").lower()
    found = {"htm": "html", "markdown": "md"}.get(ending, ending)
    for form in FORMATS:
        if form == found:
            return form
    said = f"there is no report in the form {path.suffix!r}" if ending else f"{path.name!r} has no ending"
    hint = did_you_mean(ending, FORMATS) or f"one of {', '.join(f'.{form}' for form in FORMATS)}"
    raise UsageError(said, hint=hint)


def _plain(value: Any) -> Any:
    """As JSON has it: instants as ISO 8601, what is no number as null."""
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if value is None or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value.isoformat() if isinstance(value, pd.Timestamp) else value


def _replace(target: Path, text: str) -> None:
    """Write a file whole or not at all."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
