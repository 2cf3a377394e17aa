"""Tables of events, whatever their columns are called: which column means what, by a table of names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from obs_magics.analysis.loglines.names import SERVICE_NAMES, squashed
from obs_magics.local.events.ends import over
from obs_magics.local.readers.events.paths import short_version, text_of
from obs_magics.model.events import Event, EventKind
from obs_magics.syntax.event_query import KIND_WORDS
from obs_magics.syntax.moments import moment_ns

# Names without case and joints, in order of trust; `time` first among them, as a row without one is no event.
NAMES: Mapping[str, tuple[str, ...]] = {
    "time": (
        "timestamp", "time", "ts", "date", "datetime", "when", "at", "start", "starttime", "startedat", "startsat",
        "begin", "deployedat", "releasedat", "publishedat", "occurredat", "happenedat", "createdat", "created",
        "eventtime", "triggeredat",
    ),
    "end": (
        "end", "endtime", "endedat", "endsat", "until", "finished", "finishedat", "resolvedat", "completedat",
        "stoppedat", "closedat",
    ),
    "kind": ("kind", "eventkind", "eventtype", "type", "category", "event", "action"),
    "service": (*SERVICE_NAMES, "project", "repository", "repo", "system", "target", "entity"),
    "title": (
        "title", "summary", "message", "description", "text", "subject", "comment", "what", "details", "name", "event",
        "change", "msg",
    ),
    "version": ("version", "tag", "release", "imagetag", "image", "revision", "ref", "commit", "sha", "build"),
    "severity": ("severity", "priority", "urgency", "level", "impact"),
    "url": ("url", "link", "htmlurl", "href", "permalink"),
    "source": ("source", "tool", "origin", "provider", "via"),
}  # fmt: skip
_NESTED = frozenset({"attributes", "labels", "tags", "metadata", "properties", "details", "data"})


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column means what; what is not found is missing."""

    by_meaning: Mapping[str, str]

    @classmethod
    def of(cls, names: Sequence[str], timestamp: str | None = None) -> Columns:
        """Find out by names; `timestamp` is the column that holds the time, where somebody said so."""
        bare: dict[str, str] = {}
        for name in names:
            bare.setdefault(squashed(name), name)
        found: dict[str, str] = {"time": timestamp} if timestamp in names and timestamp is not None else {}
        for meaning, known in NAMES.items():
            taken = set(found.values())
            fitting = [bare[one] for one in known if one in bare and bare[one] not in taken]
            if fitting:
                found.setdefault(meaning, fitting[0])
        return cls(found)

    def has(self, *meanings: str) -> bool:
        """Whether all of these were found."""
        return all(meaning in self.by_meaning for meaning in meanings)

    def get(self, row: Mapping[str, Any], meaning: str) -> Any:
        """The value of a row; None when there is none."""
        name = self.by_meaning.get(meaning)
        return None if name is None else row.get(name)


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows are read.

    Args:
        columns: Which column means what.
        kind: Of rows that name none that is known.
        source: Of rows that do not say who recorded them.
        zone: Of times that name none.
    """

    columns: Columns
    kind: EventKind
    source: str
    zone: tzinfo

    def events(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[Event | None]:
        """The events of rows; None for a row without a time."""
        for row in rows:
            start = moment_ns(self.columns.get(row, "time"), self.zone)
            yield None if start is None else self._event(row, start)

    def _event(self, row: Mapping[str, Any], start: int) -> Event:
        columns = self.columns
        end = moment_ns(columns.get(row, "end"), self.zone)
        named = text_of(columns.get(row, "kind"))
        kind = kind_of(named)
        text = {meaning: text_of(columns.get(row, meaning)) for meaning in ("service", "version", "severity", "url")}
        version = short_version(text["version"])
        title = text_of(columns.get(row, "title")) or (named if kind is None else "")
        made = " ".join(part for part in (text["service"], version) if part)
        end_ns, contradiction = over(kind or self.kind, start, end)
        return Event(
            start_ns=start,
            end_ns=end_ns,
            kind=kind or self.kind,
            title=title or made or (kind or self.kind).replace("_", " "),
            source=text_of(columns.get(row, "source")) or self.source,
            attributes=_attributes(row, self._used(kind is not None)) | contradiction,
            **{**text, "version": version},
        )

    def _used(self, kind: bool) -> set[str]:
        """Columns whose values stand in the event already; a kind that is none that is known is kept beside it."""
        return {name for meaning, name in self.columns.by_meaning.items() if kind or meaning != "kind"}


def kind_of(text: str) -> EventKind | None:
    """The kind that a word of a table means; None when it means none."""
    lower = text.strip().lower()
    return KIND_WORDS.get(lower) or KIND_WORDS.get(lower.replace(" ", "_").replace("-", "_"))


def _attributes(row: Mapping[str, Any], used: set[str]) -> dict[str, str]:
    """What no column has a meaning for; the fields of a nested object by their own names."""
    found: dict[str, str] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            inner = {key: text for key, one in value.items() if (text := text_of(one))}
            prefix = "" if name.lower() in _NESTED else f"{name}."
            found |= {f"{prefix}{key}": text for key, text in inner.items() if f"{prefix}{key}" not in row}
        elif name not in used and (text := text_of(value)):
            found[name] = text
    return found
