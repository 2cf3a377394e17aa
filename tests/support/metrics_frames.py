"""Metrics frames for tests: regular ones, and arbitrary ones for hypothesis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from obs_magics.model.frames import metrics_frame

SECOND = 1_000_000_000
START = int(pd.Timestamp("2026-11-22 13:30", tz="UTC").value)

_LABEL_NAMES = st.sampled_from(["service", "path", "code", "metric", "value", "quantile", "__name__", "é"])
_TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["<script>alert(1)</script>", "</svg>", '"&\n\t\x1b[31m', "😀" * 40, "x" * 200, "\u202eevil", "日本語"]
    ),
)
_VALUES = st.one_of(
    st.floats(),
    st.sampled_from([0.0, -0.0, 1e300, -1e300, 1.7e308, -1.7e308, 5e-324, float("nan"), float("inf"), float("-inf")]),
)


def regular(
    series: Mapping[str, Sequence[float]] | Sequence[tuple[Mapping[str, str], Sequence[float]]],
    *,
    step: float = 60,
    start: int = START,
    label: str = "service",
) -> pd.DataFrame:
    """Series whose points lie `step` seconds apart; a mapping names them by one label."""
    pairs = [({label: name}, values) for name, values in series.items()] if isinstance(series, Mapping) else series
    times = [start + np.arange(len(values)) * int(step * SECOND) for _, values in pairs]
    return metrics_frame(
        [labels for labels, _ in pairs],
        [len(values) for _, values in pairs],
        np.concatenate([*times, np.empty(0, np.int64)]).astype(np.int64),
        np.concatenate([*(np.asarray(values, float) for _, values in pairs), np.empty(0)]),
    )


@st.composite
def arbitrary(draw: st.DrawFn) -> pd.DataFrame:
    """Any metrics frame: any labels, values and instants, rows in any order."""
    labels = draw(st.lists(st.dictionaries(_LABEL_NAMES, _TEXTS, max_size=3), max_size=6))
    counts = [draw(st.integers(1, 30)) for _ in labels]
    total = sum(counts)
    instants = st.integers(0, 2_000_000_000).map(lambda second: second * SECOND)
    near = st.integers(0, 3600).map(lambda second: START + second * SECOND)
    times = draw(st.lists(st.one_of(near, instants), min_size=total, max_size=total))
    values = draw(st.lists(_VALUES, min_size=total, max_size=total))
    frame = metrics_frame(labels, counts, np.array(times, np.int64), np.array(values, np.float64))
    order = draw(st.permutations(range(total))) if draw(st.booleans()) else range(total)
    return frame.iloc[list(order)].reset_index(drop=True)
