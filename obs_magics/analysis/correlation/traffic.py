"""More or less traffic shortly before something else became unusual: what an anomaly of the load says of the others."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE, categories

TRAFFIC = frozenset({"throughput", "requests"})
"""Metrics that count what comes in."""
WINDOW = timedelta(minutes=30)
TOLERANCE = timedelta(minutes=2)
WEIGHT = 0.5
"""That traffic is a cause rather than a companion; a judgement, like the weights of kinds of events."""
_FALL = 0.5  # that the confidence loses over the window


def traffic_before(anomalies: pd.DataFrame) -> pd.DataFrame:
    """For each anomaly the change of traffic of its service that began up to half an hour before it.

    Args:
        anomalies: An anomalies frame.

    Returns:
        As `correlate_with_events`, with the `event_type` `traffic`; `event` says how much and in which direction.
    """
    metrics, services = (anomalies[name].astype(object) for name in ("metric", "service"))
    starts = pd.DatetimeIndex(anomalies["start"]).as_unit("ns").asi8
    loads = [place for place, metric in enumerate(metrics) if metric in TRAFFIC]
    window, late = (one // timedelta(microseconds=1) * 1000 for one in (WINDOW, TOLERANCE))
    rows = []
    for place, (metric, service) in enumerate(zip(metrics, services, strict=True)):
        if metric in TRAFFIC or not isinstance(service, str):
            continue
        near = [
            (abs(int(starts[load] - starts[place])), load)
            for load in loads
            if services.iloc[load] == service and -window <= starts[load] - starts[place] <= late
        ]
        if near:
            rows.append((place, min(near)[1]))
    return _frame(anomalies, rows, starts, window)


def _frame(anomalies: pd.DataFrame, rows: list[tuple[int, int]], starts: np.ndarray, window: int) -> pd.DataFrame:
    offsets = np.array([starts[load] - starts[place] for place, load in rows], np.int64)
    confidence = WEIGHT * (1 - _FALL * np.maximum(-offsets, 0) / window)
    own, loads = ([pair[side] for pair in rows] for side in (0, 1))
    return pd.DataFrame(
        {
            "anomaly": pd.array(anomalies["series"].iloc[own].to_list(), dtype=STRING_DTYPE),
            "start": pd.DatetimeIndex(starts[own], dtype=TIMESTAMP_DTYPE),
            "event_type": categories(["traffic"] * len(rows)),
            "event": pd.array([_said(anomalies, load) for load in loads], dtype=STRING_DTYPE),
            "event_time": pd.DatetimeIndex(starts[loads], dtype=TIMESTAMP_DTYPE),
            "service": categories([str(anomalies["service"].iloc[load]) for load in loads]),
            "time_offset": offsets.astype("timedelta64[ns]"),
            "confidence": confidence.astype(np.float64),
            "reason": pd.array(["at the service itself; may contribute"] * len(rows), dtype=STRING_DTYPE),
        }
    )


def _said(anomalies: pd.DataFrame, load: int) -> str:
    value, low, high = (float(anomalies[name].iloc[load]) for name in ("value", "expected_low", "expected_high"))
    edge = high if value > high else low
    times = f", {value / edge:.2g} times the normal" if np.isfinite(edge) and edge > 0 else ""
    return f"{'more' if value > high else 'less'} than usual{times}"
