"""Ids of traces and spans inside the bodies of lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.loglines.bodies import SLEUTH
from obs_magics.analysis.loglines.ids import SPAN_DIGITS, TRACE_DIGITS, hex_ids
from obs_magics.analysis.loglines.text import Text, found_anywhere, matching, some

Array = np.ndarray[Any, Any]

_IS = r"""\\?["']?\s*[=:]\s*\\?["']?"""  # what stands between a key and its value, in JSON within JSON too
_UBER = "[0-9a-f]+:[0-9a-f]+:[0-9a-f]+:[0-9a-f]+"
_DATADOG = r"""\bdd(?:[._]|\\?["']?\s*:\s*\{[^{}]*?\\?["']?)"""
_DATADOG_HINT = r"[^0-9A-Za-z]dd[^0-9A-Za-z]|^dd[^0-9A-Za-z]"
# What stands in lines that name a trace: one by one searched for in all of them at the speed of memory, and then, if it
# is found, in which lines this is (`TRACE` alone is a level).
_HINTS = {r"(?i)trace": r"race|TRACE_?ID", r", ?[0-9a-f]{16}[,\]]": r", ?[0-9a-f]{16}[,\]]"}


@dataclass(frozen=True, slots=True)
class _Rule:
    """How ids are written: their length is `hex_ids`' business, as counting makes a pattern slow.

    Args:
        hint: What stands in every line with such an id: searched for at the speed of memory before anything else.
        pattern: RE2 with a group `trace`, `span` or both.
        name: Of the scale, for `hex_ids`.
    """

    hint: str
    pattern: str
    name: str = ""


_RULES: tuple[_Rule, ...] = (
    _Rule(_DATADOG_HINT, rf"(?i){_DATADOG}trace[._]?id{_IS}(?P<trace>\d+)\b", "dd.trace_id"),
    _Rule(_DATADOG_HINT, rf"(?i){_DATADOG}span[._]?id{_IS}(?P<span>\d+)\b", "dd.span_id"),
    _Rule(r"(?i)race", rf"(?i:trace[._-]?id){_IS}(?P<trace>[0-9A-Fa-f-]+)\b"),
    _Rule(r"(?i)span", rf"(?i:(?:^|[^a-z0-9_.])(?:x-b3-?|b3-?|x-|otel)?span[._-]?id){_IS}(?P<span>[0-9A-Fa-f]+)\b"),
    _Rule("-", r"\b[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}\b"),
    _Rule("(?i)uber", rf"(?i:uber-trace-id){_IS}(?P<trace>{_UBER})"),
    _Rule("(?i)uber", rf"(?i:uber-trace-id){_IS}(?P<span>{_UBER})"),
    _Rule('"trace"', r'"trace"\s*:\s*\{[^{}]*?"id"\s*:\s*"(?P<trace>[0-9a-fA-F-]{16,36})"'),
    _Rule('"span"', r'"span"\s*:\s*\{[^{}]*?"id"\s*:\s*"(?P<span>[0-9a-fA-F]{8,16})"'),
    _Rule("oot=1-", r"(?i:root)=(?P<trace>1-[0-9a-f]{8}-[0-9a-f]{24})"),
    _Rule("/traces/", r"projects/[^/\"]+/traces/(?P<trace>[0-9a-f]{32})\b"),
    _Rule("trace", rf"(?i:\btrace){_IS}(?P<trace>[0-9a-f]{{32}})\b"),
    _Rule("span", rf"(?i:\bspan){_IS}(?P<span>[0-9a-f]{{16}})\b"),
    _Rule(r", ?[0-9a-f]{16}[,\]]", SLEUTH),
)
_DIGITS = {"trace": TRACE_DIGITS, "span": SPAN_DIGITS}


def read_ids(messages: Text) -> tuple[pa.Array | None, pa.Array | None]:
    """The trace and the span that each line names; None when no line has any.

    Args:
        messages: Strings.
    """
    hints = [hint for anywhere, hint in _HINTS.items() if found_anywhere(messages, anywhere)]
    rows = np.flatnonzero(matching(messages, "|".join(hints))) if hints else np.empty(0, np.int64)
    if not len(rows):
        return None, None
    lines = some(messages, rows)
    found = {kind: np.full(len(rows), None, object) for kind in _DIGITS}
    for rule in _RULES:
        _apply(rule, lines, found)
    return _spread(found["trace"], rows, len(messages)), _spread(found["span"], rows, len(messages))


def _apply(rule: _Rule, lines: Text, found: dict[str, Array]) -> None:
    """Fill in what one rule finds in those lines that have no id of its kind yet."""
    kinds = [kind for kind in found if f"(?P<{kind}>" in rule.pattern]
    left = np.flatnonzero(np.logical_or.reduce([_empty(found[kind]) for kind in kinds]))
    if not len(left) or not found_anywhere(lines, rule.hint):
        return
    part = some(lines, left)
    hits = np.flatnonzero(matching(part, rule.pattern))
    if not len(hits):
        return
    groups = pc.extract_regex(some(part, hits), rule.pattern)
    joined = groups.combine_chunks() if isinstance(groups, pa.ChunkedArray) else groups
    for kind in kinds:
        ids = hex_ids(pc.struct_field(joined, kind), _DIGITS[kind], name=rule.name).to_numpy(zero_copy_only=False)
        free = _empty(found[kind][left[hits]])
        found[kind][left[hits][free]] = ids[free]


def _empty(values: Array) -> Array:
    return np.asarray(pd.isna(values))


def _spread(values: Array, rows: Array, size: int) -> pa.Array | None:
    """The ids of some rows as a column of all; None when there is none."""
    if _empty(values).all():
        return None
    column = np.full(size, None, object)
    column[rows] = values
    return pa.array(column, pa.string())
