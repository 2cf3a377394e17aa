"""The store of spans: order, tree, typed columns of the native layout, what is found by words, and why nothing is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from obs_magics.local.traceql.stored import attribute_values
from obs_magics.local.traceql.values import BOOL, FLOAT, INT, STRING
from obs_magics.local.traces.catalog import FolderTraceCatalog
from obs_magics.local.traces.native import columns_of, read_native, stored_spans
from obs_magics.local.traces.store import TraceStore, spans_of_files
from obs_magics.model.spans import ATTRIBUTES_TYPE, LINKS_TYPE, check_spans
from obs_magics.syntax.spans import VALUE_TYPES
from tests.support.traceql_reference import World
from tests.support.traceql_worlds import BASE, Row, store_of, worlds
from tests.support.traceql_worlds import columns_of as columns_of_rows

UTC = pa.timestamp("ns", tz="UTC")


def table(**columns: pa.Array) -> pa.Table:
    """Three spans of two traces, the later trace first."""
    data = {
        "trace_id": pa.array([f"{2:032x}", f"{1:032x}", f"{1:032x}"]),
        "span_id": pa.array([f"{number:016x}" for number in (1, 2, 3)]),
        "parent_id": pa.array([None, None, f"{2:016x}"]),
        "service": pa.array(["web", "api", None]).dictionary_encode(),
        "operation": pa.array(["b", "a", None]),
        "kind": pa.array(["server", "client", "nonsense"]),
        "start": pa.array([BASE + 9, BASE, BASE + 3], UTC),
        "duration": pa.array([5, 7, 1], pa.duration("ns")),
        "status": pa.array(["ok", "error", None]),
    }
    return pa.table(data | columns)


def test_columns_of_the_native_layout_keep_types_and_scopes(tmp_path: Path) -> None:
    wide = table(
        **{
            "http.response.status_code": pa.array([200, None, 2**53 + 1]),
            "ratio": pa.array([0.5, None, None]),
            "ok": pa.array([True, None, False]),
            "names": pa.array([["x"], None, None]),
            "when": pa.array([None, None, BASE], UTC),
            "k8s.pod.name": pa.array(["p1", "p1", "p2"]),
            "links": pa.array([[], [{"trace_id": f"{2:032x}", "span_id": f"{1:016x}"}], []], LINKS_TYPE),
        }
    )
    pq.write_table(wide, tmp_path / "spans.parquet")
    columns = read_native(tmp_path / "spans.parquet")
    assert columns.resources.texts_of("k8s.pod.name").to_pylist() == ["p1", "p2"]
    types = {
        name: set(columns.attributes.types[np.array(columns.attributes.keys.to_pylist()) == name])
        for name in wide.column_names
    }
    expected = {"http.response.status_code": "int", "ratio": "double", "ok": "bool", "names": "array", "when": "string"}
    assert {name: VALUE_TYPES[types[name].pop()] for name in expected} == expected
    codes = attribute_values(columns.attributes, "http.response.status_code")
    assert codes.numbers.tolist()[2] == 2**53 + 1
    assert codes.types.tolist() == [INT, 0, INT]
    assert attribute_values(columns.attributes, "ratio").types.tolist() == [FLOAT, 0, 0]
    assert attribute_values(columns.attributes, "ok").types.tolist() == [BOOL, 0, BOOL]
    frame = TraceStore(columns).frame(np.arange(2))
    check_spans(frame)
    assert frame["operation"].tolist() == ["a", "", "b"]
    assert frame["kind"].tolist()[::2] == ["client", "server"]
    assert pd.isna(frame["kind"][1])
    assert frame["status"].tolist() == ["error", "unset", "ok"]
    assert dict(frame["attributes"][1]) == {
        "http.response.status_code": str(2**53 + 1),
        "ok": "false",
        "when": frame["attributes"][1][2][1],
        "k8s.pod.name": "p2",
    }
    assert [len(links) for links in frame["links"]] == [1, 0, 0]
    assert stored_spans(tmp_path / "spans.parquet").count == 3


def test_maps_of_saved_frames_become_attributes() -> None:
    maps = pa.array([[("a", "1"), ("b", None)], None, [("c", "x")]], ATTRIBUTES_TYPE)
    whole = columns_of(table(attributes=maps, resource_attributes=pa.array([[("r", "y")]] * 3, ATTRIBUTES_TYPE)))
    frame = TraceStore(whole).frame(np.arange(2))
    assert [dict(one) for one in frame["attributes"]] == [{"r": "y"}, {"c": "x", "r": "y"}, {"a": "1", "r": "y"}]
    assert attribute_values(whole.attributes, "a").types.tolist() == [STRING, 0, 0]


def test_a_table_that_holds_no_spans_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"trace_id": pa.array(["1"])}), tmp_path / "spans.parquet")
    with pytest.raises(pa.ArrowInvalid, match=r"spans\.parquet has no column span_id and no column start"):
        read_native(tmp_path / "spans.parquet")


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_the_tree_is_that_of_a_walk_through_it(rows: list[Row]) -> None:
    world, store = World(rows), store_of(*rows)
    order = [(row.trace, row.span) for row in world.rows]
    ids = zip(store.columns.trace_id.to_pylist(), store.columns.span_id.to_pylist(), strict=True)
    assert [(int(trace, 16), int(span, 16)) for trace, span in ids] == order
    tree = store.tree
    for place, row in enumerate(world.rows):
        parent = world.parent[id(row)]
        assert tree.parent[place] == (-1 if parent is None else world.place[id(parent)])
        assert tree.children[place] == len(world.children(row))
        inside = (tree.left > tree.left[place]) & (tree.right < tree.right[place])
        assert set(np.flatnonzero(inside)) == {world.place[id(one)] for one in world.rows if row in world.above(one)}
    numbers = np.concatenate([tree.left, tree.right])
    assert sorted(numbers.tolist()) == list(range(1, 2 * len(rows) + 1))


def test_client_and_server_with_one_id() -> None:
    store = store_of(
        Row(1, kind="client", start=0),
        Row(1, kind="server", start=1, parent=None),
        Row(2, parent=1, start=2),
    )
    assert store.tree.parent.tolist() == [-1, 0, 1]


def test_an_empty_store() -> None:
    store = store_of()
    assert len(store) == store.traces == 0
    assert store.extent_ns is None
    assert store.tree.left.tolist() == []
    assert spans_of_files([]) is None
    assert spans_of_files([columns_of_rows([])]) is None


def test_deep_chains_are_no_recursion() -> None:
    store = store_of(*(Row(number, parent=number - 1 or None, start=number) for number in range(1, 3001)))
    assert store.tree.left.tolist() == list(range(1, 3001))
    ring = store_of(*(Row(number, parent=number % 3000 + 1, start=number) for number in range(1, 3001)))
    assert (ring.tree.parent < 0).sum() == 1


async def test_the_catalog() -> None:
    store = store_of(
        Row(1, service="web", name="b", attributes={"x": 5}, resource={"pod": "p"}),
        Row(2, service="api", name="a", attributes={"x": "y", "pod": "q"}),
        Row(3, service=None, name="c"),
    )
    catalog = FolderTraceCatalog(lambda: store)
    assert await catalog.services() == ["api", "web"]
    assert await catalog.operations() == ["a", "b", "c"]
    assert await catalog.operations("api") == ["a"]
    assert await catalog.operations("nope") == []
    assert await catalog.attribute_names() == ["resource.pod", "resource.service.name", "span.pod", "span.x"]
    assert await catalog.attribute_values("span.x") == ["5", "y"]
    assert await catalog.attribute_values("resource.pod") == ["p"]
    assert await catalog.attribute_values(".pod") == await catalog.attribute_values("pod") == ["p", "q"]
    assert await catalog.attribute_values("resource.service.name") == ["api", "web"]
    assert await catalog.attribute_values("span.service.name") == []
    assert await FolderTraceCatalog(lambda: None).services() == []
