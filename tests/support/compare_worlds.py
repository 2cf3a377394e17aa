"""Rows with attributes of which none, or a known one, tells the selected from the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from obs_magics.model.frames import categories
from obs_magics.model.spans import ATTRIBUTES_TYPE, spans_frame
from support.span_worlds import BASE, MS

CARDINALITIES = (2, 3, 4, 6, 8, 12, 20, 40, 100, 300)


def noise(rng: np.random.Generator, rows: int, *, quantities: int = 3) -> pd.DataFrame:
    """Attributes of 2 to 300 values, unevenly spread, every third one missing here and there; and some quantities."""
    columns = {}
    for number, size in enumerate(CARDINALITIES):
        values = np.array([f"v{value}" for value in range(size)], dtype=object)
        column = values[rng.choice(size, rows, p=rng.dirichlet(np.ones(size)))]
        if number % 3 == 0:
            column[rng.random(rows) < rng.random()] = None
        columns[f"label.{size}"] = column
    for number in range(quantities):
        columns[f"quantity.{number}"] = rng.lognormal(5, 1, rows).round(3)
    return pd.DataFrame(columns)


def where(rng: np.random.Generator, mask: np.ndarray, mine: float, others: float) -> np.ndarray:
    """Rows that have something: such a share of the masked, such a share of the others."""
    return rng.random(len(mask)) < np.where(mask, mine, others)


def spans_with(
    attributes: pd.DataFrame,
    *,
    service: Sequence[str] | None = None,
    operation: Sequence[str] | None = None,
    milliseconds: np.ndarray | None = None,
    failed: np.ndarray | None = None,
    trace: np.ndarray | None = None,
) -> pd.DataFrame:
    """A spans frame with such attributes, in the order of the rows."""
    rows = len(attributes)
    maps = [
        [(str(name), str(value)) for name, value in zip(attributes.columns, values, strict=True) if not pd.isna(value)]
        for values in attributes.itertuples(index=False)
    ]
    lasted = np.full(rows, 10.0) if milliseconds is None else milliseconds
    traces = np.arange(rows) if trace is None else trace
    return spans_frame(
        trace_id=pa.array([f"{number + 1:032x}" for number in traces.tolist()]),
        span_id=pa.array([f"{number + 1:016x}" for number in range(rows)]),
        parent_id=pa.nulls(rows, pa.string()),
        service=categories(["shop"] * rows if service is None else list(service)),
        operation=categories(["GET /"] * rows if operation is None else list(operation)),
        kind_codes=np.ones(rows, np.int8),
        start_ns=BASE + traces * 1000 * MS,
        duration_ns=(lasted * MS).astype(np.int64),
        status_codes=np.zeros(rows, np.int8) if failed is None else np.where(failed, 2, 0),
        status_message=pa.nulls(rows, pa.string()),
        attributes=pa.array(maps, ATTRIBUTES_TYPE),
    )
