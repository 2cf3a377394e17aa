"""The log of a local git repository as events: what was deployed, and when configuration changed.

The rule, over the line of first parents of one branch:

- **tags** are deployments, at the time of the tag (of a lightweight one, of its commit). `payment-api/v2.4.1`,
  `payment-api@2.4.1` and `payment-api-v2.4.1` name their service.
- Where a repository has no tag, **merges** are: what is merged is delivered. `deployments` says otherwise: `tags`,
  `merges`, `commits` (each is delivered), `none`.
- Any other commit that touches **configuration** (by the names of its files) is a config change.

git runs without a shell, without a pager, without hooks, filters or helpers of the repository's own configuration, and
may not reach a network.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from obs_magics.model.errors import BadAnswer, SourceError, SourceTimeout, SourceUnavailable
from obs_magics.model.events import Event
from obs_magics.model.time import SECOND, TimeRange
from obs_magics.net.reply import shown
from obs_magics.net.tasks import stop

Deployments = Literal["auto", "tags", "merges", "commits", "none"]
CONFIG_FILES: tuple[str, ...] = (
    "*.yaml", "*.yml", "*.tf", "*.tfvars", "*.hcl", "*.ini", "*.cfg", "*.conf", "*.properties", "*.env", ".env*",
    "*/.env*", "Dockerfile*", "*/Dockerfile*", "config/*", "*/config/*", "conf/*", "k8s/*", "kubernetes/*", "helm/*",
    "charts/*", "deploy/*", "migrations/*", "*/migrations/*", "*/values.json", "appsettings*.json",
)  # fmt: skip
"""Names of files that hold configuration; a ``*`` stands for anything, folders too."""
NOT_CONFIG: tuple[str, ...] = (
    ".github/*", ".gitlab-ci.yml", ".pre-commit-config.yaml", "mkdocs.yml", "docs/*", "tests/*",
)  # fmt: skip
# Programs are no configuration, wherever they lie; but for those that change a database.
_PROGRAM = re.compile(
    r".*\.(?:py|go|java|kt|scala|rs|rb|php|cs|c|cc|cpp|h|hpp|js|jsx|ts|tsx|ex|exs|swift|md|rst)", re.IGNORECASE
)
_MIGRATION = re.compile(r"(?:.*/)?migrations/.*")
MOST = 20_000
"""Commits, and tags, that are read at most."""

_RECORD, _FIELD = "\x1e", "\x1f"
_LOG_FIELDS = _FIELD.join(("%H", "%P", "%ct", "%an", "%s"))
_TAG_FIELDS = "%1f".join(("%(refname:short)", "%(creatordate:unix)", "%(subject)", "%(creator)", "%(objectname)"))
# Nothing that the repository's own configuration names may run, and nothing may reach a network.
_QUIET = (
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "log.showSignature=false",
    "-c", "protocol.allow=never", "-c", "core.quotePath=false", "--no-pager", "--no-optional-locks",
)  # fmt: skip
_ENVIRONMENT: Mapping[str, str] = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_CONFIG_NOSYSTEM": "1",
    "LC_ALL": "C.UTF-8",
}
_OF_SERVICE = re.compile(r"(?P<service>[\w.-]+?)(?:[/@]|-(?=v\d))(?P<version>v?\d[\w.+-]*)")
_CREATOR = re.compile(r"(?P<name>.*?)\s*<.*")
_REMOTE = re.compile(
    r"(?:https?://(?:[^@/]*@)?|ssh://(?:[^@/]*@)?|[\w.-]+@)(?P<host>[\w.-]+)(?::\d+)?[:/](?P<path>[\w./~-]+)"
)
_SHOWN_FILES = 5


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the line of first parents."""

    sha: str
    parents: int
    time_ns: int
    author: str
    subject: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag, at its own time."""

    name: str
    time_ns: int
    subject: str
    author: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, and how its log is read.

    Args:
        path: Where it lies.
        where: As in errors.
        service: Of what names none; empty: the folder's name.
        branch: Whose log.
        deployments: Which commits are deployments.
        config_files: Names of files that hold configuration.
        seconds: How long git may take.
    """

    path: Path
    where: str
    service: str = ""
    branch: str = "HEAD"
    deployments: Deployments = "auto"
    config_files: tuple[str, ...] = CONFIG_FILES
    seconds: float = 30.0

    async def events(self, span: TimeRange) -> tuple[list[Event], list[str]]:
        """What happened in a range, and notes on how it was read.

        Raises:
            SourceError: There is no git, no repository, or no such branch.
        """
        first = asyncio.create_task(self._tags())
        asked = first, asyncio.create_task(self._commits(span)), asyncio.create_task(self._web())
        try:
            tags, commits, web = await asyncio.gather(*asked)
        finally:  # none of them goes on when one has failed
            await stop(asked)
        rule = self._rule(tags)
        found = [self._of_tag(tag, web) for tag in tags] if rule == "tags" else []
        found += [event for commit in commits if (event := self._of_commit(commit, rule, web)) is not None]
        notes = [f"git log of {self.branch}: {_SAID[rule]}"]
        if len(commits) >= MOST:
            notes.append(f"only the newest {MOST:,} commits of the range were read")
        return found, notes

    async def version(self) -> str:
        """Which git, and at which commit the branch is.

        Raises:
            SourceError: There is no git, no repository, or no such branch.
        """
        head = await self._git("rev-parse", "--short", "--verify", "--end-of-options", f"{self.branch}^{{commit}}")
        version = await self._git("version")
        return f"{version.strip()}, {self.branch} at {head.strip()}"

    def _rule(self, tags: Sequence[Tag]) -> Deployments:
        if self.deployments != "auto":
            return self.deployments
        return "tags" if tags else "merges"

    async def _tags(self) -> list[Tag]:
        told = await self._git(
            "for-each-ref", f"--count={MOST}", "--sort=-creatordate", f"--format={_TAG_FIELDS}", "refs/tags"
        )
        found = []
        for line in told.splitlines():
            name, time, subject, creator, _ = line.split(_FIELD)
            author = _CREATOR.fullmatch(creator)
            if time.isdecimal():  # a tag of something that is no commit has none
                found.append(Tag(name, int(time) * SECOND, subject, author["name"] if author else ""))
        return found

    async def _commits(self, span: TimeRange) -> list[Commit]:
        since, until = span.start_ns // SECOND, -(-span.end_ns // SECOND)
        told = await self._git(
            "log", "--first-parent", "-m", "--name-only", "-z", "--no-ext-diff", "--no-textconv", "--no-renames",
            f"--max-count={MOST}", f"--since=@{since}", f"--until=@{until}", f"--format={_RECORD}{_LOG_FIELDS}",
            "--end-of-options", self.branch, "--",
        )  # fmt: skip
        return [_commit(record) for record in told.split(_RECORD) if record.strip("\0\n")]

    async def _web(self) -> str:
        """Where one can look at commits, when the repository came from a site that people know."""
        try:
            remote = (await self._git("config", "--get", "remote.origin.url")).strip()
        except SourceError:
            return ""
        found = _REMOTE.fullmatch(remote)
        if found is None or not any(name in found["host"] for name in ("github", "gitlab")):
            return ""
        between = "/-" if "gitlab" in found["host"] else ""
        return f"https://{found['host']}/{found['path'].removesuffix('.git').strip('/')}{between}"

    def _of_tag(self, tag: Tag, web: str) -> Event:
        named = _OF_SERVICE.fullmatch(tag.name)
        service = named["service"] if named else self.service or self.path.name
        version = named["version"] if named else tag.name
        subject = f": {shown(tag.subject)}" if tag.subject else ""
        return Event(
            start_ns=tag.time_ns,
            kind="deployment",
            service=service,
            title=f"{service} {version}{subject}",
            version=version,
            url=f"{web}/tags/{tag.name}" if "gitlab" in web else f"{web}/releases/tag/{tag.name}" if web else "",
            source="git",
            attributes={"tag": tag.name, **({"by": tag.author} if tag.author else {})},
        )

    def _of_commit(self, commit: Commit, rule: Deployments, web: str) -> Event | None:
        delivered = rule == "commits" or (rule == "merges" and commit.parents > 1)
        config = [name for name in commit.files if self._is_config(name)]
        if not delivered and not config:
            return None
        shown_files = config or list(commit.files)
        more = f", … ({len(shown_files):,} files)" if len(shown_files) > _SHOWN_FILES else ""
        return Event(
            start_ns=commit.time_ns,
            kind="deployment" if delivered else "config_change",
            service=self.service or self.path.name,
            title=shown(commit.subject) or commit.sha[:10],
            version=commit.sha[:10] if delivered else "",
            url=f"{web}/commit/{commit.sha}" if web else "",
            source="git",
            attributes={
                "commit": commit.sha[:10],
                "by": commit.author,
                "files": ", ".join(shown_files[:_SHOWN_FILES]) + more,
            },
        )

    def _is_config(self, name: str) -> bool:
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in NOT_CONFIG):
            return False
        if _PROGRAM.fullmatch(name) and not _MIGRATION.fullmatch(name):
            return False
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.config_files)

    async def _git(self, *arguments: str) -> str:
        environment = {**{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}, **_ENVIRONMENT}
        try:
            process = await asyncio.create_subprocess_exec(
                "git", *_QUIET, "-C", str(self.path), *arguments,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                env=environment,
            )  # fmt: skip
        except FileNotFoundError:
            raise SourceUnavailable("there is no program git here", where=self.where, hint="install git") from None
        try:
            told, said = await asyncio.wait_for(process.communicate(), self.seconds)
        except TimeoutError:
            message = f"git {arguments[0]} took longer than {self.seconds:g} s"
            raise SourceTimeout(message, where=self.where, hint="ask for a shorter range, or raise timeout:") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            raise _refused(arguments[0], said, self.where)
        return told.decode("utf-8", "replace")


_SAID: Mapping[Deployments, str] = {
    "tags": "tags are deployments, commits that touch configuration are config changes",
    "merges": "merges are deployments, other commits that touch configuration are config changes",
    "commits": "every commit is a deployment",
    "none": "commits that touch configuration are config changes",
}


def is_repository(path: Path) -> bool:
    """Whether git keeps its history here: a working tree, or a bare repository."""
    return (path / ".git").exists() or ((path / "HEAD").is_file() and (path / "objects").is_dir())


def _commit(record: str) -> Commit:
    """One record: fields, and behind the last of them the files, each ended by a NUL."""
    head, *rest = record.split("\0")
    sha, parents, time, author, subject = head.split(_FIELD, 4)
    files = dict.fromkeys(name for line in rest if (name := line.strip("\n")))
    return Commit(sha, len(parents.split()), int(time) * SECOND, author, subject, tuple(files))


def _refused(command: str, said: bytes, where: str) -> SourceError:
    words = shown(said.decode("utf-8", "replace"))
    if "not a git repository" in words:
        return SourceUnavailable("there is no git repository here", where=where, hint="check the path")
    if "dubious ownership" in words:
        hint = "it belongs to somebody else: git config --global --add safe.directory PATH trusts it"
        return SourceUnavailable("git does not trust this repository", where=where, hint=hint)
    if "unknown revision" in words or "bad revision" in words or "Needed a single revision" in words:
        return BadAnswer("there is no such branch, or no commit yet", where=where, hint="look at branch: in the YAML")
    return BadAnswer(f"git {command} failed: {words}", where=where, hint="run it in a terminal to see more")
