"""What a question about anomalies examined, and what was found: of a session or of a frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from obs_magics.language.measures import measure_names
from obs_magics.model import provenance
from obs_magics.model.errors import did_you_mean
from obs_magics.model.time import MINUTE, TimeRange, format_duration
from obs_magics.syntax.grafana import expand_time_variables
from obs_magics.syntax.promql import tree_of
from obs_magics.syntax.promql_tree import selections

if TYPE_CHECKING:
    from obs_magics.session.anomaly_report import AnomalyReport

_SERVICE_LABELS = ("service", "service_name", "app")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One question of an examination: its series with their history, and what was found in them."""

    whole: pd.DataFrame = field(repr=False)
    events: pd.DataFrame = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was examined and what was found.

    Args:
        frame: The anomalies frame of all parts.
        parts: Part by part.
        range: From when to when anomalies are told; None for all that there is.
        series: How many series were looked at.
        skipped: Those that could not be judged, and why.
        sensitivity: Of the examination.
        against: What tells what is normal: "the 7d before", "the frame itself".
        baseline: How far back, for the expected range.
        unit: Of all series, or by metric; what the frame says of its own comes first.
        where: "from demo (folder)"; may be empty.
        notes: What else to know.
        failed: Questions that were not answered.
        why_none: Why there are no series, where that is known.
    """

    frame: pd.DataFrame
    parts: tuple[Part, ...]
    range: TimeRange | None
    series: int
    skipped: tuple[str, ...] = ()
    sensitivity: str = "medium"
    against: str = ""
    baseline: timedelta = timedelta(days=7)
    unit: str | Mapping[str, str] = ""
    where: str = ""
    notes: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    why_none: str = ""

    @property
    def since(self) -> pd.Timestamp | None:
        """From when on anomalies are told."""
        return None if self.range is None else pd.Timestamp(self.range.start_ns, tz="UTC")


def seen_of(report: AnomalyReport, where: str) -> Seen:
    """What a session examined; where a query names the service, its anomalies are of that service."""
    from obs_magics.session.dress import joined

    return Seen(
        frame=with_service(report.frame, report.asked[0].query) if len(report.asked) == 1 else report.frame,
        parts=tuple(Part(whole=joined([one.history, one.frame]), events=one.events) for one in report.asked),
        range=report.range,
        series=report.series,
        skipped=tuple(f"{one.name}: {reason}" for one in report.asked for reason in one.skipped),
        sensitivity=report.sensitivity,
        against=f"the {format_duration(report.baseline_ns)} before",
        baseline=timedelta(microseconds=report.baseline_ns // 1000),
        where=where,
        notes=report.notes,
        failed=report.failed,
        why_none=_why_none(report),
    )


def _why_none(report: AnomalyReport) -> str:
    """What the sources say of questions that no series answers, and measures whose names are near."""
    origins = [origin for one in report.asked if (origin := provenance.of(one.frame)) is not None]
    told = [origin.empty_reason for origin in origins if origin.empty_reason]
    plain = [one.name for one in report.asked if one.measure is None]
    near = [hint for name in plain if (hint := did_you_mean(name, measure_names()))]
    return "; ".join(dict.fromkeys([*told, *(f"of measures, {hint}" for hint in near)]))


def with_service(anomalies: pd.DataFrame, query: str) -> pd.DataFrame:
    """The frame with the service that all selectors of a PromQL query name, where it has none of its own."""
    named = service_of(query)
    if not named or anomalies.empty or anomalies["service"].notna().any():
        return anomalies
    return anomalies.assign(service=pd.Categorical([named] * len(anomalies)))


def service_of(query: str) -> str:
    """The service that all selectors of a query name; empty where they do not."""
    tree = tree_of(expand_time_variables(query, step_ns=MINUTE, range_ns=MINUTE, scrape_ns=MINUTE))
    named = [
        {value for label, operator, value in one.matchers if label in _SERVICE_LABELS and operator == "="}
        for one in (selections(tree) if tree is not None else [])
    ]
    services = set.union(*named) if named and all(named) else set()
    return services.pop() if len(services) == 1 else ""
