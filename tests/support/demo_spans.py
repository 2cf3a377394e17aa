"""The demo world's spans as a spans frame, straight from its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from obs_magics.model.frames import categories
from obs_magics.model.spans import ATTRIBUTES_TYPE, KINDS, LINKS_TYPE, SPAN_COLUMNS, STATUSES, spans_frame


def demo_spans(folder: Path) -> pd.DataFrame:
    """All spans of the demo world in the folder that `demo.open()` gives."""
    table = pq.read_table(folder / "spans.parquet").combine_chunks()
    texts = {name: table[name].to_pylist() for name in ("service", "operation", "kind", "status")}
    return spans_frame(
        **{name: table[name].chunk(0) for name in ("trace_id", "span_id", "parent_id", "status_message")},
        service=categories(texts["service"]),
        operation=categories(texts["operation"]),
        kind_codes=np.array([KINDS.index(kind) for kind in texts["kind"]], dtype=np.int8),
        start_ns=table["start"].cast(pa.int64()).to_numpy(),
        duration_ns=table["duration"].cast(pa.int64()).to_numpy(),
        status_codes=np.array([STATUSES.index(status) for status in texts["status"]], dtype=np.int8),
        attributes=_attributes(table),
        links=pa.array(table["links"].to_pylist(), LINKS_TYPE),
    )


def _attributes(table: pa.Table) -> pa.Array:
    names = [name for name in table.column_names if name not in {*SPAN_COLUMNS, "links"}]
    columns = [table[name].cast(pa.string()).to_pylist() for name in names]
    maps = [
        [(name, value) for name, value in zip(names, values, strict=True) if value is not None]
        for values in zip(*columns, strict=True)
    ]
    return pa.array(maps, ATTRIBUTES_TYPE)


def traces_with(frame: pd.DataFrame, service: str, at_least: pd.Timedelta) -> pd.DataFrame:
    """Whole traces in which a span of the service takes so long."""
    slow = frame[(frame["service"] == service) & (frame["duration"] >= at_least)]
    return frame[frame["trace_id"].isin(slow["trace_id"])].reset_index(drop=True)
