"""What a folder has: names, labels and values from its series, type, unit and help from its files or from the names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from obs_magics.local.store import Store
from obs_magics.model.catalog import MetricInfo, info_from_name


class FolderCatalog:
    """A `Catalog` over the series table; everything is in memory, so nothing goes stale.

    Args:
        store: Gives the store; opens the folder when it is not open yet, which is why it is called off the loop.
    """

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store

    async def metric_names(self) -> Sequence[str]:
        """Every metric name, sorted."""
        return (await asyncio.to_thread(self._store)).index.metric_names()

    async def metric(self, name: str) -> MetricInfo:
        """Type, unit and help as the files tell, or as the name does."""
        return metric_info(await asyncio.to_thread(self._store), name)

    async def label_names(self, metric: str | None = None) -> Sequence[str]:
        """Label names of one metric or of all, sorted."""
        return (await asyncio.to_thread(self._store)).index.label_names(metric)

    async def label_values(self, label: str, metric: str | None = None) -> Sequence[str]:
        """Values of one label on one metric or on all, sorted."""
        return (await asyncio.to_thread(self._store)).index.label_values(label, metric)


def metric_info(store: Store, name: str) -> MetricInfo:
    """What is known of a metric; what its file leaves open is guessed from the name."""
    guess = info_from_name(name)
    told = store.metadata.get(name) or _of_family(store, name)
    if told is None:
        return guess
    return replace(told, type=told.type if told.type != "unknown" else guess.type, unit=told.unit or guess.unit)


def _of_family(store: Store, name: str) -> MetricInfo | None:
    """`x_bucket`, `x_count` and `x_sum` are described as `x`; OpenMetrics describes the counter `x_total` as `x`."""
    family, _, suffix = name.rpartition("_")
    told = store.metadata.get(family)
    if told is None or suffix not in {"bucket", "count", "sum", "total", "created"}:
        return None
    return replace(told, name=name, unit=told.unit if suffix in {"sum", "total"} else "")
