"""What the embedded PromQL engine can do, as a page: ``python -m obs_magics.local.promql.table`` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from obs_magics.local.promql.aggregate import AGGREGATORS
from obs_magics.local.promql.binary import ARITHMETIC, COMPARISON
from obs_magics.local.promql.functions import FUNCTIONS
from obs_magics.local.promql.functions.histograms import NATIVE_ONLY
from obs_magics.local.promql.joining import SET_OPERATORS
from obs_magics.syntax import promql as syntax

WRITTEN = Path("docs") / "promql.md"
_DIFFERENTIAL = "2.42"
_BY_RULE = "3"

# What Prometheus 2.42, which the differential test asks, does not know.
NEWER = frozenset(
    """
    double_exponential_smoothing first_over_time histogram_avg histogram_quantiles histogram_stddev histogram_stdvar
    info limit_ratio limitk mad_over_time sort_by_label sort_by_label_desc ts_of_first_over_time ts_of_last_over_time
    ts_of_max_over_time ts_of_min_over_time
    """.split()  # noqa: SIM905
)
_NOTES = {
    "count_values": f"{_DIFFERENTIAL}; with by all its labels stay (2.42 may lose some that sort behind the new one)",
    "histogram_fraction": f"{_BY_RULE}; classic buckets; empty in version 2, which knows only native ones",
    "histogram_quantile": f"{_DIFFERENTIAL}; classic buckets",
    "holt_winters": f"{_DIFFERENTIAL}; version 2's name of double_exponential_smoothing",
    "info": f"{_BY_RULE}; experimental there",
    "limit_ratio": f"{_BY_RULE}; by a hash of our own: keeps about as many series as Prometheus, but other ones",
    "predict_linear": f"{_DIFFERENTIAL}; with @ the window stays where @ puts it (2.42 moves it with the steps)",
    "timestamp": f"{_DIFFERENTIAL}; an offset beside @ counts (2.42 forgets it)",
    **dict.fromkeys(NATIVE_ONLY, "refused on native histograms, empty without them, as there"),
}
_MODIFIERS = {
    "`[5m]` range": "left-open in version 3, closed in version 2",
    "`[1h:5m]` subquery": "default step 1m, as Prometheus' default evaluation interval",
    "`offset 5m`, `offset -5m`": _DIFFERENTIAL,
    "`@ 1700000000`, `@ start()`, `@ end()`": f"{_DIFFERENTIAL}; times before 1970 are refused",
    "`=`, `!=`, `=~`, `!~`": "RE2, matching the whole value; in version 3 a dot matches a line end",
    '`{"name"}`, `{"utf-8.label"="x"}`': _BY_RULE,
    "`by`, `without`": _DIFFERENTIAL,
    "`on`, `ignoring`, `group_left`, `group_right`": f"{_DIFFERENTIAL}, with its errors",
    "`bool`": _DIFFERENTIAL,
    "`or` between matchers, `fill`, `anchored`, `smoothed`, arithmetic in durations": "refused",
}
_HEAD = """# PromQL on local data

The embedded backend evaluates PromQL by itself (`obs_magics/local/promql`). It follows version 3 of Prometheus unless
asked for version 2 (`evaluate(..., version=2)`): ranges are left-open, and so is the lookback. Delayed name removal is
off, as it is by default in Prometheus. What is not supported is a `QueryError` that names it and marks its place; never
a wrong number. Functions that only version 3 has work in version 2 as well.

Answers are held against a real Prometheus 2.42: generated expressions over generated series, relative error at most
1e-9 (`tests/local/promql/test_differential.py`; `OBS_PROMQL_PAIRS=10000` runs it long). "2.42" below means: equal to it
there; "3": after the rules of version 3, tested by hand. Native histograms are stored, and returned by selectors;
functions, aggregations and operators on them are refused by name.

This page is written by `python -m obs_magics.local.promql.table`.
"""


def render() -> str:
    """The page as Markdown."""
    functions = _rows((f"`{name}`", _state_of(name, name in FUNCTIONS)) for name in sorted(syntax.FUNCTIONS))
    aggregations = _rows((f"`{name}`", _state_of(name, name in AGGREGATORS)) for name in sorted(syntax.AGGREGATIONS))
    operators = _rows((f"`{name}`", _operator_state(name)) for name in (*ARITHMETIC, *COMPARISON, *SET_OPERATORS, "-x"))
    sections = {
        "Functions": functions,
        "Aggregations": aggregations,
        "Operators": operators,
        "Selectors and modifiers": _rows(_MODIFIERS.items()),
    }
    return "\n".join([_HEAD, *(line for title, rows in sections.items() for line in (f"## {title}", *rows, ""))])


def _rows(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield from ("", "| what | state |", "|---|---|")
    yield from (f"| {name} | {state} |" for name, state in pairs)


def _state_of(name: str, supported: bool) -> str:
    if not supported:
        return "refused"
    return _NOTES.get(name) or (_BY_RULE if name in NEWER else _DIFFERENTIAL)


def _operator_state(name: str) -> str:
    return f"{_DIFFERENTIAL}; version 2 keeps the name" if name == "atan2" else _DIFFERENTIAL


def main() -> None:
    """Write the page into the project that stands in the current folder."""
    WRITTEN.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{WRITTEN} is written\n")


if __name__ == "__main__":
    main()
