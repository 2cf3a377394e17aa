"""A VictoriaLogs in a test: rows in memory, answered over a real socket in no order at all."""

from __future__ import annotations

import contextlib
import json
import random
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import pandas as pd

from obs_magics.adapters.log_pages import clock
from obs_magics.adapters.victorialogs import VictoriaLogsSettings, open_source
from obs_magics.adapters.victorialogs.source import VictoriaLogsSource
from obs_magics.model.time import SECOND
from support.sockets import Asked, Stage, Step, answer, serving

_FILTER = re.compile(r'!(\w+):~"([^"]*)"')


@dataclass
class FakeVictoriaLogs:
    """Answers `query`, `stats_query_range` and the names' endpoints over rows of fields, `_time` in nanoseconds.

    It understands `*`, and the level filters that the adapter puts in.
    """

    rows: list[dict[str, Any]]
    problem: Callable[[str, Mapping[str, str]], Step | None] = lambda _path, _form: None
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def source(self, **settings: Any) -> AsyncIterator[tuple[VictoriaLogsSource, Stage]]:
        """A source that asks this server."""
        async with serving(self.step) as stage:
            source = open_source("vl", VictoriaLogsSettings(url=stage.url, timeout="60s", **settings))
            try:
                yield source, stage
            finally:
                await source.close()

    async def step(self, asked: Asked, writer: Any) -> None:
        """Answer one request."""
        path, _, query = asked.target.partition("?")
        form = {name: values[0] for name, values in parse_qs(query or asked.body.decode()).items()}
        endpoint = path.rpartition("/")[2]
        self.asked.append((endpoint, form))
        chosen = self.problem(endpoint, form)
        await (chosen or self._answer(endpoint, form))(asked, writer)

    def _answer(self, endpoint: str, form: Mapping[str, str]) -> Step:
        if endpoint == "metrics":
            return answer('vm_app_version{version="x", short_version="v1.24.0"} 1\n', kind="text/plain")
        start, end = (int(pd.Timestamp(form[name]).value) for name in ("start", "end"))
        rows = [row for row in self.rows if start <= row["_time"] < end and _selected(row, form["query"])]
        if endpoint == "query":
            rows = sorted(rows, key=lambda row: -row["_time"])[: int(form["limit"])]
            random.Random(1).shuffle(rows)
            lines = (json.dumps({**row, "_time": clock(row["_time"])}) + "\n" for row in rows)
            return answer("".join(lines), kind="application/stream+json")
        if endpoint == "stats_query_range":
            step = int(form["step"].removesuffix("s")) * SECOND
            counts: dict[tuple[str, int], int] = {}
            for row in rows:
                key = (row.get("level", ""), row["_time"] // step * step // SECOND)
                counts[key] = counts.get(key, 0) + 1
            result = [
                {"metric": {"__name__": "lines", "level": level}, "values": [[at, str(number)]]}
                for (level, at), number in counts.items()
            ]
            return answer(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}))
        names = sorted({name for row in rows for name in row})
        if endpoint.endswith("values"):
            names = sorted({row[form["field"]] for row in rows if form["field"] in row})
        return answer(json.dumps({"values": [{"value": name, "hits": 1} for name in names]}))


def _selected(row: Mapping[str, Any], query: str) -> bool:
    if "nothing" in query:
        return False
    return not any(re.search(words, row.get(name, "")) for name, words in _FILTER.findall(query))
