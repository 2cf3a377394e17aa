"""What the embedded LogQL engine can do, as a page: ``python -m obs_magics.local.logql.table`` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from obs_magics.local.logql.binary import ARITHMETIC, COMPARISON
from obs_magics.local.logql.pipeline import STAGES
from obs_magics.local.logql.range_functions import RANGE_FUNCTIONS
from obs_magics.local.logql.vectors import VECTOR_AGGREGATIONS
from obs_magics.local.promql.joining import SET_OPERATORS
from obs_magics.syntax.logql import tree, words

WRITTEN = Path("docs") / "logql-engine.md"

_DIFFERENTIAL, _RECORDED, _HAND = "reference", "Loki", "by hand"
_STAGE_NOTES: Mapping[type, tuple[str, str]] = {
    tree.LineFilter: ("`|=` `!=` `|~` `!~` `|>` `!>`, `or`, `ip(…)`", f"{_DIFFERENTIAL}, {_RECORDED}"),
    tree.Json: (
        '`json`, `json a="path"`',
        f"{_DIFFERENTIAL}, {_RECORDED}; of a key that is there twice the last counts",
    ),
    tree.Logfmt: ('`logfmt`, `--strict`, `--keep-empty`, `logfmt a="key"`', f"{_DIFFERENTIAL}, {_RECORDED}"),
    tree.Regexp: ("`regexp`", _DIFFERENTIAL),
    tree.Pattern: ("`pattern`", f"{_DIFFERENTIAL}, {_RECORDED}"),
    tree.Unpack: ("`unpack`", _DIFFERENTIAL),
    tree.Decolorize: ("`decolorize`", _DIFFERENTIAL),
    tree.StringFilter: (
        '`a="x"` `!=` `=~` `!~`',
        f"{_DIFFERENTIAL}, {_RECORDED}; `__error_details__` can be compared too",
    ),
    tree.NumberFilter: ("`a > 1`, `a >= 1s`, `a < 1KB`", f"{_DIFFERENTIAL}, {_RECORDED}"),
    tree.IpFilter: ('`a = ip("…")`', _DIFFERENTIAL),
    tree.BothFilters: ("`and`, `,`", _DIFFERENTIAL),
    tree.EitherFilter: ("`or`", _DIFFERENTIAL),
    tree.LineFormat: ("`line_format`", f"{_DIFFERENTIAL}, {_RECORDED}"),
    tree.LabelFormat: ("`label_format`", _DIFFERENTIAL),
    tree.Drop: ("`drop`", _DIFFERENTIAL),
    tree.Keep: ("`keep`", _DIFFERENTIAL),
}
_NOTES = {
    "rate_counter": f"{_HAND}; with Loki's way to extrapolate, which hardly does",
    "quantile_over_time": f"{_DIFFERENTIAL}; exact, never by sketches",
    "absent_over_time": _DIFFERENTIAL,
    "sort": "changes nothing: an answer is series over time",
    "sort_desc": "changes nothing: an answer is series over time",
    "topk": f"{_HAND}",
    "bottomk": f"{_HAND}",
    "label_replace": _HAND,
    "vector": _DIFFERENTIAL,
}
_REST = {
    "`[5m]`": "(t - 5m, t]: open on the left, as in Loki",
    "`offset 5m`, `offset -5m`": _DIFFERENTIAL,
    "steps": "multiples of the step from the start down to the end up, as Loki's query frontend has it",
    "`by`, `without`": _DIFFERENTIAL,
    "`on`, `ignoring`, `group_left`, `group_right`, `bool`": f"{_DIFFERENTIAL}, {_HAND}",
    "`label_replace(…)`, `vector(1)`": f"{_HAND}, {_DIFFERENTIAL}",
    "`unwrap`, `duration(…)`, `bytes(…)`": f"{_DIFFERENTIAL}, {_RECORDED} (its error)",
    "`__error__` in metrics": "an error, unless it is filtered out or asked for, as in Loki",
}
_HEAD = f"""# LogQL on local data

The embedded backend evaluates LogQL by itself (`obs_magics/local/logql`), over log files and over a native folder's
`logs.parquet` (`obs_magics/local/logs`). It follows Loki 3. What is not supported is a `QueryError` that names it;
never a wrong number.

"{_DIFFERENTIAL}" below means: generated queries over generated lines give what a slow evaluator gives that does one
line and one step at a time (`tests/local/logql/test_differential.py`; `OBS_LOGQL_PAIRS=20000` runs it long).
"{_RECORDED}": what a real Loki answered is reproduced from its own lines, label by label
(`tests/local/logql/test_recordings.py`).
"{_HAND}": tested with numbers calculated by hand.

## Labels

- Columns that tell streams apart (dictionaries; in `logs.parquet` also plain strings with at most 1,000 distinct
  values) are labels of streams. What differs from line to line (`trace_id`, `span_id`, other strings) is structured
  metadata: it can be filtered and grouped by, but not selected.
- `service_name` and `detected_level` are other names of `service` and `level`, as Loki has them: `unknown_service` and
  `unknown` where nothing is known.
- What a parser finds under the name of a stored label is called `…_extracted`; what one parser has found, the next does
  not write over.
- `--level` looks at the stored level; lines whose level is unknown are left out, and counted in a note.

## Where it differs from Loki

- There is no limit of 500 series or 11,000 points; too many series at too many steps are refused with a way out.
- Sums may differ from Loki's in the last digits, which depend on how it happened to split the query.
- In series, an empty label is no label; lines keep labels that are empty.
- A label filter does not end the parsing of a line before its end, as Loki's does for speed.

This page is written by `python -m obs_magics.local.logql.table`.
"""


def render() -> str:
    """The page as Markdown."""
    functions = {*words.RANGE_OPS, *RANGE_FUNCTIONS, "absent_over_time"}
    known = {*RANGE_FUNCTIONS, "absent_over_time"}
    sections = {
        "Stages": ((name, state if kind in STAGES else "refused") for kind, (name, state) in _STAGE_NOTES.items()),
        "Range aggregations": ((f"`{name}`", _state(name, name in known)) for name in sorted(functions)),
        "Vector aggregations": (
            (f"`{name}`", _state(name, name in VECTOR_AGGREGATIONS))
            for name in sorted({*words.VECTOR_OPS, *VECTOR_AGGREGATIONS})
        ),
        "Operators": ((f"`{name}`", _operator(name)) for name in (*ARITHMETIC, *COMPARISON, *SET_OPERATORS)),
        "The rest": _REST.items(),
    }
    return "\n".join([_HEAD, *(line for title, rows in sections.items() for line in (f"## {title}", *_rows(rows), ""))])


def _rows(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield from ("", "| what | state |", "|---|---|")
    yield from (f"| {name.replace('|', chr(92) + '|')} | {state} |" for name, state in pairs)


def _state(name: str, supported: bool) -> str:
    return _NOTES.get(name, _DIFFERENTIAL) if supported else "refused"


def _operator(name: str) -> str:
    return f"{_DIFFERENTIAL}; by zero it gives NaN" if name in {"/", "%"} else _DIFFERENTIAL


def main() -> None:
    """Write the page into the project that stands in the current folder."""
    WRITTEN.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{WRITTEN} is written\n")


if __name__ == "__main__":
    main()
