"""The session's time zone: asked for, from the environment, or the machine's."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from obs_magics.model.errors import UsageError
from obs_magics.session import zone as zones


def test_the_zone_that_was_asked_for_has_its_daylight_saving_rules() -> None:
    berlin = zones.session_zone("Europe/Berlin", {"TZ": "UTC"})
    assert datetime(2026, 7, 1, tzinfo=berlin).utcoffset() == timedelta(hours=2)
    assert datetime(2026, 1, 1, tzinfo=berlin).utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../etc/passwd", "/etc/localtime", "Europe", "\x00"])
def test_an_unknown_zone_is_an_error_that_names_the_way_out(name: str) -> None:
    with pytest.raises(UsageError, match="Europe/Berlin"):
        zones.session_zone(name, {})


@pytest.mark.parametrize("name", ["America/New_York", ":America/New_York"])
def test_the_environment_says_which(name: str) -> None:
    assert str(zones.session_zone(None, {"TZ": name})) == "America/New_York"


def test_the_machine_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "zoneinfo" / "Asia" / "Kolkata"
    target.parent.mkdir(parents=True)
    target.touch()
    (tmp_path / "localtime").symlink_to(target)
    monkeypatch.setattr(zones, "_LOCALTIME", tmp_path / "localtime")
    assert str(zones.session_zone(None, {})) == "Asia/Kolkata"


def test_without_any_name_the_present_offset_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zones, "_LOCALTIME", tmp_path / "none")
    found = zones.session_zone(None, {"TZ": "nonsense"})
    assert datetime.now(found).utcoffset() == datetime.now().astimezone().utcoffset()


@pytest.mark.parametrize("name", ["Etc/UTC", "Zulu", "UTC"])
def test_utc_has_one_name(name: str) -> None:
    assert str(zones.session_zone(None, {"TZ": name})) == "UTC"
