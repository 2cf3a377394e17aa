"""Events at a URL: what a CI server, a spreadsheet or a service of one's own answers, read as a file of it would be."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from obs_magics.analysis.events import chosen
from obs_magics.config.connection import address_of, connection_of
from obs_magics.display.units import count_text
from obs_magics.local.events.outside import none_inside
from obs_magics.local.events.reading import SHOWN, EventsRead, read_event_files
from obs_magics.local.events.settings import EventsSettings
from obs_magics.local.readers.base import File
from obs_magics.local.readers.events import EVENT_TITLES
from obs_magics.local.readers.events.files import MOST_BYTES
from obs_magics.model.errors import BadAnswer
from obs_magics.model.events import KINDS, EventKind, events_frame
from obs_magics.model.query import EventsQuery
from obs_magics.model.sources import Answer, Health, Progress, ProgressListener, no_progress
from obs_magics.net.client import HttpClient
from obs_magics.net.reply import Reply

_MORE_PAGES = "the server has more pages than this one (Link: rel=next): ask for larger ones, ?per_page=100"
_ACCEPT = {"Accept": "application/json, text/csv;q=0.9, */*;q=0.5"}


class EventsUrlSource:
    """Events behind a URL, asked for with every question; implements `EventsSource`.

    Args:
        name: As the user calls it.
        settings: Its entry in the configuration; secrets in it are looked up when it is first asked.

    Raises:
        ConfigError: The entry has no `url`.
    """

    platform = "events"
    event_kinds: tuple[EventKind, ...] = KINDS

    def __init__(self, name: str, settings: EventsSettings) -> None:
        self.name = name
        self.address = address_of(name, settings)
        self._settings = settings
        self._opened: HttpClient | None = None

    @property
    def where(self) -> str:
        """Name and address, for errors."""
        return f"{self.name} ({self.address})"

    def now_ns(self) -> int | None:
        """None: its now is the clock's."""
        return None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._opened is not None:
            await self._opened.close()

    async def health(self) -> Health:
        """Fetch what is there, and say how much it is.

        Raises:
            SourceError: Nobody answers, or with nothing that could be read as events.
        """
        began = time.perf_counter()
        found, _ = await self._fetched()
        lines = "\n".join((count_text(len(found.events), "event"), *found.notes[:SHOWN], *found.problems[:SHOWN]))
        return Health(True, "events at a URL", time.perf_counter() - began, lines)

    async def events(self, query: EventsQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer with all that overlaps the range; see `EventsSource.events`.

        Raises:
            SourceError: It could not be fetched, or holds nothing that could be read as events.
        """
        progress(Progress(0, 1))
        found, reply = await self._fetched()
        kept = chosen(found.events, EventsQuery(range=query.range, limit=query.limit)).events
        progress(Progress(1, 1, len(kept)))
        return Answer(
            events_frame(kept),
            f"GET {self.address}{f'?{self._settings.query}' if self._settings.query else ''}",
            warnings=(*found.problems[:SHOWN], *reply.notes),
            truncated=_MORE_PAGES if 'rel="next"' in reply.headers.get("link", "") else "",
            empty_reason="" if kept else none_inside(found.events),
            signal="events",
        )

    async def _fetched(self) -> tuple[EventsRead, Reply]:
        whole = connection_of(self.name, self._settings)
        # a path below the server, as the client puts a slash between its address and what is asked for
        path = urlsplit(whole.base_url).path
        if self._opened is None:
            server = whole.base_url.removesuffix(path)
            self._opened = HttpClient(replace(whole, base_url=server, max_answer_bytes=MOST_BYTES))
        params = parse_qsl(self._settings.query, keep_blank_values=True)
        reply = await self._opened.request("GET", path, params=params, headers=_ACCEPT)
        if reply.is_html:
            raise reply.not_json()
        return await asyncio.to_thread(self._read, reply), reply

    def _read(self, reply: Reply) -> EventsRead:
        """What a file with this body would give: so it may be anything that a file may be, compressed too."""
        name = unquote(urlsplit(self.address).path.rsplit("/", 1)[-1]) or "events"
        with tempfile.TemporaryDirectory(prefix="obs-magics-") as folder:
            path = Path(folder) / "body"
            path.write_bytes(reply.body)
            found = read_event_files([File(path, name)], self._settings, chosen_files=True)
        if not found.events and not _is_empty(reply.body):
            hint = "; ".join(found.problems[:SHOWN]) or f"what is read: {', '.join(EVENT_TITLES)}"
            raise BadAnswer("the answer cannot be read as events", where=self.where, hint=hint)
        return found if found.events else EventsRead((), (), ())


def _is_empty(body: bytes) -> bool:
    """Whether it is a list of nothing, by itself or in what wraps it: a server may have nothing to tell."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return not body.strip()
    return document == [] or (isinstance(document, dict) and [] in document.values())
