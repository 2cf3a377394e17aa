"""The table of measures, row by row: each fits what it is for, and gives a query that our engine answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.measure_worlds import services_of, value_of, worlds_for

from obs_magics.language.measures import MEASURES, TABLE, Resolver, Row, measure_named
from obs_magics.local.source import FolderSource
from obs_magics.model.errors import QueryError
from obs_magics.syntax.promql import parse

ROWS = list(enumerate(TABLE))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, FolderSource]]:
    """A source for each row of the table, by its place."""
    found: dict[int, FolderSource] = {}
    for world, places in worlds_for(TABLE):
        source = world.source(tmp_path_factory.mktemp("world"))
        found |= dict.fromkeys(places, source)
    yield found
    for source in {id(source): source for source in found.values()}.values():
        source.contents().connection.close()


def expected(row: Row) -> float | None:
    """What the world of a row says, where that is easily told."""
    if row.measure == "error_rate" and "$failed" in row.query:
        return 0.25
    if row.measure == "throughput" and "+" not in row.query:
        return 4.0
    return 0.4 if row.series == "summary" else None


@pytest.mark.parametrize(("place", "row"), ROWS, ids=[f"{row.measure}: {row.name}" for row in TABLE])
async def test_every_row_gives_a_query_that_parses_and_is_answered(
    place: int, row: Row, sources: dict[int, FolderSource]
) -> None:
    source = sources[place]
    first, second = services_of(place)
    measure = measure_named("latency_p99" if row.measure == "latency" else row.measure)
    resolver = Resolver(source.catalog)
    found = await resolver.resolve(measure, first, using=row.name)
    together = [one for one in await resolver.every(measure, [first, second]) if one.row == row.name]
    assert {name for one in together for name in one.services} == {first, second}
    for one in (found, *together):
        assert "$" not in one.query.replace("$__rate_interval", "")
        parse(one.query.replace("$__rate_interval", "1m"))
    if row.series == "native":
        with pytest.raises(QueryError, match="rate on native histograms is not supported"):
            await value_of(source, found.query)
        return
    values = await value_of(source, found.query)
    assert len(values) == 1, (found.query, values)
    value = next(iter(values.values()))
    if row.measure == "latency":
        assert 0.1 < value <= 1.0  # in seconds, whatever the metric's own unit
    if (right := expected(row)) is not None:
        assert value == pytest.approx(right, rel=0.01)
    assert len(await value_of(source, together[0].query)) == 2


def test_rows_of_a_measure_have_names_of_their_own() -> None:
    keys = [(row.measure, row.name) for row in TABLE]
    assert len(set(keys)) == len(keys), sorted({key for key in keys if keys.count(key) > 1})


def test_every_measure_has_rows_and_every_row_a_measure() -> None:
    assert {row.measure for row in TABLE} == {measure.name for measure in MEASURES} | {"latency"}


def test_the_documentation_has_every_metric_of_the_table() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "measures.md").read_text(encoding="utf-8")
    missing = {name for row in TABLE for name in row.metrics if f"`{name}`" not in text}
    assert not missing
    assert not {measure.name for measure in MEASURES if f"`{measure.name}`" not in text}
