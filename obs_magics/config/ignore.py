"""What a project has decided to ignore: patterns of anomalies, each with a reason, in ``.obs-magics/ignore.yaml``.

The file is made to be kept under version control: ::

    ignored:
      - metric: error_rate
        service: notification-*
        start: 2026-11-22T14:05:00Z
        end: 2026-11-22T14:20:00Z
        reason: the mail provider's limit
        by: anna
        at: 2026-11-23

An entry is called by its `id`, which is made from what it says: equal entries have equal ids on every machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BeforeValidator, PlainSerializer, ValidationError, model_validator

from obs_magics.config.files import Document, read_mapping
from obs_magics.config.problems import config_error, problems_of
from obs_magics.config.types import Strict, Text
from obs_magics.model.errors import ConfigError, UsageError, did_you_mean

IGNORE_FILE = Path(".obs-magics/ignore.yaml")
SLACK_NS = 300 * 10**9
"""How far an event may reach out of the window of an entry: edges are never found to the second."""

_HEADER = "# Anomalies that this project ignores, and why. Edited by people and by `--ignore` alike.\n"
_PATTERNS = ("metric", "service", "series", "kind")
Kind = Literal[
    "*",
    "spike",
    "drop",
    "level_shift",
    "trend_change",
    "seasonality",
    "variance",
    "silence",
    "threshold",
    "correlation_break",
    "joint",
]


def _moment(value: Any) -> datetime:
    """A time with its zone; a naive one, or a day, is UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("must be a time in ISO 8601, such as 2026-11-22T14:05:00Z") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime):
        raise ValueError("must be a time in ISO 8601, such as 2026-11-22T14:05:00Z")
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _iso(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _day_as_text(value: Any) -> Any:
    """YAML makes dates of what looks like one; here it is only shown."""
    return value.isoformat() if isinstance(value, date) else value


Moment = Annotated[datetime, BeforeValidator(_moment), PlainSerializer(_iso)]


class Ignored(Strict):
    """What is ignored: every pattern has to match, and the event has to lie in the window.

    Args:
        metric: A measure or the name of a metric; `*` stands for any letters, here and below.
        service: Its name.
        series: The name by which an anomalies frame calls it.
        kind: Of anomaly: `spike`, `level_shift`, …
        start: From when; None for ever since.
        end: Until when; None for ever after.
        reason: Why.
        by: Who decided it, as that person wrote it.
        at: When, as that person wrote it; never the clock's time, so that equal decisions are equal files.
    """

    metric: Text = "*"
    service: Text = "*"
    series: Text = "*"
    kind: Kind = "*"
    start: Moment | None = None
    end: Moment | None = None
    reason: Text
    by: Annotated[Text | None, BeforeValidator(_day_as_text)] = None
    at: Annotated[Text | None, BeforeValidator(_day_as_text)] = None

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if all(getattr(self, name) == "*" for name in _PATTERNS) and self.start is None and self.end is None:
            raise ValueError("would ignore everything: name a metric, a service, a series, a kind or a window")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError("ends before it starts")
        return self

    @property
    def id(self) -> str:
        """Six letters made from what it ignores (not from why): the same on every machine."""
        what = [*(getattr(self, name) for name in _PATTERNS), *(_iso(t) if t else "" for t in (self.start, self.end))]
        return hashlib.sha256("\x00".join(what).encode()).hexdigest()[:6]

    def covers(self, *, metric: str, service: str, series: str, kind: str, start_ns: int, end_ns: int) -> bool:
        """Whether an event is one of these; a window holds an event that lies in it, give or take 5 minutes."""
        event = {"metric": metric, "service": service, "series": series, "kind": kind}
        if not all(_matches(getattr(self, name), event[name]) for name in _PATTERNS):
            return False
        after = self.start is None or start_ns >= _ns(self.start) - SLACK_NS
        return after and (self.end is None or end_ns <= _ns(self.end) + SLACK_NS)

    def __str__(self) -> str:
        of = f" of {self.service}" if self.service != "*" else ""
        what = "" if self.metric == "*" else self.metric
        kind = "" if self.kind == "*" else f" ({self.kind})"
        series = "" if self.series == "*" else f" in {self.series}"
        window = "".join(f" {word} {_iso(t)}" for word, t in (("from", self.start), ("until", self.end)) if t)
        who = ", ".join(part for part in (self.by, self.at) if part)
        return f"{what or 'anything'}{of}{kind}{series}{window}: {self.reason}{f' ({who})' if who else ''}"


class _File(Strict):
    ignored: tuple[Ignored, ...] = ()


def read_ignored(path: Path) -> tuple[Ignored, ...]:
    """The entries of a file, in its order; none when there is no file.

    Raises:
        ConfigError: Not readable, not YAML, or an entry has an unknown key or a bad value.
    """
    if not path.exists():
        return ()
    document = read_mapping(path) or Document(path)
    try:
        return _File.model_validate(document.values).ignored
    except ValidationError as error:
        raise config_error(problems_of(error, _File), document) from None


def add_ignored(path: Path, entry: Ignored) -> Ignored:
    """Add an entry; one that ignores the same takes the place of the old one. Gives back the entry.

    Raises:
        ConfigError: The file is not one of these, or cannot be written.
    """
    others = [one for one in read_ignored(path) if one.id != entry.id]
    _write(path, [*others, entry])
    return entry


def remove_ignored(path: Path, which: str) -> Ignored:
    """Remove the entry with this id (or its beginning); gives it back.

    Raises:
        UsageError: There is no such entry, or there are several.
        ConfigError: As for `add_ignored`.
    """
    entries = read_ignored(path)
    found = [one for one in entries if which and one.id.startswith(which)]
    if len(found) != 1:
        ids = [one.id for one in entries]
        hint = did_you_mean(which, ids) or (f"the ids are: {', '.join(ids)}" if ids else "nothing is ignored")
        what = "there are several entries" if found else "there is no entry"
        raise UsageError(f"{what} with the id {which!r}", where=str(path), hint=hint)
    _write(path, [one for one in entries if one.id != found[0].id])
    return found[0]


def checked_entry(**given: Any) -> Ignored:
    """An entry from what a person typed.

    Raises:
        UsageError: It says nothing, or something that makes no sense.
    """
    try:
        return Ignored.model_validate({key: value for key, value in given.items() if value not in (None, "")})
    except ValidationError as error:
        problem = problems_of(error, Ignored)[0]
        raise UsageError(
            f"--ignore: {problem}", hint=problem.hint or 'say why: --reason "the nightly backup"'
        ) from None


def _write(path: Path, entries: Sequence[Ignored]) -> None:
    """Write beside the file and move it in, so that nobody ever reads half of it."""
    values = [one.model_dump(exclude_defaults=True, exclude_none=True) for one in entries]
    text = _HEADER + yaml.safe_dump({"ignored": values}, sort_keys=False, allow_unicode=True, width=1000)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
            raise
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise ConfigError(f"what is ignored cannot be written: {reason}", where=str(path)) from None


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 10**9 + moment.microsecond * 1000


def _matches(pattern: str, text: str) -> bool:
    """Whether a text is what a pattern says; `*` alone is special, for names of series are full of brackets."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None
