"""A source of type `events`: files, folders of files, and the log of a git repository made for the test."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import missing
from support.patience import eventually_async

from obs_magics.local.events.git import is_repository
from obs_magics.local.events.settings import EventsSettings
from obs_magics.local.events.source import ADAPTER, EventsFileSource, _stamp
from obs_magics.model.errors import BadAnswer, ConfigError, SourceTimeout, SourceUnavailable
from obs_magics.model.events import check_events
from obs_magics.model.query import EventsQuery
from obs_magics.model.sources import Answer, EventsSource
from obs_magics.model.time import TimeRange

NOON = pd.Timestamp("2026-11-22T12:00Z").value
EVENING = pd.Timestamp("2026-11-22T18:00Z").value


def source_of(path: Path, **settings: Any) -> EventsFileSource:
    assert ADAPTER.open is not None
    source = ADAPTER.open("ev", EventsSettings(path=str(path), **settings))
    assert isinstance(source, EventsFileSource)
    return source


async def asked(source: EventsFileSource, start: int = NOON, end: int = EVENING) -> Answer:
    found = await source.events(EventsQuery(range=TimeRange(start, end), limit=100))
    check_events(found.frame)
    return found


class Repository:
    """A repository in a folder, with commits at times that are told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, at: str = "14:00:00") -> None:
        date = f"2026-11-22T{at}+0000"
        named = {
            "GIT_AUTHOR_NAME": "Ann Öz",
            "GIT_AUTHOR_EMAIL": "a@b",
            "GIT_COMMITTER_NAME": "Ann",
            "GIT_COMMITTER_EMAIL": "a@b",
        }
        environment = {**os.environ, **named, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        subprocess.run(["git", "-C", str(self.path), *arguments], check=True, capture_output=True, env=environment)

    def commit(self, subject: str, *names: str, at: str) -> None:
        for name in names:
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(subject)
        self.git("add", "-A", at=at)
        self.git("commit", "-q", "-m", subject, at=at)

    def merge(self, branch: str, *, at: str) -> None:
        self.git("checkout", "-q", "-b", branch, at=at)
        self.commit(f"work of {branch}", f"{branch}.py", at=at)
        self.git("checkout", "-q", "main", at=at)
        self.git("merge", "-q", "--no-ff", branch, "-m", f"Merge {branch}", at=at)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    if shutil.which("git") is None:
        missing("git", "install it")
    found = Repository(tmp_path / "shop")
    found.commit("first", "a.py", at="13:00:00")
    found.commit("pool: 100 → 20", "config/redis ä.yaml", at="14:13:00")
    found.merge("rounding", at="14:15:00")
    found.commit("ci", ".github/workflows/ci.yml", at="14:16:00")
    return found


async def test_merges_are_deployments_where_nothing_is_tagged(repository: Repository) -> None:
    source = source_of(repository.path)
    assert isinstance(source, EventsSource)
    found = await asked(source)
    rows = found.frame[["kind", "service", "title", "files", "by"]].astype(str).to_numpy().tolist()
    assert rows == [
        ["config_change", "shop", "pool: 100 → 20", "config/redis ä.yaml", "Ann Öz"],
        ["deployment", "shop", "Merge rounding", "rounding.py", "Ann Öz"],
    ]
    assert found.frame["timestamp"].tolist()[1] == pd.Timestamp("2026-11-22T14:15Z")
    assert found.notes[0].startswith("git log of HEAD: merges are deployments")
    assert (await source.health()).version.startswith("git version ")


async def test_tags_are_deployments_and_may_name_their_service(repository: Repository) -> None:
    repository.git("tag", "payment-api/v2.4.1", "-m", "Currency rounding", at="14:20:00")
    repository.git("tag", "cart@1.0.0", "-m", "x", at="14:21:00")
    repository.git("tag", "web-v3", at="14:22:00")  # lightweight: the time of its commit
    repository.git("tag", "v2", "-m", "all", at="14:23:00")
    repository.git("tag", "blob", "HEAD:a.py")  # of something that is no commit
    found = await asked(source_of(repository.path))
    tags = found.frame[found.frame["kind"] == "deployment"]
    assert tags[["service", "version", "tag"]].astype(str).to_numpy().tolist() == [
        ["web", "v3", "web-v3"],
        ["payment-api", "v2.4.1", "payment-api/v2.4.1"],
        ["cart", "1.0.0", "cart@1.0.0"],
        ["shop", "v2", "v2"],
    ]
    assert "payment-api v2.4.1: Currency rounding" in tags["title"].tolist()
    assert "Merge rounding" not in found.frame["title"].tolist()


@pytest.mark.parametrize(
    ("deployments", "kinds"),
    [
        ("merges", ["config_change", "deployment"]),
        ("commits", ["deployment"] * 4),
        ("none", ["config_change"]),
        ("tags", ["config_change"]),
    ],
)
async def test_what_a_deployment_is_can_be_said(repository: Repository, deployments: str, kinds: list[str]) -> None:
    found = await asked(source_of(repository.path, deployments=deployments, service="pay", config_files="*.yaml"))
    assert found.frame["kind"].tolist() == kinds
    assert set(found.frame["service"]) == {"pay"}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("app.yaml", True),
        ("config/pool.json", True),
        ("config/pool.py", False),
        ("shop/migrations/0042_index.py", True),
        ("migrations/0042.sql", True),
        ("docker/Dockerfile.prod", True),
        (".env.production", True),
        ("docs/example.yaml", False),
        ("src/main.go", False),
        (".github/workflows/ci.yml", False),
    ],
)
async def test_configuration_is_told_by_the_names_of_files(repository: Repository, name: str, changes: bool) -> None:
    repository.commit("change", name, at="14:30:00")
    found = await asked(source_of(repository.path))
    assert ("change" in found.frame["title"].tolist()) == changes


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://user:s3cret@github.com/acme/shop.git", "https://github.com/acme/shop/commit/"),
        ("git@gitlab.example.com:acme/shop.git", "https://gitlab.example.com/acme/shop/-/commit/"),
        ("ssh://git@github.com:22/acme/shop", "https://github.com/acme/shop/commit/"),
        ("https://example.com/shop.git", ""),
        ("../other", ""),
    ],
)
async def test_commits_can_be_looked_at_where_the_repository_came_from(
    repository: Repository, remote: str, url: str
) -> None:
    repository.git("remote", "add", "origin", remote)
    found = await asked(source_of(repository.path))
    address = found.frame["url"].iloc[0]
    assert address.startswith(url) if url else pd.isna(address)
    assert "s3cret" not in found.frame.to_csv()


async def test_a_range_without_commits_says_so_and_a_branch_that_is_not_there_too(repository: Repository) -> None:
    found = await asked(source_of(repository.path), EVENING, EVENING + 1)
    assert found.empty_reason == "nothing was tagged, merged or changed in configuration in the time asked for"
    with pytest.raises(BadAnswer, match="no such branch"):
        await asked(source_of(repository.path, branch="nope"))
    with pytest.raises(BadAnswer, match="no such branch"):
        await asked(source_of(repository.path, branch="--output=x"))
    assert not (repository.path / "x").exists()


async def test_nothing_that_a_repository_configures_is_run(repository: Repository, tmp_path: Path) -> None:
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for name in ("core.fsmonitor", "core.pager", "diff.external", "gpg.program", "core.sshCommand", "core.editor"):
        repository.git("config", name, str(trap))
    repository.git("config", "log.showSignature", "true")
    hooks = repository.path / ".git" / "hooks"
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc"):
        shutil.copy(trap, hooks / hook)
    found = await asked(source_of(repository.path))
    assert len(found.frame) == 2
    assert not (tmp_path / "sprung").exists()


async def test_git_that_takes_too_long_is_stopped(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "bin"
    slow.mkdir()
    (slow / "git").write_text(f"#!/bin/sh\necho $$ >> {tmp_path}/pids\nexec sleep 300\n")
    (slow / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow}:{os.environ['PATH']}")
    with pytest.raises(SourceTimeout, match=r"took longer than 0\.3 s"):
        await asked(source_of(repository.path, timeout=0.3))
    pids = tmp_path / "pids"
    pids.write_text("")  # the first may have been stopped before it came to write its own
    task = asyncio.create_task(asked(source_of(repository.path)))
    await eventually_async(lambda: pids.read_text().endswith("\n"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually_async(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids.read_text().split()))


async def test_without_git_or_a_repository_the_way_out_is_said(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SourceUnavailable, match="no such file or folder"):
        await asked(source_of(tmp_path / "nowhere"))
    fake = tmp_path / "fake"
    (fake / ".git").mkdir(parents=True)
    assert is_repository(fake)
    with pytest.raises(SourceUnavailable, match="no git repository here"):
        await asked(source_of(fake))
    empty = Repository(tmp_path / "empty")
    with pytest.raises(BadAnswer, match="no commit yet"):
        await asked(source_of(empty.path))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SourceUnavailable, match="no program git"):
        await asked(source_of(repository.path))


async def test_what_git_complains_of_is_told(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin"
    program.mkdir()
    monkeypatch.setenv("PATH", f"{program}:{os.environ['PATH']}")
    for words, kind, said in (
        ("fatal: detected dubious ownership in repository at 'x'", SourceUnavailable, "does not trust"),
        ("fatal: \x1b[31mout of ideas", BadAnswer, "failed: fatal: out of ideas"),
    ):
        (program / "git").write_text(f"#!/bin/sh\nprintf '%b' {shlex.quote(words)} >&2\nexit 128\n")
        (program / "git").chmod(0o755)
        with pytest.raises(kind, match=said) as caught:
            await asked(source_of(repository.path))
        assert caught.value.hint


async def test_of_very_many_commits_the_newest_are_read(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("obs_magics.local.events.git.MOST", 2)
    found = await asked(source_of(repository.path, deployments="commits"))
    assert found.frame["title"].tolist() == ["Merge rounding", "ci"]
    assert found.notes[1] == "only the newest 2 commits of the range were read"


async def test_a_bare_repository_is_one_too(repository: Repository, tmp_path: Path) -> None:
    repository.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    assert len((await asked(source_of(tmp_path / "bare.git"))).frame) == 2


def row(minute: int, **more: Any) -> dict[str, Any]:
    return {"time": f"2026-11-22T14:{minute:02}:00Z", "kind": "deployment", "title": f"at {minute}", **more}


async def test_a_file_that_grows_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "hooks.jsonl"
    file.write_text(json.dumps(row(1)) + "\n")
    source = source_of(file, service="cart")
    assert len((await asked(source)).frame) == 1
    with file.open("a") as stream:
        stream.write(json.dumps(row(2, service="pay")) + "\n")
    assert (await asked(source)).frame["service"].tolist() == ["cart", "pay"]
    health = await source.health()
    assert health.detail.startswith("2 events\nhooks.jsonl: JSON, 2 events")
    assert source.now_ns() is None
    await source.close()


async def test_of_a_folder_the_files_of_events_are_read(tmp_path: Path) -> None:
    (tmp_path / "deploys.csv").write_text("when,version\n2026-11-22 14:12,v1\nsoon,v2\n")
    (tmp_path / "app.log").write_text("2026-11-22T14:12:00Z INFO hello\n")
    found = await asked(source_of(tmp_path, kind="config"))
    assert found.frame["kind"].tolist() == ["config_change"]
    assert list(found.warnings) == [
        "deploys.csv: 1 of 2 events left out: no time that can be read",
        "1 file without events",
    ]
    nothing = await asked(source_of(tmp_path), EVENING, EVENING + 1)
    assert nothing.empty_reason == (
        "none of the 1 events here lies in the time asked for: they are at 2026-11-22 14:12:00 UTC"
    )


async def test_what_holds_no_events_says_what_would_be_read(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("hello\n")
    with pytest.raises(BadAnswer, match="nothing here can be read as events") as caught:
        await asked(source_of(tmp_path))
    assert "1 file without events" in caught.value.hint
    (tmp_path / "app.log").unlink()
    with pytest.raises(BadAnswer) as caught:
        await source_of(tmp_path).health()
    assert "Alertmanager webhook" in caught.value.hint
    with pytest.raises(ConfigError, match="needs a path"):
        EventsFileSource("ev", EventsSettings())


async def test_a_folder_of_thousands_of_files_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("obs_magics.local.events.source._MOST_FILES", 2)
    for number in range(3):
        (tmp_path / f"{number}.json").write_text(json.dumps(row(number)))
    with pytest.raises(BadAnswer, match="more than 2 files"):
        await asked(source_of(tmp_path))


async def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_text(json.dumps(row(1)))
    (tmp_path / "b.json.gz").write_bytes(b"\x1f\x8bbroken")
    found = await asked(source_of(tmp_path))
    assert len(found.frame) == 1
    assert found.warnings[0].startswith("b.json.gz: it is cut short or damaged (")
    monkeypatch.setattr(Path, "stat", _gone)
    assert _stamp(tmp_path / "a.json") == (0, -1)


def _gone(*_: Any, **__: Any) -> None:
    raise OSError("gone")


def test_settings_are_checked() -> None:
    assert EventsSettings.model_validate({"url": "x.csv"}).shown_address == "x.csv"
    assert EventsSettings(kind="flags").kind == "feature_flag"  # type: ignore[arg-type] - as people write it
    for wrong in ({"kind": "odd"}, {"zone": "Mars"}, {"deployments": "all"}):
        with pytest.raises(ValueError, match=r"kind|zone|deployments"):
            EventsSettings.model_validate({"path": "x", **wrong})
