"""Adapters: built in, planned, and brought by other packages, of which some are broken."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from obs_magics.config.adapter import Adapter
from obs_magics.config.load import load_settings
from obs_magics.config.planned import PLANNED, CloudWatchSettings, NewRelicSettings
from obs_magics.config.platform import PlatformSettings
from obs_magics.config.registry import load_registry
from obs_magics.model.errors import ConfigError, ObsError
from obs_magics.model.sources import Source

GOOD = """
from obs_magics.config.platform import PlatformSettings
from obs_magics.config.adapter import Adapter
def unopened(name, settings): raise AssertionError("nobody opens this")
ADAPTER = Adapter({type!r}, "Mine", PlatformSettings, open=unopened)
"""
Install = Callable[..., None]


def unopened(name: str, settings: object) -> Source:
    """Built in, and never opened here."""
    raise AssertionError(name)


BUILTIN = Adapter("prometheus", "Prometheus", PlatformSettings, open=unopened)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package with one adapter: module text and a dist-info with the entry point."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(kind: str, code: str, *, package: str = "outside") -> None:
        module = f"{package}_{kind}_{re.sub('[^a-z0-9]', '_', tmp_path.name.lower())}"  # imported once in a process
        (tmp_path / f"{module}.py").write_text(code)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[obs_magics.adapters]\n{kind} = {module}:ADAPTER\n")

    return write


def test_what_is_known_without_any_other_package() -> None:
    registry = load_registry([BUILTIN])
    assert registry["prometheus"] is BUILTIN
    assert {"datadog", "grafana", "newrelic", "cloudwatch"} < set(registry)
    assert all(adapter.open is None and adapter.detect is None for adapter in PLANNED)
    assert registry.problems == ()
    assert len(registry) == len(list(registry.values()))
    with pytest.raises(KeyError):
        registry["mars"]


def test_what_is_built_in_stands_above_what_is_planned() -> None:
    grafana = Adapter("grafana", "Grafana", PlatformSettings, open=unopened)
    assert load_registry([grafana])["grafana"] is grafana


def test_another_package_brings_an_adapter_which_is_imported_when_asked_for(install: Install, tmp_path: Path) -> None:
    install("mine", f"open({str(tmp_path / 'imported')!r}, 'w').close()\n" + GOOD.format(type="mine"))
    registry = load_registry([BUILTIN])
    assert "mine" in registry
    assert registry["prometheus"] is BUILTIN
    assert not (tmp_path / "imported").exists()
    assert registry["mine"].title == "Mine"
    assert (tmp_path / "imported").exists()
    assert "mine" in set(registry)


def test_an_adapter_may_take_the_place_of_a_planned_one(install: Install) -> None:
    install("grafana", GOOD.format(type="grafana"))
    registry = load_registry([])
    assert registry["grafana"].title == "Mine"
    assert registry.problems == ()


BROKEN = {
    "raises": ("raise RuntimeError('half installed')", "does not load: RuntimeError: half installed"),
    "imports what is not there": ("import not_there_at_all", "does not load: ModuleNotFoundError"),
    "has no adapter": ("", "does not load: AttributeError"),
    "is something else": ("ADAPTER = 5", "is a int"),
    "has another type": (GOOD.format(type="other"), "is an adapter of type 'other'"),
    "is not Python": ("this is no Python", "does not load: SyntaxError"),
}


@pytest.mark.parametrize(("code", "says"), BROKEN.values(), ids=BROKEN)
def test_a_broken_package_is_reported_and_breaks_nothing_else(
    install: Install, tmp_path: Path, code: str, says: str
) -> None:
    install("mine", code)
    registry = load_registry([BUILTIN])
    assert set(registry) == {"prometheus", *(adapter.type for adapter in PLANNED)}
    (problem,) = registry.problems
    assert says in problem
    for _ in range(2):
        with pytest.raises(ConfigError, match="the adapter mine"):
            registry["mine"]
    path = tmp_path / "obs.yaml"
    path.write_text("observability:\n  platforms:\n    prometheus: {url: http://a}\n    mine: {}\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(path, registry, environ={})
    assert str(caught.value).startswith(f"{path}:4: platforms.mine: the adapter mine")
    assert "update or uninstall" in caught.value.hint


def test_a_broken_package_takes_a_planned_platform_s_place_openly(install: Install) -> None:
    install("grafana", "raise RuntimeError('half installed')")
    registry = load_registry([])
    with pytest.raises(ConfigError, match="half installed"):
        registry["grafana"]
    assert "grafana" not in set(registry)
    assert "grafana" in registry


def test_nobody_replaces_what_is_built_in_and_the_first_of_two_wins(install: Install) -> None:
    install("prometheus", GOOD.format(type="prometheus"))
    install("mine", GOOD.format(type="mine"), package="first_package")
    install("mine", GOOD.format(type="mine"), package="second_package")
    registry = load_registry([BUILTIN])
    assert registry["prometheus"] is BUILTIN
    assert registry["mine"].title == "Mine"
    assert len(registry.problems) == 2
    assert any("obs_magics itself has that type" in problem for problem in registry.problems)


PLANNED_ENTRIES = [
    "cloudwatch: {region: eu-west-1, profile: prod}",
    "newrelic: {api_key: a, account_id: 1234567, region: EU}",
    "grafana: {url: 'http://grafana:3000', token: a}",
    "datadog: {api_key: a, app_key: b, site: us5.datadoghq.com}",
]


@pytest.mark.parametrize("entry", PLANNED_ENTRIES)
def test_planned_platforms_may_be_configured(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "obs.yaml"
    path.write_text(f"observability:\n  platforms:\n    {entry}\n")
    (settings,) = load_settings(path, load_registry(), environ={}).settings.platforms.values()
    assert settings.type == entry.partition(":")[0]
    if isinstance(settings, NewRelicSettings):
        assert (settings.account_id, settings.region) == ("1234567", "EU")
    if isinstance(settings, CloudWatchSettings):
        assert (settings.region, settings.profile, settings.shown_address) == ("eu-west-1", "prod", "")


def test_every_error_of_the_registry_is_ours(install: Install) -> None:
    install("mine", "raise SystemError")
    with pytest.raises(ObsError):
        load_registry()["mine"]
