"""`%obs_report`: the postmortem of an incident as a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obs_magics.magics.arguments import HELP, Arguments, read_words
from obs_magics.magics.commands import help_text
from obs_magics.magics.commands_rca import REPORT
from obs_magics.magics.declared import last_declared, value_called
from obs_magics.magics.interrupt import in_one_line

if TYPE_CHECKING:
    from obs_magics.display.panel import Panel
    from obs_magics.incident.enriched import Enriched
    from obs_magics.incident.investigate import Investigation
    from obs_magics.incident.report import Postmortem
    from obs_magics.magics.context import Context

# Where Jupyter's server and VS Code tell a kernel which notebook it works for.
_NOTEBOOK_VARIABLE = "JPY_SESSION_NAME"
_NOTEBOOK_NAME = "__vsc_ipynb_file__"
_NO_LESSONS = "no lessons yet: write them under “## Lessons” in the notebook"


def run(context: Context, line: str, names: Mapping[str, Any]) -> Postmortem | None:
    """Investigate where that is needed, write the file, say where it is, return the report.

    Args:
        context: The shell and its session.
        line: What stands behind the magic's name.
        names: Python's variables.

    Raises:
        UsageError: There is no such incident, form or notebook; nothing was written.
        ObsError: The file cannot be written, or a number cannot be computed again.
    """
    bare = line.rstrip()
    quiet = bare.endswith(";")
    arguments = read_words(REPORT, bare.removesuffix(";"), names)
    if arguments.has(HELP.name):
        context.write(help_text(REPORT))
        return None
    found = _found(context, arguments, names)
    notebook, told = _notebook(arguments, names)
    with in_one_line("interrupted: no report was written"):
        report = context.session.report(
            found, notes=context.case.remarks(), notebook=notebook, slo=arguments.text("slo")
        )
        checked = report.check() if arguments.has("check") else None
        target = arguments.text("out") or _default_name(report)
        report.save(target)
    if arguments.target is not None:
        context.fill(arguments.target, report)
    if arguments.has("no-plot"):
        context.write(f"written: {target}")
    else:
        context.show(*_panel(report, target, told, checked).outputs())
    return None if quiet and arguments.target is not None else report


def _found(context: Context, arguments: Arguments, names: Mapping[str, Any]) -> Investigation:
    from obs_magics.incident.enriched import Enriched

    value: Enriched | Investigation
    if arguments.words:
        value = value_called(arguments.words[0], names, last=context.case.enriched)
    else:
        value = last_declared(context)
    known = context.case.found
    if known is not None and known.enriched is value:
        return known
    return context.session.root_cause(value) if isinstance(value, Enriched) else value


def _notebook(arguments: Arguments, names: Mapping[str, Any]) -> tuple[Path | None, str]:
    """The notebook whose words go into the report, and what to say of it."""
    asked = arguments.text("notebook")
    if asked is not None:
        return Path(asked), ""
    known = names.get(_NOTEBOOK_NAME) or os.environ.get(_NOTEBOOK_VARIABLE)
    path = Path(str(known)) if known else None
    if path is not None and path.suffix == ".ipynb" and path.is_file():
        return path, f"what you wrote was read from {path.name} as it was last saved"
    return None, "this front end does not tell which notebook it is: name it with --notebook to have your words in it"


def _default_name(report: Postmortem) -> str:
    from obs_magics.display.clock import MS, at

    incident = report.found.enriched.incident
    service = "".join(char if char.isalnum() or char in "-_." else "-" for char in incident.service)
    return f"{service}-{at(incident.start_ns // MS, report.zone):%Y-%m-%d}.html"


def _panel(report: Postmortem, target: str, told: str, checked: int | None) -> Panel:
    from obs_magics.display.panel import Note, Panel, notes_of
    from obs_magics.incident.missing import missing
    from obs_magics.incident.verdict import headline

    enriched = report.found.enriched
    parts = [part.title.lower() for part in report.document.parts]
    sentences = [
        f"written: {target}",
        headline(report.found),
        f"sections: {', '.join(parts)}",
        *(f"{name.lower()}: {value}" for name, value in report.impact.facts(report.zone)),
        *([] if report.written.sections.get("lessons") else [_NO_LESSONS]),
    ]
    if checked is not None:
        sentences.append(f"{checked} numbers of the evidence were computed again and hold")
    return Panel(
        headline=report.title,
        sentences=sentences,
        notes=[
            *notes_of(failed=missing(enriched.failed), warnings=enriched.warnings),
            *([Note(told, "note")] if told else []),
        ],
    )
