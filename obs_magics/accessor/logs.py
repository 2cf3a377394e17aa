"""What `frame.obs` does with logs frames: volume, levels, patterns, surges, and what each service said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from obs_magics.display.chart import Chart
from obs_magics.display.units import count_text
from obs_magics.model import provenance
from obs_magics.model.errors import BadAnswer, UsageError
from obs_magics.model.frames import TIMESTAMP_DTYPE
from obs_magics.model.logs import LEVEL_DTYPE, LEVELS, LOG_COLUMNS, Volume, check_logs, levels_from


def is_logs(frame: pd.DataFrame) -> bool:
    """Whether this looks like a logs frame; lines may well have a field called `value`, or one called `metric`."""
    if "message" not in frame.columns or not {"value", "metric"} <= set(frame.columns):
        return "message" in frame.columns and ("value" not in frame.columns or "level" in frame.columns)
    known = provenance.of(frame)
    return known is not None and known.signal == "logs"


_OF_LEVELS = ("count", "share", "first_seen", "last_seen")
_HOW = "%%obs_logs returns one; from other data, pandas makes the types that are named"


def _put_right(frame: pd.DataFrame) -> pd.DataFrame:
    """With the types of a logs frame, where each value has its place in them; a copy where something changes."""
    right: dict[str, pd.Series[Any]] = {}
    times, level, service = frame["timestamp"], frame["level"], frame["service"]
    if isinstance(times.dtype, pd.DatetimeTZDtype) and times.dtype != TIMESTAMP_DTYPE:
        right["timestamp"] = times.dt.tz_convert("UTC").dt.as_unit("ns")
    if level.dtype != LEVEL_DTYPE and set(level.dropna().unique()) <= set(LEVELS):
        right["level"] = level.astype(LEVEL_DTYPE)
    if isinstance(service.dtype, pd.StringDtype):
        right["service"] = service.astype("category")
    return frame.assign(**right) if right else frame


class LogsView:
    """A logs frame, checked when this is made.

    Frames that were sorted, came through SQL or were moved to another zone are taken as well: order, zone, unit and
    the types of level and service are put right in a copy.

    Raises:
        UsageError: The frame is not one.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        missing = [name for name in LOG_COLUMNS if name not in frame.columns]
        if missing:
            raise UsageError(
                f"frame.obs needs a logs frame; the column {' and the column '.join(missing)} is missing",
                hint=f"a logs frame has {', '.join(LOG_COLUMNS)} and a column per label, as %%obs_logs returns it",
            )
        if twice := list(dict.fromkeys(frame.columns[frame.columns.duplicated()])):
            raise UsageError(f"frame.obs needs a logs frame; more than one column is called {twice[0]}")
        known = provenance.of(frame)
        frame = _put_right(frame)
        if lost := int(frame["timestamp"].isna().sum()):
            raise UsageError(
                f"frame.obs needs a logs frame; {count_text(lost, 'row')} without a time",
                hint='leave them out: frame.dropna(subset="timestamp").obs',
            )
        if not frame["timestamp"].is_monotonic_increasing:
            frame = frame.sort_values("timestamp", kind="stable")
        try:
            check_logs(frame[list(LOG_COLUMNS)])  # a column that somebody added may be of any type
        except BadAnswer as problem:
            raise UsageError(f"frame.obs needs a logs frame: {problem.message}", hint=_HOW) from None
        self._frame = frame
        self._known = known

    @property
    def frame(self) -> pd.DataFrame:
        """The frame, put right."""
        return self._frame

    def plot(self, *, title: str | None = None, zone: str = "UTC", events: pd.DataFrame | None = None) -> Chart:
        """Lines over time by level: as the source counted them, else as they stand in the frame.

        The source's counts are those of what was asked for: a frame that was filtered or cut since is counted itself.
        """
        from obs_magics.analysis.log_volume import volume_of
        from obs_magics.display.logs.volume import volume_chart

        if self._frame.empty:
            raise UsageError("there is nothing to draw: the frame has no line")
        counted = self._counted()
        chart = volume_chart(
            counted or volume_of(self._frame),
            title=title if title is not None else self._known.question if self._known else "",
            zone=zone,
            counted_by="source" if counted else "fetched",
            events=events,
        )
        if chart is None:
            raise UsageError("there is nothing to draw: the source counted no line")
        return chart

    def levels(self, *, by: str | None = None) -> pd.DataFrame:
        """How many lines of each level, the most severe first.

        Args:
            by: A column to tell apart as well (`service`).

        Returns:
            `level` (missing where unknown), the column of `by`, `count` int64, `share` float64 of all lines,
            `first_seen` and `last_seen`.
        """
        if by == "level":
            by = None
        if by is not None and by not in self._frame.columns:
            raise UsageError(f"the frame has no column {by!r}", hint=f"it has {', '.join(self._frame.columns)}")
        if by in _OF_LEVELS:
            raise UsageError(f"the table has a column {by} of its own", hint="rename that of the frame")
        keys = ["level", *([by] if by else [])]
        grouped = self._frame.groupby(keys, observed=True, dropna=False, sort=False)["timestamp"]
        table = grouped.agg(count="size", first_seen="min", last_seen="max").reset_index()
        table.insert(len(keys) + 1, "share", table["count"] / max(1, len(self._frame)))
        order = np.lexsort((-table["count"].to_numpy(), -table["level"].cat.codes.to_numpy().astype(np.int64)))
        return table.iloc[order].reset_index(drop=True)

    def patterns(self) -> pd.DataFrame:
        """The patterns of the lines, most lines first; see `analysis.patterns.pattern_table`."""
        from obs_magics.analysis.patterns import pattern_table

        return pattern_table(self._frame)[0]

    def surges(self, baseline: Any = None) -> pd.DataFrame:
        """Patterns that are new, surging, dropped or vanished; see `analysis.surges.surges`."""
        from obs_magics.analysis.surges import surges

        if isinstance(baseline, pd.DataFrame):
            if not is_logs(baseline):
                raise UsageError("the baseline is no logs frame", hint="give lines of the normal time, or a duration")
            baseline = LogsView(baseline)._frame
        elif baseline is not None and not isinstance(baseline, str):
            kind = type(baseline).__name__
            raise UsageError(
                f"the baseline is of type {kind}", hint='a logs frame, a duration such as "30m", or nothing'
            )
        return surges(self._frame, baseline=baseline, span_ns=self.span_ns)

    def _counted(self) -> Volume | None:
        """The source's own counts of the levels that were asked for, as long as the frame is what it returned."""
        known = self._known
        if known is None or known.signal != "logs" or not known.volume or len(self._frame) != known.rows:
            return None
        volume = Volume.from_dict(known.volume)
        wanted = next((levels_from(one) for one in LEVELS if one == known.level), None)
        counts = {one: counts for one, counts in volume.counts.items() if wanted is None or one in wanted}
        return Volume(volume.start_ns, volume.step_ns, counts)

    @property
    def span_ns(self) -> tuple[int, int] | None:
        """From when to when lines were looked for, where the frame still has all that were found."""
        from obs_magics.analysis.log_volume import observed

        known = self._known
        if known is None or known.truncated or known.signal != "logs" or len(self._frame) != known.rows:
            return None
        return observed(provenance.span_of(known), Volume.from_dict(known.volume) if known.volume else None)

    def summary(self) -> pd.DataFrame:
        """One row per service, most errors first: what it wrote, and what it said most often when it failed.

        `service`, `lines` int64, `errors` int64 (error or fatal), `warnings` int64, `first_seen`, `last_seen`,
        `says` (the most frequent message among the errors, else the warnings, else all its lines).
        """
        from obs_magics.analysis.log_summary import service_table

        return service_table(self._frame)
