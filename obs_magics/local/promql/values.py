"""What an expression evaluates to: an instant vector or a scalar over all steps at once, or a string."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from obs_magics.local.promql.data import NAME, Array, Labels

_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")

LabelKey = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Vector:
    """An instant vector at every step: one row per series, one column per step.

    Args:
        labels: One dict per row; treated as read-only.
        values: float64 [series, steps]; meaningless where absent.
        present: bool [series, steps]. A NaN that is present is a value.
        timestamps_ms: int64 [series, steps], the samples' own times; only selectors know them.
        histograms: Native histograms; only selectors have them.
    """

    labels: list[Labels]
    values: Array
    present: Array
    timestamps_ms: Array | None = None
    histograms: Histograms | None = None


@dataclass(frozen=True, slots=True)
class Histograms:
    """Native histograms of a vector: `rows` (int64 [series, steps]) points into `samples`, -1 where a float is."""

    samples: pa.Array
    rows: Array


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar at every step: float64 [steps]."""

    values: Array


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    text: str


Value = Vector | Scalar | Text


class DuplicateSeries(ValueError):  # noqa: N818 - a fact about the data; the caller makes the error of it
    """Two series have the same labels at the same step."""

    def __init__(self, labels: Labels) -> None:
        super().__init__("vector cannot contain metrics with the same labelset")
        self.labels = labels


def label_key(labels: Mapping[str, str]) -> LabelKey:
    """The labels in a form that compares and hashes: sorted pairs, as Prometheus orders series."""
    return tuple(sorted(labels.items()))


def without_name(labels: Labels) -> Labels:
    """The labels without the metric's name."""
    return {name: value for name, value in labels.items() if name != NAME} if NAME in labels else labels


def format_labels(labels: Mapping[str, str]) -> str:
    """Labels as Prometheus prints them in its errors: ``{__name__="up", job="a"}``."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"


def is_label_name(name: str, version: int) -> bool:
    """Whether a label may be called so: in version 3 anything may be, in version 2 letters, digits and underscores."""
    return bool(name) if version >= 3 else _LABEL_NAME.fullmatch(name) is not None


def format_float(value: float) -> str:
    """A number as Go's strconv.FormatFloat(value, 'f', -1, 64) writes it."""
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    return np.format_float_positional(value, trim="-")


def empty_vector(steps: int) -> Vector:
    """A vector without series."""
    return Vector([], np.empty((0, steps)), np.empty((0, steps), dtype=bool))


def group_rows(keys: Iterable[object]) -> tuple[Array, list[int]]:
    """Number the distinct keys in order of appearance: a number per row, and the first row of each."""
    numbers: dict[object, int] = {}
    firsts: list[int] = []
    ids = []
    for row, key in enumerate(keys):
        number = numbers.setdefault(key, len(firsts))
        if number == len(firsts):
            firsts.append(row)
        ids.append(number)
    return np.asarray(ids, np.int64), firsts


def merge_same_labels(vector: Vector) -> Vector:
    """Make one row of rows with equal labels, which must not meet at any step.

    Raises:
        DuplicateSeries: Two of them are present at one step.
    """
    ids, firsts = group_rows(label_key(labels) for labels in vector.labels)
    if len(firsts) == len(vector.labels):
        return vector
    meeting = np.zeros((len(firsts), vector.present.shape[1]), np.int64)
    np.add.at(meeting, ids, vector.present)
    twice = (meeting > 1).any(axis=1)
    if twice.any():
        raise DuplicateSeries(vector.labels[firsts[int(np.argmax(twice))]])
    values = vector.values[firsts]
    for row, number in enumerate(ids):
        np.copyto(values[number], vector.values[row], where=vector.present[row])
    return Vector([vector.labels[row] for row in firsts], values, meeting > 0)


def forbid_same_labels(labels: Sequence[Labels]) -> None:
    """Range functions may not give two series of the same labels, whenever they are present.

    Raises:
        DuplicateSeries: There are two.
    """
    seen: set[LabelKey] = set()
    for one in labels:
        key = label_key(one)
        if key in seen:
            raise DuplicateSeries(one)
        seen.add(key)


def map_values(vector: Vector, function: Callable[[Array], Array]) -> Vector:
    """Every value changed by `function` (array to array) and the names dropped."""
    with np.errstate(all="ignore"):
        values = function(vector.values)
    return merge_same_labels(Vector([without_name(labels) for labels in vector.labels], values, vector.present))
