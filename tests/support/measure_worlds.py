"""Small worlds of metrics for measures: series as a server would export them, as a folder that answers PromQL."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from obs_magics.language.measures import Row
from obs_magics.language.measures.fill import other_metrics, own_matchers
from obs_magics.local.settings import FolderSettings
from obs_magics.local.source import FolderSource
from obs_magics.model.query import MetricsQuery
from obs_magics.model.time import MINUTE, SECOND, TimeRange
from obs_magics.syntax.grafana import expand_time_variables

END_S = 1_795_363_200
SCRAPE_S = 15
POINTS = 21
_BUCKETS = (("0.1", 0.5), ("0.5", 0.9), ("1", 1.0), ("+Inf", 1.0))


@dataclass
class World:
    """Series with values that rise (`counter`) or stand still (`gauge`), the last one at `END_S`."""

    series: list[dict[str, Any]] = field(default_factory=list)

    @property
    def families(self) -> set[str]:
        """Its metric names, without what histograms put behind them."""
        names = {str(one["metric"]["__name__"]) for one in self.series}
        return {name.removesuffix("_bucket").removesuffix("_count") for name in names}

    def counter(self, labels: Mapping[str, str], per_second: float) -> None:
        """A counter that rises evenly."""
        self._add(labels, [1000 + per_second * SCRAPE_S * number for number in range(POINTS)])

    def gauge(self, labels: Mapping[str, str], value: float) -> None:
        """A gauge that stands still."""
        self._add(labels, [value] * POINTS)

    def histogram(self, name: str, labels: Mapping[str, str], per_second: float, scale: float = 1.0) -> None:
        """A classic histogram in which half of the requests take up to 0.1 and all up to 1, times `scale`."""
        for bound, share in _BUCKETS:
            le = bound if bound == "+Inf" else f"{float(bound) * scale:g}"
            self.counter({"__name__": f"{name}_bucket", **labels, "le": le}, per_second * share)
        self.counter({"__name__": f"{name}_count", **labels}, per_second)

    def native(self, name: str, labels: Mapping[str, str], per_second: float) -> None:
        """A native histogram with one bucket, from 0.25 to 0.5."""
        points = []
        for number, time in enumerate(_times()):
            count = f"{1000 + per_second * SCRAPE_S * number}"
            points.append([time, {"count": count, "sum": count, "buckets": [[0, "0.25", "0.5", count]]}])
        self.series.append({"metric": {"__name__": name, **labels}, "histograms": points})

    def _add(self, labels: Mapping[str, str], values: Sequence[float]) -> None:
        points = [[time, f"{value}"] for time, value in zip(_times(), values, strict=True)]
        self.series.append({"metric": dict(labels), "values": points})

    def source(self, folder: Path) -> FolderSource:
        """The world as a folder."""
        answer = {"status": "success", "data": {"resultType": "matrix", "result": self.series}}
        folder.mkdir(exist_ok=True)
        (folder / "world.json").write_text(json.dumps(answer))
        return FolderSource("world", FolderSettings(path=str(folder)))


def worlds_for(rows: Sequence[Row]) -> list[tuple[World, list[int]]]:
    """As few worlds as possible in which each row tells of two services of its own, and the rows of each.

    No metric is in a world twice: what one row knows of its labels must not mislead another.
    """
    worlds: list[tuple[World, list[int]]] = []
    for number, row in enumerate(rows):
        own = _world_of(row, services_of(number))
        place = next((one for one in worlds if not one[0].families & own.families), None)
        if place is None:
            worlds.append(place := (World(), []))
        place[0].series.extend(own.series)
        place[1].append(number)
    return worlds


def services_of(number: int) -> tuple[str, str]:
    """The two services of a row of the table."""
    return f"svc{number}-api", f"svc{number}-web"


def _world_of(row: Row, services: Sequence[str]) -> World:
    """The fewest series that a row fits."""
    world = World()
    name = row.metrics[0].replace("*", "shop")
    for service in services:
        plain = {row.services[0]: service, "instance": f"{service}-0:80"} | dict.fromkeys(row.by, "first")
        _add_metric(world, row, name, plain | dict(own_matchers(row.query)))
        for other in other_metrics(row.query):
            world.counter({"__name__": other, **plain, **dict(own_matchers(row.query, other))}, 8.0)
    return world


def _add_metric(world: World, row: Row, name: str, labels: Mapping[str, str]) -> None:
    scale = 1000.0 if row.query.endswith("/ 1000") else 1.0
    good, bad = ({**labels, "code": code} for code in ("200", "500"))
    if row.series == "native":
        world.native(name, good, 3.0)
        world.native(name, bad, 1.0)
    elif row.series == "summary":
        world.gauge({"__name__": name, **labels, "quantile": "0.99"}, 0.4 * scale)
    elif row.series in {"bucket", "count"}:
        world.histogram(name, good, 3.0, scale)
        world.histogram(name, bad, 1.0, scale)
    elif "$failed" in row.query:
        world.counter({"__name__": name, **good}, 3.0)
        world.counter({"__name__": name, **bad}, 1.0)
    else:
        world.counter({"__name__": name, **labels}, 4.0)


async def value_of(source: FolderSource, query: str) -> dict[str, float]:
    """The value at the end of the world, by the labels of the answer as text."""
    text = expand_time_variables(query, step_ns=MINUTE, range_ns=MINUTE, scrape_ns=15 * SECOND)
    end_ns = END_S * SECOND
    asked = MetricsQuery(text=text, range=TimeRange(end_ns, end_ns), step_ns=SECOND, instant=True)
    frame = (await source.metrics(asked)).frame
    labels = [name for name in frame.columns if name not in {"timestamp", "value", "metric", "histogram"}]
    names = [" ".join(str(row[name]) for name in labels) for _, row in frame.iterrows()]
    return dict(zip(names, frame["value"].to_list(), strict=True))


def _times() -> list[int]:
    return [END_S - SCRAPE_S * (POINTS - 1 - number) for number in range(POINTS)]
