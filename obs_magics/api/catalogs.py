"""What a source has, for whoever waits and for whoever awaits."""

from __future__ import annotations

from collections.abc import Sequence

from obs_magics.api.faces import Awaiting, Waiting, awaited
from obs_magics.model.catalog import Catalog, LogCatalog, MetricInfo, TraceCatalog


class SyncCatalog(Waiting):
    """What a source has; each call waits for its answer."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def metric_names(self) -> Sequence[str]:
        """Every metric name of the recent past, sorted."""
        return self._run(self._catalog.metric_names())

    def metric(self, name: str) -> MetricInfo:
        """Type, unit and help of one metric."""
        return self._run(self._catalog.metric(name))

    def label_names(self, metric: str | None = None) -> Sequence[str]:
        """Label names, of one metric or of all."""
        return self._run(self._catalog.label_names(metric))

    def label_values(self, label: str, metric: str | None = None) -> Sequence[str]:
        """Values of one label, on one metric or on all."""
        return self._run(self._catalog.label_values(label, metric))


class AsyncCatalog(Awaiting):
    """What a source has; to be awaited from any loop."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    metric_names = awaited(SyncCatalog.metric_names)
    metric = awaited(SyncCatalog.metric)
    label_names = awaited(SyncCatalog.label_names)
    label_values = awaited(SyncCatalog.label_values)


class SyncLogCatalog(Waiting):
    """What log lines are labelled with; each call waits for its answer."""

    def __init__(self, catalog: LogCatalog) -> None:
        self._catalog = catalog

    def label_names(self) -> Sequence[str]:
        """Names that a stream selector may use."""
        return self._run(self._catalog.label_names())

    def label_values(self, label: str) -> Sequence[str]:
        """Values of one label of the recent past."""
        return self._run(self._catalog.label_values(label))

    def field_names(self) -> Sequence[str]:
        """Names found inside the lines, as far as the source tells."""
        return self._run(self._catalog.field_names())

    def services(self) -> Sequence[str]:
        """The services that write logs."""
        return self._run(self._catalog.services())


class AsyncLogCatalog(Awaiting):
    """What log lines are labelled with; to be awaited from any loop."""

    def __init__(self, catalog: LogCatalog) -> None:
        self._catalog = catalog

    label_names = awaited(SyncLogCatalog.label_names)
    label_values = awaited(SyncLogCatalog.label_values)
    field_names = awaited(SyncLogCatalog.field_names)
    services = awaited(SyncLogCatalog.services)


class SyncTraceCatalog(Waiting):
    """What spans have; each call waits for its answer."""

    def __init__(self, catalog: TraceCatalog) -> None:
        self._catalog = catalog

    def services(self) -> Sequence[str]:
        """The services that write spans."""
        return self._run(self._catalog.services())

    def operations(self, service: str | None = None) -> Sequence[str]:
        """Names of spans, of one service or of all."""
        return self._run(self._catalog.operations(service))

    def attribute_names(self) -> Sequence[str]:
        """Names of attributes with their scope."""
        return self._run(self._catalog.attribute_names())

    def attribute_values(self, name: str) -> Sequence[str]:
        """Values of one attribute of the recent past, as text."""
        return self._run(self._catalog.attribute_values(name))


class AsyncTraceCatalog(Awaiting):
    """What spans have; to be awaited from any loop."""

    def __init__(self, catalog: TraceCatalog) -> None:
        self._catalog = catalog

    services = awaited(SyncTraceCatalog.services)
    operations = awaited(SyncTraceCatalog.operations)
    attribute_names = awaited(SyncTraceCatalog.attribute_names)
    attribute_values = awaited(SyncTraceCatalog.attribute_values)
