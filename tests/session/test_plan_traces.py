"""From a question about traces to what is sent."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest

from obs_magics.model.errors import UsageError
from obs_magics.model.query import TracesQuery
from obs_magics.model.time import DAY, HOUR, SECOND
from obs_magics.session.plan import Limits
from obs_magics.session.plan_traces import TracesOptions, plan_traces_query, trace_id

NOW = 1_795_363_200 * SECOND
LIMITS = Limits(default_range_ns=HOUR, max_range_ns=7 * DAY, max_data_points=1000)
ID = "8d5118091edb4be0453ef2e052b89273"


def plan(question: str = "", **options: Any) -> TracesQuery:
    return plan_traces_query(question, TracesOptions(**options), now_ns=NOW, zone=UTC, limits=LIMITS)


def test_without_options_twenty_traces_of_the_last_hour_are_asked() -> None:
    query = plan("{ status = error }")
    assert (query.range.start_ns, query.range.end_ns) == (NOW - HOUR, NOW)
    assert (query.limit, query.text, query.trace_ids) == (20, "{ status = error }", ())


def test_a_bare_id_is_looked_for_as_far_back_as_may_be_asked() -> None:
    query = plan(f"  {ID.upper()} ")
    assert (query.trace_ids, query.text) == ((ID,), "")
    assert query.range.duration_ns == 7 * DAY
    assert plan(ID, last="2h").range.duration_ns == 2 * HOUR


def test_ids_are_padded_joined_and_kept_apart_from_words() -> None:
    assert plan("123456789abcdef", trace_id=f"{ID}, 123456789abcdef").trace_ids == (
        ID,
        "0000000000000000" + "0123456789abcdef",
    )
    assert plan(trace_id=[ID]).trace_ids == (ID,)
    assert plan("feed beef").text == "feed beef"
    assert trace_id("8d511809-1edb-4be0-453e-f2e052b89273") == ID


def test_conditions_are_read() -> None:
    query = plan(service="a", operation="b", status="Error", min_duration="500ms", max_duration=2, limit=5)
    assert (query.service, query.operation, query.status, query.limit) == ("a", "b", "error", 5)
    assert (query.min_duration_ns, query.max_duration_ns) == (SECOND // 2, 2 * SECOND)
    assert plan(status="all").status is None
    assert plan(min_duration=timedelta(seconds=1)).min_duration_ns == SECOND


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"trace_id": "zzz"}, "'zzz' is not a trace id"),
        ({"trace_id": "a" * 40}, "is not a trace id"),
        ({"status": "eror"}, "did you mean error"),
        ({"min_duration": "5s", "max_duration": "1s"}, "swap them"),
        ({"min_duration": "soon"}, "soon"),
        ({"min_duration": float("nan")}, "takes a time"),
        ({"max_duration": -1}, "from 0 on"),
        ({"limit": 0}, "--limit"),
        ({"last": "8d"}, "at most"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        plan(**options)
