"""Self time and critical paths: the corners one by one, then everything against the recursive reference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from support.patience import least_seconds
from support.span_worlds import BASE, MS, frame, rows_of, span, worlds
from support.trace_reference import critical_paths, forest, self_times

from obs_magics.analysis.spans import critical_path, critical_time, self_time, span_tree
from obs_magics.model.spans import empty_spans


def pieces(data: pd.DataFrame, **options: bool) -> list[tuple[str, float, float]]:
    """Operation, start and end in milliseconds."""
    found = critical_path(data, **options)
    names = data["operation"].astype(str).to_numpy()[found["row"]]
    begins, ends = ((found[name].astype("int64").to_numpy() - BASE) / MS for name in ("start", "end"))
    return list(zip(names.tolist(), begins.tolist(), ends.tolist(), strict=True))


def test_the_last_to_finish_is_followed_back_to_the_start() -> None:
    data = frame(span("a", None, 0, 100), span("b", "a", 10, 40), span("c", "a", 50, 90), span("d", "c", 60, 80))
    assert pieces(data) == [
        ("a", 0, 10),
        ("b", 10, 40),
        ("a", 40, 50),
        ("c", 50, 60),
        ("d", 60, 80),
        ("c", 80, 90),
        ("a", 90, 100),
    ]


def test_what_runs_beside_a_longer_sibling_is_not_on_the_path() -> None:
    data = frame(span("a", None, 0, 100), span("b", "a", 10, 50), span("c", "a", 20, 90))
    assert pieces(data) == [("a", 0, 20), ("c", 20, 90), ("a", 90, 100)]


def test_back_to_back_siblings_follow_each_other() -> None:
    data = frame(span("a", None, 0, 30), span("b", "a", 0, 10), span("c", "a", 10, 20), span("d", "a", 20, 30))
    assert pieces(data) == [("b", 0, 10), ("c", 10, 20), ("d", 20, 30)]


def test_back_to_back_siblings_are_passed_over_by_jaegers_rule() -> None:
    data = frame(span("a", None, 0, 30), span("b", "a", 0, 9), span("c", "a", 10, 20), span("d", "a", 20, 30))
    assert pieces(data, touching=False) == [("b", 0, 9), ("a", 9, 20), ("d", 20, 30)]


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        pytest.param((5, 40), [("a", 0, 5), ("b", 5, 30)], id="outlasts its parent"),
        pytest.param((-5, 20), [("b", 0, 20), ("a", 20, 30)], id="begins before it"),
        pytest.param((-5, 40), [("b", 0, 30)], id="both"),
        pytest.param((30, 40), [("a", 0, 30)], id="begins when it ends"),
        pytest.param((-9, 0), [("a", 0, 30)], id="ends when it begins"),
        pytest.param((50, 60), [("a", 0, 30)], id="is later"),
    ],
)
def test_children_count_as_far_as_they_lie_within(
    child: tuple[float, float], expected: list[tuple[str, float, float]]
) -> None:
    assert pieces(frame(span("a", None, 0, 30), span("b", "a", *child))) == expected


def test_what_hangs_below_a_child_left_out_is_left_out_too() -> None:
    data = frame(span("a", None, 0, 30), span("b", "a", 40, 50), span("c", "b", 5, 10))
    assert pieces(data) == [("a", 0, 30)]


def test_a_grandchild_is_cut_by_all_above_it() -> None:
    data = frame(span("a", None, 0, 30), span("b", "a", 10, 60), span("c", "b", 20, 50))
    assert pieces(data) == [("a", 0, 10), ("b", 10, 20), ("c", 20, 30)]


@pytest.mark.parametrize("kind", ["producer", "consumer"])
def test_asynchronous_children_block_nobody(kind: str) -> None:
    data = frame(span("a", None, 0, 30), span("b", "a", 10, 60, kind=kind), span("c", "b", 12, 25, kind="client"))
    assert pieces(data) == [("a", 0, 30)]


def test_an_asynchronous_root_has_a_path() -> None:
    data = frame(span("a", None, 0, 30, kind="consumer"), span("b", "a", 10, 30, kind="client"))
    assert pieces(data) == [("a", 0, 10), ("b", 10, 30)]


def test_of_equal_ends_the_one_that_began_first_is_followed() -> None:
    data = frame(span("a", None, 0, 30), span("b", "a", 5, 30), span("c", "a", 10, 30))
    assert pieces(data) == [("a", 0, 5), ("b", 5, 30)]


def test_spans_without_length_own_nothing_and_stop_nobody() -> None:
    data = frame(
        span("a", None, 0, 30), span("b", "a", 5, 20), span("c", "a", 20, 20), span("d", "a", 20, 20),
        span("e", "c", 20, 20),
    )  # fmt: skip
    assert pieces(data) == [("a", 0, 5), ("b", 5, 20), ("a", 20, 30)]
    assert pieces(frame(span("a", None, 5, 5), span("b", "a", 5, 5))) == []


def test_every_root_has_a_path_of_its_own() -> None:
    data = frame(span("a", None, 0, 10), span("b", "f00d", 20, 40), span("c", "b", 25, 30), span("d", trace="2"))
    assert pieces(data) == [("a", 0, 10), ("b", 20, 25), ("c", 25, 30), ("b", 30, 40), ("d", 0, 10)]


def test_the_table_names_traces_and_rows() -> None:
    data = frame(span("a", None, 0, 30), span("b", "a", 5, 20))
    found = critical_path(data)
    assert list(found.columns) == ["trace_id", "row", "start", "end", "duration"]
    assert found["trace_id"].tolist() == [data["trace_id"][0]] * 3
    assert found["row"].tolist() == [0, 1, 0]
    assert found["duration"].tolist() == [pd.Timedelta(ms, "ms") for ms in (5, 15, 10)]
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == {
        "trace_id": "str",
        "row": "int64",
        "start": "datetime64[ns, UTC]",
        "end": "datetime64[ns, UTC]",
        "duration": "timedelta64[ns]",
    }
    assert critical_time(data).tolist() == [pd.Timedelta(ms, "ms") for ms in (15, 15)]


def test_no_spans_have_no_path() -> None:
    assert critical_path(empty_spans()).empty
    assert self_time(empty_spans()).empty
    assert critical_time(empty_spans()).empty


def test_self_time_is_what_no_child_covers() -> None:
    data = frame(
        span("a", None, 0, 100), span("b", "a", 10, 50), span("c", "a", 40, 60), span("d", "a", 90, 120),
        span("e", "a", 42, 45), span("f", "a", 200, 300), span("g", "f", 210, 220, kind="consumer"),
    )  # fmt: skip
    rows = rows_of(data)
    found = (self_time(data) / pd.Timedelta(1, "ms")).round().astype(int)
    assert {name: found[row] for name, row in rows.items()} == {
        "a": 40, "b": 40, "c": 20, "d": 30, "e": 3, "f": 90, "g": 10,
    }  # fmt: skip


def test_times_at_the_end_of_time_do_not_wrap() -> None:
    data = frame(span("a", None, 0, 30), span("b", "a", 5, 20))
    data["duration"] = pd.to_timedelta(pd.Series([np.iinfo(np.int64).max, 15 * MS]))
    data.loc[1, "duration"] = pd.Timedelta(np.iinfo(np.int64).max, "ns")
    assert pieces(data)[0] == ("a", 0, 5)
    assert (self_time(data) >= pd.Timedelta(0)).all()


@given(worlds())
def test_critical_paths_equal_the_reference(data: pd.DataFrame) -> None:
    for touching in (True, False):
        found = critical_path(data, touching=touching)
        ours = zip(
            found["row"].tolist(), found["start"].astype("int64").tolist(), found["end"].astype("int64").tolist(),
            strict=True,
        )  # fmt: skip
        assert sorted(ours) == sorted(critical_paths(forest(data), touching=touching))


@given(worlds())
def test_the_pieces_of_a_root_add_up_to_its_duration(data: pd.DataFrame) -> None:
    tree, found = span_tree(data), critical_path(data)
    spent = found.groupby(tree.root[found["row"]])["duration"].sum()
    for root in tree.roots:
        assert spent.get(root, pd.Timedelta(0)) == data["duration"][root]
    ends = found.groupby(tree.root[found["row"]])["end"].shift()
    assert ((ends == found["start"]) | ends.isna()).all()


@given(worlds())
def test_self_times_equal_the_reference(data: pd.DataFrame) -> None:
    found = self_time(data).astype("int64")
    assert found.to_dict() == self_times(forest(data))


@given(worlds(rings=True))
def test_rings_do_no_harm(data: pd.DataFrame) -> None:
    tree = span_tree(data)
    assert set(tree.trace[tree.roots].tolist()) == set(tree.trace.tolist())
    found = critical_path(data, tree=tree)
    ours = zip(found["row"], found["start"].astype("int64"), found["end"].astype("int64"), strict=True)
    assert sorted(ours) == sorted(critical_paths(forest(data, tree.parent.tolist())))


def test_long_chains_and_wide_fans_are_quick() -> None:
    chain = frame(*(span(f"{n + 1:x}", f"{n:x}" if n else None, n / 1000, 20 - n / 1000) for n in range(3000)))
    fan = frame(
        span("1", None, 0, 3000), *(span(f"{n + 2:x}", "1", n, n + 1) for n in range(3000))
    )  # fmt: skip
    for data in (chain, fan):
        found = critical_path(data)
        assert least_seconds(lambda data=data: critical_path(data), 0.1, tries=10) < 0.1
        ours = zip(found["row"], found["start"].astype("int64"), found["end"].astype("int64"), strict=True)
        assert sorted(ours) == sorted(critical_paths(forest(data)))
