"""Provenance survives JSON, and a digest tells content from form."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.model.frames import metrics_frame
from obs_magics.model.provenance import ATTRIBUTE, Provenance, content_digest, fingerprint, of

WHOLE = Provenance(
    signal="metrics",
    source="prom",
    platform="prometheus",
    address="http://localhost:9090",
    question="up",
    native_query="up",
    warnings=("slow",),
    failed=("part 2 of 3",),
    step=5.0,
)


def sample(values: list[float], jobs: list[str]) -> pd.DataFrame:
    labels = [{"__name__": "up", "job": job} for job in jobs]
    return metrics_frame(labels, [1] * len(jobs), np.arange(len(jobs)), np.array(values))


def test_provenance_survives_json() -> None:
    assert Provenance.from_dict(json.loads(json.dumps(WHOLE.to_dict()))) == WHOLE


def test_keys_of_other_versions_are_passed_over() -> None:
    assert Provenance.from_dict({**WHOLE.to_dict(), "from_the_future": 1}) == WHOLE


def test_provenance_of_a_frame() -> None:
    frame = sample([1.0], ["a"])
    assert of(frame) is None
    frame.attrs[ATTRIBUTE] = WHOLE.to_dict()
    assert of(frame) == WHOLE
    frame.attrs[ATTRIBUTE] = "something else's"
    assert of(frame) is None


def test_a_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    one = fingerprint({"query": "up", "range": {"end": 2, "start": 1}, "who": "Jörg"})
    assert one == fingerprint({"who": "Jörg", "range": {"start": 1, "end": 2}, "query": "up"})
    assert one != fingerprint({"who": "Jörg", "range": {"start": 1, "end": 3}, "query": "up"})
    assert len(one) == 64


def test_a_digest_does_not_depend_on_form() -> None:
    frame = sample([0.0, np.nan, 3.0], ["a", "b", "a"])
    same = frame.copy()
    same["job"] = pd.Categorical(same["job"].astype(str), categories=["z", "b", "a"])
    same["value"] = [-0.0, -np.nan, 3.0]
    assert content_digest(same[["value", "job", "timestamp", "metric"]]) == content_digest(frame)


@pytest.mark.parametrize(
    "other",
    [
        sample([1.0, 2.5], ["a", "b"]),
        sample([1.0, 2.0], ["a", "c"]),
        sample([2.0, 1.0], ["a", "b"]),
        sample([1.0, 2.0, 2.0], ["a", "b", "b"]),
        sample([1.0, 2.0], ["a", "b"]).rename(columns={"job": "task"}),
        sample([1.0, 2.0], ["b", "a"]),
    ],
)
def test_a_digest_tells_other_content(other: pd.DataFrame) -> None:
    assert content_digest(other) != content_digest(sample([1.0, 2.0], ["a", "b"]))


def test_a_digest_knows_every_kind_of_column() -> None:
    frame = pd.DataFrame(
        {
            "duration": pd.to_timedelta([1, 2], unit="ns"),
            "message": pd.Series(["x", None], dtype="str"),
            "count": [1, 2],
            "odd": pd.Series([("a", 1), None], dtype=object),
            "cut": pd.Categorical(pd.Series(["\ud800", None], dtype=object)),
        }
    )
    digests = [content_digest(frame)]
    for column in frame.columns:
        changed = frame.copy()
        changed[column] = frame[column].iloc[::-1].reset_index(drop=True)
        digests.append(content_digest(changed))
    assert len(set(digests)) == 6


@given(st.lists(st.tuples(st.floats(), st.text(max_size=3)), max_size=8), st.randoms())
def test_equal_content_has_an_equal_digest(rows: list[tuple[float, str]], random: object) -> None:
    values, jobs = [value for value, _ in rows], [job for _, job in rows]
    frame = sample(values, jobs)
    spare = pd.concat([sample([0.0], ["spare"]), frame], ignore_index=True)
    assert content_digest(frame) == content_digest(sample(list(values), list(jobs)))
    assert content_digest(spare) != content_digest(frame)


@pytest.mark.parametrize("written_over", [{"x": 1}, "x", None, {}])
def test_attrs_that_somebody_wrote_over_are_no_provenance(written_over: object) -> None:
    frame = sample([1.0], ["a"])
    frame.attrs[ATTRIBUTE] = written_over
    assert of(frame) is None


def test_the_digest_of_lists_and_maps_counts_every_value_and_what_is_missing() -> None:
    kind = pa.map_(pa.string(), pa.string())
    rows = [[("a", "1"), ("b", None)], None, [], [("a", "12")], [("a1", "2")]]
    frame = pd.DataFrame({"x": pd.Series(pa.array(rows, kind), dtype=pd.ArrowDtype(kind))})
    digests = {content_digest(frame.iloc[[row]]) for row in range(len(rows))}
    assert len(digests) == len(rows)
    assert content_digest(frame.iloc[2:]) == content_digest(frame.iloc[2:].reset_index(drop=True).copy())
    times = pa.list_(pa.struct([("at", pa.timestamp("ns", tz="UTC")), ("name", pa.string())]))
    events = pd.DataFrame({"e": pd.Series(pa.array([[{"at": 1, "name": "x"}], []], times), dtype=pd.ArrowDtype(times))})
    assert content_digest(events) != content_digest(events.iloc[::-1])
    assert content_digest(frame.iloc[:0]) == content_digest(frame.iloc[:0].copy())
