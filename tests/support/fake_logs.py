"""A source of log lines in memory, for tests of what stands above the adapters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from obs_magics.config.adapter import Adapter
from obs_magics.config.platform import PlatformSettings
from obs_magics.model.frames import categories
from obs_magics.model.logs import LEVELS, Level, Volume, logs_frame
from obs_magics.model.query import LogsQuery, LogWords
from obs_magics.model.sources import Answer, Health, ProgressListener, no_progress
from support.fakes import NOW_NS, frame_of

Line = tuple[int, Level | None, str | None, str]  # seconds before now, level, service, message


def lines_frame(lines: Sequence[Line], **labels: Sequence[str | None]) -> pd.DataFrame:
    """A logs frame of lines that end at `NOW_NS`, which may come in any order."""
    ordered = sorted(range(len(lines)), key=lambda row: -lines[row][0])
    chosen = [lines[row] for row in ordered]
    return logs_frame(
        np.asarray([NOW_NS - before * 1_000_000_000 for before, *_ in chosen], np.int64),
        pa.array([message for *_, message in chosen], pa.string()),
        level_codes=np.asarray([-1 if level is None else LEVELS.index(level) for _, level, *_ in chosen], np.int8),
        service=categories([service for _, _, service, _ in chosen]),
        labels={name: categories([values[row] for row in ordered]) for name, values in labels.items()},
    )


class FakeLogCatalog:
    """Two services with one label."""

    async def label_names(self) -> Sequence[str]:
        return ["app", "namespace"]

    async def label_values(self, label: str) -> Sequence[str]:
        return {"app": ["cart-service", "payment-api"], "namespace": ["shop"]}.get(label, [])

    async def field_names(self) -> Sequence[str]:
        return ["duration_ms", "path"]

    async def services(self) -> Sequence[str]:
        return ["cart-service", "payment-api"]


class FakeLogsSource:
    """Gives the lines it was given; a query with `numbers` in it gives metrics; fails with what `error` holds."""

    platform = "fakelogs"

    def __init__(self, name: str, settings: PlatformSettings) -> None:
        self.name = name
        self.address = settings.url or "memory"
        self.log_language: Any = "logql"
        self.asked: list[LogsQuery] = []
        self.frame = lines_frame([(60, "error", "payment-api", "Connection pool exhausted")])
        self.error: Exception | None = None
        self.extra: dict[str, Any] = {}

    def now_ns(self) -> int | None:
        return NOW_NS

    async def health(self) -> Health:
        return Health(ok=True, version="fake logs 1.0", seconds=0.0)

    async def close(self) -> None:
        """Nothing to let go of."""

    @property
    def log_catalog(self) -> FakeLogCatalog:
        return FakeLogCatalog()

    async def words_query(self, words: LogWords) -> str:
        services = "|".join(words.services) or ".+"
        return f'{{app=~"{services}"}}' + "".join(f' |~ "(?i){"|".join(group)}"' for group in words.groups)

    async def logs(self, query: LogsQuery, progress: ProgressListener = no_progress) -> Answer:
        self.asked.append(query)
        if self.error:
            raise self.error
        if "rate(" in query.text:
            return Answer(frame_of([1.0, 2.0]), query.text)
        return Answer(self.frame.copy(), query.text, signal="logs", **self.extra)


VOLUME = Volume(NOW_NS - 60_000_000_000, 30_000_000_000, {"error": (1, 2), "info": (30, 40)})
FAKE_LOGS = Adapter("fakelogs", "Fake logs", PlatformSettings, FakeLogsSource)
