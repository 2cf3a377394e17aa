"""What `frame.obs` does with logs frames: volume, levels, patterns, surges, and what each service said."""

from __future__ import annotations

import numpy as np
import pandas as pd

from obs_magics.display.chart import Chart
from obs_magics.model import provenance
from obs_magics.model.errors import BadAnswer, UsageError
from obs_magics.model.logs import LOG_COLUMNS, Volume, check_logs


def is_logs(frame: pd.DataFrame) -> bool:
    """Whether this looks like a logs frame."""
    return "message" in frame.columns and "value" not in frame.columns


class LogsView:
    """A logs frame, checked when this is made.

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
        if not frame["timestamp"].is_monotonic_increasing:
            frame = frame.sort_values("timestamp", kind="stable")
        try:
            check_logs(frame)
        except BadAnswer as problem:
            raise UsageError(f"frame.obs needs a logs frame: {problem}") from None
        self._frame = frame
        self._known = provenance.of(frame)

    def plot(self, *, title: str | None = None, zone: str = "UTC") -> Chart:
        """Lines over time by level: as the source counted them, else as they stand in the frame."""
        from obs_magics.analysis.log_volume import volume_of
        from obs_magics.display.logs.volume import volume_chart

        if self._frame.empty:
            raise UsageError("there is nothing to draw: the frame has no line")
        counted = Volume.from_dict(self._known.volume) if self._known and self._known.volume else None
        chart = volume_chart(
            counted or volume_of(self._frame),
            title=title if title is not None else self._known.question if self._known else "",
            zone=zone,
            counted_by="source" if counted else "fetched",
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
        if by is not None and by not in self._frame.columns:
            raise UsageError(f"the frame has no column {by!r}", hint=f"it has {', '.join(self._frame.columns)}")
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

    def surges(self, baseline: pd.DataFrame | str | None = None) -> pd.DataFrame:
        """Patterns that are new, surging, dropped or vanished; see `analysis.surges.surges`."""
        from obs_magics.analysis.surges import surges

        return surges(self._frame, baseline=baseline, span_ns=self._span_ns())

    def _span_ns(self) -> tuple[int, int] | None:
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
