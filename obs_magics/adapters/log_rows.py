"""Lines as they came from a platform, page by page, on their way to the logs frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.loglines import logs_frame_from

if TYPE_CHECKING:
    import pandas as pd

Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
_CODES = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Lines in any order; every column has one value a line.

    Args:
        timestamps_ns: Nanoseconds since the epoch.
        messages: Strings.
        labels: By name, what tells streams apart: null where a stream does not have it.
        attributes: By name, what differs from line to line: null where a line does not have it.
    """

    timestamps_ns: Integers
    messages: pa.Array
    labels: Mapping[str, pa.DictionaryArray] = field(default_factory=dict)
    attributes: Mapping[str, pa.Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.timestamps_ns)

    @property
    def oldest_ns(self) -> int:
        """The earliest timestamp; there has to be a line."""
        return int(self.timestamps_ns.min())

    def where(self, mask: Flags) -> Rows:
        """The lines that are marked."""
        if mask.all():
            return self
        chosen = pa.array(np.flatnonzero(mask))
        return Rows(
            timestamps_ns=self.timestamps_ns[mask],
            messages=self.messages.take(chosen),
            labels={name: column.take(chosen) for name, column in self.labels.items()},
            attributes={name: column.take(chosen) for name, column in self.attributes.items()},
        )

    def newest(self, limit: int) -> Rows:
        """The newest lines only; of those that share the last timestamp, the ones that stand last."""
        if len(self) <= limit:
            return self
        mask = np.zeros(len(self), np.bool_)
        mask[np.argsort(self.timestamps_ns, kind="stable")[len(self) - limit :]] = True
        return self.where(mask)

    def frame(self, say: Callable[[str], None] | None = None) -> pd.DataFrame:
        """As a logs frame, in order of time; lines that share a timestamp stay in the order they stand in."""
        both = self.labels.keys() & self.attributes.keys()
        labels = {name: column for name, column in self.labels.items() if name not in both}
        attributes = dict(self.attributes)
        for name in both:  # a label of one stream may be what another has line by line
            attributes[name] = pc.coalesce(_strings(attributes[name]), _strings(self.labels[name]))
        return logs_frame_from(self.timestamps_ns, self.messages, labels=labels, attributes=attributes, say=say)


def no_rows() -> Rows:
    """No lines at all."""
    return Rows(timestamps_ns=np.empty(0, np.int64), messages=pa.array([], pa.string()))


def joined(pages: Sequence[Rows]) -> Rows:
    """All lines of several pages, in the order of the pages."""
    pages = [page for page in pages if len(page)]
    if len(pages) <= 1:
        return pages[0] if pages else no_rows()
    return Rows(
        timestamps_ns=np.concatenate([page.timestamps_ns for page in pages]),
        messages=_together([_strings(page.messages) for page in pages]),
        labels=_columns(pages, [page.labels for page in pages], _CODES),
        attributes=_columns(pages, [page.attributes for page in pages], pa.large_string()),
    )


def label_column(values: Sequence[str | None], owners: npt.NDArray[np.int32]) -> pa.DictionaryArray:
    """A column of labels from one value a stream and the stream of each line."""
    known: dict[str, int] = {}
    places = [-1 if value is None else known.setdefault(value, len(known)) for value in values]
    codes = np.asarray(places, np.min_scalar_type(-1 - len(known)))  # small, as the columns are as long as the lines
    rows = codes[owners] if codes.any() else np.zeros(len(owners), codes.dtype)
    mask = rows < 0 if (codes < 0).any() else None
    return pa.DictionaryArray.from_arrays(pa.array(rows, mask=mask), pa.array(list(known), pa.string()))


def _columns(pages: Sequence[Rows], found: Sequence[Mapping[str, pa.Array]], kind: pa.DataType) -> dict[str, pa.Array]:
    """Each column of any page over all pages, null on the pages that lack it."""
    names = sorted({name for columns in found for name in columns})
    return {
        name: _together(
            [
                columns[name].cast(kind) if name in columns else pa.nulls(len(page), kind)
                for page, columns in zip(pages, found, strict=True)
            ]
        )
        for name in names
    }


def _together(arrays: Sequence[pa.Array]) -> pa.Array:
    if pa.types.is_dictionary(arrays[0].type):
        return pa.chunked_array(list(arrays)).unify_dictionaries().combine_chunks()
    return pa.concat_arrays(list(arrays))


def _strings(column: pa.Array) -> pa.Array:
    return column.cast(pa.large_string())
