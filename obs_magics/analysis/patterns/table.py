"""The pattern table of a logs frame: how often each pattern came, where, when, how severe, with what values."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.patterns.mining import Mined, mine
from obs_magics.analysis.patterns.values import wildcard_values
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE
from obs_magics.model.logs import LEVEL_DTYPE, LEVELS

Array = np.ndarray[Any, Any]

SAMPLE = 100
"""Lines of a pattern, evenly spread over its own, from which the values behind its wildcards are counted."""
EXAMPLES = 3
LOOKED_AT = 30
"""First lines of a pattern among which its examples, distinct ones, are sought."""

_STRINGS = pd.ArrowDtype(pa.list_(pa.string()))
_LISTS = pd.ArrowDtype(pa.list_(pa.list_(pa.string())))
_ID_DIGITS = 8


def pattern_id(template: str) -> str:
    """Eight hex digits that stand for a template, the same in every frame: the start of its SHA-256."""
    return hashlib.sha256(template.encode()).hexdigest()[:_ID_DIGITS]


def pattern_table(frame: pd.DataFrame) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """The patterns of a logs frame, most lines first, ties by template; and the row of the table for each line.

    Args:
        frame: A logs frame (`model.logs`), in order of time.

    Returns:
        One row a pattern: `id` · `template` (values are `<*>`) · `count` · `share` of all lines · `level` (the most
        severe seen) · `service` (the one with most lines) · `services` (most lines first) · `levels` (most severe
        first) · `first_seen`, `last_seen` · `examples` (at most 3 different lines, earliest first) · `values` (of each
        wildcard the most frequent 5 among at most `SAMPLE` of its lines, evenly spread over time). Counts add up to the
        lines of the frame.
    """
    messages = frame["message"].array.__arrow_array__()  # pandas' own protocol
    mined = mine(messages)
    rows = _Rows(mined.assignment, len(mined.templates))
    services, levels = _services(frame["service"], rows), _levels(frame["level"], rows)
    table = pd.DataFrame(
        {
            "id": pd.Series([pattern_id(template) for template in mined.templates], dtype=STRING_DTYPE),
            "template": pd.Series(mined.templates, dtype=STRING_DTYPE),
            "count": rows.counts,
            "share": rows.counts / max(1, len(frame)),
            "level": pd.Categorical([found[0] if found else None for found in levels], dtype=LEVEL_DTYPE),
            "service": pd.Series([found[0] if found else None for found in services], dtype=STRING_DTYPE),
            "services": _lists(services, _STRINGS),
            "levels": _lists(levels, _STRINGS),
            **_seen(frame["timestamp"], rows),
            "examples": _lists(_examples(messages, rows), _STRINGS),
            "values": _lists(_all_values(messages, mined, rows), _LISTS),
        }
    )
    return table, mined.assignment.astype(np.int64)


class _Rows:
    """The lines of each pattern, in the frame's order.

    Args:
        pattern: Of each line.
        many: How many patterns there are.
    """

    def __init__(self, pattern: Array, many: int) -> None:
        self.pattern, self.many = pattern, many
        self.counts: npt.NDArray[np.int64] = np.bincount(pattern, minlength=many).astype(np.int64)
        self._order = np.argsort(pattern, kind="stable")
        self._starts = np.cumsum(self.counts) - self.counts

    def first(self, most: int) -> tuple[Array, Array]:
        """At most so many lines from the start of each pattern, end to end, and how many each gives."""
        taken = np.minimum(self.counts, most)
        return self._order[np.repeat(self._starts, taken) + _ranks(taken)], taken

    def spread(self, most: int) -> tuple[Array, Array]:
        """At most so many lines of each pattern, evenly spread over its own."""
        taken = np.minimum(self.counts, most)
        within = _ranks(taken) * np.repeat(self.counts, taken) // np.repeat(taken, taken)
        return self._order[np.repeat(self._starts, taken) + within], taken


def _ranks(counts: Array) -> Array:
    """0, 1, 2, … for each count."""
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    ranks: Array = np.arange(len(starts)) - starts
    return ranks


def _lists(found: Sequence[Any], dtype: pd.ArrowDtype) -> pd.Series[Any]:
    return pd.Series(pa.array(found, dtype.pyarrow_dtype), dtype=dtype)


def _by_pattern(codes: Array, rows: _Rows, many: int) -> list[list[tuple[int, int]]]:
    """Of each pattern the (code, lines) that occur in it; codes below zero are left out."""
    known = codes >= 0
    pairs, counts = np.unique(rows.pattern[known].astype(np.int64) * max(1, many) + codes[known], return_counts=True)
    found: list[list[tuple[int, int]]] = [[] for _ in range(rows.many)]
    for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
        found[pair // many].append((pair % many, count))
    return found


def _services(service: pd.Series[Any], rows: _Rows) -> list[list[str]]:
    """Most lines first, ties by name."""
    names = [str(name) for name in service.cat.categories]
    found = _by_pattern(service.cat.codes.to_numpy(), rows, len(names))
    return [[names[code] for code, _ in sorted(pairs, key=lambda pair: (-pair[1], names[pair[0]]))] for pairs in found]


def _levels(level: pd.Series[Any], rows: _Rows) -> list[list[str]]:
    """Most severe first."""
    found = _by_pattern(level.cat.codes.to_numpy(), rows, len(LEVELS))
    return [[LEVELS[code] for code, _ in reversed(pairs)] for pairs in found]


def _seen(timestamp: pd.Series[Any], rows: _Rows) -> dict[str, pd.DatetimeIndex]:
    instants = timestamp.astype(TIMESTAMP_DTYPE).to_numpy(dtype="datetime64[ns]").view(np.int64)
    first, last = np.full(rows.many, np.iinfo(np.int64).max), np.full(rows.many, np.iinfo(np.int64).min)
    np.minimum.at(first, rows.pattern, instants)
    np.maximum.at(last, rows.pattern, instants)
    return {
        name: pd.DatetimeIndex(found, dtype=TIMESTAMP_DTYPE)
        for name, found in (("first_seen", first), ("last_seen", last))
    }


def _examples(messages: pa.Array | pa.ChunkedArray, rows: _Rows) -> list[list[str]]:
    places, taken = rows.first(LOOKED_AT)
    return [list(dict.fromkeys(lines))[:EXAMPLES] for lines in _split(messages, places, taken)]


def _all_values(messages: pa.Array | pa.ChunkedArray, mined: Mined, rows: _Rows) -> list[list[list[str]]]:
    places, taken = rows.spread(SAMPLE)
    lines = _split(messages, places, taken)
    return [
        wildcard_values(template, found, fields)
        for template, found, fields in zip(mined.templates, lines, mined.fields, strict=True)
    ]


def _split(messages: pa.Array | pa.ChunkedArray, places: Array, taken: Array) -> list[list[str]]:
    """The texts at these places (null is the empty text), in runs of these lengths."""
    texts = pc.fill_null(messages.take(pa.array(places)), "").to_pylist()
    ends = np.cumsum(taken).tolist()
    return [texts[end - size : end] for end, size in zip(ends, taken.tolist(), strict=True)]
