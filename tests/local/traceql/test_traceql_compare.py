"""`compare()`: the values of a selection of spans and of the others, counted over time."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.traceql_worlds import BASE, Row, store_of, worlds

from obs_magics.local.traceql.metrics import numbers
from obs_magics.model.time import SECOND
from obs_magics.syntax.traceql import parse

META = "__meta_type"
Found = dict[tuple[str, str, str], list[float]]


def asked(text: str, *rows: Row, seconds: int = 120, step: int = 60) -> Found:
    """The points of each series, by side, attribute and value."""
    end = BASE + seconds * SECOND
    found = numbers(parse(text), text, store_of(*rows), start_ns=BASE, end_ns=end, step_ns=step * SECOND)
    series = {}
    for labels, values in zip(found.labels, found.values, strict=True):
        ((name, text),) = ((name, text) for name, text in labels.items() if name != META)
        series[labels[META], name, text] = values.tolist()
    return series


ROWS = [
    Row(1, start=10 * SECOND, status="error", attributes={"code": 500, "region": "eu"}, resource={"version": "v2"}),
    Row(2, start=20 * SECOND, attributes={"code": 200, "region": "eu"}, resource={"version": "v1"}),
    Row(3, start=70 * SECOND, status="error", attributes={"code": 500, "slow": True}, resource={"version": "v2"}),
    Row(4, start=80 * SECOND, attributes={"code": 200, "region": "us", "ratio": 0.5}, kind="client"),
]


def test_values_are_counted_on_both_sides() -> None:
    found = asked("{ } | compare({ status = error }, 5)", *ROWS)
    assert found["selection", "span.code", "500"] == [0, 1, 1]
    assert found["selection_total", "span.code", "nil"] == [0, 1, 1]
    assert found["baseline", "span.code", "200"] == [0, 1, 1]
    assert found["baseline", "span.region", "us"] == [0, 0, 1]
    assert found["baseline_total", "span.region", "nil"] == [0, 1, 1]
    assert found["selection_total", "span.region", "nil"] == [0, 1, 0]
    assert found["selection", "resource.version", "v2"] == [0, 1, 1]
    assert found["selection", "span.slow", "true"] == [0, 0, 1]
    assert found["baseline", "span.ratio", "0.5"] == [0, 0, 1]
    assert found["baseline", "kind", "client"] == [0, 0, 1]
    assert found["selection", "status", "error"] == [0, 1, 1]
    assert found["selection", "resource.service.name", "shop"] == [0, 1, 1]
    assert not [name for _, name, _ in found if "uration" in name or name in ("traceID", "spanID")]


def test_the_most_frequent_values_and_a_window() -> None:
    rows = [Row(n, start=n * SECOND, attributes={"n": n % 4 if n < 50 else 9}) for n in range(1, 60)]
    found = asked("{ } | compare({ name = `op` }, 2)", *rows)
    assert [value for side, name, value in found if (side, name) == ("selection", "span.n")] == ["1", "0"]
    assert sum(found["selection_total", "span.n", "nil"]) == 59
    window = f"{{ }} | compare({{ name = `op` }}, 2, {BASE + 10 * SECOND}, {BASE + 20 * SECOND})"
    found = asked(window, *rows)
    assert sum(found["selection_total", "name", "nil"]) == 10
    assert sum(found["baseline_total", "name", "nil"]) == 49
    assert asked("{ name = `none` } | compare({ status = error })", *rows) == {}


@settings(max_examples=60, deadline=None)
@given(worlds(), st.integers(1, 3))
def test_every_span_counts_once_a_side(rows: list[Row], most: int) -> None:
    found = asked(f"{{ }} | compare({{ status = error }}, {most})", *rows, seconds=600, step=600)
    for side, chosen in {
        "selection": [row for row in rows if row.status == "error"],
        "baseline": [row for row in rows if row.status != "error"],
    }.items():
        counts = Counter(row.name for row in chosen)
        told = {name: sum(values) for (of, what, name), values in found.items() if (of, what) == (side, "name")}
        assert sum(found.get((f"{side}_total", "name", "nil"), [0])) == pytest.approx(len(chosen))
        assert sorted(told.values()) == sorted(sorted(counts.values())[-most:])
        assert all(counts[name] == count for name, count in told.items())
