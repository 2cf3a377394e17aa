"""The adapter of docs/adapters.md works as it stands there, as a package of somebody else."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import pytest
from conftest import ROOT
from support.sockets import answer, serving

from obs_magics import AsyncSession
from obs_magics.model.errors import SourceUnavailable

PAGE = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
RELEASES = [
    {
        "tag_name": f"v1.{number}.0",
        "name": f"Release {number}",
        "published_at": f"2026-11-22T{number:02d}:00:00Z",
        "html_url": f"http://git/{number}",
    }
    for number in (12, 11, 3)
]


def block(language: str) -> str:
    """The first block of the page in a language."""
    found: str = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[0]
    return found


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "obs_gitea.py").write_text(block("python"), encoding="utf-8")
    info = tmp_path / "obs_gitea-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: obs-gitea\nVersion: 1.0\n")
    group = block("toml").replace('project.entry-points."', "").replace('"]', "]").replace('"', "")
    (info / "entry_points.txt").write_text(group)
    importlib.invalidate_caches()
    return tmp_path


def gitea(releases: object) -> list[object]:
    """What a Gitea says: its version for detection and for health, then releases."""
    version = answer(json.dumps({"version": "1.24.3"}))
    return [version, version, answer(json.dumps(releases))]


async def test_the_adapter_of_the_page_is_found_and_answers(installed: Path) -> None:
    file = installed / "obs.yaml"
    async with serving(*gitea(RELEASES)[1:]) as stage, AsyncSession(file_of(file, stage.url), zone="UTC") as session:
        assert (await session.health("gitea")).version == "Gitea 1.24.3"
        frame = await session.deployments(start="2026-11-22 10:00", end="2026-11-22 13:00")
    assert frame["version"].tolist() == ["v1.11.0", "v1.12.0"]
    assert set(frame["service"]) == {"payment-api"}
    assert stage.asked[-1].target.startswith("/api/v1/repos/shop/payment-api/releases?")


async def test_it_says_what_it_did_not_look_at(installed: Path) -> None:
    many = [{**RELEASES[0], "tag_name": f"v{number}"} for number in range(50)]
    file = installed / "obs.yaml"
    async with serving(answer(json.dumps(many))) as stage, AsyncSession(file_of(file, stage.url)) as session:
        frame = await session.deployments(start="2026-11-22 10:00Z", end="2026-11-22 13:00Z")
    assert "only the newest 50 releases were looked at" in frame.obs.provenance.truncated


async def test_what_is_no_gitea_is_not_taken_for_one(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(installed)
    async with serving(answer("[]")) as stage, AsyncSession(environ={"HOME": str(installed)}) as session:
        with pytest.raises(SourceUnavailable, match="no platform that this version knows"):
            await session.connect("git", stage.url)


def file_of(file: Path, url: str) -> Path:
    """The YAML of the page, for a server of ours."""
    file.write_text(block("yaml").replace("https://git.example.com", url))
    return file
