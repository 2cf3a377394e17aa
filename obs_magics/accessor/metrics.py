"""What `frame.obs` does with metrics frames: picture, numbers, wide form."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.summary import series_summaries
from obs_magics.display import histograms
from obs_magics.display.chart import Chart
from obs_magics.display.metrics import metrics_chart
from obs_magics.model import provenance
from obs_magics.model.errors import UsageError
from obs_magics.model.frames import METRIC_COLUMNS, STRING_DTYPE, TIMESTAMP_DTYPE, label_columns
from obs_magics.model.series import Series, differing_labels, short_names, split_series

_WANTED = ("timestamp", "value")


class MetricsView:
    """A metrics frame, checked when this is made.

    Raises:
        UsageError: The frame lacks the columns `timestamp` (with a zone) and `value` (numbers).
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = _checked(frame)
        self._known = provenance.of(frame)

    @property
    def frame(self) -> pd.DataFrame:
        """The frame, put right."""
        return self._frame

    @property
    def unit(self) -> str:
        """The unit that the session knows; empty when it knows none."""
        return self._unit(None)

    def plot(
        self,
        *,
        unit: str | None = None,
        title: str | None = None,
        zone: str = "UTC",
        events: pd.DataFrame | None = None,
        anomalies: pd.DataFrame | None = None,
    ) -> Chart:
        """The chart that stood under the cell.

        Args:
            unit: UCUM as OpenTelemetry writes it; None for the one the session knows.
            title: None for the question.
            zone: IANA name of the zone in which times are written.
            events: An events frame, to be marked on the chart.
            anomalies: An anomalies frame of these series: unusual stretches are shaded.

        Raises:
            UsageError: The frame holds no number.
        """
        known = self._known
        chart = metrics_chart(
            self._frame,
            unit=self._unit(unit),
            title=title if title is not None else known.question if known else "",
            zone=zone,
            notes=_notes(known) if known else (),
            events=events,
            anomalies=anomalies,
        )
        if chart is None:
            reason = known.empty_reason if known else ""
            raise UsageError("there is nothing to draw: the frame holds no number", hint=reason)
        return chart

    def summary(self, *, unit: str | None = None) -> pd.DataFrame:
        """One row per series: the labels that tell the series apart, then the numbers.

        `points` int64; `current`, `average`, `minimum`, `maximum`, `p95`, `median` float64, in the frame's unit;
        `trend` (rising, falling, steady, unknown), `trend_since`, `anomaly_detected` (boolean, missing where there is
        no way to say), `anomaly_reason`, `anomaly_at`.
        """
        pairs = series_summaries(self._frame, unit=self._unit(unit))
        names = _row_labels([series for series, _ in pairs])
        data: dict[str, Any] = {
            name: pd.Series([series.identity.get(name) for series, _ in pairs], dtype=STRING_DTYPE) for name in names
        }
        for figure in ("points", "current", "average", "minimum", "maximum", "p95", "median"):
            kind = np.int64 if figure == "points" else np.float64
            data[_free(figure, names)] = np.array([getattr(summary, figure) for _, summary in pairs], dtype=kind)
        for figure in ("trend", "trend_since", "anomaly_detected", "anomaly_reason", "anomaly_at"):
            dtype: Any = pd.BooleanDtype() if figure == "anomaly_detected" else STRING_DTYPE
            data[_free(figure, names)] = pd.Series([getattr(summary, figure) for _, summary in pairs], dtype=dtype)
        return pd.DataFrame(data)

    def wide(self) -> pd.DataFrame:
        """One column per series, float64, indexed by `timestamp`; NaN where a series has no point.

        Columns are called by the labels that differ. Of points at one instant in one series the last counts. Native
        histograms count with their mean.
        """
        frame = self._frame
        if histograms.has_histograms(frame):
            frame = frame.assign(value=histograms.mean(frame))
        series = split_series(frame)
        times = [one.timestamps_ns for one in series]
        index = np.unique(np.concatenate(times)) if times else np.empty(0, np.int64)
        table = np.full((len(index), len(series)), np.nan)
        for column, one in enumerate(series):
            table[np.searchsorted(index, one.timestamps_ns), column] = one.values
        instants = pd.DatetimeIndex(index.view("M8[ns]"), name="timestamp").tz_localize("UTC")
        wide = pd.DataFrame(table, index=instants, columns=pd.Index(short_names(series), dtype=STRING_DTYPE))
        wide.columns.name = " · ".join(differing_labels(series)) or None
        return wide

    def _unit(self, unit: str | None) -> str:
        if unit is not None:
            return unit
        return self._known.unit if self._known else ""


def _notes(known: provenance.Provenance) -> list[str]:
    """All that a reader has to know of an answer, the gravest first."""
    return [*known.failed, *([known.truncated] if known.truncated else []), *known.warnings]


def _row_labels(series: list[Series]) -> list[str]:
    """The labels of the rows: those that differ; all where there is one series, or they do not tell."""
    return differing_labels(series) or list(dict.fromkeys(name for one in series for name in one.identity))


def _free(name: str, taken: list[str]) -> str:
    return name if name not in taken else _free(f"{name}_", taken)


def _checked(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the dtypes that the rest counts on."""
    if not (frame.columns.is_unique and all(isinstance(name, str) for name in frame.columns)):
        raise UsageError(
            "frame.obs needs columns with names of their own, as text", hint="frame.columns = frame.columns.map(str)"
        )
    missing = [name for name in _WANTED if name not in frame.columns]
    if missing:
        raise UsageError(
            f"frame.obs needs a metrics frame; the column {' and the column '.join(missing)} is missing",
            hint=f"a metrics frame has {', '.join(METRIC_COLUMNS)} and a column per label, as %%obs_metrics returns it",
        )
    if not isinstance(frame["timestamp"].dtype, pd.DatetimeTZDtype):
        raise UsageError(
            f"frame.obs needs timestamps with a zone; these are {frame['timestamp'].dtype}",
            hint="frame['timestamp'] = pd.to_datetime(frame['timestamp'], utc=True)",
        )
    if not pd.api.types.is_numeric_dtype(frame["value"].dtype):
        raise UsageError(f"frame.obs needs numbers in the column value; these are {frame['value'].dtype}")
    if frame["timestamp"].isna().any():
        raise UsageError("frame.obs needs a timestamp in every row", hint="frame.dropna(subset='timestamp')")
    if frame["timestamp"].dtype != TIMESTAMP_DTYPE:
        frame = frame.assign(timestamp=frame["timestamp"].astype(TIMESTAMP_DTYPE))
    if frame["value"].dtype != np.float64:
        frame = frame.assign(value=frame["value"].to_numpy(dtype=np.float64, na_value=np.nan))
    return _with_texts(frame)


def _with_texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Labels that hold lists or dicts, which cannot be told apart otherwise, as text."""
    odd = [name for name in label_columns(frame) if frame[name].dtype == object and not _hashable(frame[name])]
    return frame.assign(**{name: frame[name].map(str, na_action="ignore") for name in odd}) if odd else frame


def _hashable(column: pd.Series[Any]) -> bool:
    return all(isinstance(value, Hashable) for value in column)
