"""From messages to patterns: one setting for all systems, blind to the order of lines, every line counted.

Each step works on what the one before left distinct: messages → zeroed (`zeros`) → shapes (`numbers`) → masked lines
(`phrases`, `words`) → templates (`merging`). A million lines are some ten thousand distinct zeroed messages, a few
thousand shapes and a few hundred templates, so that only the first step must be fast, and it works on bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.patterns.bodies import PLAIN, Bodies
from obs_magics.analysis.patterns.merging import merged
from obs_magics.analysis.patterns.messages import Fields, first_lines
from obs_magics.analysis.patterns.numbers import shapes
from obs_magics.analysis.patterns.phrases import masked
from obs_magics.analysis.patterns.zeros import zeroed

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Mined:
    """Patterns of messages, and which of them each message has.

    Args:
        templates: Distinct, most messages first, ties by text. `""` is the pattern of messages that are empty or null.
        assignment: Positions in `templates`, one a message, in the order of the messages.
        fields: Of each template the names of the fields that stand behind its message; none for plain text.
    """

    templates: list[str]
    assignment: npt.NDArray[np.int32]
    fields: list[Fields]


def mine(messages: pa.Array | pa.ChunkedArray | Sequence[str | None]) -> Mined:
    """Find the patterns of log messages.

    Linear in the input. Any text will do: of several lines the first makes the pattern, of long ones their first 4,096
    characters, of JSON and logfmt their message, with the names of the other fields behind it.

    Args:
        messages: Arrow strings (of any kind, in chunks or not), or Python strings; nulls are messages too.

    >>> mine(["took 3 ms", "took 12 ms", "stopped"]).templates
    ['took <*> ms', 'stopped']
    """
    bodies = Bodies()
    texts, json_fields = bodies.of_json(_strings(messages))
    given = _distinct(zeroed(texts))
    shaped = _distinct(shapes(first_lines(given.values)))
    plain, logfmt_fields = bodies.of_logfmt(shaped.values)
    lines = _distinct(masked(plain))
    templates, template = merged(lines.values.to_pylist())
    shape = shaped.codes[given.codes]
    numbers = np.where(json_fields == PLAIN, logfmt_fields[shape], json_fields)
    return _ordered(*bodies.named(templates, template[lines.codes][shape], numbers))


@dataclass(frozen=True, slots=True)
class _Distinct:
    """Distinct strings, and for each given one its position in them."""

    values: pa.Array
    codes: Array


def _distinct(strings: pa.Array) -> _Distinct:
    encoded = strings.dictionary_encode()
    return _Distinct(encoded.dictionary, encoded.indices.to_numpy())


def _strings(messages: pa.Array | pa.ChunkedArray | Sequence[str | None]) -> pa.Array:
    """Large strings in one piece, without nulls."""
    if isinstance(messages, pa.ChunkedArray):
        messages = messages.cast(pa.large_string()).combine_chunks()
    if isinstance(messages, pa.Array):
        strings = messages.cast(pa.large_string())
    else:
        try:
            strings = pa.array(messages, pa.large_string())
        except UnicodeEncodeError:  # half of a surrogate pair, which no encoding has
            strings = pa.array([None if text is None else _encodable(text) for text in messages], pa.large_string())
    return pc.fill_null(strings, "") if strings.null_count else strings


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _ordered(templates: list[str], fields: list[Fields], assignment: Array) -> Mined:
    """Most messages first, ties by text."""
    counts = np.bincount(assignment, minlength=len(templates))
    order = sorted(range(len(templates)), key=lambda at: (-counts[at], templates[at]))
    rank = np.empty(len(templates), np.int32)
    rank[order] = np.arange(len(templates), dtype=np.int32)
    return Mined([templates[at] for at in order], rank[assignment], [fields[at] for at in order])
