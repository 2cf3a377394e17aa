"""The table of the magics of incidents: `%obs_incident`, `%obs_timeline` and what stands behind it."""

from __future__ import annotations

from obs_magics.magics.arguments import Command, Option
from obs_magics.magics.options import OUTPUT

_SOURCE = Option(
    flags=("-s", "--source"), metavar="NAME", help="sources to ask, with commas between them; left out: all there are"
)
_NO_PLOT = Option(flags=("--no-plot",), help="no panel")
_ZONE = Option(
    flags=("--zone",),
    metavar="ZONE",
    help="of times that name none: Europe/Berlin; left out: the session's",
    suggestions=("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"),
)
_SERVICE = Option(flags=("--service",), metavar="NAME", help="the service it is about")

INCIDENT = Command(
    name="%obs_incident",
    summary="Declare an incident and gather everything around it, from all sources at once.",
    usage=("%obs_incident [NAME <<] SERVICE [options]",),
    words=("SERVICE",),
    options=(
        Option(flags=("--at",), metavar="TIME", help='when it began: 14:15, "yesterday 9am"; left out: it is found'),
        Option(flags=("--end",), metavar="TIME", help="when it was over; left out: it is found"),
        Option(flags=("--title",), metavar="TEXT", help="what it is called"),
        _SOURCE,
        OUTPUT,
        _NO_PLOT,
    ),
    details=(
        "Metrics of the service and of its callers and callees, error lines and their patterns, failing and slow\n"
        "traces, deployments, changes of configuration, flags, alerts, restarts. How far around is set in the section\n"
        "incident of the configuration. A source that fails takes nothing else with it; what did not come is said.\n"
        "Without --at the last time is taken in which errors, latency or traffic of the service were not as usual.\n"
        "The object has the frames: inc.metrics, inc.error_logs, inc.error_traces, inc.deployments, inc.alerts, …"
    ),
    examples=(
        "%obs_incident payment-api --at 14:15",
        "%obs_incident inc << payment-api --at 14:15 --end 14:50",
        "%obs_incident checkout-api --no-plot -o slow",
    ),
)

TIMELINE_ADD = Command(
    name="%obs_timeline add",
    summary="Note what somebody saw or did, and when.",
    usage=("%obs_timeline add TIME TEXT [options]",),
    words=("TIME", "TEXT…"),
    options=(
        Option(flags=("--by",), metavar="NAME", help="who"),
        _SERVICE,
        _ZONE,
    ),
    details=(
        "A time without a day is the one nearest to the incident. The note is kept in the cell: run it again after a\n"
        "restart and it is there again; change it, and it takes the place of what the cell noted before."
    ),
    examples=('%obs_timeline add 14:31 "rolled back v2.4.1" --by anna', "%obs_timeline add 14:41 no better"),
)
TIMELINE_IMPORT = Command(
    name="%obs_timeline import",
    summary="Note what was said in a chat: paste it into the cell, as Slack, Teams and others copy it.",
    usage=(
        "%%obs_timeline import [options], and the chat in the lines below",
        "%obs_timeline import VARIABLE [options]",
    ),
    words=("[VARIABLE]",),
    options=(
        Option(
            flags=("--date",),
            metavar="DAY",
            help="of the first time without a date, and what the chat calls today; left out: nearest to the incident",
        ),
        _ZONE,
        _SERVICE,
    ),
    details=(
        "Heads of messages: 14:31 anna: …, [14:31] anna …, [14:31] <anna> …, 2026-11-22 14:31 UTC anna: …,\n"
        "22/11/2026, 14:31 - Anna: …, and on lines of their own Anna Müller  2:31 PM, [22/11/2026 14:31] Anna Müller,\n"
        "or a name with the time on the next line. Every other line goes on with the message above it. What was\n"
        "assumed of dates is said."
    ),
    examples=("%%obs_timeline import --zone Europe/Berlin\n15:31 anna: rolling back v2.4.1\n15:41 ben: no better",),
)
TIMELINE_NOTES = Command(
    name="%obs_timeline notes",
    summary="The notes of this notebook.",
    usage=("%obs_timeline notes",),
    examples=("%obs_timeline notes",),
)
TIMELINE_FORGET = Command(
    name="%obs_timeline forget",
    summary="Forget all notes of this notebook; cells that are run again note them again.",
    usage=("%obs_timeline forget",),
    examples=("%obs_timeline forget",),
)
TIMELINE_COMMANDS = {
    command.name.removeprefix("%obs_timeline "): command
    for command in (TIMELINE_ADD, TIMELINE_IMPORT, TIMELINE_NOTES, TIMELINE_FORGET)
}
TIMELINE = Command(
    name="%obs_timeline",
    summary="Changes, onsets, alerts, first errors and notes on one axis; times to detect, to mitigate, to recover.",
    usage=(
        "%obs_timeline [NAME <<] [INCIDENT] [options]",
        *(usage for command in TIMELINE_COMMANDS.values() for usage in command.usage),
    ),
    words=("[INCIDENT]",),
    options=(
        Option(flags=("--near",), help="leave out what concerns other services than its callers and callees"),
        Option(
            flags=("--last",), metavar="1h", help="without an incident: how far back", suggestions=("1h", "3h", "6h")
        ),
        Option(flags=("--start",), metavar="TIME", help="from when; with an incident: what the picture shows"),
        Option(flags=("--end",), metavar="TIME", help="until when", suggestions=("now",)),
        _SOURCE,
        OUTPUT,
        _NO_PLOT,
    ),
    details=(
        "INCIDENT is what %obs_incident gave; left out: the last one. Without any, it is what happened in the time\n"
        "that is asked for. %obs_timeline add, import, notes and forget are for people's notes; each has its --help."
    ),
    examples=("%obs_timeline", "%obs_timeline rows << --near", "%obs_timeline --last 2h --no-plot"),
)
