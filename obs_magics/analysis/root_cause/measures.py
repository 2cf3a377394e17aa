"""The numbers of evidence, computed plainly from the frames: what anyone can do again with a few lines of pandas.

The detectors find; this measures what they found, one number at a time and by other means, so that a report can be
checked against the frames it was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.root_cause.calls import Requests
from obs_magics.analysis.root_cause.inputs import Observations, nanoseconds
from obs_magics.analysis.root_cause.log_statements import first_instants, statements
from obs_magics.analysis.root_cause.metric_shifts import labels_of
from obs_magics.analysis.root_cause.periods import Periods
from obs_magics.analysis.root_cause.statistics import INCIDENT, REFERENCE
from obs_magics.analysis.spans import self_time
from obs_magics.analysis.spans.errors import origin_rows
from obs_magics.model.root_cause import Evidence, Frame, RootCauseReport, Statistic
from obs_magics.model.spans import empty_spans

Array = np.ndarray[Any, Any]
Rows = Mapping[str, str]


class Measures:
    """Numbers of one set of observations.

    Args:
        observations: The frames.
        periods: The incident and what is usual.
    """

    def __init__(self, observations: Observations, periods: Periods) -> None:
        self.observations = observations
        self.periods = periods

    def of(self, statistic: Statistic, frame: Frame, rows: Rows, side: int) -> float:
        """One number, NaN where there is nothing to compute it of.

        Args:
            statistic: What is computed.
            frame: Of which frame.
            rows: What the rows have.
            side: `INCIDENT` or `REFERENCE`.
        """
        measure: Callable[[Measures, Rows, int], float] | None = _MEASURES.get((statistic, frame))
        return measure(self, rows, side) if measure else float("nan")

    @cached_property
    def _lines(self) -> pd.DataFrame:
        frame = self.observations.logs
        if frame is None:
            return pd.DataFrame(columns=["service", "statement", "request", "instant", "period", "request_period"])
        numbers, names = statements(frame["message"])
        instants = nanoseconds(frame["timestamp"])
        request = pd.factorize(frame["trace_id"])[0].astype(np.int64)
        of_request = self.periods.of(first_instants(request, instants))
        return pd.DataFrame(
            {
                "service": frame["service"].astype(object).to_numpy(),
                "statement": np.array(names, dtype=object)[numbers],
                "request": request,
                "instant": instants,
                "period": self.periods.of(instants),
                "request_period": np.where(request >= 0, np.append(of_request, -1)[request], -1),
            }
        )

    @cached_property
    def requests(self) -> Requests:
        """The spans with their trees."""
        frame = self.observations.spans
        return Requests.of(empty_spans() if frame is None else frame, self.periods)

    @cached_property
    def _calls(self) -> pd.DataFrame:
        requests = self.requests
        names = np.array([" ".join(name) for name in requests.names], dtype=object)[requests.operation]
        service = requests.frame["service"].astype(object).to_numpy()
        parent = requests.tree.parent
        return pd.DataFrame(
            {
                "service": service,
                "operation": requests.frame["operation"].astype(object).to_numpy(),
                "name": names,
                "owner": np.where(parent >= 0, service[np.maximum(parent, 0)], service),
                "parent": parent,
                "request": requests.tree.trace,
                "period": requests.period[requests.tree.trace],
                "took": requests.frame["duration"].to_numpy(dtype="timedelta64[ns]").view(np.int64) / 1e6,
            }
        )

    def metric_median(self, rows: Rows, side: int) -> float:
        """Median of the values of one series."""
        own = self._series(rows)
        return float(own["value"][own["period"] == side].median())

    def rate_median(self, rows: Rows, side: int) -> float:
        """Median of how much one counter, or several together, grew per second between two values."""
        own = self._series(rows)
        labels = [name for name in own.columns if name not in {"value", "instant", "period"}]
        parts = own.groupby(labels, dropna=False) if labels else [("", own)]
        grown = [_growth(part) for _key, part in parts]
        every = pd.concat(grown) if grown else own
        return float(every["value"][every["period"] == side].median())

    def _series(self, rows: Rows) -> pd.DataFrame:
        """The rows of a metrics frame that have what is told, in order of time, each with its period."""
        frame = self.observations.metrics
        if frame is None:
            return pd.DataFrame({"value": [], "instant": [], "period": []})
        chosen = np.isfinite(frame["value"].to_numpy(dtype=np.float64))
        for name in ("service", "metric", *labels_of(frame)):
            if rows.get(name):
                chosen &= (frame[name] == rows[name]).to_numpy(dtype=bool)
        instants = nanoseconds(frame["timestamp"])[chosen]
        own = frame.loc[chosen, ["value", *labels_of(frame)]].astype(dict.fromkeys(labels_of(frame), object))
        told: pd.DataFrame = own.assign(instant=instants, period=self.periods.of(instants))
        return told.sort_values("instant", kind="stable")

    def log_share(self, rows: Rows, side: int) -> float:
        """Of the requests that came to a service (and wrote `given`), the share that wrote a statement."""
        lines = self._lines
        own = lines[(lines["service"] == rows["service"]) & (lines["request_period"] == side)]
        return _share(own["request"], own["statement"], rows)

    def log_rate(self, rows: Rows, side: int) -> float:
        """Lines of a statement per second."""
        lines = self._lines
        during = lines["instant"][lines["period"] == side]
        own = (lines["service"] == rows["service"]) & (lines["statement"] == rows["statement"])
        seconds = (int(during.max()) - int(during.min())) / 1e9 if len(during) > 1 else 0.0
        return int((own & (lines["period"] == side)).sum()) / seconds if seconds else float("nan")

    def call_share(self, rows: Rows, side: int) -> float:
        """Of the requests that came to a service (and made the call `given`), the share that made a call."""
        calls = self._calls
        own = calls[
            ((calls["service"] == rows["service"]) | (calls["owner"] == rows["service"])) & (calls["period"] == side)
        ]
        return _share(own["request"], own["name"], {**rows, "statement": rows["operation"]})

    def own_time(self, rows: Rows, side: int) -> float:
        """Median of the time that the spans of an operation work themselves, in milliseconds."""
        calls, requests = self._calls, self.requests
        spent = self_time(requests.frame, tree=requests.tree).to_numpy().view(np.int64) / 1e6
        waits = requests.waiting
        chosen = (calls["service"] == rows["service"]) & (calls["operation"] == rows["operation"])
        chosen &= (calls["period"] == side) & ~waits
        return float(pd.Series(spent)[chosen.to_numpy()].median())

    def gap(self, rows: Rows, side: int) -> float:
        """Median of how much longer a caller waits than the callee works, in milliseconds."""
        calls = self._calls
        below = calls[calls["parent"] >= 0]
        above = calls.loc[below["parent"].to_numpy()]
        crossing = below["service"].to_numpy() != above["service"].to_numpy()
        alone = below["parent"].map(below["parent"][crossing].value_counts()).to_numpy() == 1
        chosen = (
            crossing
            & alone
            & self.requests.waiting[below["parent"].to_numpy()]
            & (above["service"].to_numpy() == rows["caller"])
        )
        chosen &= (below["service"].to_numpy() == rows["callee"]) & (below["period"].to_numpy() == side)
        longer = np.maximum(above["took"].to_numpy() - below["took"].to_numpy(), 0.0)
        return float(pd.Series(longer)[chosen].median())

    def failing_share(self, rows: Rows, side: int) -> float:
        """Of all requests, the share that begins to fail at a service."""
        calls, requests = self._calls, self.requests
        origins = calls.iloc[origin_rows(requests.frame, requests.tree)]
        hits = int(((origins["service"] == rows["service"]) & (origins["period"] == side)).sum())
        total = int(np.count_nonzero(requests.period == side))
        return hits / total if total else float("nan")

    def event_instant(self, rows: Rows, _side: int) -> float:
        """When an event happened, in seconds since the epoch."""
        frame = self.observations.events
        if frame is None:
            return float("nan")
        chosen = np.ones(len(frame), dtype=bool)
        for name, wanted in rows.items():
            if name in frame.columns and wanted:
                chosen &= (frame[name].astype(object) == wanted).to_numpy(dtype=bool)
        instants = nanoseconds(frame["timestamp"])[chosen]
        return float(instants.min()) / 1e9 if len(instants) else float("nan")


def _growth(own: pd.DataFrame) -> pd.DataFrame:
    """How much a counter grew per second at each value after the first."""
    grown = own["value"].diff()
    grown = grown.where(grown >= 0, own["value"]) / (own["instant"].diff() / 1e9)
    return own.assign(value=grown).iloc[1:]


def _share(request: pd.Series[Any], item: pd.Series[Any], rows: Rows) -> float:
    """Of the requests (that show `given`), the share that shows `statement`."""
    every = set(request[request >= 0])
    if rows.get("given"):
        every &= set(request[item == rows["given"]])
    return len(every & set(request[item == rows["statement"]])) / len(every) if every else float("nan")


_MEASURES: Mapping[tuple[str, str], Callable[[Measures, Rows, int], float]] = {
    ("median", "metrics"): Measures.metric_median,
    ("median rate", "metrics"): Measures.rate_median,
    ("share of requests", "logs"): Measures.log_share,
    ("lines per second", "logs"): Measures.log_rate,
    ("share of requests", "spans"): Measures.call_share,
    ("median own time", "spans"): Measures.own_time,
    ("median gap", "spans"): Measures.gap,
    ("failing share", "spans"): Measures.failing_share,
    ("instant", "events"): Measures.event_instant,
}


def mismatches(report: RootCauseReport, observations: Observations, periods: Periods) -> list[str]:
    """Every number of a report that the frames do not give again, in words; none when all hold."""
    measures = Measures(observations, periods)
    found = []
    for factor in report.factors:
        for evidence in factor.evidence:
            found += [text for side in (INCIDENT, REFERENCE) if (text := _mismatch(evidence, measures, side))]
    return found


def _mismatch(evidence: Evidence, measures: Measures, side: int) -> str:
    told = evidence.value if side == INCIDENT else evidence.usual
    if told is None:
        return ""
    again = measures.of(evidence.statistic, evidence.frame, evidence.rows, side)
    if np.isclose(told, again, rtol=1e-9, atol=1e-12, equal_nan=True):
        return ""
    return f"{evidence.claim}: the report says {told!r}, the {evidence.frame} give {again!r}"
