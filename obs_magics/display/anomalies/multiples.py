"""Small multiples of what is unusual: a chart for each series, the most severe at the top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

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
from obs_magics.model.series import short_names, split_series

MAX_LANES = 6
_ALONE = 200  # pixels of a single chart
_TITLE, _NAME = 100, 80


def anomalies_chart(
    frame: pd.DataFrame,
    anomalies: pd.DataFrame,
    *,
    unit: str | Mapping[str, str] = "",
    expected: pd.DataFrame | None = None,
    events: pd.DataFrame | None = None,
    title: str = "",
    zone: str = "UTC",
    notes: Sequence[str] = (),
    limit: int = MAX_LANES,
) -> Chart | None:
    """Draw the series that have something unusual; None where none of them is in the frame.

    Args:
        frame: The metrics frame that was examined.
        anomalies: What was found in it (see `model.anomalies`).
        unit: Of all series, or of each by its metric or its short name; UCUM as OpenTelemetry writes it.
        expected: What would have been normal, one row per point: `timestamp`, `series`, `expected_low`,
            `expected_high`.
        events: An events frame; its rows are marked in every chart.
        title: The question.
        zone: IANA name of the zone in which times are written.
        notes: Sentences without a full stop that the reader must see with the picture.
        limit: At most so many series; of more, the picture says how many.
    """
    found = found_in(anomalies, unit)
    series = split_series(frame)
    by_name = dict(zip(short_names(series), series, strict=True))
    drawable = [name for name in _names(found) if name in by_name and has_numbers(by_name[name])]
    if not drawable:
        return None
    shown = drawable[: max(1, limit)]
    lines = {name: few_points(by_name[name]) for name in shown}
    start, end = span_of([line for line, _ in lines.values()])
    pins, left_out = pins_of(event_marks(events), start, end, zone)
    lanes = [
        _lane(lines[name][0], [one for one in found if one.series == name], (start, end), zone, expected)
        for name in shown
    ]
    more = len(drawable) - len(shown)
    said = [
        *([f"{len(shown)} of {len(drawable)} series with something unusual drawn, the most severe"] if more else []),
        *thinning([stretch for _, stretch in lines.values()]),
        *notes,
        *left_out,
    ]
    return stack_chart(
        Stack(
            title=short(title, _TITLE) or "what is unusual",
            sentences=(_counts(found),),
            lanes=tuple(lanes) if len(lanes) > 1 else (replace(lanes[0], height=_ALONE),),
            pins=pins,
            start_ms=start,
            end_ms=end,
            zone=zone,
            notes=tuple(said),
        )
    )


def _names(found: Sequence[Found]) -> list[str]:
    """Series by their most severe anomaly."""
    return list(dict.fromkeys(one.series for one in found))


def _counts(found: Sequence[Found]) -> str:
    """How many of each severity: "3 anomalies: 1 critical, 2 low"."""
    counts = {name: sum(one.severity == name for one in found) for name in SEVEREST_FIRST}
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"{count_text(len(found), 'anomaly', 'anomalies')}: {told}"


def _lane(line: Line, own: Sequence[Found], span: tuple[int, int], zone: str, expected: pd.DataFrame | None) -> Lane:
    worst = own[0]
    more = f" · and {len(own) - 1} more" if len(own) > 1 else ""
    return Lane(
        name=short(worst.what, _NAME),
        about=f"{worst.number} {worst.marked}, {worst.against_normal()}{more}",
        line=line,
        unit=worst.unit,
        expected=expected_of(expected, worst.series),
        bands=bands_in(own, *span, zone),
    )
