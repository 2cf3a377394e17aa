"""Options that several magics share."""

from __future__ import annotations

from obs_magics.magics.arguments import Option

# As in `model.query`, which loading the extension has no other need of (a test holds them together).
AGGREGATIONS = ("avg", "sum", "min", "max", "count")
DURATIONS = ("5m", "15m", "30m", "1h", "3h", "6h", "12h", "1d", "7d")

SOURCE = Option(
    flags=("-s", "--source", "--platform"), metavar="NAME", help="the source to ask; auto, or left out: the default one"
)
LAST = Option(flags=("--last",), metavar="1h", help='how far back from now: 30m, "2 hours"', suggestions=DURATIONS)
START = Option(flags=("--start",), metavar="TIME", help='from when: -1h, 14:05, "yesterday 9am", 2026-01-31T14:00')
END = Option(flags=("--end",), metavar="TIME", help="until when; left out: now", suggestions=("now",))
STEP = Option(
    flags=("--step",), metavar="30s", help="distance between points; left out: chosen", suggestions=DURATIONS[:4]
)
AGG = Option(
    flags=("--agg",),
    metavar="FUNCTION",
    help=f"for a plain metric name: {', '.join(AGGREGATIONS)}",
    choices=AGGREGATIONS,
)
LIMIT = Option(flags=("--limit",), metavar="N", help="at most this many", number=True)
INSTANT = Option(flags=("--instant",), help="one value per series, at the end of the range")
OUTPUT = Option(flags=("-o",), metavar="NAME", help="the variable to fill, like NAME <<")
NO_PLOT = Option(flags=("--no-plot",), help="the frame alone, no panel")
DRY_RUN = Option(flags=("--dry-run",), help="show what would be asked, and ask nothing")

SENSITIVITIES = ("low", "medium", "high")
SENSITIVITY = Option(
    flags=("--sensitivity",),
    metavar="LEVEL",
    help="low: few and certain; medium; high: as many as possible; left out: as configured",
    choices=SENSITIVITIES,
)
BASELINE = Option(
    flags=("--baseline",),
    metavar="7d",
    help="how far back to look for what is normal; left out: as configured",
    suggestions=("1d", "3d", "7d", "14d", "28d"),
)
EVENTS_TOO = Option(flags=("--events",), help="mark deployments, config changes, alerts and the like on the chart")
