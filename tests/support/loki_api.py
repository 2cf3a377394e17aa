"""A Loki in a test: entries in memory, answered over a real socket with Loki's habits and limits."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from obs_magics.adapters.loki import LokiSettings, open_source
from obs_magics.adapters.loki.source import LokiSource
from obs_magics.model.logs import Level
from obs_magics.model.query import LogsQuery, MetricsQuery
from obs_magics.model.time import SECOND, TimeRange
from obs_magics.syntax.logql import parse
from obs_magics.syntax.logql.tree import LineFilter, LogQuery, Matcher, StringFilter
from support.sockets import Asked, Stage, Step, answer, serving

START, END = 1_795_356_000 * SECOND, 1_795_359_600 * SECOND
_UNITS = {"s": SECOND, "ns": 1}
_COUNT = re.compile(
    r"sum by \((?P<by>[\w, ]+)\) \(count_over_time\((?P<lines>.*) \[(?P<width>\d+)(?P<unit>n?s)\]"
    r"(?: offset (?P<offset>\d+)(?P<offset_unit>n?s))?\)\)",
    re.DOTALL,
)


def question(text: str = '{app="api"}', *, start: int = START, end: int = END, limit: int = 1000,
             level: Level | None = None, bar: int = 60 * SECOND) -> LogsQuery:  # fmt: skip
    """A question for lines, times in nanoseconds."""
    span = TimeRange(start, end)
    return LogsQuery(text=text, range=span, limit=limit, level=level, step_ns=60 * SECOND, volume_step_ns=bar)


def numbers(text: str, *, step: int = 60 * SECOND, instant: bool = False, limit: int | None = None) -> MetricsQuery:
    """A question for numbers."""
    return MetricsQuery(text=text, range=TimeRange(START, END), step_ns=step, instant=instant, limit=limit)


@contextlib.asynccontextmanager
async def source_at(url: str, **settings: Any) -> AsyncIterator[LokiSource]:
    """A source for an address, closed at the end."""
    source = open_source("loki", LokiSettings(url=url, **settings))
    try:
        yield source
    finally:
        await source.close()


@dataclass(frozen=True)
class Entry:
    """A line as it was pushed."""

    ns: int
    line: str
    labels: Mapping[str, str]
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_labels(self) -> dict[str, str]:
        """Labels and structured metadata."""
        return {**self.labels, **self.metadata}


@dataclass
class FakeLoki:
    """Answers `query_range`, `query`, and the catalog's questions over its entries.

    Args:
        entries: What was pushed, in that order.
        most: `max_entries_limit_per_query`.
        categorises: Knows the encoding flag.
        problem: May give a step of its own instead of an answer, by path and form.
    """

    entries: list[Entry]
    most: int = 5000
    categorises: bool = True
    problem: Callable[[str, Mapping[str, str]], Step | None] = lambda _path, _form: None
    pages: list[Mapping[str, str]] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def source(self, **settings: Any) -> AsyncIterator[tuple[LokiSource, Stage]]:
        """A source that asks this server."""
        async with serving(self.step) as stage, source_at(stage.url, timeout="60s", **settings) as source:
            yield source, stage

    async def step(self, asked: Asked, writer: Any) -> None:
        """Answer one request."""
        path, _, query = asked.target.partition("?")
        form = {name: values[0] for name, values in parse_qs(query or asked.body.decode()).items()}
        chosen = self.problem(urlsplit(path).path, form)
        if chosen is None:
            status, body = self._answer(path, form, asked.headers)
            kind = "application/json" if status == 200 else "text/plain"
            chosen = answer(body, status=status, kind=kind)
        await chosen(asked, writer)

    def _answer(self, path: str, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, str]:
        count = _COUNT.fullmatch(form.get("query", ""))
        if path.endswith("/query_range") and count:
            return 200, self._range(count, form)
        if path.endswith("/query") and count:
            end = int(form["time"])
            found = [{"metric": dict(k), "value": [end / SECOND, str(n)]} for k, n in self._counts(count, end).items()]
            return 200, _enveloped("vector", found)
        if path.endswith("/query_range"):
            self.pages.append(form)
            return self._streams(form, headers)
        names = sorted({name for entry in self.entries for name in entry.labels})
        if path.endswith("/labels"):
            return 200, json.dumps({"status": "success", **({"data": names} if names else {})})
        if path.endswith("/values"):
            name = path.split("/")[-2]
            values = sorted({entry.labels[name] for entry in self.entries if name in entry.labels})
            return 200, json.dumps({"status": "success", **({"data": values} if values else {})})
        if path.endswith("/series"):
            matching = self._matching(form["match[]"], int(form["start"]), int(form["end"]))
            return 200, json.dumps({"status": "success", "data": [dict(entry.labels) for entry in matching]})
        return 404, "404 page not found\n"

    def _matching(self, text: str, start: int, end: int) -> list[Entry]:
        tree = parse(text)
        assert isinstance(tree, LogQuery)
        return [entry for entry in self.entries if start <= entry.ns < end and _selected(entry, tree)]

    def _streams(self, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, str]:
        limit = int(form["limit"])
        if limit > self.most:
            words = "max entries limit per query exceeded, limit > max_entries_limit_per_query"
            return 400, f"{words} ({limit} > {self.most})"
        assert form["direction"] == "backward"
        found = self._matching(form["query"], int(form["start"]), int(form["end"]))
        found.reverse()  # of one time, the last written first
        newest = sorted(found, key=lambda entry: -entry.ns)[:limit]
        flagged = self.categorises and headers.get("x-loki-response-encoding-flags") == "categorize-labels"
        return 200, body_of(newest, categorised=flagged)

    def _counts(self, count: re.Match[str], at: int) -> dict[tuple[tuple[str, str], ...], int]:
        offset = int(count["offset"] or 0) * _UNITS[count["offset_unit"] or "s"]
        width = int(count["width"]) * _UNITS[count["unit"]]
        found: dict[tuple[tuple[str, str], ...], int] = {}
        for entry in self._matching(count["lines"], at - offset - width + 1, at - offset + 1):
            known = entry.all_labels
            key = tuple((name, known[name]) for name in count["by"].split(", ") if name in known)
            found[key] = found.get(key, 0) + 1
        return found

    def _range(self, count: re.Match[str], form: Mapping[str, str]) -> str:
        """Start and end are moved to multiples of the step; times are cut to milliseconds twice, as Loki does."""
        step = round(float(form["step"]) * SECOND)
        start, end = int(form["start"]) // step * step, -(-int(form["end"]) // step) * step
        offset = int(count["offset"] or 0) * _UNITS[count["offset_unit"] or "s"]
        series: dict[tuple[tuple[str, str], ...], list[Any]] = {}
        for at in range(start, end + 1, step):
            shown = ((at - offset) // 1_000_000 + offset // 1_000_000) / 1000
            for key, number in self._counts(count, at).items():
                series.setdefault(key, []).append([shown, str(number)])
        return _enveloped("matrix", [{"metric": dict(key), "values": values} for key, values in series.items()])


def _selected(entry: Entry, tree: LogQuery) -> bool:
    if not all(_matches(entry.labels, matcher) for matcher in tree.matchers):
        return False
    for stage in tree.stages:
        if isinstance(stage, LineFilter):
            if not any(text.value in entry.line for text in stage.texts):
                return False
        elif isinstance(stage, StringFilter) and not _matches(entry.all_labels, stage.matcher):
            return False
    return True


def _matches(labels: Mapping[str, str], matcher: Matcher) -> bool:
    value = labels.get(matcher.name, "")
    if matcher.op in {"=", "!="}:
        return (value == matcher.value) == (matcher.op == "=")
    return bool(re.fullmatch(matcher.value, value)) == (matcher.op == "=~")


def body_of(entries: Iterable[Entry], *, categorised: bool, spaces: bool = False) -> str:
    """The body of an answer with these entries, stream by stream, each stream in the order given."""
    streams: dict[tuple[tuple[str, str], ...], list[Any]] = {}
    for entry in entries:
        labels = entry.labels if categorised else entry.all_labels
        extra: list[Any] = [{"structuredMetadata": dict(entry.metadata)} if entry.metadata else {}]
        value = [str(entry.ns), entry.line, *(extra if categorised else ())]
        streams.setdefault(tuple(sorted(labels.items())), []).append(value)
    result = [{"stream": dict(key), "values": values} for key, values in sorted(streams.items())]
    flags = {"encodingFlags": ["categorize-labels"]} if categorised else {}
    data = {"resultType": "streams", **flags, "result": result, "stats": {"summary": {"splits": 0}}}
    separators = (", ", ": ") if spaces else (",", ":")
    return json.dumps({"status": "success", "data": data}, separators=separators, ensure_ascii=False)


def _enveloped(kind: str, result: list[Any]) -> str:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result, "stats": {}}})
