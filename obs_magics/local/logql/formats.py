"""Stages that rewrite lines and labels: line_format, label_format, drop, keep, decolorize.

Sources: Loki's `pkg/logql/log/fmt.go`, `drop_labels.go`, `keep_labels.go`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.local.logql.lines import DETAILS, ERROR, SPECIAL, Array, Lines
from obs_magics.local.logql.parsers.wanted import CHUNK, Wanted
from obs_magics.local.logs.column import Column
from obs_magics.local.logs.selection import ALIASES
from obs_magics.local.promql.data import Matcher as StreamMatcher
from obs_magics.local.promql.match import fulfils
from obs_magics.syntax.logql.template import TemplateError, compile_template
from obs_magics.syntax.logql.tree import Drop, Format, Keep, LabelFormat, LineFormat, Matcher

TEMPLATE_ERROR = "TemplateFormatErr"
# https://github.com/acarl005/stripansi, as in Loki
_ANSI = (
    "[\\x{1B}\\x{9B}][[\\]()#;?]*(?:(?:(?:[a-zA-Z\\d]*(?:;[a-zA-Z\\d]*)*)?\\x07)"
    "|(?:(?:\\d{1,4}(?:;\\d{0,4})*)?[\\dA-PRZcf-ntqry=><~]))"
)
_ONE_LABEL = re.compile(r"\{\{\s*\.([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}")


def decolorize(lines: Lines) -> Lines:
    """The lines without ANSI colours."""
    return lines.with_text(pc.replace_substring_regex(lines.texts(), _ANSI, ""))


def format_line(stage: LineFormat, lines: Lines, wanted: Wanted) -> Lines:
    """The lines as a template writes them; as they were, with an error, where it fails."""
    single = _ONE_LABEL.fullmatch(stage.template)
    if single:
        return lines.with_text(lines.label(single[1]).strings().fill_null(""))
    written, failed, why = _rendered(stage.template, lines, wanted)
    texts = pa.array(written, pa.large_string())
    if not failed.any():
        return lines.with_text(texts)
    kept = pc.if_else(pa.array(failed), lines.texts(), texts)
    return lines.with_text(kept).fail(TEMPLATE_ERROR, why, failed)


def format_labels(stage: LabelFormat, lines: Lines, wanted: Wanted) -> Lines:
    """The lines with labels renamed, or written by templates, which all see the labels as the first of them did."""
    seen: Lines | None = None
    for one in stage.formats:
        if one.source is not None:
            lines = _renamed(one, lines)
            continue
        seen = lines if seen is None else seen
        lines = _written(one, lines, seen, wanted)
    return lines


def _renamed(one: Format, lines: Lines) -> Lines:
    source = one.source or ""
    column = lines.label(source)
    return lines.set(one.name, column).drop(source, column.present)


def _written(one: Format, lines: Lines, seen: Lines, wanted: Wanted) -> Lines:
    template = one.template or ""
    single = _ONE_LABEL.fullmatch(template)
    if single:
        label = seen.label(single[1])
        return lines.set(one.name, label.over(Column.constant(len(lines), "")))
    written, failed, why = _rendered(template, seen, wanted)
    column = Column.of(pa.array(written, pa.large_string())).where(~failed)
    return lines.set(one.name, column).fail(TEMPLATE_ERROR, why, failed)


def _rendered(text: str, lines: Lines, wanted: Wanted) -> tuple[list[str], Array, Column]:
    """What a template gives for each line, where it failed (bool), and why."""
    template = compile_template(text)
    labels = _records(lines)
    texts, times = lines.texts(), lines.times_ns
    written: list[str] = []
    reasons: list[str | None] = []
    for start in range(0, len(lines), CHUNK):
        wanted.check()
        for position, line in enumerate(texts.slice(start, CHUNK).to_pylist(), start):
            try:
                written.append(template.render(next(labels), line, int(times[position])))
                reasons.append(None)
            except TemplateError as problem:
                written.append("")
                reasons.append(str(problem))
    failed = np.asarray([why is not None for why in reasons], bool)
    return written, failed, Column.of(pa.array(reasons, pa.large_string()))


def _records(lines: Lines) -> Iterator[dict[str, str]]:
    """The labels of each line, one line after the other."""
    names = [*lines.label_names(), ERROR, DETAILS]
    columns = {name: column for name in names if (column := lines.label(name)).present.any()}
    values = [[*column.texts(), None] for column in columns.values()]
    codes = [column.codes.tolist() for column in columns.values()]
    for row in range(len(lines)):
        yield {
            name: value
            for name, texts, place in zip(columns, values, codes, strict=True)
            if (value := texts[place[row]]) is not None
        }


def drop_labels(stage: Drop, lines: Lines) -> Lines:
    """The lines without some labels, or without those of them that have a value."""
    for wanted in stage.labels:
        if isinstance(wanted, str):
            lines = lines.drop(wanted, lines.label(wanted).present)
        else:
            lines = lines.drop(wanted.name, _fulfils(wanted, lines.label(wanted.name)))
    return lines


def keep_labels(stage: Keep, lines: Lines) -> Lines:
    """The lines with no other labels than those; errors stay."""
    keeps: dict[str, Array] = {}
    for wanted in stage.labels:
        name = wanted if isinstance(wanted, str) else wanted.name
        own = lines.selection.own_name(name)
        here = np.ones(len(lines), bool) if isinstance(wanted, str) else _fulfils(wanted, lines.label(name))
        for known in {name, own}:  # who keeps `service_name` keeps `service`
            keeps[known] = keeps[known] | here if known in keeps else here
    nowhere = np.zeros(len(lines), bool)
    for name in (*lines.label_names(), *ALIASES):
        if name not in SPECIAL:
            lines = lines.drop(name, lines.label(name).present & ~keeps.get(name, nowhere))
    return lines


def _fulfils(matcher: Matcher, column: Column) -> Array:
    condition = StreamMatcher(matcher.name, matcher.op, matcher.value)
    return column.mask(lambda value: fulfils(condition, value), missing=fulfils(condition, ""))
