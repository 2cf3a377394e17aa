"""Lines on their way through a pipeline, with the labels they have at each stage.

Labels come in three kinds, as in Loki (`pkg/logql/log/labels.go`): those of the stream, structured metadata, and those
that the pipeline made ("parsed"). A parsed one hides a stored one of the same name; a parser does not write over what
another has found, and calls a label `x_extracted` when the line has a stored `x`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa

from obs_magics.local.logs.column import Column
from obs_magics.local.logs.selection import Selection

Array = np.ndarray[Any, Any]

ERROR, DETAILS = "__error__", "__error_details__"
SPECIAL = frozenset({ERROR, DETAILS})
SUFFIX = "_extracted"


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines of a selection.

    Args:
        selection: What the store has given.
        rows: int64, ascending: which of its lines.
        text: The lines as they are now; None while they are as stored.
        parsed: Labels made by the pipeline.
        gone: Stored labels that are taken away: bool per line, by name.
        found: Which lines some stage has given a label of this name, whether they still have it or not.
        error: `__error__` of each line.
        details: `__error_details__` of each line.
        kept_errors: bool per line: the error was asked for, so a metric may carry it; None for no line.
    """

    selection: Selection
    rows: Array
    text: pa.Array | None = None
    parsed: Mapping[str, Column] = field(default_factory=dict)
    gone: Mapping[str, Array] = field(default_factory=dict)
    found: Mapping[str, Array] = field(default_factory=dict)
    error: Column | None = None
    details: Column | None = None
    kept_errors: Array | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def all_of(cls, selection: Selection) -> Lines:
        """Every line of a selection, as stored."""
        return cls(selection, np.arange(len(selection), dtype=np.int64))

    @property
    def times_ns(self) -> Array:
        """int64, ascending."""
        times: Array = self.selection.times_ns[self.rows]
        return times

    def texts(self) -> pa.Array:
        """The lines as they are now (`large_string`)."""
        return self.selection.texts(self.rows) if self.text is None else self.text

    def keep(self, mask: Array) -> Lines:
        """Only the lines for which `mask` (bool) is true."""
        if mask.all():
            return self
        return Lines(
            self.selection,
            self.rows[mask],
            None if self.text is None else self.text.filter(pa.array(mask)),
            {name: column.kept(mask) for name, column in self.parsed.items()},
            {name: gone[mask] for name, gone in self.gone.items()},
            {name: found[mask] for name, found in self.found.items()},
            None if self.error is None else self.error.kept(mask),
            None if self.details is None else self.details.kept(mask),
            None if self.kept_errors is None else self.kept_errors[mask],
        )

    def with_text(self, text: pa.Array) -> Lines:
        """The same lines, written otherwise."""
        return replace(self, text=text)

    # Labels -------------------------------------------------------------------------------------------------------

    def label(self, name: str) -> Column:
        """A label as it is now, `__error__` included; aliases of stored labels work."""
        if name in SPECIAL:
            column = self.error if name == ERROR else self.details
            return Column.missing(len(self)) if column is None else column
        stored = self._stored(name)
        return self.parsed[name].over(stored) if name in self.parsed else stored

    def _stored(self, name: str) -> Column:
        column = self.selection.label(name, self.rows)
        if column is None:
            return Column.missing(len(self))
        gone = self.gone.get(name)
        return column if gone is None else column.where(~gone)

    def label_names(self) -> list[str]:
        """Names of all labels, sorted, without the errors'."""
        return sorted({*self.selection.label_names, *self.selection.metadata_names, *self.parsed})

    def failed(self) -> Array:
        """bool: which lines have an error."""
        return np.zeros(len(self), bool) if self.error is None else self.error.present

    def clashes(self, name: str) -> Array:
        """bool: which lines have a stored label of this name, so that a parser's has to be called otherwise."""
        column = self.selection.label(name, self.rows) if name in self.selection.names else None
        if column is None:
            return np.zeros(len(self), bool)
        if name in self.selection.label_names or name not in self.gone:
            return column.present
        return column.present & ~self.gone[name]

    # Changes ------------------------------------------------------------------------------------------------------

    def set(self, name: str, column: Column) -> Lines:
        """Give a label to the lines that have a value in `column`."""
        here = column.present
        if not here.any():
            return self
        old = self.parsed.get(name)
        gone = dict(self.gone)
        if name in self.selection.metadata_names:
            gone[name] = gone[name] | here if name in gone else here
        found = self.found[name] | here if name in self.found else here
        return replace(
            self,
            parsed={**self.parsed, name: column if old is None else column.over(old)},
            gone=gone,
            found={**self.found, name: found},
        )

    def extract(self, name: str, column: Column, wanted: frozenset[str] | None) -> Lines:
        """Give a label that a parser found: not where one had it before, and as `…_extracted` where it is stored.

        Args:
            name: As the parser calls it.
            column: Its values.
            wanted: Only these names are given; None for all.
        """
        clash = self.clashes(name)
        lines = self
        for final, mask in ((name, ~clash), (name + SUFFIX, clash)):
            if wanted is not None and final not in wanted:
                continue
            free = mask & ~lines.found[final] if final in lines.found else mask
            lines = lines.set(final, column.where(free))
        return lines

    def drop(self, name: str, mask: Array) -> Lines:
        """Take a label away from the lines for which `mask` (bool) is true."""
        if not mask.any():
            return self
        if name == ERROR:
            return replace(self, error=None if self.error is None else self.error.where(~mask))
        if name == DETAILS:
            return replace(self, details=None if self.details is None else self.details.where(~mask))
        parsed = dict(self.parsed)
        if name in parsed:
            parsed[name] = parsed[name].where(~mask)
        gone = {**self.gone, name: self.gone[name] | mask if name in self.gone else mask}
        return replace(self, parsed=parsed, gone=gone)

    def fail(self, error: str, details: Column, mask: Array, *, kept: bool = False) -> Lines:
        """Set the errors of the lines for which `mask` (bool) is true.

        Args:
            error: The kind, as Loki calls it.
            details: What was wrong; where it is missing, what stood there before stays.
            mask: Which lines.
            kept: Whether metrics may carry this error.
        """
        if not mask.any():
            return self
        kinds = Column.constant(len(self), error).where(mask)
        if kept:
            before = np.zeros(len(self), bool) if self.kept_errors is None else self.kept_errors
            return replace(self.fail(error, details, mask), kept_errors=before | mask)
        said = details.where(mask)
        return replace(
            self,
            error=kinds if self.error is None else kinds.over(self.error),
            details=said if self.details is None else said.over(self.details),
        )


def joined(parts: Sequence[Column]) -> tuple[Array, int]:
    """Number the distinct combinations of several labels: a number (int64) per line, and one more than the largest.

    A label that is missing counts as an empty one, as in Prometheus.
    """
    size = len(parts[0])
    return reduce(_joined, parts, (np.zeros(size, np.int64), 1))


def _joined(before: tuple[Array, int], column: Column) -> tuple[Array, int]:
    keys, most = before
    width = len(column.values) + 1
    mixed = keys * width + (column.codes + 1)
    if most * width < max(4 * len(keys), 1024):
        return mixed, most * width
    distinct, dense = np.unique(mixed, return_inverse=True)
    return dense.astype(np.int64), len(distinct)


def without_empty(columns: Iterable[Column]) -> list[Column]:
    """Labels whose value is empty are no labels in a series."""
    return [column.where(column.mask(bool, missing=False)) for column in columns]
