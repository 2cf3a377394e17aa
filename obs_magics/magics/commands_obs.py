"""The table of `%obs` and its subcommands."""

from __future__ import annotations

from obs_magics.magics.arguments import Command, Option
from obs_magics.magics.options import LIMIT, SOURCE

_TOKEN_HELP = "bearer token; without a value it is asked for"  # noqa: S105 - a help text
# Named like the keys of the configuration; only a folder takes them, and its settings check them.
FOLDER_OPTIONS = (
    Option(flags=("--timestamp",), metavar="COLUMN", help="of a folder's tables: the column with the time"),
    Option(
        flags=("--time-unit",),
        metavar="UNIT",
        help="of times that are numbers: s, ms, us or ns; left out: by their size",
        choices=("s", "ms", "us", "ns"),
    ),
    Option(flags=("--time-format",), metavar="FORMAT", help="of times in words: '%d/%m/%Y %H:%M'"),
    Option(flags=("--zone",), metavar="ZONE", help="of times that name none: Europe/Berlin; left out: UTC"),
    Option(flags=("--decimal",), metavar="SIGN", help="before the fraction in CSV: . or ,", choices=(".", ",")),
    Option(flags=("--value",), metavar="COLUMNS", help="the columns with numbers, with commas between them"),
    Option(flags=("--metric",), metavar="COLUMN", help="the column with the metric's name, or the name itself"),
    Option(flags=("--labels",), metavar="COLUMNS", help="the columns that become labels; left out: all others"),
    Option(flags=("--now",), metavar="TIME", help="what `now` means there; left out: the last sample"),
)
CONNECT = Command(
    name="%obs connect",
    summary="Add a source: find out what it is, test it, show the lines to keep in the configuration.",
    usage=("%obs connect NAME URL [options]", "%obs connect NAME PATH [options]"),
    words=("NAME", "URL"),
    options=(
        Option(flags=("--type",), metavar="TYPE", help="the platform, when it cannot be told from its answers"),
        Option(flags=("--token",), metavar="TOKEN", help=_TOKEN_HELP, may_be_asked=True),
        Option(flags=("--user",), metavar="USER", help="user name, with --password"),
        Option(
            flags=("--password",),
            metavar="PASSWORD",
            help="without a value it is asked for and not shown",
            may_be_asked=True,
        ),
        Option(flags=("--tenant",), metavar="TENANT", help="for sources with several tenants"),
        Option(flags=("--verify",), metavar="PATH", help="certificate of a private authority"),
        Option(flags=("--no-verify",), help="do not check the server's certificate"),
        Option(flags=("--timeout",), metavar="30s", help="how long to wait for an answer", suggestions=("10s", "1m")),
        *FOLDER_OPTIONS,
    ),
    details=(
        "A secret may be named instead of typed: --token '${PROM_TOKEN}' reads that environment variable late.\n"
        "What is typed in a cell is saved with the notebook."
    ),
    examples=(
        "%obs connect prom http://localhost:9090",
        "%obs connect prom http://localhost:9090 --user me --password",
        "%obs connect mine ./latency.csv --timestamp when --value p50,p99 --labels host",
    ),
)
DEMO = Command(
    name="%obs demo",
    summary="Open the embedded demo: made-up services and a real incident, no server needed.",
    usage=("%obs demo",),
    examples=("%obs demo",),
)
SOURCES = Command(
    name="%obs sources",
    summary="List the sources: name, platform, address, state.",
    usage=("%obs sources",),
    examples=("%obs sources",),
)
USE = Command(
    name="%obs use",
    summary="Make a source the default.",
    usage=("%obs use NAME",),
    words=("NAME",),
    examples=("%obs use demo",),
)
CATALOG = Command(
    name="%obs catalog",
    summary="What a source has: metrics by name with type, unit and help; of one metric its labels and values.",
    usage=("%obs catalog [PATTERN|METRIC] [options]",),
    words=("[PATTERN]",),
    options=(SOURCE, LIMIT),
    details="A pattern is part of a name, or has * and ? in it. A whole name shows that metric.",
    examples=("%obs catalog", "%obs catalog http --limit 10", "%obs catalog up"),
)
CONFIG = Command(
    name="%obs config",
    summary="The settings in force and where each comes from, secrets masked.",
    usage=("%obs config",),
    examples=("%obs config",),
)
HELP_COMMAND = Command(
    name="%obs help",
    summary="Every magic with an example, or one magic in full.",
    usage=("%obs help [MAGIC]",),
    words=("[MAGIC]",),
    examples=("%obs help", "%obs help obs_metrics"),
)
SUBCOMMANDS = {
    command.name.removeprefix("%obs "): command
    for command in (CONNECT, DEMO, SOURCES, USE, CATALOG, CONFIG, HELP_COMMAND)
}
OBS = Command(
    name="%obs",
    summary="The state of things: sources, the default, how to go on.",
    usage=("%obs", *(command.usage[0] for command in SUBCOMMANDS.values())),
    examples=("%obs", "%obs help"),
)
