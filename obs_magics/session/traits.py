"""What tells the series of a question apart, found chunk by chunk, so that their names do not depend on the chunks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_magics.model.anomalies import ANOMALY_RESERVED
from obs_magics.model.frames import STRING_DTYPE, free_column, label_columns
from obs_magics.model.series import ABSENT, NAME_LENGTH, clip, selector

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Traits:
    """Labels (and `metric`) of some series: their one value where all have the same, None where they differ."""

    series: int = 0
    labels: Mapping[str, str | None] = field(default_factory=dict)

    def __or__(self, other: Traits) -> Traits:
        """Of both together; a label that one of them lacks makes a difference."""
        if not self.series or not other.series:
            return self if self.series else other
        names = sorted({*self.labels, *other.labels})
        mine, theirs = self.labels, other.labels
        labels = {
            name: mine[name] if name in mine and name in theirs and mine[name] == theirs[name] else None
            for name in names
        }
        return Traits(self.series + other.series, labels)


def traits_of(frame: pd.DataFrame) -> Traits:
    """Of the series of a metrics frame."""
    from obs_magics.model.frames import series_ids

    if frame.empty:
        return Traits()
    labels: dict[str, str | None] = {}
    for name in sorted(["metric", *label_columns(frame)]):
        codes = frame[name].cat.codes
        first = int(codes.iloc[0])
        if (codes == first).all():
            if first >= 0:
                labels[name] = str(frame[name].cat.categories[first])
        else:
            labels[name] = None
    return Traits(int(series_ids(frame).max()) + 1, labels)


def renamed(events: pd.DataFrame, traits: Iterable[Traits]) -> pd.DataFrame:
    """The events with names for their series that hold what differs among all series of the question.

    Args:
        events: An anomalies frame, or several end to end.
        traits: Of every chunk.
    """
    import pandas as pd

    whole = Traits()
    for one in traits:
        whole |= one
    columns = {name: _texts(events, name) for name in whole.labels}
    if whole.series == 1:
        rows: list[dict[str, str]] = [
            {name: texts[row] for name, texts in columns.items() if texts[row]} for row in range(len(events))
        ]
        names = [clip(selector(row) or "value", 2 * NAME_LENGTH) for row in rows]
    else:
        differing = ["metric", *whole.labels]
        kept = [columns[name] for name in dict.fromkeys(differing) if name in whole.labels and not whole.labels[name]]
        names = [clip(" · ".join(texts[row] or ABSENT for texts in kept), NAME_LENGTH) for row in range(len(events))]
    return events.assign(series=pd.array(names, dtype=STRING_DTYPE))


def _texts(events: pd.DataFrame, label: str) -> list[Any]:
    """The label of every event, empty where it has none."""
    name = label if label in {"metric", "service"} else free_column(label, ANOMALY_RESERVED)
    if name not in events.columns:
        return [""] * len(events)
    return events[name].astype(object).where(events[name].notna(), "").to_list()
