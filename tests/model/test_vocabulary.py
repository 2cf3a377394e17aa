"""The small values that rooms hand to each other."""

from __future__ import annotations

import pandas as pd
import pytest

from obs_magics.model.frames import empty_metrics
from obs_magics.model.query import MetricsQuery
from obs_magics.model.sources import (
    Answer,
    CatalogSource,
    Health,
    MetricsSource,
    Progress,
    ProgressListener,
    Source,
    no_progress,
)
from obs_magics.model.summary import SeriesSummary, Summary


class Still:
    """A source of metrics without a catalog."""

    name, platform, address = "still", "folder", "/data"

    def now_ns(self) -> int | None:
        return 5

    async def health(self) -> Health:
        return Health(True, "still 1.0", 0.0)

    async def close(self) -> None:
        return None

    async def metrics(self, query: MetricsQuery, progress: ProgressListener = no_progress) -> Answer:
        progress(Progress(1, 1, rows=0))
        return Answer(empty_metrics(), query.text)


def test_a_source_is_known_by_what_it_can_do() -> None:
    still = Still()
    assert isinstance(still, Source)
    assert isinstance(still, MetricsSource)
    assert not isinstance(still, CatalogSource)


async def test_an_answer_says_nothing_that_was_not_said() -> None:
    from obs_magics.model.time import TimeRange

    answer = await Still().metrics(MetricsQuery(text="up", range=TimeRange(0, 1), step_ns=1))
    assert isinstance(answer.frame, pd.DataFrame)
    assert (answer.native_query, answer.unit, answer.warnings, answer.truncated) == ("up", "", (), "")


def test_summaries_are_values() -> None:
    numbers = {"current": 1.0, "average": 1.0, "minimum": 1.0, "maximum": 1.0, "p95": 1.0}
    one = SeriesSummary(name="up", points=1, trend="steady", anomaly_detected=None, **numbers)
    whole = Summary(unit="", series=1, rows=1, overall=one, shown=(one,))
    assert whole.shown[0] == whole.overall
    with pytest.raises(AttributeError):
        whole.rows = 2  # type: ignore[misc]
