"""Parts of a range query put together again, series by series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from obs_magics.adapters.prometheus.answers import Series
from obs_magics.model.frames import HISTOGRAM_TYPE


def merged(parts: Sequence[Series]) -> Series:
    """One answer from several that follow each other in time; series stand in order of first appearance."""
    if len(parts) == 1:
        return parts[0]
    numbers: dict[frozenset[tuple[str, str]], int] = {}
    owners = [
        np.repeat([numbers.setdefault(frozenset(labels.items()), len(numbers)) for labels in part.labels], part.counts)
        for part in parts
    ]
    owner = np.concatenate(owners).astype(np.int64)
    order = np.argsort(owner, kind="stable")
    return replace(
        parts[0],
        labels=[dict(key) for key in numbers],
        counts=np.bincount(owner, minlength=len(numbers)).astype(np.int64),
        timestamps_ns=np.concatenate([part.timestamps_ns for part in parts])[order],
        values=np.concatenate([part.values for part in parts])[order],
        histograms=_histograms(parts, order),
        warnings=_once([text for part in parts for text in part.warnings]),
        infos=_once([text for part in parts for text in part.infos]),
        partial=any(part.partial for part in parts),
    )


def _histograms(parts: Sequence[Series], order: np.ndarray[tuple[int], np.dtype[np.intp]]) -> pa.Array | None:
    if all(part.histograms is None for part in parts):
        return None
    arrays = [
        pa.nulls(len(part.values), HISTOGRAM_TYPE) if part.histograms is None else part.histograms for part in parts
    ]
    return pa.concat_arrays(arrays).take(pa.array(order))


def _once(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
