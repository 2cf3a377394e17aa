"""Attributes that single out the same rows as another one: pod and host, route and operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

SAME = 0.95
"""Two sets of rows are the same when so much of what is in either is in both (Jaccard), on either side."""


def same_rows(masks: Sequence[Array], selected: int) -> list[int]:
    """Of each set of rows, the place of the first one before it that is the same; its own place where none is.

    Args:
        masks: bool, one per set and row, the best first; the selected rows come first.
        selected: How many rows are selected.
    """
    if not masks:
        return []
    alike = np.ones((len(masks), len(masks)), dtype=bool)
    for part in (slice(0, selected), slice(selected, None)):
        rows = np.stack([mask[part] for mask in masks]).astype(np.float32)
        both = rows @ rows.T
        sizes = np.diagonal(both)
        either = sizes[:, None] + sizes[None, :] - both
        alike &= both >= SAME * either
    heads: list[int] = []
    for place in range(len(masks)):
        known = [head for head in dict.fromkeys(heads) if alike[place, head]]
        heads.append(known[0] if known else place)
    return heads
