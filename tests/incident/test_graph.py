"""Who calls whom around a service; and many questions at once."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.span_worlds import frame, span

from obs_magics.incident.graph import CONFIGURED, distances, neighbours, pairs, topology
from obs_magics.incident.parts import Parts, both
from obs_magics.model.errors import SourceUnavailable
from obs_magics.model.sources import Progress, no_progress
from obs_magics.net.tasks import together

SPANS = frame(
    span("a1", service="gateway", kind="server", end=100),
    span("a2", "a1", 10, 90, service="pay", kind="server", status="error"),
    span("a3", "a2", 20, 80, service="pay", kind="client", attributes={"db.system": "postgresql"}),
    span("a4", "a1", 10, 90, service="gateway", kind="client"),
    span("a5", "a4", 20, 80, service="pay", kind="server"),
)


def test_the_graph_of_spans_with_stores_as_metrics_call_them() -> None:
    edges = topology(SPANS, {}, {"postgres", "pay", "gateway"})
    assert edges[["caller", "callee", "kind", "calls", "errors"]].to_numpy().tolist() == [
        ["gateway", "pay", "service", 2, 1],
        ["pay", "postgres", "database", 1, 0],
    ]
    unclear = topology(SPANS, {}, {"postgres", "postgresql-ha"})
    assert pairs(unclear) == [("gateway", "pay"), ("pay", "postgresql")]


def test_the_configuration_adds_calls_that_no_span_tells() -> None:
    edges = topology(None, {"pay": ("bank", "pay-db"), "shop": ("pay",)}, ())
    assert pairs(edges) == [("pay", "bank"), ("pay", "pay-db"), ("shop", "pay")]
    assert set(edges["kind"]) == {CONFIGURED}
    both_known = topology(SPANS, {"gateway": ("pay",)}, ())
    assert both_known["calls"].tolist()[0] == 2
    assert topology(None, {}, ()).empty


def test_neighbours_are_callers_and_callees_with_most_calls_first() -> None:
    edges = topology(SPANS, {"pay": ("bank",)}, ())
    near = neighbours(edges, "pay", 12)
    assert near[["service", "direction"]].to_numpy().tolist() == [
        ["gateway", "callers"],
        ["postgresql", "callees"],
        ["bank", "callees"],
    ]
    assert len(neighbours(edges, "pay", 1)) == 1
    assert neighbours(edges, "nobody", 12).empty


@given(st.lists(st.tuples(st.sampled_from("abcdefg"), st.sampled_from("abcdefg")), max_size=20))
def test_distances_grow_by_one_along_every_call(edges: list[tuple[str, str]]) -> None:
    found = distances(edges, "a")
    assert found["a"] == 0
    for caller, callee in edges:
        assert (caller in found) == (callee in found)
        if caller in found:
            assert abs(found[caller] - found[callee]) <= 1
    assert all(distance == 0 or distance - 1 in found.values() for distance in found.values())


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_fails_is_named_in_the_order_in_which_it_was_asked_for() -> None:
    told: list[Progress] = []
    done: list[str] = []
    parts = Parts(told.append)

    async def part(*, fails: bool, slow: bool = False) -> int:
        while slow and len(parts.failed) + len(done) < 2:
            await asyncio.sleep(0)
        if fails:
            raise SourceUnavailable("nobody there", where="prom")
        done.append("good")
        return 1

    answers = await together(
        [
            parts.run("slow", part(fails=True, slow=True)),
            parts.run("good", part(fails=False)),
            parts.run("quick", part(fails=True)),
        ]
    )
    assert answers == [None, 1, None]
    assert parts.failed == ("slow: prom: nobody there", "quick: prom: nobody there")
    parts.note("no source has logs")
    assert parts.failed[-1] == "no source has logs"
    assert told[-1] == Progress(3, 3, 0, "slow")
    assert [one.done for one in told] == sorted(one.done for one in told)


@pytest.mark.parametrize("many", [True, False])
async def test_a_fault_of_ours_ends_the_others(many: bool) -> None:
    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("waits")

    async def breaks() -> None:
        await asyncio.sleep(0)
        raise RuntimeError("a fault")

    work = together([waits(), breaks()]) if many else both(waits(), breaks())
    with pytest.raises(RuntimeError, match="a fault"):
        await work
    await asyncio.sleep(0)
    assert ended == ["waits"]
    assert Parts(no_progress).failed == ()
