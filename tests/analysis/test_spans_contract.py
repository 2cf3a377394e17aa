"""The analysis of spans on recorded traces of real servers, and on the demo world."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.demo_spans import demo_spans, traces_with
from support.recorded_spans import recorded_frames
from support.trace_reference import critical_paths, forest, self_times

from obs_magics import demo
from obs_magics.analysis import spans as engine


@pytest.fixture(scope="module")
def world() -> pd.DataFrame:
    return demo_spans(demo.open())


@pytest.fixture(scope="module")
def slow(world: pd.DataFrame) -> pd.DataFrame:
    return traces_with(world, "checkout-api", pd.Timedelta(5, "s"))


@pytest.mark.contract
def test_every_recorded_span_equals_the_reference(shared: Path) -> None:
    spans, names = 0, []
    for name, data in recorded_frames(shared / "contracts"):
        tree = engine.span_tree(data)
        if tree.duplicates or tree.cycles:
            parents: list[int] | None = tree.parent.tolist()
        else:
            parents = None
        for touching in (True, False):
            found = engine.critical_path(data, touching=touching, tree=tree)
            ours = zip(found["row"], found["start"].astype("int64"), found["end"].astype("int64"), strict=True)
            assert sorted(ours) == sorted(critical_paths(forest(data, parents), touching=touching)), name
        if len(data) < 1_000:
            assert engine.self_time(data, tree=tree).astype("int64").to_dict() == self_times(forest(data, parents)), (
                name
            )
        spans += len(data)
        names.append(name)
    assert spans > 300
    assert {name.partition("/")[0] for name in names} == {"tempo", "victoria-traces", "jaeger"}


@pytest.mark.contract
def test_every_analysis_stands_every_recording(shared: Path) -> None:
    for name, data in recorded_frames(shared / "contracts"):
        summary = engine.summarize_traces(data)
        assert (summary.spans, summary.traces) == (len(data), data["trace_id"].nunique()), name
        assert engine.trace_table(data)["spans"].sum() == len(data)
        for by in ("service", "operation", "query"):
            assert engine.bottlenecks(data, by)["share"].sum() <= 1 + 1e-9
        engine.call_graph(data)
        engine.services(data)
        engine.error_origins(data)
        engine.attribute_table(data)
        engine.advise_traces(data, summary=summary)
        assert len(engine.corrected(data)[0]) == len(data)


def test_every_demo_span_equals_the_reference(world: pd.DataFrame) -> None:
    part = world[world["trace_id"].isin(world["trace_id"].unique()[::20])].reset_index(drop=True)
    found = engine.critical_path(part)
    ours = zip(found["row"], found["start"].astype("int64"), found["end"].astype("int64"), strict=True)
    assert sorted(ours) == sorted(critical_paths(forest(part)))


def test_slow_checkouts_are_the_inventory_query_since_twenty_to_one(slow: pd.DataFrame) -> None:
    found = engine.summarize_traces(slow, start=pd.Timestamp("2026-11-22T10:00:00Z"))
    assert found.bottleneck is not None
    assert found.bottleneck.step is not None
    assert found.bottleneck.service == "inventory-service"
    assert found.bottleneck.share > 0.8
    assert found.bottleneck.step.text == "SELECT * FROM inventory WHERE sku IN (<*>)"
    assert 4 < found.bottleneck.step.average.total_seconds() < 6
    assert found.bottleneck.since is not None
    assert pd.Timestamp(found.bottleneck.since).isoformat() == "2026-11-22T12:40:00+00:00"
    assert next(iter(engine.advise_traces(slow, summary=found))).key == "missing_index"
    assert engine.summarize_traces(slow).bottleneck.since is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("begin", "end", "service", "since"),
    [
        ("12:00", "13:00", "inventory-service", "12:40"),
        ("12:30", "13:00", "inventory-service", "12:40"),
        ("12:00", "12:44", "inventory-service", "12:40"),
        ("12:42", "12:58", "inventory-service", None),
        ("14:00", "15:00", "payment-api", "14:15"),
        ("10:00", "12:00", "payment-api", None),
        ("10:00", "16:00", "inventory-service", "12:40"),
    ],
)
def test_a_change_is_dated_within_any_window(
    world: pd.DataFrame, begin: str, end: str, service: str, since: str | None
) -> None:
    checkouts = world[world["trace_id"].isin(world.loc[world["service"] == "checkout-api", "trace_id"])]
    first = checkouts.groupby("trace_id", sort=False)["start"].transform("min")
    day = "2026-11-22T"
    inside = (first >= pd.Timestamp(f"{day}{begin}Z")) & (first < pd.Timestamp(f"{day}{end}Z"))
    top = engine.bottlenecks(checkouts[inside].reset_index(drop=True)).iloc[0]
    assert top["service"] == service
    found = None if pd.isna(top["since"]) else pd.Timestamp(top["since"])
    if since is None:
        assert found is None
    else:
        assert found is not None
        assert abs((found - pd.Timestamp(f"{day}{since}Z")).total_seconds()) <= 120


def test_failing_payments_come_from_the_pool(world: pd.DataFrame) -> None:
    origin = engine.error_origins(world).iloc[0]
    assert origin[["service", "operation", "message", "share"]].tolist() == [
        "payment-api", "redis.pool.acquire", "Connection pool exhausted", 1.0,
    ]  # fmt: skip
    found = engine.timeouts(world).set_index("operation")["timeout"]
    assert found.to_dict() == {"redis.pool.acquire": pd.Timedelta(2, "s"), "GET payment-api": pd.Timedelta(30, "s")}


def test_the_demo_worlds_graph_is_that_of_its_story(world: pd.DataFrame) -> None:
    graph = engine.call_graph(world).set_index(["caller", "callee"])
    edges = set(graph.index)
    assert {
        ("api-gateway", "checkout-api"), ("checkout-api", "inventory-service"), ("inventory-service", "postgresql"),
        ("order-service", "notification-service"), ("payment-api", "provider.example.com"), ("payment-api", "redis"),
    } <= edges  # fmt: skip
    assert graph.loc[("order-service", "notification-service"), "kind"] == "messaging"
    assert ("order-service", "redis") not in edges
    network = graph["network"].dropna()
    assert len(network) >= 8
    assert network.between(pd.Timedelta(500, "us"), pd.Timedelta(3, "ms")).all()
    assert engine.corrected(world)[1] == ()


def test_all_analyses_together_are_quick(world: pd.DataFrame) -> None:
    spent = engine.critical_time(world).sum()
    roots = world["duration"][engine.span_tree(world).roots].sum()
    assert spent == roots
    assert np.isclose(engine.bottlenecks(world)["share"].sum(), 1)
