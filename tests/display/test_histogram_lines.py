"""Native histograms as lines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from obs_magics.display import histograms
from obs_magics.display.metrics import metrics_chart
from obs_magics.model.frames import HISTOGRAM_TYPE, metrics_frame

INF = float("inf")


def bucket(lower: float, upper: float, count: float) -> dict[str, float]:
    return {"rule": 0, "lower": lower, "upper": upper, "count": count}


TWO = {"count": 10.0, "sum": 20.0, "buckets": [bucket(1, 2, 5), bucket(2, 4, 5)]}
EMPTY: dict[str, object] = {"count": 0.0, "sum": 0.0, "buckets": []}
ONE = {"count": 4.0, "sum": 12.0, "buckets": [bucket(-1, 1, 0), bucket(2, 4, 4)]}
OPEN = {"count": 4.0, "sum": 12.0, "buckets": [bucket(0, 8, 1), bucket(8, INF, 3)]}


def frame(rows: list[object], *, series: int = 1) -> pd.DataFrame:
    labels = [{"__name__": "latency", "service": f"s{number}"} for number in range(series)]
    count = len(rows) * series
    values = np.tile([3.0 if row is None else np.nan for row in rows], series)
    times = np.tile(np.arange(len(rows)) * 60 * 10**9, series)
    return metrics_frame(
        labels, [len(rows)] * series, times, values, pa.array(rows * series, type=HISTOGRAM_TYPE)
    ).head(count)


def test_quantiles_are_linear_inside_the_bucket_that_reaches_the_share() -> None:
    data = frame([TWO, None, EMPTY, ONE, OPEN])
    assert histograms.quantile(data, 0.5).tolist() == pytest.approx([2.0, np.nan, np.nan, 3.0, 8.0], nan_ok=True)
    assert histograms.quantile(data, 0.9).tolist() == pytest.approx([3.6, np.nan, np.nan, 3.8, 8.0], nan_ok=True)
    assert histograms.quantile(data, 0.0)[0] == 1.0


def test_rows_may_stand_in_any_order() -> None:
    data = frame([TWO, None, EMPTY, ONE]).iloc[[3, 1, 0]]
    assert histograms.quantile(data, 0.5).tolist() == pytest.approx([3.0, np.nan, 2.0], nan_ok=True)
    assert histograms.quantile(data.iloc[[1]], 0.5).tolist() == pytest.approx([np.nan], nan_ok=True)


def test_the_mean_is_sum_over_count_and_floats_stay() -> None:
    assert histograms.mean(frame([TWO, None, EMPTY])).tolist() == pytest.approx([2.0, 3.0, np.nan], nan_ok=True)


def test_a_chart_draws_percentiles_and_says_so() -> None:
    chart = metrics_chart(frame([TWO, ONE, TWO]), unit="s")
    assert chart is not None
    assert [row["series"] for row in chart.spec["data"]["values"]] == ["p99", "p95", "p50"]
    assert chart.notes == (
        "native histograms: drawn are the 50th, 95th and 99th percentiles, estimated from the buckets",
    )


def test_many_histograms_are_drawn_by_their_95th_percentile() -> None:
    chart = metrics_chart(frame([TWO, None, ONE], series=6))
    assert chart is not None
    assert len(chart.spec["data"]["values"]) == 12
    assert chart.notes == ("native histograms: drawn is the 95th percentile, estimated from the buckets",)


def test_a_label_called_quantile_keeps_its_name() -> None:
    data = frame([TWO, TWO]).assign(quantile=pd.Categorical(["x", "x"]))
    chart = metrics_chart(data)
    assert chart is not None
    assert chart.spec["encoding"]["color"]["legend"]["title"] == "quantile_"
