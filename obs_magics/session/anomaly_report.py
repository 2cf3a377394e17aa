"""What an examination for anomalies brings: the events, and everything that a reader needs to judge them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_magics.config.ignore import Ignored
from obs_magics.language.measures import Direction, Resolved
from obs_magics.model.frames import STRING_DTYPE
from obs_magics.model.time import TimeRange

if TYPE_CHECKING:
    import pandas as pd

FOR_THE_BETTER = "for the better"
EXTRA_COLUMNS = ("unit", "improvement")
_MATCHED = ("metric", "service", "series", "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One question of an examination.

    Args:
        name: The measure, or the query as it was typed.
        query: What was asked for the range.
        unit: UCUM; empty when unknown.
        direction: Which way is bad; `either` where that is not known.
        frame: A metrics frame of the asked range, with its provenance.
        history: A metrics frame of what lies before, as far as it was fetched; the same series, at two steps.
        events: An anomalies frame: what was found in this question, what is ignored left out.
        series: How many series there are.
        skipped: Series that could not be judged, and why: a sentence each.
        measure: How the measure was asked; None for a query.
    """

    name: str
    query: str
    unit: str
    direction: Direction
    frame: pd.DataFrame
    history: pd.DataFrame
    events: pd.DataFrame
    series: int
    skipped: tuple[str, ...] = ()
    measure: Resolved | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyReport:
    """What `Session.anomaly_report` gives.

    Args:
        frame: The anomalies frame of all questions, with the columns `unit` and `improvement`, and its provenance.
        asked: Question by question.
        range: From when to when was looked at.
        baseline_ns: How far back before that.
        sensitivity: `low`, `medium` or `high`.
        ignored: How many events each entry of the ignore file kept out, by the entry's words.
        notes: What else to know: sources, bounds, what was left out.
        failed: Questions that were not answered, a sentence each.
    """

    frame: pd.DataFrame
    asked: tuple[Examined, ...]
    range: TimeRange
    baseline_ns: int
    sensitivity: str
    ignored: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    @property
    def series(self) -> int:
        """How many series were looked at."""
        return sum(one.series for one in self.asked)


def judged(events: pd.DataFrame, direction: Direction, unit: str) -> pd.DataFrame:
    """The events of one question with `unit` and `improvement`; what changed for the better is of low severity.

    Args:
        events: An anomalies frame.
        direction: Which way is bad.
        unit: Of the values.
    """
    import numpy as np
    import pandas as pd

    better = _better(events, direction)
    severity = events["severity"].copy()
    severity[better] = "low"
    method = events["detection_method"].astype(STRING_DTYPE).copy()
    method[better] = method[better] + f", {FOR_THE_BETTER}"
    whole = events.rename(columns={name: f"label_{name}" for name in EXTRA_COLUMNS})
    whole = whole.assign(severity=severity, detection_method=method)
    place = list(events.columns).index("ongoing") + 1
    whole.insert(place, "unit", pd.Series([unit] * len(events), dtype=STRING_DTYPE))
    whole.insert(place + 1, "improvement", np.asarray(better, dtype=np.bool_))
    return whole


def together(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Judged events of several questions as one frame, in order of start, the most severe first."""
    import pandas as pd
    from pandas.api.types import union_categoricals

    names = list(dict.fromkeys(str(name) for part in parts for name in part.columns))
    fixed = [name for name in names if name in parts[0].columns and name in _first_columns(parts[0])]
    labels = sorted(name for name in names if name not in fixed)
    columns: dict[str, Any] = {}
    for name in (*fixed, *labels):
        held = [part[name] if name in part.columns else _nothing(len(part)) for part in parts]
        if isinstance(held[0].dtype, pd.CategoricalDtype) and held[0].dtype.ordered is False and name != "kind":
            columns[name] = pd.Series(union_categoricals([one.array for one in held]))
        else:
            columns[name] = pd.concat(held, ignore_index=True)
    whole = pd.DataFrame(columns)
    order = whole.assign(_severity=-whole["severity"].cat.codes, _score=-whole["score"]).sort_values(
        ["start", "_severity", "_score", "series"], kind="stable"
    )
    return whole.loc[order.index].reset_index(drop=True)


def without_ignored(events: pd.DataFrame, entries: Sequence[Ignored]) -> tuple[pd.DataFrame, dict[str, int]]:
    """The events that no entry of the ignore file covers, and how many each entry did, by its words."""
    import numpy as np

    counts: dict[str, int] = {}
    keep = np.ones(len(events), dtype=np.bool_)
    texts = {name: events[name].astype(object).where(events[name].notna(), "") for name in _MATCHED}
    times = [events[name].astype("int64") for name in ("start", "end")]
    for place, (metric, service, series, kind, start_ns, end_ns) in enumerate(
        zip(*texts.values(), *times, strict=True)
    ):
        event = {"metric": metric, "service": service, "series": series, "kind": kind}
        found = next((one for one in entries if one.covers(**event, start_ns=start_ns, end_ns=end_ns)), None)
        if found is not None:
            keep[place] = False
            counts[str(found)] = counts.get(str(found), 0) + 1
    return (events if keep.all() else events[keep].reset_index(drop=True)), counts


def without_small(events: pd.DataFrame, least: Mapping[str, float]) -> tuple[pd.DataFrame, dict[str, int]]:
    """The events that are no small changes, and how many of each metric were.

    Args:
        events: An anomalies frame of one question.
        least: By metric the least change that is told, as a share of what is normal (the middle of the expected
            range); limits that were passed and silence are always told.
    """
    middle = (events["expected_low"] + events["expected_high"]) / 2
    change = ((events["value"] - middle) / middle.where(middle != 0)).abs()
    wanted = events["metric"].astype(object).map(dict(least))
    small = wanted.notna() & (change < wanted) & ~events["kind"].isin(["threshold", "silence"])
    counts = {str(name): int(count) for name, count in events.loc[small, "metric"].astype(str).value_counts().items()}
    return (events[~small].reset_index(drop=True) if small.any() else events), counts


def _first_columns(frame: pd.DataFrame) -> list[str]:
    names = [str(name) for name in frame.columns]
    return names[: names.index("improvement") + 1]


def _nothing(rows: int) -> pd.Series[Any]:
    import pandas as pd

    from obs_magics.model.frames import categories

    return pd.Series(categories([None] * rows))


def _better(events: pd.DataFrame, direction: Direction) -> Any:
    """Which events are a change in the good direction; silence and passed limits never are."""
    judgeable = events["kind"].isin(["spike", "drop", "level_shift", "trend_change"])
    if direction == "up":
        return judgeable & (events["value"] < events["expected_low"])
    if direction == "down":
        return judgeable & (events["value"] > events["expected_high"])
    return judgeable & False
