"""The table of the magics of anomalies: `%obs_anomalies` and `%obs_correlate`."""

from __future__ import annotations

from obs_magics.magics.arguments import Command, Option
from obs_magics.magics.options import (
    BASELINE,
    DRY_RUN,
    END,
    LAST,
    LIMIT,
    NO_PLOT,
    OUTPUT,
    SENSITIVITY,
    SOURCE,
    START,
    STEP,
)

_SERVICE = Option(flags=("--service",), metavar="NAME", help="of this service; left out: of all that the source knows")

ANOMALIES = Command(
    name="%obs_anomalies",
    summary="What is unusual: against what was normal, since when, how severe, after what, what next.",
    usage=(
        "%obs_anomalies [NAME <<] [options] [QUERY]",
        "%%obs_anomalies [NAME <<] [options], and the query in the lines below",
        "%obs_anomalies --ignore PATTERN --reason TEXT",
    ),
    options=(
        SOURCE,
        _SERVICE,
        SENSITIVITY,
        BASELINE,
        LAST,
        START,
        END,
        STEP,
        Option(
            flags=("--ignore",),
            metavar="PATTERN",
            help="ignore these from now on, with --start and --end in a window alone",
        ),
        Option(flags=("--reason",), metavar="TEXT", help="why they are ignored"),
        Option(flags=("--ignored",), help="show what is ignored, and why"),
        Option(flags=("--unignore",), metavar="ID", help="no longer ignore this"),
        OUTPUT,
        NO_PLOT,
        DRY_RUN,
    ),
    details=(
        "QUERY is a measure (errors, p99, throughput, cpu, saturation, …), the name of a metric, a PromQL query, or a\n"
        "frame of this notebook: metrics, log lines (counted by level), spans (requests, errors, durations).\n"
        "Without one the configured measures are looked at. The history before the range, as far back as the\n"
        "baseline, tells what is normal, daily and weekly rhythms included; of a frame the frame itself does. Events\n"
        "shortly before are weighed by kind, distance, and who calls whom. What is ignored is kept in\n"
        ".obs-magics/ignore.yaml, and counted. A pattern is metric=, service=, series= or kind=, with commas between;\n"
        "* stands for any letters. Behind a plain name, options may stand too: %obs_anomalies errors --last 6h.\n"
        "Service and time may be said in words: errors of payment-api since 14:00."
    ),
    examples=(
        "%obs_anomalies errors",
        "%obs_anomalies --service payment-api --last 6h",
        "%%obs_anomalies odd << --start 14:00 --end 15:30 --sensitivity high\n"
        "sum by (service) (rate(http_requests_total[$__rate_interval]))",
        '%obs_anomalies --ignore metric=error_rate,service=mail-* --reason "the provider\'s limit"',
    ),
)

CORRELATE = Command(
    name="%obs_correlate",
    summary="What moved with a series, and which changes came just before it did.",
    usage=(
        "%obs_correlate [NAME <<] [options] QUERY",
        "%%obs_correlate [NAME <<] [options], and the query in the lines below",
    ),
    options=(
        SOURCE,
        _SERVICE,
        Option(
            flags=("--with",),
            metavar="WHAT",
            help="a frame, measure, metric or query to compare with; left out: all measures",
        ),
        Option(flags=("--series",), metavar="NAME", help="which one is meant, where the target has several"),
        Option(
            flags=("--max-lag",),
            metavar="10m",
            help="how far apart two moves may be; left out: 10m",
            suggestions=("1m", "5m", "10m", "30m", "1h"),
        ),
        Option(flags=("--events",), help="also what changed just before it became unusual"),
        LAST,
        START,
        END,
        STEP,
        LIMIT,
        OUTPUT,
        NO_PLOT,
        DRY_RUN,
    ),
    details=(
        "QUERY is a measure with --service, the name of a metric, a PromQL query, or a frame of this notebook. A\n"
        "frame of several series is compared within itself: the target is --series, else the most unusual one.\n"
        "Correlations are of ranks, at the lag that fits best, without shared trend and daily rhythm; q is the share\n"
        "of false finds among those at least as sure. Before and after tell who moved first, not who was the cause.\n"
        "Service and time may be said in words: p99 of payment-api between 13:30 and 15:30."
    ),
    examples=(
        "%obs_correlate --service payment-api --start 13:30 --end 15:30 latency_p99",
        "%obs_correlate --with errors slow",
        "%obs_correlate --events --service checkout-api --last 6h error_rate",
    ),
)
