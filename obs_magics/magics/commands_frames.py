"""The table of the magics over frames: `%obs_compare` and `%obs_sql`."""

from __future__ import annotations

from obs_magics.magics.arguments import Command, Option
from obs_magics.magics.options import DRY_RUN, DURATIONS, NO_PLOT, OUTPUT, SOURCE

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
