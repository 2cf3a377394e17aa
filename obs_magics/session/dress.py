"""Frames of measures: every series says which measure of which service it is; and frames of two questions as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from obs_magics.model.frames import METRIC_COLUMNS, RESERVED, categories, label_columns

if TYPE_CHECKING:
    import pandas as pd


def dressed(frame: pd.DataFrame, *, metric: str, service: str = "", label: str = "") -> pd.DataFrame:
    """A metrics frame whose column `metric` is the name of a measure, and whose column `service` tells the service.

    Args:
        frame: As a source gave it.
        metric: The measure.
        service: The service of every row; empty where the label tells it.
        label: The label that tells it; becomes `service`.
    """
    rows = len(frame)
    columns: dict[str, pd.Series[Any] | pd.Categorical] = {str(name): frame[name] for name in frame.columns}
    columns["metric"] = _constant(metric, rows)
    if service:
        columns["service"] = _constant(service, rows)
    elif label and label != "service" and label in columns:
        columns["service"] = columns.pop(label)
    return _in_order(columns)


def joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Metrics frames end to end; a label that one of them lacks is missing there. Rows of a series may lie apart."""
    import pandas as pd
    from pandas.api.types import union_categoricals

    kept = [frame for frame in frames if len(frame)] or list(frames[:1])
    if len(kept) == 1:
        return kept[0]
    columns: dict[str, pd.Series[Any] | pd.Categorical] = {
        name: pd.concat([frame[name] for frame in kept], ignore_index=True) for name in ("timestamp", "value")
    }
    for name in dict.fromkeys(["metric", *(name for frame in kept for name in label_columns(frame))]):
        parts = [
            frame[name] if name in frame.columns else pd.Series(_missing(len(frame), kept, name)) for frame in kept
        ]
        columns[name] = pd.Series(union_categoricals([part.array for part in parts]))
    return _in_order(columns)


def _in_order(columns: Mapping[str, pd.Series[Any] | pd.Categorical]) -> pd.DataFrame:
    import pandas as pd

    labels = sorted(name for name in columns if name not in RESERVED)
    rest = [name for name in columns if name in RESERVED and name not in METRIC_COLUMNS]
    return pd.DataFrame({name: columns[name] for name in (*METRIC_COLUMNS, *labels, *rest)}, copy=False)


def _constant(text: str, rows: int) -> pd.Categorical:
    import numpy as np

    return categories([text], np.array([rows]))


def _missing(rows: int, frames: Sequence[pd.DataFrame], name: str) -> pd.Categorical:
    """A column of a label that is nowhere, with the categories it has elsewhere."""
    import numpy as np
    import pandas as pd

    known = next(frame[name].cat.categories for frame in frames if name in frame.columns)
    return pd.Categorical.from_codes(np.full(rows, -1, np.int8), categories=known)
