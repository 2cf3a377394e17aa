"""The table of `%obs_rca` and `%obs_report`."""

from __future__ import annotations

from obs_magics.magics.arguments import Command, Option
from obs_magics.magics.commands_incident import INCIDENT
from obs_magics.magics.options import NO_PLOT, OUTPUT

FORMATS = ("html", "pdf", "md", "json")
_GATHER = tuple(option for option in INCIDENT.options if option.name in {"at", "end", "title", "source"})

RCA = Command(
    name="%obs_rca",
    summary="Say what most likely contributed to an incident, with the rows that say so, and what was ruled out.",
    usage=("%obs_rca [NAME <<] [INCIDENT or SERVICE] [options]",),
    words=("[INCIDENT]",),
    options=(*_GATHER, OUTPUT, NO_PLOT),
    details=(
        "INCIDENT is what %obs_incident gave; left out: the last one. A service is gathered first, as %obs_incident\n"
        "does it. Each factor has evidence that names its rows, and tests that could have spoken against it; what\n"
        "failed them is ruled out, with the reason. found.check() computes every number again."
    ),
    examples=("%obs_rca", "%obs_rca payment-api --at 14:15", "%obs_rca found << inc"),
)

REPORT = Command(
    name="%obs_report",
    summary="Write the postmortem: one page that needs nothing else, or PDF, Markdown, JSON.",
    usage=("%obs_report [NAME <<] [INCIDENT] [options]",),
    words=("[INCIDENT]",),
    options=(
        Option(
            flags=("--out",),
            metavar="FILE",
            help=f"where to; the ending says the form: {', '.join(FORMATS)}; left out: SERVICE-DAY.html",
        ),
        Option(
            flags=("--notebook",),
            metavar="FILE",
            help="whose Markdown goes into the report, as last saved; left out: this notebook, where Jupyter tells it",
        ),
        Option(flags=("--slo",), metavar="99.9%/30d", help="the service's objective: how much of its budget was used"),
        Option(flags=("--check",), help="compute every number of the evidence again before writing"),
        OUTPUT,
        NO_PLOT,
    ),
    details=(
        "INCIDENT is what %obs_incident or %obs_rca gave; left out: the last one. Sections: summary, impact,\n"
        "detection, timeline, contributing factors, what was ruled out, actions, lessons, evidence. What you write in\n"
        "Markdown cells under such headings stands first in its section; notes of %obs_timeline in the timeline."
    ),
    examples=(
        "%obs_report",
        "%obs_report inc --out postmortem.html --slo 99.9%/30d",
        "%obs_report --out postmortem.pdf --no-plot",
    ),
)
