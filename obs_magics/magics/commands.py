"""The table of magics and subcommands: options, usage and examples, from which parsing, help and completion come."""

from __future__ import annotations

from obs_magics.magics.arguments import HELP, Command, Option
from obs_magics.magics.commands_anomalies import ANOMALIES, CORRELATE
from obs_magics.magics.commands_incident import INCIDENT, TIMELINE
from obs_magics.magics.commands_rca import RCA, REPORT
from obs_magics.magics.options import (
    AGG,
    BASELINE,
    DRY_RUN,
    DURATIONS,
    END,
    EVENTS_TOO,
    INSTANT,
    LAST,
    LIMIT,
    NO_PLOT,
    OUTPUT,
    SENSITIVITY,
    SOURCE,
    START,
    STEP,
)

METRICS = Command(
    name="%obs_metrics",
    summary="Ask a source for metrics: a frame, and a panel with a chart and what it says.",
    usage=(
        "%obs_metrics [NAME <<] [options] QUERY",
        "%%obs_metrics [NAME <<] [options], and the query in the lines below",
    ),
    options=(
        SOURCE,
        LAST,
        START,
        END,
        STEP,
        AGG,
        LIMIT,
        INSTANT,
        Option(flags=("--anomalies",), help="look for what is unusual, against the history before the range"),
        SENSITIVITY,
        BASELINE,
        EVENTS_TOO,
        OUTPUT,
        NO_PLOT,
        DRY_RUN,
    ),
    details=(
        "The query is PromQL and stays as typed. In the line form options stand before it; -- ends them.\n"
        "${name} and ${name.attribute} are Python variables, quoted for the query: text and numbers inside\n"
        'quotes ({job="${job}"}), a list inside =~ as alternatives, a timedelta as 5m; $${ is a plain ${.\n'
        "A body that is nothing but ${name} is the query itself. $__interval, $__rate_interval and $__range\n"
        "mean what they mean in Grafana. The frame is returned, and kept in the variable when there is one.\n"
        "With a variable, a ; at the end of the query keeps the frame from being shown below the panel.\n"
        "--anomalies shades what is unusual and marks what happened; --events marks what happened alone."
    ),
    examples=(
        "%obs_metrics up",
        "%obs_metrics --anomalies --baseline 7d sum(rate(http_requests_total[$__rate_interval]))",
        "%obs_metrics --last 30m sum by (job) (up)",
        "%%obs_metrics errors << --last 1h\nsum(rate(http_requests_total[$__rate_interval]))",
    ),
)

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal", "all")
LOGS = Command(
    name="%obs_logs",
    summary="Ask a source for log lines: a frame, and a panel with their volume, patterns, and what they say.",
    usage=(
        "%obs_logs [NAME <<] [options] [QUERY]",
        "%%obs_logs [NAME <<] [options], and the query in the lines below",
    ),
    options=(
        SOURCE,
        LAST,
        START,
        END,
        Option(flags=("--level",), metavar="LEVEL", help=f"at least this severe: {', '.join(LEVELS)}", choices=LEVELS),
        Option(
            flags=("--limit",), metavar="N", help="at most this many lines, the newest; left out: 1000", number=True
        ),
        Option(flags=("--step",), metavar="30s", help="distance between points, of a query for numbers over time"),
        Option(flags=("--patterns",), help="show the table of patterns, also where there are few lines"),
        Option(flags=("--no-patterns",), help="leave the table of patterns out"),
        EVENTS_TOO,
        OUTPUT,
        NO_PLOT,
        DRY_RUN,
    ),
    details=(
        "The query is LogQL (LogsQL for VictoriaLogs) and stays as typed, or plain words: services, levels, a time,\n"
        'and what must stand in the line; "…" is one phrase. Without a query every line is meant. What was understood\n'
        "is said. A query for numbers over time (sum(rate({…}[5m]))) gives a metrics frame and its chart.\n"
        "Without times: the last 30 minutes. Lines are fetched from the newest on; how many there are in all, and the\n"
        "bars, are the source's own counts. Secrets are replaced by pseudonyms that stay equal for equal secrets.\n"
        "${name} is a Python variable, quoted for the query. frame.obs.patterns(), .surges() and .levels() go on."
    ),
    examples=(
        "%obs_logs --level error",
        '%obs_logs errors in payment-api with "pool exhausted" in the last hour',
        '%%obs_logs errors << --last 1h --level error\n{service="payment-api"} |= "pool"',
    ),
)

TRACES = Command(
    name="%obs_traces",
    summary="Ask a source for traces: a frame of spans, and a panel with the slowest as a waterfall, and why.",
    usage=(
        "%obs_traces [NAME <<] [options] [QUERY]",
        "%%obs_traces [NAME <<] [options], and the query in the lines below",
    ),
    options=(
        SOURCE,
        Option(flags=("--trace-id",), metavar="ID", help="this trace; leading zeros may be missing"),
        Option(flags=("--service",), metavar="NAME", help="traces with a span of this service"),
        Option(flags=("--operation",), metavar="NAME", help="… with a span of this name"),
        Option(flags=("--status",), metavar="STATUS", help="ok, error or all", choices=("ok", "error", "all")),
        Option(
            flags=("--min-duration",),
            metavar="5s",
            help="… with a span that takes at least so long",
            suggestions=("100ms", "500ms", "1s", "2s", "5s", "10s"),
        ),
        Option(
            flags=("--max-duration",),
            metavar="30s",
            help="… at most so long",
            suggestions=("100ms", "500ms", "1s", "2s", "5s", "10s"),
        ),
        LAST,
        START,
        END,
        Option(flags=("--limit",), metavar="N", help="at most this many traces; left out: 20", number=True),
        Option(flags=("--step",), metavar="30s", help="distance between points, of a query for numbers over time"),
        EVENTS_TOO,
        OUTPUT,
        NO_PLOT,
        DRY_RUN,
    ),
    details=(
        "The query is TraceQL where the source takes it (Tempo, folders), or one or more trace ids; conditions can be\n"
        "said with options alone. Service, operation, status and duration hold together for one span of the trace.\n"
        "Several sources with commas between them (--source tempo,jaeger) are asked at once and joined by trace id.\n"
        "A query for numbers over time ({ … } | rate()) gives a metrics frame and its chart. Without times: the last\n"
        "hour; for trace ids the longest range that may be asked. ${name} is a Python variable, quoted for the query."
    ),
    examples=(
        "%obs_traces --service checkout-api --min-duration 5s --start 12:30 --end 13:10",
        '%%obs_traces slow << --last 6h --limit 50\n{ resource.service.name = "payment-api" && duration > 2s }',
    ),
)

# As in `model.events`.
EVENT_KINDS = (
    "deployment", "config_change", "feature_flag", "alert", "incident", "restart", "scale", "annotation",
)  # fmt: skip
EVENTS = Command(
    name="%obs_events",
    summary="What happened: deployments, config changes, flags, alerts, restarts, notes, from all sources at once.",
    usage=(
        "%obs_events [NAME <<] [options] [QUERY]",
        "%%obs_events [NAME <<] [options], and the question in the lines below",
    ),
    options=(
        Option(
            flags=("-s", "--source", "--platform"),
            metavar="NAME",
            help="the source to ask, several with commas; auto, or left out: all that have events",
        ),
        Option(
            flags=("--kind",),
            metavar="KIND",
            help="of these kinds alone, with commas; they are named below",
            suggestions=EVENT_KINDS,
        ),
        Option(flags=("--service",), metavar="NAME", help="of these services alone, with commas; * for anything"),
        LAST,
        START,
        END,
        Option(flags=("--limit",), metavar="N", help="at most this many, the newest; left out: 1,000", number=True),
        OUTPUT,
        NO_PLOT,
        DRY_RUN,
    ),
    details=(
        f"Kinds: {', '.join(EVENT_KINDS)}.\n"
        "The question is words: kinds by what people call them (deploys, flags), conditions on columns and\n"
        'attributes (severity=~"crit.*", alertname!="Watchdog"), a time (since 14:00), and words or "phrases" that\n'
        "stand in the event. Without one everything is meant. Every source that may know is asked at the same\n"
        "time; one that fails does no harm, and is named. An alert that Prometheus and Alertmanager both tell of is\n"
        "shown once. Without times: the last 6 hours.\n"
        "Alerts and incidents without an end still go on. ${name} is a Python variable."
    ),
    examples=(
        "%obs_events",
        "%obs_events --kind deployment,config_change --service payment-api --last 2h",
        '%obs_events changed << --last 1d deploys "rolled back"',
        "%obs_events alerts of payment-api since 14:00",
    ),
)

COMPARE = Command(
    name="%obs_compare",
    summary="Which attributes tell slow or failing rows of a frame from the others, and by how much.",
    usage=("%obs_compare [NAME <<] FRAME [options]",),
    words=("FRAME",),
    options=(
        Option(
            flags=("--by",), metavar="WHAT", help="spans: duration or error; logs: error", choices=("duration", "error")
        ),
        Option(
            flags=("--threshold",),
            metavar="2s",
            help="slow is what takes at least so long; left out: the slowest of each operation",
            suggestions=("100ms", "500ms", "1s", "2s", "5s", "10s"),
        ),
        Option(flags=("--with",), metavar="FRAME", help="hold all of FRAME against all of this one"),
        Option(flags=("--limit",), metavar="N", help="at most this many rows; left out: 20", number=True),
        OUTPUT,
        NO_PLOT,
    ),
    details=(
        "FRAME is a variable of this notebook: spans (%obs_traces), log lines (%obs_logs), or any frame with --with.\n"
        "Shares are compared attribute by attribute; what chance could do among so many is left out. Ids, and what\n"
        "differs in every row, tell nothing and are passed over, which is said."
    ),
    examples=("%obs_compare slow", "%obs_compare slow --by error", "%obs_compare found << slow --threshold 2s"),
)

SQL = Command(
    name="%obs_sql",
    summary="Read the tables of a local source, and frames of this notebook, with SQL (DuckDB's dialect).",
    usage=(
        "%obs_sql [NAME <<] [options] QUERY",
        "%%obs_sql [NAME <<] [options], and the query in the lines below",
    ),
    options=(
        SOURCE,
        Option(flags=("--limit",), metavar="N", help="at most this many rows; left out: 10,000", number=True),
        Option(
            flags=("--timeout",), metavar="1m", help="stop it after so long; left out: 1m", suggestions=DURATIONS[:3]
        ),
        OUTPUT,
        DRY_RUN,
    ),
    details=(
        "One statement that reads: SELECT, WITH, FROM, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN. It sees the tables of the\n"
        "source (SHOW TABLES lists them) and the frames of this notebook by their names, no files and no network.\n"
        "${name} is a Python variable as an SQL literal: 'text', 1.5, TIMESTAMPTZ '…', a list as ('a', 'b').\n"
        "Times are TIMESTAMPTZ in UTC. The frame is returned, and kept in the variable when there is one."
    ),
    examples=(
        "%obs_sql SHOW TABLES",
        "%%obs_sql busy << --source demo\nSELECT service, avg(value) AS up\nFROM metrics WHERE metric = 'up'\n"
        "GROUP BY ALL ORDER BY ALL",
    ),
)

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
