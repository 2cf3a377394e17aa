"""`frame.obs` on frames of a session, and on any others that have the columns."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import altair
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from support.metrics_frames import arbitrary, regular

import obs_magics.accessor  # noqa: F401 - registers frame.obs
from obs_magics.model.errors import UsageError
from obs_magics.model.frames import HISTOGRAM_TYPE, metrics_frame
from obs_magics.model.provenance import Provenance

KNOWN = Provenance(
    signal="metrics",
    source="prom",
    platform="prometheus",
    address="http://localhost:9090",
    question="latency of checkout",
    native_query="x",
    unit="s",
    warnings=("a warning",),
    truncated="cut",
    failed=("a part",),
)


@pytest.fixture
def frame() -> pd.DataFrame:
    noise = np.random.default_rng(1).normal(0, 0.01, 240)
    sick = 0.4 + noise
    sick[200:] *= 6
    made = regular([({"service": "a", "job": "x"}, 0.4 + noise), ({"service": "b", "job": "x"}, sick)])
    made.attrs["obs"] = KNOWN.to_dict()
    return made


def test_provenance_is_there_when_a_session_returned_the_frame(frame: pd.DataFrame) -> None:
    assert frame.obs.provenance == KNOWN
    assert regular({"a": [1]}).obs.provenance is None


def test_the_plot_knows_title_unit_and_what_went_wrong(frame: pd.DataFrame) -> None:
    chart = frame.obs.plot()
    assert chart.spec["title"]["text"] == "latency of checkout"
    assert chart.notes == ("a part", "cut", "a warning")
    assert "400 ms" in chart.to_text() or " ms" in chart.to_text()
    other = frame.obs.plot(unit="By", title="mine", zone="Europe/Berlin")
    assert other.spec["title"]["text"] == "mine"
    assert "Europe/Berlin (UTC+1)" in other.to_text()
    bare = regular({"a": [1, 2]}).obs.plot()
    assert bare.spec["title"]["text"] == '{service="a"}'


def test_nothing_to_plot_says_why() -> None:
    empty = regular({})
    empty.attrs["obs"] = replace(KNOWN, empty_reason="there is no metric called x").to_dict()
    with pytest.raises(UsageError, match=r"nothing to draw.*\n→ there is no metric called x"):
        empty.obs.plot()
    with pytest.raises(UsageError, match="nothing to draw"):
        regular({}).obs.plot()


def test_the_summary_has_a_row_per_series(frame: pd.DataFrame) -> None:
    summary = frame.obs.summary()
    assert summary["service"].tolist() == ["a", "b"]
    assert "job" not in summary
    assert summary["anomaly_detected"].tolist() == [False, True]
    assert summary["anomaly_reason"][1].startswith("up to 2.")
    assert summary["average"][0] == pytest.approx(frame[frame["service"] == "a"]["value"].mean())
    assert {str(summary[name].dtype) for name in ("current", "average", "p95")} == {"float64"}
    assert str(summary["points"].dtype) == "int64"
    assert str(summary["anomaly_detected"].dtype) == "boolean"
    assert frame.obs.summary(unit="By")["anomaly_reason"][1].endswith("B, still going on")


def test_a_summary_of_one_or_of_no_series_keeps_its_columns() -> None:
    one = regular({"a": [1.0, 2.0]}).obs.summary()
    assert one["service"].tolist() == ["a"]
    assert one["anomaly_detected"].isna().all()
    none = regular({}).obs.summary()
    assert len(none) == 0
    assert {"current", "trend", "anomaly_detected"} <= set(none)


def test_a_label_named_like_a_figure_keeps_its_column() -> None:
    summary = regular({"a": [1], "b": [2]}, label="current").obs.summary()
    assert summary["current"].tolist() == ["a", "b"]
    assert summary["current_"].tolist() == [1.0, 2.0]


def test_wide_has_a_column_per_series() -> None:
    frame = regular([({"service": "a"}, [1, 2, 3]), ({"service": "b"}, [4, 5])])
    wide = frame.obs.wide()
    assert wide.columns.tolist() == ["a", "b"]
    assert wide.columns.name == "service"
    assert wide.index.name == "timestamp"
    assert str(wide.index.dtype) == "datetime64[ns, UTC]"
    np.testing.assert_array_equal(wide.to_numpy(), [[1, 4], [2, 5], [3, np.nan]])


def test_of_duplicates_the_last_counts() -> None:
    frame = regular({"a": [1, 2]})
    twice = pd.concat([frame, frame.assign(value=[7.0, 8.0])], ignore_index=True)
    assert twice.obs.wide().iloc[:, 0].tolist() == [7.0, 8.0]


def test_histograms_are_wide_by_their_mean() -> None:
    rows = pa.array([{"count": 2.0, "sum": 6.0, "buckets": []}, None], type=HISTOGRAM_TYPE)
    frame = metrics_frame([{"a": "x"}], [2], np.arange(2) * 10**9, np.array([np.nan, 5.0]), rows)
    assert frame.obs.wide().iloc[:, 0].tolist() == [3.0, 5.0]


def test_any_frame_with_the_columns_will_do() -> None:
    frame = pd.DataFrame(
        {
            "timestamp": pd.to_datetime(["2026-01-01T00:00:00+01:00", "2026-01-01T00:01:00+01:00"]),
            "value": pd.array([1, None], dtype="Int64"),
            "host": ["a", "a"],
        }
    )
    assert frame.obs.wide().iloc[0, 0] == 1.0
    assert len(frame.obs.summary()) == 1
    assert frame.obs.plot().spec


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"x": [1]}), "the column timestamp and the column value is missing"),
        (pd.DataFrame({"timestamp": pd.to_datetime(["2026-01-01"]), "value": [1.0]}), "timestamps with a zone"),
        (
            pd.DataFrame({"timestamp": pd.to_datetime(["2026-01-01"], utc=True), "value": ["x"]}),
            "numbers in the column",
        ),
        (pd.DataFrame({"timestamp": pd.to_datetime([None], utc=True), "value": [1.0]}), "a timestamp in every row"),
        (pd.DataFrame([[1, 2]], columns=["value", "value"]), "names of their own"),
        (pd.DataFrame({"timestamp": [1], "value": [1.0], 5: ["a"]}), "names of their own, as text"),
    ],
)
def test_other_frames_are_told_what_is_missing(frame: pd.DataFrame, message: str) -> None:
    assert "obs" in dir(frame)  # completion lists the attributes of any frame
    with pytest.raises(UsageError, match=message):
        frame.obs.summary()


def test_labels_that_hold_lists_and_dicts_tell_series_apart_by_their_text() -> None:
    frame = regular({"a": [1.0, 2.0]}).assign(tags=[["x"], {"y": 1}])
    assert frame.obs.wide().shape == (2, 2)
    assert frame.obs.summary()["tags"].tolist() == ["['x']", "{'y': 1}"]


def test_a_zone_or_theme_that_does_not_exist_is_refused() -> None:
    frame = regular({"a": [1.0, 2.0]})
    with pytest.raises(UsageError, match="no time zone 'Mars/X'"):
        frame.obs.plot(zone="Mars/X")
    with pytest.raises(UsageError, match="no theme 'purple'\n→ one of auto, light, dark"):
        frame.obs.plot().svg("purple")


def test_importing_the_package_registers_nothing_and_stays_light() -> None:
    code = "import sys, obs_magics; assert 'pandas' not in sys.modules and 'obs_magics.accessor' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(arbitrary())
def test_any_metrics_frame_has_a_summary_and_a_wide_form(frame: pd.DataFrame) -> None:
    wide, summary = frame.obs.wide(), frame.obs.summary()
    assert wide.shape[1] == len(summary)
    assert wide.index.is_monotonic_increasing
    assert wide.columns.is_unique
    assert summary["points"].sum() == len(frame)


def test_the_picture_can_go_on_as_an_altair_chart() -> None:
    frame = metrics_frame([{"job": "a"}], [3], np.arange(3) * 10**9, np.array([1.0, 2.0, 3.0]))
    chart = frame.obs.plot().to_altair()
    beside = altair.hconcat(chart.properties(width=200)).to_dict(validate=False)["hconcat"]
    assert beside[0]["width"] == 200
    assert "layer" in beside[0]


def test_an_events_frame_has_a_summary_and_a_picture_and_nothing_else() -> None:
    from obs_magics.model.events import Event, events_frame

    first = events_frame([Event(start_ns=10**18, kind="deployment", title="v1", service="cart", source="ci")])
    second = events_frame([Event(start_ns=10**18 + 10**11, kind="alert", title="slow", service="pay", source="prom")])
    both = pd.concat([second, first])  # pandas makes plain texts of categories that differ
    assert both.obs.summary()["service"].tolist() == ["cart", "pay"]
    assert "▲" in both.obs.plot(title="both").to_text()
    assert both.obs.plot().spec["title"]["text"] == "events"
    with pytest.raises(UsageError, match="this is an events frame"):
        both.obs.wide()
    with pytest.raises(UsageError, match="needs an events frame"):
        first[["timestamp", "end", "kind", "title"]].obs.plot()
    with pytest.raises(UsageError, match="nothing to draw"):
        first.iloc[:0].obs.plot()
