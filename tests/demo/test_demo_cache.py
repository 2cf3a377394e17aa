"""The demo world is built once, is the same each time, and is built again when something happened to it."""

from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from obs_magics import demo
from obs_magics.demo import cache
from obs_magics.demo.world import chance, clock, requests
from obs_magics.demo.world.build import build
from obs_magics.local.settings import FolderSettings
from obs_magics.local.source import FolderSource
from obs_magics.model.errors import ObsError, UsageError
from obs_magics.model.sources import Progress
from obs_magics.model.time import SECOND


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_it_is_the_same_byte_for_byte_and_small(world: Path, tmp_path: Path) -> None:
    told: list[Progress] = []
    build(tmp_path, progress=told.append)
    assert _digests(tmp_path) == _digests(world)
    assert sum(path.stat().st_size for path in world.rglob("*") if path.is_file()) < 40_000_000
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert told[-1].done == told[-1].total
    assert told[-1].rows > 4_000_000


async def test_less_detail_is_a_world_too(tmp_path: Path) -> None:
    build(tmp_path, hours=1)
    short = FolderSource("short", FolderSettings(path=str(tmp_path)))
    store = short.contents().store
    assert store.samples_end_ms == pytest.approx(clock.at("16:00"), abs=clock.SCRAPE_MS)
    assert (await short.catalog.label_values("service", "http_requests_total"))[0] == "api-gateway"
    await short.close()


def test_it_is_opened_from_the_cache_without_building(world: Path, world_cache: Path) -> None:
    told: list[Progress] = []
    assert cache.open_world(told.append, folder=world_cache) == world
    assert told == []
    assert [path.name for path in world_cache.iterdir()] == [world.name]


def _tiny(folder: Path, *, hours: int, progress: object) -> None:
    """A stand-in for the build: the cache does not care what is in a world."""
    from obs_magics.local.block import assemble
    from obs_magics.local.native import FORMAT, VERSION, Manifest, write_folder

    write_folder(folder, assemble([]), Manifest(format=FORMAT, version=VERSION, title=f"{hours}"))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(cache, "build", _tiny)
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path))
    return tmp_path


def test_a_damaged_world_is_built_again(tiny: Path) -> None:
    place = demo.open()
    assert place.parent == tiny
    assert demo.open(lambda _: None, hours=24).name.endswith("-24h")
    for harm in ("metrics/samples.parquet", "manifest.json"):
        (place / harm).write_bytes(b"{")
        assert not cache.is_whole(place)
        assert demo.open() == place
        assert cache.is_whole(place)
    shutil.rmtree(place / "metrics")
    assert cache.is_whole(demo.open())
    assert sorted(path.name for path in tiny.iterdir()) == sorted([place.name, f"{place.name[:-2]}24h"])


def test_many_may_build_at_once(tiny: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        places = list(pool.map(lambda _: demo.open(), range(16)))
    assert len(set(places)) == 1
    assert cache.is_whole(places[0])
    assert [path.name for path in tiny.iterdir()] == [places[0].name]


def test_somebody_may_be_faster(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(folder: Path, *, hours: int, progress: object) -> None:
        _tiny(folder, hours=hours, progress=progress)
        if not (tiny / "demo").exists():
            _tiny(cache.cache_folder() / cache.world_name(hours), hours=hours, progress=progress)

    monkeypatch.setattr(cache, "build", slow)
    assert cache.is_whole(demo.open())


def test_a_race_for_the_place_is_no_error(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def late(self: Path, target: Path) -> Path:
        if self.name == "world" and not target.exists():
            _tiny(target, hours=6, progress=None)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", late)
    assert cache.is_whole(demo.open())


def test_a_place_that_cannot_be_written_says_so(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tiny / "file").write_text("")
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tiny / "file"))
    with pytest.raises(ObsError, match="cannot be written") as caught:
        demo.open()
    assert cache.CACHE_VARIABLE in caught.value.hint
    monkeypatch.setenv(cache.CACHE_VARIABLE, "")
    assert cache.cache_folder().name == "obs_magics"

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tiny))
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(ObsError, match="Permission denied"):
        demo.open()


@pytest.mark.parametrize("hours", [0, 25])
def test_hours_have_bounds(hours: int) -> None:
    with pytest.raises(UsageError, match="1 to 24 hours"):
        demo.open(hours=hours)


async def test_it_stands_still_and_says_so(shop: FolderSource) -> None:
    assert shop.now_ns() == 1_795_363_200 * SECOND
    health = await shop.health()
    assert "its now is 2026-11-22 16:00 UTC" in health.detail
    assert shop.address == "demo world, now 2026-11-22 16:00 UTC"
    assert FolderSource("again", FolderSettings(path=str(shop.path))).address == shop.address


def test_chance_is_even_and_belongs_to_its_name() -> None:
    expected = np.array([0.3] * 20_000 + [50.0] * 20_000)
    counted = chance.counts(expected, "x")
    assert counted[:20_000].mean() == pytest.approx(0.3, rel=0.05)
    assert counted[20_000:].mean() == pytest.approx(50, rel=0.01)
    assert counted[20_000:].std() == pytest.approx(np.sqrt(50), rel=0.05)
    assert (counted == chance.counts(expected, "x")).all()
    assert (chance.uniform(100, "a") != chance.uniform(100, "b")).any()
    times = clock.axis(1).times_ms
    whole = chance.wander(times, 0.1, "w")
    assert (chance.wander(times[500:], 0.1, "w") == whole[500:]).all()
    assert 0.9 <= whole.min() < whole.max() <= 1.1


@pytest.mark.parametrize("p99", [0.012, 0.26, 0.4, 0.499, 0.88, 2.3, 4.9])
def test_shares_give_the_p99_that_is_wanted(p99: float) -> None:
    shares = requests.bucket_shares(np.array([p99 / 4]), np.array([p99]))[:, 0]
    assert (np.diff(shares) >= 0).all()
    bounds = np.array(requests.BOUNDS)
    high = int(np.searchsorted(shares, 0.99))
    part = (0.99 - shares[high - 1]) / (shares[high] - shares[high - 1])
    assert bounds[high - 1] + part * (bounds[high] - bounds[high - 1]) == pytest.approx(p99, rel=0.03)
