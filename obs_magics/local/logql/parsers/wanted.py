"""What a parser has to find, and how it brings what it found into the lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from obs_magics.local.logql.lines import SUFFIX, Array, Lines
from obs_magics.local.logs.column import Column, scattered, without_invalid

JSON_ERROR, LOGFMT_ERROR = "JSONParserErr", "LogfmtParserErr"
CHUNK = 65_536
"""So many lines are parsed before somebody asks whether the answer is still wanted."""


def _nothing() -> None:
    """Nobody stops us."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the rest of a query needs of its parsers: Loki's `ParserHint`.

    Args:
        names: Labels to find; None for all.
        ends_early: A parser ends where it has found all of `names`, so that what is broken behind them is no error.
            Loki does so in metric queries only.
        nothing: No label is needed: json, logfmt, pattern and unpack do not look at the lines at all.
        keeps_errors: The query asks for `__error__`, so a metric may carry it.
        check: Raises when nobody waits for the answer any more.
    """

    names: frozenset[str] | None = None
    ends_early: bool = False
    nothing: bool = False
    keeps_errors: bool = False
    check: Callable[[], None] = field(default=_nothing, compare=False)

    def asks_for(self, name: str) -> bool:
        """Whether a label of this name, as the parser calls it, may be needed."""
        return self.names is None or name in self.names or name + SUFFIX in self.names

    def asks_below(self, prefix: str) -> bool:
        """Whether a label may be needed whose name begins with `prefix`."""
        return self.names is None or any(name.startswith(prefix) for name in self.names)


EVERYTHING = Wanted()


@dataclass(slots=True)
class Findings:
    """Labels found in some lines, in the order in which they came up, and the lines that could not be read.

    Args:
        size: How many lines there are.
    """

    size: int
    _pieces: dict[str, tuple[list[Array], list[pa.Array]]] = field(default_factory=dict)
    _singles: dict[str, tuple[list[int], list[str]]] = field(default_factory=dict)
    _failures: dict[int, str] = field(default_factory=dict)

    def add(self, name: str, positions: Array, values: pa.Array) -> None:
        """Values (strings, null for none) of a label in the lines at `positions`."""
        places, texts = self._pieces.setdefault(name, ([], []))
        places.append(positions)
        texts.append(values)

    def add_pairs(self, position: int, pairs: Sequence[tuple[str, str]]) -> None:
        """The labels of a single line."""
        for name, value in pairs:
            places, texts = self._singles.setdefault(name, ([], []))
            places.append(position)
            texts.append(value)

    def fail(self, position: int, why: str) -> None:
        """A line that could not be read (to its end); `why` may be empty."""
        self._failures[position] = why

    def into(self, lines: Lines, wanted: Wanted, error: str) -> Lines:
        """The lines with these labels and errors."""
        for name, (places, texts) in self._singles.items():
            self.add(name, np.asarray(places, np.int64), pa.array(texts, pa.large_string()))
        self._singles.clear()
        for name in self._pieces:
            lines = lines.extract(name, self.column(name), wanted.names)
        if not self._failures:
            return lines
        where = np.fromiter(self._failures, np.int64, len(self._failures))
        mask = np.zeros(self.size, bool)
        mask[where] = True
        reasons = [why or None for why in self._failures.values()]
        details = scattered(self.size, [where], [pa.array(reasons, pa.large_string())])
        return lines.fail(error, details, mask & ~_finished(lines, wanted), kept=wanted.keeps_errors)

    def column(self, name: str) -> Column:
        """What was found of a label."""
        return without_invalid(scattered(self.size, *self._pieces[name]))


def _finished(lines: Lines, wanted: Wanted) -> Array:
    """bool: which lines have all labels that are needed, so that their parser ended there."""
    if not wanted.ends_early or not wanted.names:
        return np.zeros(len(lines), bool)
    missing = np.zeros(len(lines), bool)
    finished: Array = np.logical_and.reduce([lines.found.get(name, missing) for name in sorted(wanted.names)])
    return finished
