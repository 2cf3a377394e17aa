"""What `frame.obs` does with spans frames: waterfall, critical path, bottlenecks, service map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd

from obs_magics.model import provenance
from obs_magics.model.errors import UsageError, did_you_mean
from obs_magics.model.spans import SPAN_COLUMNS

if TYPE_CHECKING:
    from obs_magics.display.chart import Chart
    from obs_magics.display.panel import Section


def is_spans(frame: pd.DataFrame) -> bool:
    """Whether this looks like a spans frame."""
    return "span_id" in frame.columns and "duration" in frame.columns


class TracesView:
    """A spans frame, checked when this is made.

    Raises:
        UsageError: The frame is not one.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        missing = [name for name in SPAN_COLUMNS if name not in frame.columns]
        if missing:
            raise UsageError(
                f"frame.obs needs a spans frame; the column {' and the column '.join(missing)} is missing",
                hint=f"a spans frame has {', '.join(SPAN_COLUMNS)}, as %%obs_traces returns it",
            )
        self._frame = frame.reset_index(drop=True)
        self._known = provenance.of(frame)

    @property
    def frame(self) -> pd.DataFrame:
        """The frame, with rows numbered anew."""
        return self._frame

    def plot(self, *, title: str | None = None, zone: str = "UTC", events: pd.DataFrame | None = None) -> Chart:
        """Traces over time by their duration."""
        from obs_magics.analysis.spans import trace_table
        from obs_magics.display.traces.scatter import latency_scatter

        heading = title if title is not None else self._known.question if self._known else ""
        chart = latency_scatter(trace_table(self._frame), title=heading, zone=zone, events=events)
        if chart is None:
            raise UsageError("there is nothing to draw: the frame has no trace")
        return chart

    def waterfall(self, trace_id: str | None = None, *, zone: str = "UTC") -> Section:
        """One trace as a waterfall, the slowest when none is named; the beginning of its id is enough."""
        from obs_magics.analysis.spans import critical_path
        from obs_magics.display.traces.waterfall import waterfall

        chosen = self._frame[self._frame["trace_id"] == self._trace(trace_id)].reset_index(drop=True)
        return waterfall(chosen, critical=critical_path(chosen), zone=zone)

    def critical_path(self) -> pd.DataFrame:
        """The pieces of the critical paths; see `analysis.spans.critical_path`."""
        from obs_magics.analysis.spans import critical_path

        return critical_path(self._frame)

    def bottlenecks(self, by: Literal["service", "operation", "query"] = "service") -> pd.DataFrame:
        """Where the time on the critical paths goes; see `analysis.spans.bottlenecks`."""
        from obs_magics.analysis.spans import bottlenecks

        if by not in ("service", "operation", "query"):
            raise UsageError(f"bottlenecks are told by service, operation or query, not by {by!r}")
        return bottlenecks(self._frame, by=by)

    def compare(
        self, other: pd.DataFrame | None = None, *, by: Literal["duration", "error"] = "duration"
    ) -> pd.DataFrame:
        """What tells the slow or failing spans from the others, or all of this frame from another one."""
        from obs_magics.analysis.compare import DEFINING, compare, split_spans

        if other is not None:
            return compare(self._frame, other)
        mask, _ = split_spans(self._frame, by)
        return compare(self._frame[mask], self._frame[~mask], ignore=DEFINING[by])

    def diff(self, before: pd.DataFrame, *, by: Literal["service", "operation", "query"] = "service") -> Section:
        """Where the time goes, here and in the spans of another time, what changed most first."""
        from obs_magics.display.traces.changes import diff

        return diff(TracesView(before).bottlenecks(by), self.bottlenecks(by))

    def service_map(self) -> Section:
        """Who calls whom, with rate, errors and durations."""
        from obs_magics.analysis.spans import call_graph, services
        from obs_magics.display.traces.service_map import service_map

        return service_map(call_graph(self._frame), services(self._frame))

    def summary(self) -> pd.DataFrame:
        """One row per trace; see `analysis.spans.trace_table`."""
        from obs_magics.analysis.spans import trace_table

        return trace_table(self._frame)

    def attributes(self, *names: str) -> pd.DataFrame:
        """Attributes as columns of strings, one row per span: those named, or all."""
        from obs_magics.analysis.spans import attribute_table

        return attribute_table(self._frame, list(names) or None)

    def _trace(self, wanted: str | None) -> str:
        table = self.summary()
        if table.empty:
            raise UsageError("the frame has no trace")
        if wanted is None:
            return str(table["trace_id"].iloc[int(table["duration"].argmax())])
        found = [str(one) for one in table["trace_id"] if str(one).lstrip("0").startswith(wanted.lower().lstrip("0"))]
        if len(found) != 1:
            problem = f"{len(found)} traces begin" if found else "no trace begins"
            raise UsageError(f"{problem} with {wanted!r}", hint=did_you_mean(wanted, list(table["trace_id"])))
        return found[0]
