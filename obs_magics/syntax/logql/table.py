"""What of LogQL is understood, as a page: ``python -m obs_magics.syntax.logql.table`` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from obs_magics.syntax.cursor import MAX_BYTES, MAX_DEPTH
from obs_magics.syntax.logql.cursor import MAX_TERMS
from obs_magics.syntax.logql.template import FUNCTIONS
from obs_magics.syntax.logql.words import RANGE_OPS, VECTOR_OPS

WRITTEN = Path("docs") / "logql.md"
_HEAD = """# LogQL

The grammar (`obs_magics/syntax/logql`) accepts and refuses what Loki 3 does, and says so in its words, with the place
marked and a way out. It is read before a query runs on local data; a query for a Loki goes there as typed. How it is
evaluated is told in [LogQL on local data](logql-engine.md).

This page is written by `python -m obs_magics.syntax.logql.table`.
"""
_GRAMMAR = {
    '`{app="x", env!="y", pod=~"z.*", zone!~"q"}`': "as Loki; one matcher at least must ask for something",
    '`\\|= "a" or "b"`, `!=`, `\\|~`, `!~`, `\\|>`, `!>`, `ip("10.0.0.0/8")`': "as Loki; `or` behind `!=` excludes all",
    '`\\| json`, `\\| json a="b.c[0]"`': "as Loki",
    '`\\| logfmt --strict --keep-empty a, b="c"`': "as Loki",
    "`\\| regexp`, `\\| pattern`, `\\| unpack`, `\\| decolorize`": "as Loki; RE2; names of captures are looked at",
    '`\\| level="error"`, `> 5`, `>= 1.5s`, `< 20KB`, `= ip("…")`': "as Loki; `and` binds tighter than `or`, a comma "
    "or a space takes all that follows; a bad address is refused inside `and`, `or` too (Loki lets it match nothing)",
    "`\\| line_format`, `\\| label_format`": "as Loki; a label once in a stage, not `__error__`",
    '`\\| drop a, b="x"`, `\\| keep …`': "as Loki",
    "`\\| unwrap x`, `bytes(x)`, `duration(x)`, `duration_seconds(x)`": "as Loki; label filters may follow",
    "`[5m]`, `offset 1h`": "as Loki: behind the pipeline, the selector, or brackets; offsets may be negative",
    "`by (…)`, `without (…)`": "as Loki: before or behind aggregations, behind those range aggregations that allow it",
    "`or`, `and`, `unless`, `==` …, `+ - * / % ^`, `bool`, `on`, `ignoring`, `group_left`, `group_right`": "as Loki; "
    "arithmetic between two numbers is done while reading",
    "`label_replace(…)`, `vector(1)`": "as Loki",
    "`variants(…) of (…)`": "refused by name, as by a Loki that has it turned off",
    "comments": "`#`, and what Go's scanner brings along: `//`, `/* */`",
    "names": "letters of any alphabet; functions are names where no bracket follows, other words of the language never",
}
_LIMITS = {
    "length": f"{MAX_BYTES:,} bytes, as Loki",
    "brackets within each other": f"{MAX_DEPTH}; Loki has no limit",
    "operators in one query": f"{MAX_TERMS} (`and`, `or`, commas of label filters; between numbers); Loki has no limit",
}
_GROUPS = {
    "line": "The line itself",
    "date": "Date and time",
    "text": "Text",
    "logic": "Logic",
    "number": "Numbers",
    "regex": "Regular expressions",
    "go": "Go's own",
    "deprecated": "Old names",
}
_TEMPLATES = """## Templates

`line_format` and `label_format` fill in Go's text/template: `{{ .label }}`, pipelines, brackets, variables, `if`,
`else if`, `with`, `range` (over what `fromJson` gives, and whole numbers), `break`, `continue`, `{{-` and `-}}`,
comments. Refused are `define`, `template` and `block`, and methods (`now.Year`). Types are as strict as Go's: `trunc`
takes no text for its number. An error while filling in leaves the line as it was and sets `__error__` to
`TemplateFormatErr`.
"""


def render() -> str:
    """The page as Markdown."""
    parts: list[str] = [_HEAD, "## Grammar", *_rows(_GRAMMAR.items()), ""]
    parts += [f"Range aggregations: {_list(RANGE_OPS)}.", "", f"Aggregations: {_list(VECTOR_OPS)}.", ""]
    parts += ["## Limits", *_rows(_LIMITS.items()), "", _TEMPLATES]
    for group, title in _GROUPS.items():
        names = sorted(name for name, function in FUNCTIONS.items() if function.group == group)
        rows = ((f"`{name}`", FUNCTIONS[name].note or "as Loki") for name in names)
        parts += [f"### {title}", *_rows(rows), ""]
    return "\n".join(parts)


def _rows(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield from ("", "| what | state |", "|---|---|")
    yield from (f"| {name} | {state} |" for name, state in pairs)


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def main() -> None:
    """Write the page into the project that stands in the current folder."""
    WRITTEN.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{WRITTEN} is written\n")


if __name__ == "__main__":
    main()
