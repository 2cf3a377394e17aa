"""What a source has, for whoever waits and for whoever awaits."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from obs_magics.model.catalog import Catalog, LogCatalog, MetricInfo, TraceCatalog
from obs_magics.net.loop import background

T = TypeVar("T")


class SyncCatalog:
    """What a source has; each call waits for its answer."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def metric_names(self) -> Sequence[str]:
        """Every metric name of the recent past, sorted."""
        return background().run(self._catalog.metric_names())

    def metric(self, name: str) -> MetricInfo:
        """Type, unit and help of one metric."""
        return background().run(self._catalog.metric(name))

    def label_names(self, metric: str | None = None) -> Sequence[str]:
        """Label names, of one metric or of all."""
        return background().run(self._catalog.label_names(metric))

    def label_values(self, label: str, metric: str | None = None) -> Sequence[str]:
        """Values of one label, on one metric or on all."""
        return background().run(self._catalog.label_values(label, metric))


class AsyncCatalog:
    """What a source has; to be awaited from any loop."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def metric_names(self) -> Sequence[str]:
        """Every metric name of the recent past, sorted."""
        return await bridged(self._catalog.metric_names())

    async def metric(self, name: str) -> MetricInfo:
        """Type, unit and help of one metric."""
        return await bridged(self._catalog.metric(name))

    async def label_names(self, metric: str | None = None) -> Sequence[str]:
        """Label names, of one metric or of all."""
        return await bridged(self._catalog.label_names(metric))

    async def label_values(self, label: str, metric: str | None = None) -> Sequence[str]:
        """Values of one label, on one metric or on all."""
        return await bridged(self._catalog.label_values(label, metric))


class SyncLogCatalog:
    """What log lines are labelled with; each call waits for its answer."""

    def __init__(self, catalog: LogCatalog) -> None:
        self._catalog = catalog

    def label_names(self) -> Sequence[str]:
        """Names that a stream selector may use."""
        return background().run(self._catalog.label_names())

    def label_values(self, label: str) -> Sequence[str]:
        """Values of one label of the recent past."""
        return background().run(self._catalog.label_values(label))

    def field_names(self) -> Sequence[str]:
        """Names found inside the lines, as far as the source tells."""
        return background().run(self._catalog.field_names())

    def services(self) -> Sequence[str]:
        """The services that write logs."""
        return background().run(self._catalog.services())


class AsyncLogCatalog:
    """What log lines are labelled with; to be awaited from any loop."""

    def __init__(self, catalog: LogCatalog) -> None:
        self._catalog = catalog

    async def label_names(self) -> Sequence[str]:
        """Names that a stream selector may use."""
        return await bridged(self._catalog.label_names())

    async def label_values(self, label: str) -> Sequence[str]:
        """Values of one label of the recent past."""
        return await bridged(self._catalog.label_values(label))

    async def field_names(self) -> Sequence[str]:
        """Names found inside the lines, as far as the source tells."""
        return await bridged(self._catalog.field_names())

    async def services(self) -> Sequence[str]:
        """The services that write logs."""
        return await bridged(self._catalog.services())


class SyncTraceCatalog:
    """What spans have; each call waits for its answer."""

    def __init__(self, catalog: TraceCatalog) -> None:
        self._catalog = catalog

    def services(self) -> Sequence[str]:
        """The services that write spans."""
        return background().run(self._catalog.services())

    def operations(self, service: str | None = None) -> Sequence[str]:
        """Names of spans, of one service or of all."""
        return background().run(self._catalog.operations(service))

    def attribute_names(self) -> Sequence[str]:
        """Names of attributes with their scope."""
        return background().run(self._catalog.attribute_names())

    def attribute_values(self, name: str) -> Sequence[str]:
        """Values of one attribute of the recent past, as text."""
        return background().run(self._catalog.attribute_values(name))


class AsyncTraceCatalog:
    """What spans have; to be awaited from any loop."""

    def __init__(self, catalog: TraceCatalog) -> None:
        self._catalog = catalog

    async def services(self) -> Sequence[str]:
        """The services that write spans."""
        return await bridged(self._catalog.services())

    async def operations(self, service: str | None = None) -> Sequence[str]:
        """Names of spans, of one service or of all."""
        return await bridged(self._catalog.operations(service))

    async def attribute_names(self) -> Sequence[str]:
        """Names of attributes with their scope."""
        return await bridged(self._catalog.attribute_names())

    async def attribute_values(self, name: str) -> Sequence[str]:
        """Values of one attribute of the recent past, as text."""
        return await bridged(self._catalog.attribute_values(name))


async def bridged(work: Coroutine[Any, Any, T]) -> T:
    """Await, from any loop, what runs on the background loop."""
    return await background().bridge(work)
