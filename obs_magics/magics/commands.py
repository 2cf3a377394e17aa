"""The table of all magics: options, usage and examples, from which parsing, help and completion come."""

from __future__ import annotations

from obs_magics.magics.arguments import HELP, Command
from obs_magics.magics.commands_anomalies import ANOMALIES, CORRELATE
from obs_magics.magics.commands_ask import EVENTS, LOGS, METRICS, TRACES
from obs_magics.magics.commands_frames import COMPARE, SQL
from obs_magics.magics.commands_incident import INCIDENT, TIMELINE
from obs_magics.magics.commands_obs import OBS
from obs_magics.magics.commands_rca import RCA, REPORT

MAGICS = {
    command.name.removeprefix("%"): command
    for command in (
        OBS,
        METRICS,
        LOGS,
        TRACES,
        EVENTS,
        ANOMALIES,
        CORRELATE,
        COMPARE,
        INCIDENT,
        RCA,
        TIMELINE,
        REPORT,
        SQL,
    )
}


def help_text(command: Command) -> str:
    """A command's help: usage, options, details, examples."""
    options = [*command.options, HELP]
    heads = [", ".join(option.flags) + (f" {option.metavar}" if option.metavar else "") for option in options]
    width = max(map(len, heads))
    parts = [
        f"{command.name}: {command.summary}",
        "\n".join(["Usage", *(f"  {line}" for line in command.usage)]),
        "\n".join(
            ["Options", *(f"  {head:<{width}}  {option.help}" for head, option in zip(heads, options, strict=True))]
        ),
        command.details,
        "\n\n".join(["Examples", *("    " + example.replace("\n", "\n    ") for example in command.examples)]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
