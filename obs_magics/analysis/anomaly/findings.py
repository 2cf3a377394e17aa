"""`detect` and `examine`: the events of a metrics frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pandas as pd

from obs_magics.analysis.anomaly import settings
from obs_magics.analysis.anomaly.engine import Skipped, examine_tracks
from obs_magics.analysis.anomaly.thresholds import Threshold
from obs_magics.analysis.anomaly.tracks import read_tracks
from obs_magics.model.anomalies import SENSITIVITIES, Sensitivity, anomalies_frame
from obs_magics.model.durations import parse_duration
from obs_magics.model.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True)
class Findings:
    """What an examination found.

    Args:
        events: An anomalies frame (`model.anomalies`).
        series: How many series were looked at.
        skipped: Series of which nothing, or not everything, is said, with the reason; in order of name.
    """

    events: pd.DataFrame = field(repr=False)
    series: int
    skipped: tuple[Skipped, ...]


def detect(
    frame: pd.DataFrame,
    *,
    sensitivity: Sensitivity = "medium",
    baseline: str | timedelta = "7d",
    since: pd.Timestamp | None = None,
    thresholds: Sequence[Threshold] = (),
) -> pd.DataFrame:
    """The anomalies of a metrics frame, one row per event; see `docs/anomalies.md`.

    >>> detect(frame, since=pd.Timestamp("2026-11-22 12:00", tz="UTC"))  # doctest: +SKIP

    Args:
        frame: A metrics frame (`model.frames`): any number of series, regular or not, with gaps, NaN and resets.
        sensitivity: `low` for few and certain events, `high` for as many as possible.
        baseline: How far back from `since` to look for what is normal.
        since: Only events that reach into the time from here to the end of the frame are told; None for all of it.
        thresholds: Bounds to check besides.

    Returns:
        An anomalies frame (`model.anomalies`), in order of time. The same rows in another order give the same frame.

    Raises:
        UsageError: Unknown sensitivity; `baseline` is no duration.
    """
    return examine(frame, sensitivity=sensitivity, baseline=baseline, since=since, thresholds=thresholds).events


def examine(
    frame: pd.DataFrame,
    *,
    sensitivity: Sensitivity = "medium",
    baseline: str | timedelta = "7d",
    since: pd.Timestamp | None = None,
    thresholds: Sequence[Threshold] = (),
) -> Findings:
    """The same as `detect`, with how many series were looked at and which could not be judged."""
    if sensitivity not in settings.LEVELS:
        hint = did_you_mean(str(sensitivity), SENSITIVITIES) or f"one of {', '.join(SENSITIVITIES)}"
        raise UsageError(f"unknown sensitivity '{sensitivity}'", hint=hint)
    since_ns, from_ns = span_of(since, baseline)
    tracks = read_tracks(frame)
    found = examine_tracks(tracks, settings.LEVELS[sensitivity], since_ns, from_ns, thresholds)
    return Findings(anomalies_frame(found.anomalies), len(tracks.series), tuple(found.skipped))


def span_of(since: pd.Timestamp | None, baseline: str | timedelta) -> tuple[int | None, int | None]:
    """`since` and the instant from which on the frame is looked at, in nanoseconds; None for no bound."""
    back = parse_duration(baseline) if isinstance(baseline, str) else round(baseline.total_seconds() * 1e9)
    if since is None:
        return None, None
    moment = since.tz_localize("UTC") if since.tzinfo is None else since
    since_ns = moment.as_unit("ns").value
    return since_ns, since_ns - back
