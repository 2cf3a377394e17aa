"""Parents, roots, depth and order of spans, however broken the traces are."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from support.span_worlds import frame, rows_of, span, worlds
from support.trace_reference import Node, forest

from obs_magics.analysis.spans import span_tree
from obs_magics.model.logs import text_column
from obs_magics.model.spans import empty_spans


def test_a_tree_knows_parents_roots_depth_and_children() -> None:
    data = frame(span("a"), span("b", "a", 1), span("c", "b", 2), span("d", "a", 3), span("e", trace="2", start=4))
    rows, tree = rows_of(data), span_tree(data)
    assert len(tree) == 5
    assert tree.trace_ids == (data["trace_id"][0], data["trace_id"][4])
    assert tree.parent.tolist() == [-1, rows["a"], rows["b"], rows["a"], -1]
    assert tree.roots.tolist() == [rows["a"], rows["e"]]
    assert tree.depth.tolist() == [0, 1, 2, 1, 0]
    assert tree.root.tolist() == [0, 0, 0, 0, 4]
    assert tree.children_of(rows["a"]).tolist() == [rows["b"], rows["d"]]
    assert tree.children_count.tolist() == [2, 1, 0, 0, 0]
    assert tree.sizes.tolist() == [4, 2, 1, 1, 1]
    assert (tree.missing, tree.cycles, tree.duplicates) == (0, 0, 0)


def test_a_waterfall_goes_down_before_it_goes_on() -> None:
    data = frame(
        span("a"), span("b", "a", 1), span("c", "a", 2), span("d", "b", 3), span("e", "c", 4), span("f", "b", 5)
    )
    assert data["operation"].iloc[span_tree(data).walk].tolist() == ["a", "b", "d", "f", "c", "e"]


def test_a_missing_parent_makes_a_root() -> None:
    tree = span_tree(frame(span("a"), span("b", "dead", 1), span("c", "b", 2)))
    assert tree.parent.tolist() == [-1, -1, 1]
    assert tree.missing == 1


def test_an_id_of_another_trace_is_no_parent() -> None:
    tree = span_tree(frame(span("a"), span("b", "a", 1, trace="2")))
    assert tree.parent.tolist() == [-1, -1]
    assert tree.missing == 1


def test_two_traces_may_use_the_same_ids() -> None:
    tree = span_tree(frame(span("a"), span("b", "a", 1), span("a", trace="2", start=5), span("b", "a", 6, trace="2")))
    assert tree.parent.tolist() == [-1, 0, -1, 2]
    assert (tree.missing, tree.duplicates) == (0, 0)


def test_a_span_that_is_its_own_parent_is_a_root() -> None:
    tree = span_tree(frame(span("a", "a"), span("b", "a", 1)))
    assert tree.parent.tolist() == [-1, 0]
    assert tree.cycles == 1


def test_a_ring_is_broken_at_its_first_span() -> None:
    tree = span_tree(frame(span("a", "c"), span("b", "a", 1), span("c", "b", 2), span("d", "c", 3), span("e", start=4)))
    assert tree.parent.tolist() == [-1, 0, 1, 2, -1]
    assert tree.cycles == 3


def test_children_of_an_id_that_occurs_twice_hang_on_its_first_span() -> None:
    tree = span_tree(frame(span("a"), span("a", start=1), span("b", "a", 2)))
    assert tree.parent.tolist() == [-1, -1, 0]
    assert tree.duplicates == 1


def test_a_server_that_shares_its_id_with_a_client_hangs_on_it() -> None:
    tree = span_tree(
        frame(
            span("a"),
            span("b", "a", 1, operation="call", kind="client"),
            span("b", "a", 2, operation="work", kind="server"),
            span("c", "b", 3),
        )
    )
    assert tree.parent.tolist() == [-1, 0, 1, 2]
    assert tree.duplicates == 1


@pytest.mark.parametrize(
    "ids", [["x", "y"], ["é" * 8, "y" * 16], ["0 " * 8, "0" * 16], ["aa" + " " * 14, "bb" + " " * 14]]
)
def test_ids_of_any_form_find_each_other(ids: list[str]) -> None:
    data = frame(span("a"), span("b", "a", 1))
    data["span_id"] = text_column(pa.array(ids))
    data["parent_id"] = text_column(pa.array([None, ids[0]]))
    assert span_tree(data).parent.tolist() == [-1, 0]


def test_rows_of_any_order_find_each_other() -> None:
    data = frame(span("a"), span("b", "a", 1), span("c", "b", 2)).iloc[::-1]
    assert span_tree(data).parent.tolist() == [1, 2, -1]


def test_no_spans_make_no_tree() -> None:
    tree = span_tree(empty_spans())
    assert len(tree) == 0
    for part in (tree.roots, tree.depth, tree.root, tree.order, tree.walk, tree.sizes):
        assert not len(part)


@given(worlds())
def test_trees_equal_those_found_span_by_span(data: pd.DataFrame) -> None:
    tree = span_tree(data)
    walk: list[int] = []

    def visit(node: Node, parent: int, depth: int) -> int:
        assert (tree.parent[node.row], tree.depth[node.row]) == (parent, depth)
        assert tree.children_of(node.row).tolist() == [child.row for child in node.children]
        walk.append(node.row)
        size = 1 + sum(visit(child, node.row, depth + 1) for child in node.children)
        assert tree.sizes[node.row] == size
        return size

    for root in forest(data):
        visit(root, -1, 0)
    assert tree.walk.tolist() == walk


@given(worlds(rings=True))
def test_no_span_is_below_itself(data: pd.DataFrame) -> None:
    tree = span_tree(data)
    assert sorted(tree.walk.tolist()) == list(range(len(data)))
    assert (tree.depth[tree.parent >= 0] == tree.depth[tree.parent[tree.parent >= 0]] + 1).all()
