"""`%obs_incident`: a service and a time in, everything around it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from obs_magics.magics.arguments import HELP, Arguments, read_words
from obs_magics.magics.commands import help_text
from obs_magics.magics.commands_incident import INCIDENT
from obs_magics.magics.interrupt import in_one_line
from obs_magics.magics.variables import expand_option

if TYPE_CHECKING:
    from obs_magics.incident.enriched import Enriched
    from obs_magics.magics.context import Context


def run(context: Context, line: str, names: Mapping[str, Any]) -> Enriched | None:
    """Declare, gather, fill the variable, show the panel, return what was gathered.

    Args:
        context: The shell and its session.
        line: What stands behind the magic's name.
        names: Python's variables, for ``${name}``.

    Raises:
        UsageError: There is no such service, or the times make no sense; nothing was declared.
        KeyboardInterrupt: The user interrupted; what was in flight is cancelled.
    """
    bare = line.rstrip()
    quiet = bare.endswith(";")
    arguments = read_words(INCIDENT, bare.removesuffix(";"), names)
    if arguments.has(HELP.name):
        context.write(help_text(INCIDENT))
        return None
    with in_one_line("interrupted: nothing was declared"), context.progress() as progress:
        enriched = context.session.enrich(
            expand_option(arguments.words[0], names),
            arguments.text("at"),
            end=arguments.text("end"),
            source=arguments.text("source"),
            title=arguments.text("title") or "",
            progress=progress,
        )
    context.case.enriched = enriched
    if arguments.target is not None:
        context.fill(arguments.target, enriched)
    if not arguments.has("no-plot"):
        with in_one_line("interrupted while drawing; the incident is declared"):
            _show(context, arguments, enriched)
    return None if quiet and arguments.target is not None else enriched


def _show(context: Context, arguments: Arguments, enriched: Enriched) -> None:
    from obs_magics.incident.panel import incident_panel
    from obs_magics.model.zones import zone_name

    panel = incident_panel(enriched, name=arguments.target or "", zone=zone_name(context.session.zone))
    context.show(*panel.outputs())
