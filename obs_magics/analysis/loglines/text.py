"""Levels of lines by their text: rules of `words`, asked of all lines at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.loglines.levels import UNKNOWN_CODE
from obs_magics.analysis.loglines.words import FIRST_OF_HEAD, RULE_SETS, Rules
from obs_magics.model.logs import LEVELS

Array = np.ndarray[Any, Any]
Text: TypeAlias = "pa.Array | pa.ChunkedArray"


def text_levels(messages: Text) -> Array:
    """The level that each line's text tells: int8 positions in `LEVELS`, -1 where it tells none."""
    codes = np.full(len(messages), UNKNOWN_CODE, np.int8)
    left, lines = np.arange(len(messages)), messages
    for rules in RULE_SETS:
        found = _by_rules(lines, rules)
        codes[left] = found
        unknown = found == UNKNOWN_CODE
        left = left[unknown]
        if not len(left):
            break
        if not unknown.all():
            lines = lines.filter(pa.array(unknown))
    return codes


def matching(lines: Text, pattern: str) -> Array:
    """Which lines match a pattern, as booleans; a null does not."""
    matches = pc.fill_null(pc.match_substring_regex(lines, pattern), False)
    joined = matches.combine_chunks() if isinstance(matches, pa.ChunkedArray) else matches
    hits: Array = joined.to_numpy(zero_copy_only=False)
    return hits


def some(lines: Text, rows: Array) -> Text:
    """Some of the lines, in their order; without a copy when it is all of them."""
    return lines if len(rows) == len(lines) else lines.take(pa.array(rows))


def found_anywhere(lines: Text, pattern: str) -> bool:
    """Whether a pattern matches somewhere in these lines, or across them: one search through all of their bytes."""
    chunks = lines.chunks if isinstance(lines, pa.ChunkedArray) else [lines]
    return any(pc.match_substring_regex(one, pattern)[0].as_py() for one in map(_as_one, chunks) if one is not None)


def _as_one(chunk: pa.Array) -> pa.Array | None:
    """All strings of an array as a single one, without a copy."""
    _, offsets, data = chunk.buffers()
    if not len(chunk) or data is None:
        return None
    wide = pa.types.is_large_string(chunk.type) or pa.types.is_large_binary(chunk.type)
    ends = np.frombuffer(offsets, np.int64 if wide else np.int32)[[chunk.offset, chunk.offset + len(chunk)]]
    bounds = pa.py_buffer(ends.astype(np.int64))
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), 1, [None, bounds, data])


def _by_rules(lines: Text, rules: Rules) -> Array:
    """A pass over the lines per level: far cheaper than capturing the word, which is only done where two match."""
    codes = np.full(len(lines), UNKNOWN_CODE, np.int8)
    matched = np.zeros(len(lines), np.int8)
    for level, pattern in rules.items():
        hit = matching(lines, pattern)
        codes[hit] = LEVELS.index(level)
        matched += hit
    doubtful = np.flatnonzero(matched > 1)
    for row, code in zip(doubtful, _first_levels(lines.take(pa.array(doubtful))), strict=True):
        codes[row] = code if code is not None else codes[row]
    return codes


def _first_levels(lines: Text) -> Iterator[int | None]:
    """The level that is named first in each line's head; None where it is not in the head."""
    for groups in pc.extract_regex(lines, FIRST_OF_HEAD).to_pylist():
        named = (LEVELS.index(level) for level, word in (groups or {}).items() if word)
        yield next(named, None)
