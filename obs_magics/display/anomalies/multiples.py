"""Small multiples of what is unusual: a chart for each series, the most severe at the top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from obs_magics.display.anomalies.found import Found, bands_in, found_in
from obs_magics.display.anomalies.lines import few_points, has_numbers, thinning
from obs_magics.display.anomalies.stack import Lane, Stack, span_of, stack_chart
from obs_magics.display.bands import expected_of
from obs_magics.display.chart import Chart
from obs_magics.display.downsample import Line
from obs_magics.display.marks import event_marks, pins_of
from obs_magics.display.severity import SEVEREST_FIRST
from obs_magics.display.units import count_text
from obs_magics.display.visible import short
from obs_magics.model.series import Series

MAX_LANES = 6
_ALONE = 200  # pixels of a single chart
_TITLE, _NAME = 100, 80


@dataclass(frozen=True, slots=True)
class Looked:
    """A series that was examined, under the names that its anomalies have.

    Args:
        metric: As in the anomalies frame; empty when that has none.
        series: Likewise.
        points: What is drawn of it.
        expected: What would have been normal, one row per point: `timestamp`, `series`, `expected_low`,
            `expected_high`; None where nobody knows.
    """

    metric: str
    series: str
    points: Series
    expected: pd.DataFrame | None = field(default=None, repr=False)


def anomalies_chart(
    looked: Sequence[Looked],
    anomalies: pd.DataFrame,
    *,
    unit: str | Mapping[str, str] = "",
    events: pd.DataFrame | None = None,
    title: str = "",
    zone: str = "UTC",
    notes: Sequence[str] = (),
    limit: int = MAX_LANES,
) -> Chart | None:
    """Draw the series that have something unusual; None where none of them is at hand.

    Args:
        looked: The series, those at least that are to be drawn.
        anomalies: What was found in them (see `model.anomalies`).
        unit: Of all series, or of each by its metric or its short name; UCUM as OpenTelemetry writes it.
        events: An events frame; its rows are marked in every chart.
        title: The question.
        zone: IANA name of the zone in which times are written.
        notes: Sentences without a full stop that the reader must see with the picture.
        limit: At most so many series; of more, the picture says how many.
    """
    found = found_in(anomalies, unit)
    every = list(dict.fromkeys(one.key for one in found))
    at_hand = {(one.metric, one.series): one for one in looked if has_numbers(one.points)}
    shown = [key for key in every if key in at_hand][: max(1, limit)]
    if not shown:
        return None
    lines = {key: few_points(at_hand[key].points) for key in shown}
    start, end = span_of([line for line, _ in lines.values()])
    pins, left_out = pins_of(event_marks(events), start, end, zone)
    lanes = [
        _lane(at_hand[key], lines[key][0], [one for one in found if one.key == key], (start, end), zone)
        for key in shown
    ]
    more = [f"{len(shown)} of {len(every)} series with something unusual drawn, the most severe"]
    said = [
        *(more if len(shown) < len(every) else []),
        *thinning([stretch for _, stretch in lines.values()]),
        *notes,
        *left_out,
    ]
    return stack_chart(
        Stack(
            title=short(title, _TITLE) or "what is unusual",
            sentences=(counts_text(found),),
            lanes=tuple(lanes) if len(lanes) > 1 else (replace(lanes[0], height=_ALONE),),
            pins=pins,
            start_ms=start,
            end_ms=end,
            zone=zone,
            notes=tuple(said),
        )
    )


def counts_text(found: Sequence[Found]) -> str:
    """How many of each severity: "3 anomalies (1 critical, 2 low)", "2 anomalies, all high"."""
    counts = {name: sum(one.severity == name for one in found) for name in SEVEREST_FIRST}
    told = [(name, count) for name, count in counts.items() if count]
    head = count_text(len(found), "anomaly", "anomalies")
    if len(told) == 1:
        return f"{head}, {'all ' if len(found) > 1 else ''}{told[0][0]}"
    return f"{head} ({', '.join(f'{count} {name}' for name, count in told)})"


def _lane(looked: Looked, line: Line, own: Sequence[Found], span: tuple[int, int], zone: str) -> Lane:
    worst = own[0]
    more = f" · and {len(own) - 1} more" if len(own) > 1 else ""
    return Lane(
        name=short(worst.what, _NAME),
        about=f"{worst.number} {worst.marked}, {worst.against_normal()}{more}",
        line=line,
        unit=worst.unit,
        expected=expected_of(looked.expected, looked.series),
        bands=bands_in(own, *span, zone),
    )
