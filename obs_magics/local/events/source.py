"""Events from a file, from the files of a folder, or from the log of a git repository."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from obs_magics.analysis.events import chosen
from obs_magics.config.adapter import Adapter
from obs_magics.display.units import count_text
from obs_magics.local.events.git import Repository, is_repository
from obs_magics.local.events.outside import none_inside
from obs_magics.local.events.reading import SHOWN, EventsRead, read_event_files
from obs_magics.local.events.remote import EventsUrlSource
from obs_magics.local.events.settings import EventsSettings
from obs_magics.local.readers import list_files
from obs_magics.local.readers.base import File
from obs_magics.local.readers.events import EVENT_TITLES
from obs_magics.local.settings import local_path
from obs_magics.model.errors import BadAnswer, ConfigError, SourceUnavailable
from obs_magics.model.events import KINDS, Event, EventKind, events_frame
from obs_magics.model.query import EventsQuery
from obs_magics.model.sources import Answer, Health, Progress, ProgressListener, no_progress

_MOST_FILES = 1000

# How the files looked when they were read last: name, time of the last change, size.
_Stamp = tuple[tuple[str, int, int], ...]


class EventsFileSource:
    """A file of events, a folder of such files, or a git repository.

    Implements `EventsSource`. Files are read again when they have changed: something may append to them.

    Args:
        name: As the user calls it.
        settings: Where it lies and how it is read.

    Raises:
        ConfigError: The settings name no path.
    """

    platform = "events"
    event_kinds: tuple[EventKind, ...] = KINDS

    def __init__(self, name: str, settings: EventsSettings) -> None:
        if not settings.path:
            raise ConfigError("a source of events needs a path", where=name, hint="add path: /where/it/lies")
        self.name = name
        self.path = local_path(settings.path)
        self.address = settings.path
        self._settings = settings
        self._lock = threading.Lock()
        self._last: tuple[_Stamp, EventsRead] | None = None

    @property
    def where(self) -> str:
        """Name and address, for errors."""
        return f"{self.name} ({self.address})"

    def now_ns(self) -> int | None:
        """None: its now is the clock's."""
        return None

    async def close(self) -> None:
        """Forget what was read."""
        self._last = None

    async def health(self) -> Health:
        """Read the files, or ask git, and say what there is.

        Raises:
            SourceError: There is nothing, or nothing that could be read as events.
        """
        began = time.perf_counter()
        repository = self._repository()
        if repository is not None:
            return Health(True, await repository.version(), time.perf_counter() - began)
        found = await asyncio.to_thread(self._files)
        lines = "\n".join((count_text(len(found.events), "event"), *found.notes[:SHOWN], *found.problems[:SHOWN]))
        return Health(True, "events in files", time.perf_counter() - began, lines)

    async def events(self, query: EventsQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer with all that overlaps the range; see `EventsSource.events`.

        Raises:
            SourceError: There is nothing, or nothing that could be read as events.
        """
        progress(Progress(0, 1))
        repository = self._repository()
        if repository is not None:
            events, notes = await repository.events(query.range)
            problems: Sequence[str] = ()
            native = f"git log --first-parent {repository.branch}"
        else:
            found = await asyncio.to_thread(self._files)
            events, notes, problems, native = list(found.events), [], found.problems, query.text
        kept = chosen(events, EventsQuery(range=query.range, limit=query.limit)).events
        progress(Progress(1, 1, len(kept)))
        return Answer(
            events_frame(kept),
            native,
            warnings=tuple(problems[:SHOWN]),
            empty_reason="" if kept else self._why_empty(events, repository is not None),
            signal="events",
            notes=tuple(notes),
        )

    def _why_empty(self, events: Sequence[Event], is_git: bool) -> str:
        if is_git:
            return "nothing was tagged, merged or changed in configuration in the time asked for"
        return none_inside(events)

    def _repository(self) -> Repository | None:
        if not self.path.exists():
            raise SourceUnavailable("there is no such file or folder", where=self.where, hint="check the path")
        if not self.path.is_dir() or not is_repository(self.path):
            return None
        given = self._settings
        return Repository(
            self.path, self.where, given.service, given.branch, given.deployments, given.config_files,
            given.timeout_seconds,
        )  # fmt: skip

    def _files(self) -> EventsRead:
        with self._lock:
            files = self._listed()
            stamp = tuple((file.name, *_stamp(file.path)) for file in files)
            if self._last is None or self._last[0] != stamp:
                self._last = (stamp, self._read(files))
            return self._last[1]

    def _listed(self) -> list[File]:
        found = []
        for file in list_files(self.path):
            found.append(file)
            if len(found) > _MOST_FILES:
                message = f"this folder has more than {_MOST_FILES:,} files"
                raise BadAnswer(message, where=self.where, hint="name the file, or a folder of files of events")
        return found

    def _read(self, files: Sequence[File]) -> EventsRead:
        """A file that was named is read as events whatever it looks like; of a folder those that look like it."""
        found = read_event_files(files, self._settings, chosen_files=not self.path.is_dir())
        if not found.events:
            hint = "; ".join(found.problems[:SHOWN]) or f"what is read: {', '.join(EVENT_TITLES)}"
            raise BadAnswer("nothing here can be read as events", where=self.where, hint=hint)
        return found


def _stamp(path: Path) -> tuple[int, int]:
    """When a file was changed last, and how long it is; nothing of a file that is gone."""
    try:
        found = path.stat()
    except OSError:
        return 0, -1
    return found.st_mtime_ns, found.st_size


def _open(name: str, settings: EventsSettings) -> EventsFileSource | EventsUrlSource:
    return EventsUrlSource(name, settings) if settings.url else EventsFileSource(name, settings)


ADAPTER = Adapter(type="events", title="Events: files, URLs, git log", settings=EventsSettings, open=_open, detect=None)
