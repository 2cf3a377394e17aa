"""What `frame.obs` does with events frames: the strip over time, and how many of which kind where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from obs_magics.model import provenance
from obs_magics.model.errors import BadAnswer, UsageError

if TYPE_CHECKING:
    from obs_magics.display.chart import Chart


def is_events(frame: pd.DataFrame) -> bool:
    """Whether this looks like an events frame."""
    return {"timestamp", "end", "kind", "title"} <= set(frame.columns)


class EventsView:
    """An events frame, checked when this is made.

    Raises:
        UsageError: The frame is not one.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        from obs_magics.model.events import check_events, events_frame, events_of

        ordered = frame.sort_values("timestamp", kind="stable").reset_index(drop=True)
        try:
            check_events(ordered)
            self._frame = ordered
        except BadAnswer as problem:
            try:  # pandas made plain texts of categories, as `concat` does: the events are the same
                self._frame = events_frame(events_of(ordered))
            except (KeyError, TypeError, ValueError):
                hint = "an events frame is what %obs_events returns"
                raise UsageError(f"frame.obs needs an events frame: {problem.message}", hint=hint) from None
        self._known = provenance.of(frame)

    def plot(self, *, title: str | None = None, zone: str = "UTC") -> Chart:
        """A lane for each service, with a mark for each event."""
        from obs_magics.analysis.events import summarize_events
        from obs_magics.display.event_words import kinds_text
        from obs_magics.display.events.picture import event_strip

        heading = title if title is not None else self._known.question if self._known else ""
        span = provenance.span_of(self._known) if self._known else None
        about = kinds_text(summarize_events(self._frame).kinds)
        chart = event_strip(self._frame, span_ns=span, zone=zone, title=heading or "events", about=about)
        if chart is None:
            raise UsageError("there is nothing to draw: the frame has no event")
        return chart

    def summary(self) -> pd.DataFrame:
        """One row per service and kind; see `analysis.events.kind_table`."""
        from obs_magics.analysis.events import kind_table

        return kind_table(self._frame)
