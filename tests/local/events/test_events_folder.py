"""Events of folders: native ones, damaged ones, and those that have none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from obs_magics.local.block import assemble
from obs_magics.local.event_answers import NO_EVENTS
from obs_magics.local.native import FORMAT, VERSION, Manifest, write_folder
from obs_magics.local.settings import FolderSettings
from obs_magics.local.source import FolderSource
from obs_magics.model.errors import BadAnswer
from obs_magics.model.events import check_events
from obs_magics.model.query import EventsQuery
from obs_magics.model.sources import EventsSource
from obs_magics.model.time import HOUR, TimeRange

AT = pd.Timestamp("2026-11-22T14:12Z").value
TIME = pa.timestamp("ns", "UTC")
ASKED = EventsQuery(range=TimeRange(AT - HOUR, AT + HOUR), limit=10)


def table(**columns: pa.Array) -> pa.Table:
    base = {
        "timestamp": pa.array([AT], TIME),
        "kind": pa.array(["deployment"]),
        "title": pa.array(["cart@v2"]),
    }
    return pa.table({**base, **columns})


@pytest.fixture
def native(tmp_path: Path) -> Callable[..., FolderSource]:
    """Makes a native folder with this table of events."""

    def make(events: pa.Table, now: str = "") -> FolderSource:
        folder = tmp_path / "native"
        shutil.rmtree(folder, ignore_errors=True)
        write_folder(folder, assemble([]), Manifest(format=FORMAT, version=VERSION, now=now), {"events": events})
        return FolderSource("f", FolderSettings(path=str(folder)))

    return make


async def test_attributes_may_be_a_map_or_columns(native: Callable[..., FolderSource]) -> None:
    pairs = pa.array([[("by", "ann"), ("none", None)]], pa.map_(pa.string(), pa.string()))
    extra = table(
        attributes=pairs, label_kind=pa.array(["own"]), team=pa.array(["a"]), more=pa.array([None], pa.string())
    )
    source = native(extra)
    assert isinstance(source, EventsSource)
    found = (await source.events(ASKED)).frame
    check_events(found)
    assert found.iloc[0][["by", "label_kind", "team"]].tolist() == ["ann", "own", "a"]
    assert "none" not in found.columns
    assert source.now_ns() == AT  # events alone say what `now` is
    assert (await source.health()).detail.startswith("a folder, 1 event")


async def test_outside_of_the_range_there_is_nothing_and_it_is_said(native: Callable[..., FolderSource]) -> None:
    late = EventsQuery(range=TimeRange(AT + 1, AT + HOUR), limit=10)
    found = await native(table()).events(late)
    assert found.empty_reason == (
        "none of the 1 events here lies in the time asked for: they are at 2026-11-22 14:12:00 UTC"
    )


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda events: events.drop_columns(["title"]), "has no column title"),
        (lambda events: events.set_column(1, "kind", pa.array(["odd"])), "a kind that is none: 'odd'"),
        (lambda events: events.set_column(0, "timestamp", pa.array([None], TIME)), "has no time"),
    ],
)
async def test_a_table_that_is_none_of_events_says_what_is_wrong(
    native: Callable[..., FolderSource], damage: Callable[[pa.Table], pa.Table], said: str
) -> None:
    source = native(table(), "2026-11-22T16:00:00Z")
    source.contents()  # events are read when they are asked for
    pq.write_table(damage(table()), source.path / "events.parquet")
    with pytest.raises(BadAnswer, match=said) as caught:
        await source.events(ASKED)
    assert "changed or damaged" in caught.value.hint


async def test_a_folder_without_events_says_so(tmp_path: Path) -> None:
    (tmp_path / "up.prom").write_text("up 1 1795363200000\n")
    found = await FolderSource("f", FolderSettings(path=str(tmp_path))).events(ASKED)
    check_events(found.frame)
    assert found.empty_reason == NO_EVENTS


async def test_of_a_folder_with_metrics_too_the_last_sample_is_now(tmp_path: Path) -> None:
    (tmp_path / "up.prom").write_text(f"up 1 {AT // 10**6}\n")
    (tmp_path / "plans.json").write_text('[{"time": "2027-01-01", "kind": "annotation", "title": "freeze"}]')
    source = FolderSource("f", FolderSettings(path=str(tmp_path)))
    assert source.now_ns() == AT
    assert (await source.health()).detail.startswith("2 files, 1 series, 1 event.")
