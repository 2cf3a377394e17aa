"""Traces of several sources: each once, and said which came from where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from obs_magics.model.errors import QueryError
from obs_magics.model.frames import categories, empty_metrics
from obs_magics.model.sources import Answer
from obs_magics.model.spans import ATTRIBUTES_TYPE, check_spans, empty_spans, spans_frame
from obs_magics.session.merge_traces import merged, where_from


def spans(ids: Sequence[tuple[int, int]], *, service: str = "a") -> pd.DataFrame:
    """Spans by number of trace and of span, each a second long."""
    return spans_frame(
        trace_id=pa.array([f"{trace:032x}" for trace, _ in ids]),
        span_id=pa.array([f"{span:016x}" for _, span in ids]),
        parent_id=pa.nulls(len(ids), pa.string()),
        service=categories([service] * len(ids)),
        operation=categories(["work"] * len(ids)),
        kind_codes=np.zeros(len(ids), np.int8),
        start_ns=np.asarray([trace * 10**9 + span for trace, span in ids], np.int64),
        duration_ns=np.full(len(ids), 10**9),
        status_codes=np.zeros(len(ids), np.int8),
        status_message=pa.nulls(len(ids), pa.string()),
        attributes=pa.array([[("k", "v")]] * len(ids), ATTRIBUTES_TYPE),
    )


def answer(frame: pd.DataFrame, **more: str) -> Answer:
    return Answer(frame, "q", signal="traces", **more)  # type: ignore[arg-type]


def test_each_span_is_there_once_and_the_first_source_has_precedence() -> None:
    one, two = spans([(2, 1), (2, 2)]), spans([(1, 1), (2, 2), (2, 3)], service="b")
    frame = merged({"tempo": answer(one), "jaeger": answer(two)}).frame
    check_spans(frame)
    found = [(int(t, 16), int(s, 16), source, service) for t, s, source, service in zip(
        frame["trace_id"], frame["span_id"], frame["source"], frame["service"], strict=True
    )]  # fmt: skip
    assert found == [
        (1, 1, "jaeger", "b"),
        (2, 1, "tempo", "a"),
        (2, 2, "tempo", "a"),
        (2, 3, "jaeger", "b"),
    ]
    assert where_from(frame) == "1 trace from jaeger, 1 trace from jaeger and tempo"


def test_what_each_source_says_is_said_with_its_name() -> None:
    whole = merged(
        {
            "tempo": answer(spans([(1, 1)]), truncated="the newest 1 of 9"),
            "jaeger": answer(empty_spans(), empty_reason="none"),
        }
    )
    assert (whole.truncated, whole.empty_reason) == ("tempo: the newest 1 of 9", "jaeger: none")
    assert list(whole.frame["source"]) == ["tempo"]


def test_nothing_from_everybody_is_an_empty_frame() -> None:
    whole = merged({"tempo": answer(empty_spans()), "jaeger": answer(empty_spans())})
    check_spans(whole.frame)
    assert (len(whole.frame), where_from(whole.frame)) == (0, "")


def test_numbers_over_time_are_not_merged() -> None:
    with pytest.raises(QueryError, match="one source at a time"):
        merged({"a": Answer(empty_metrics(), "q"), "b": Answer(empty_metrics(), "q")})
