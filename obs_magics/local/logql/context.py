"""What the evaluation of a query needs to know besides its tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event

import numpy as np

from obs_magics.local.logs.column import Array
from obs_magics.local.logs.selection import Selection
from obs_magics.local.logs.store import LogStore
from obs_magics.local.promql.context import MAX_CELLS, Stopped
from obs_magics.local.promql.data import Matcher as StreamMatcher
from obs_magics.model.errors import QueryError
from obs_magics.model.logs import LEVELS, Level
from obs_magics.syntax.logql.tree import Matcher

FILE = "filename"


@dataclass(frozen=True, slots=True)
class Asked:
    """A selector, the time it was asked for, how many lines it found, and in which files."""

    matchers: tuple[StreamMatcher, ...]
    start_ns: int
    end_ns: int
    found: int
    files: frozenset[str] = frozenset()


@dataclass(slots=True)
class Context:
    """How one query is evaluated.

    Args:
        text: The whole query, for errors.
        store: Where the lines are.
        times_ns: int64 [steps], evenly spaced; empty for a query that gives lines.
        level: Lines that are less severe do not count; None for all lines.
        stop: When set, the evaluation ends soon with `Stopped`.
        asked: Collects the selectors that were looked up.
        unknown: How many lines of unknown level were left out because of `level`.
    """

    text: str
    store: LogStore
    times_ns: Array
    level: Level | None = None
    stop: Event | None = None
    asked: list[Asked] = field(default_factory=list)
    unknown: int = 0

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return len(self.times_ns)

    def check(self) -> None:
        """Raise `Stopped` when nobody waits for the answer any more."""
        if self.stop is not None and self.stop.is_set():
            raise Stopped

    def check_size(self, series: int) -> None:
        """Raise when so many series at every step are more than fit into memory.

        Raises:
            QueryError: There are too many.
        """
        if series * self.steps > MAX_CELLS:
            raise QueryError(
                f"{series:,} series at {self.steps:,} steps are more than {MAX_CELLS:,} samples",
                query=self.text,
                hint="aggregate with sum by (…), ask for a shorter range, or take a longer step",
            )

    def error(self, name: str, message: str, *, hint: str = "") -> QueryError:
        """An error that marks where `name` stands in the query."""
        place = self.text.find(name)
        return QueryError(message, query=self.text, position=None if place < 0 else place, length=len(name), hint=hint)

    def select(self, matchers: Sequence[Matcher], start_ns: int, end_ns: int) -> Selection:
        """The lines of a selector between two times (the end excluded), of every level."""
        self.check()
        conditions = tuple(StreamMatcher(one.name, one.op, one.value) for one in matchers)
        found = self.store.select(conditions, start_ns, end_ns)
        self.asked.append(Asked(conditions, start_ns, end_ns, len(found), found.values(FILE)))
        return found

    def files(self) -> frozenset[str]:
        """The files in which lines were found, before filters."""
        return frozenset(file for asked in self.asked for file in asked.files)

    def severe(self, selection: Selection) -> Selection:
        """The lines that are severe enough, and those of unknown level, which are told apart later."""
        if self.level is None:
            return selection
        codes = self.store.level_codes(selection)
        return selection.kept((codes < 0) | (codes >= LEVELS.index(self.level)))

    def known(self, selection: Selection, rows: Array) -> Array:
        """bool: which lines of a selection have a known level, where the level matters; the others are counted."""
        if self.level is None:
            return np.ones(len(rows), bool)
        known: Array = self.store.level_codes(selection)[rows] >= 0
        self.unknown += int((~known).sum())
        return known
