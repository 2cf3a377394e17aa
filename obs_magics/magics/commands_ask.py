"""The table of the magics that ask a source: `%obs_metrics`, `%obs_logs`, `%obs_traces`, `%obs_events`."""

from __future__ import annotations

from obs_magics.magics.arguments import Command, Option
from obs_magics.magics.options import (
    AGG,
    BASELINE,
    DRY_RUN,
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
        "The query is PromQL and stays as typed, or names a measure and a service in words, which is said with the\n"
        "query it is read as: p99 latency of payment-api since 14:00. A time in words may stand behind PromQL too.\n"
        "In the line form options stand before it; -- ends them.\n"
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
        "%obs_metrics p99 latency of payment-api since 14:00",
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
