"""`frame.obs`: what obs_magics adds to any frame that has the columns of metrics or of logs.

pandas knows the accessor once this module is imported; the session does that, and so can anybody::

    import obs_magics.accessor

    frame.obs.plot()
    frame.obs.summary()
"""

from __future__ import annotations

from functools import cached_property

import pandas as pd

from obs_magics.accessor.logs import LogsView, is_logs
from obs_magics.accessor.metrics import MetricsView
from obs_magics.display.chart import Chart
from obs_magics.model import provenance
from obs_magics.model.errors import UsageError
from obs_magics.model.provenance import Provenance


@pd.api.extensions.register_dataframe_accessor("obs")
class ObsAccessor:
    """What obs_magics adds to a frame.

    Args:
        frame: Any frame. What a method needs is checked when it is called, since pandas makes the accessor of every
            frame whose attributes somebody lists.

    Raises:
        UsageError: From each method, when the frame lacks the columns that it needs.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._given = frame

    @cached_property
    def _metrics(self) -> MetricsView:
        if is_logs(self._given):
            raise UsageError("this is a logs frame, and only a metrics frame can do that", hint=_LOGS_CAN)
        return MetricsView(self._given)

    @cached_property
    def _logs(self) -> LogsView:
        if not is_logs(self._given):
            raise UsageError("only a logs frame, as %%obs_logs returns it, can do that", hint=_METRICS_CAN)
        return LogsView(self._given)

    def plot(self, *, unit: str | None = None, title: str | None = None, zone: str = "UTC") -> Chart:
        """The chart that stood under the cell: lines of series, or log lines over time by level.

        Args:
            unit: Of a metrics frame, UCUM as OpenTelemetry writes it; None for the one the session knows.
            title: None for the question.
            zone: IANA name of the zone in which times are written.

        Raises:
            UsageError: There is nothing to draw.
        """
        if is_logs(self._given):
            return self._logs.plot(title=title, zone=zone)
        return self._metrics.plot(unit=unit, title=title, zone=zone)

    def summary(self, *, unit: str | None = None) -> pd.DataFrame:
        """One row per series (`MetricsView.summary`), or per service that wrote logs (`LogsView.summary`)."""
        return self._logs.summary() if is_logs(self._given) else self._metrics.summary(unit=unit)

    def wide(self) -> pd.DataFrame:
        """A metrics frame with one column per series; see `MetricsView.wide`."""
        return self._metrics.wide()

    def levels(self, *, by: str | None = None) -> pd.DataFrame:
        """How many log lines of each level; see `LogsView.levels`."""
        return self._logs.levels(by=by)

    def patterns(self) -> pd.DataFrame:
        """The patterns of log lines, most lines first; see `analysis.patterns.pattern_table`."""
        return self._logs.patterns()

    def surges(self, baseline: pd.DataFrame | str | None = None) -> pd.DataFrame:
        """Log patterns that are new, surging, dropped or vanished; see `analysis.surges.surges`.

        Args:
            baseline: A logs frame of a normal time, a duration (`"30m"`: the first half hour of this frame is normal),
                or None: what is normal is found in the frame itself.
        """
        return self._logs.surges(baseline)

    @property
    def provenance(self) -> Provenance | None:
        """Where the frame comes from; None when no session returned it, or pandas lost it on the way."""
        return provenance.of(self._given)


_LOGS_CAN = "it has .plot, .summary, .levels, .patterns, .surges and .provenance"
_METRICS_CAN = "a metrics frame has .plot, .summary, .wide and .provenance"
