"""The stages of a pipeline one after the other, and what each of them needs of the labels before it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from obs_magics.local.logql import formats
from obs_magics.local.logql.label_filters import LABEL_FILTERS, filter_labels, names_read
from obs_magics.local.logql.line_filters import filter_lines
from obs_magics.local.logql.lines import Lines
from obs_magics.local.logql.parsers.captures import parse_pattern, parse_regexp, parse_unpack
from obs_magics.local.logql.parsers.json_fields import parse_json
from obs_magics.local.logql.parsers.json_paths import parse_json_paths
from obs_magics.local.logql.parsers.logfmt import parse_logfmt
from obs_magics.local.logql.parsers.wanted import Wanted
from obs_magics.model.errors import QueryError
from obs_magics.syntax.logql.tree import (
    Decolorize,
    Drop,
    Json,
    Keep,
    LabelFormat,
    LineFilter,
    LineFormat,
    Logfmt,
    Pattern,
    Regexp,
    Stage,
    Unpack,
)


def _json(stage: Json, lines: Lines, wanted: Wanted) -> Lines:
    return parse_json_paths(lines, stage.fields, wanted) if stage.fields else parse_json(lines, wanted)


# Loki does not look at the lines at all when none of their labels is needed, so that nothing can be wrong with them.
_PARSERS: Mapping[type, Callable[[Any, Lines, Wanted], Lines]] = {
    Json: _json,
    Logfmt: parse_logfmt,
    Pattern: parse_pattern,
    Unpack: lambda stage, lines, wanted: parse_unpack(lines, wanted),
}
_OTHERS: Mapping[type, Callable[[Any, Lines, Wanted], Lines]] = {
    LineFilter: lambda stage, lines, wanted: filter_lines(stage, lines),
    Regexp: parse_regexp,
    Decolorize: lambda stage, lines, wanted: formats.decolorize(lines),
    LineFormat: formats.format_line,
    LabelFormat: formats.format_labels,
    Drop: lambda stage, lines, wanted: formats.drop_labels(stage, lines),
    Keep: lambda stage, lines, wanted: formats.keep_labels(stage, lines),
    **dict.fromkeys(LABEL_FILTERS, lambda stage, lines, wanted: filter_labels(stage, lines)),
}
STAGES = (*_PARSERS, *_OTHERS)
# A superset of the fields of a template: whatever stands behind a dot.
_FIELD = re.compile(r"\.([a-zA-Z_][a-zA-Z0-9_]*)")
_BARE_DOT = re.compile(r"[\s({|]\.(?![a-zA-Z_0-9])|\$(?![a-zA-Z_])")
_FILTERS = (LineFilter, *LABEL_FILTERS)


def run(stages: Iterable[Stage], lines: Lines, wanted: Wanted) -> Lines:
    """What is left of the lines behind all stages, and what they have become.

    Raises:
        QueryError: A pattern or a template is none.
    """
    for stage in stages:
        wanted.check()
        kind = type(stage)
        if kind in _PARSERS:
            lines = lines if wanted.nothing else _PARSERS[kind](stage, lines, wanted)
        elif kind in _OTHERS:
            lines = _OTHERS[kind](stage, lines, wanted)
        else:
            raise QueryError(f"the stage {kind.__name__} is not supported by the embedded backend")
    return lines


def deciding(stages: Sequence[Stage]) -> int:
    """How many of the stages decide which lines are left: all up to the last filter."""
    last = max((number for number, stage in enumerate(stages) if isinstance(stage, _FILTERS)), default=-1)
    return last + 1


def labels_read(stages: Iterable[Stage]) -> frozenset[str]:
    """The labels that stages look at: Loki's `RequiredLabelNames`."""
    return frozenset(name for stage in stages for name in _read_by(stage))


def needed(stages: Sequence[Stage], wanted: Wanted) -> Wanted:
    """What stages need of their own parsers, when nobody looks at the labels behind them."""
    if any(_sees_all(stage) for stage in stages):
        return wanted
    names = labels_read(stages)
    return replace(wanted, names=names, nothing=not names and not any(isinstance(one, Unpack) for one in stages))


def _sees_all(stage: Stage) -> bool:
    """Whether a template takes all labels together: `{{ . }}`, `{{ range $name, $value := . }}`."""
    templates = [stage.template] if isinstance(stage, LineFormat) else []
    if isinstance(stage, LabelFormat):
        templates = [one.template for one in stage.formats if one.template is not None]
    return any(_BARE_DOT.search(template) for template in templates)


def _read_by(stage: Stage) -> Iterator[str]:
    if isinstance(stage, LABEL_FILTERS):
        yield from names_read(stage)
    elif isinstance(stage, LineFormat):
        yield from _fields(stage.template)
    elif isinstance(stage, LabelFormat):
        for one in stage.formats:
            if one.source is not None:
                yield one.source
            elif one.template is not None:
                yield from _fields(one.template)


def _fields(template: str) -> Iterator[str]:
    return (found[1] for found in _FIELD.finditer(template))
