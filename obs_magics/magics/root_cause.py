"""`%obs_rca`: an incident in, what most likely contributed to it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from obs_magics.magics.arguments import HELP, Arguments, read_words
from obs_magics.magics.commands import help_text
from obs_magics.magics.commands_rca import RCA
from obs_magics.magics.declared import as_incident, last_declared
from obs_magics.magics.interrupt import in_one_line
from obs_magics.magics.variables import expand_option

if TYPE_CHECKING:
    from obs_magics.incident.enriched import Enriched
    from obs_magics.incident.investigate import Investigation
    from obs_magics.magics.context import Context

_GATHERS = ("at", "end", "source", "title")


def run(context: Context, line: str, names: Mapping[str, Any]) -> Investigation | None:
    """Gather where that is needed, investigate, fill the variable, show the panel, return what was found.

    Args:
        context: The shell and its session.
        line: What stands behind the magic's name.
        names: Python's variables: incidents, and values for ``${name}``.

    Raises:
        UsageError: There is no such incident or service, or the times make no sense.
        KeyboardInterrupt: The user interrupted; what was in flight is cancelled.
    """
    bare = line.rstrip()
    quiet = bare.endswith(";")
    arguments = read_words(RCA, bare.removesuffix(";"), names)
    if arguments.has(HELP.name):
        context.write(help_text(RCA))
        return None
    with in_one_line("interrupted: nothing was found out"), context.progress() as progress:
        found = context.session.root_cause(
            _incident(context, arguments, names),
            arguments.text("at"),
            end=arguments.text("end"),
            source=arguments.text("source"),
            title=arguments.text("title") or "",
            progress=progress,
        )
    context.case.enriched, context.case.found = found.enriched, found
    if arguments.target is not None:
        context.fill(arguments.target, found)
    if not arguments.has("no-plot"):
        with in_one_line("interrupted while drawing; what was found is kept"):
            _show(context, arguments.target or "", found)
    return None if quiet and arguments.target is not None else found


def _incident(context: Context, arguments: Arguments, names: Mapping[str, Any]) -> Enriched | str:
    """A variable's incident, else a service whose incident is gathered; the last one where nothing is named."""
    if not arguments.words:
        return last_declared(context)
    value = as_incident(names.get(arguments.words[0]))
    if value is None or any(arguments.has(name) for name in _GATHERS):
        return expand_option(arguments.words[0], names)
    from obs_magics.incident.enriched import Enriched

    return value if isinstance(value, Enriched) else value.enriched


def _show(context: Context, name: str, found: Investigation) -> None:
    from obs_magics.incident.verdict import verdict_panel
    from obs_magics.model.zones import zone_name

    panel = verdict_panel(found, name=name, zone=zone_name(context.session.zone))
    context.show(*panel.outputs())
