"""Questions for events: what happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from obs_magics.api.base import Base
from obs_magics.api.faces import Waiting
from obs_magics.model.sources import ProgressListener, no_progress
from obs_magics.session.plan import Plan, When
from obs_magics.session.plan_events import EventsOptions

if TYPE_CHECKING:
    import pandas as pd

_CONFIG_CHANGES = ("config_change", "feature_flag")


class Events(Base, Waiting):
    """What happened, from every source that may know."""

    def events(
        self,
        query: str = "",
        *,
        source: str | None = None,
        kinds: str | Sequence[str] | None = None,
        service: str | Sequence[str] | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        limit: int | None = None,
        progress: ProgressListener = no_progress,
    ) -> pd.DataFrame:
        """Ask every source that may know what happened: deployments, changes, flags, alerts, restarts, notes.

        A source that does not answer does no harm: the frame has what the others told, and its provenance says what
        failed. An alert that Prometheus and Alertmanager both tell of is one event.

        Args:
            query: Kinds in everyday words (`deploys`), conditions (`severity=~"crit.*"`), and words that stand in the
                event; empty for all (see `syntax.event_query`).
            source: Its name, or several with commas between them; None or `auto` asks all that have events.
            kinds: `deployment`, `config_change`, `feature_flag`, `alert`, `incident`, `restart`, `scale`,
                `annotation`, or what people call them; several as a list, or with commas between them.
            service: Events of this service, or these; `*` stands for anything.
            last: How far back from `end`, or from the (first) source's now: `1h`, `30 minutes`. Default: 6 h.
            start: Where to begin: `14:05`, `yesterday 9am`, `now-2h`, ISO 8601, epoch, datetime.
            end: Where to end; default now.
            limit: At most this many events, the newest; default 1,000.
            progress: Is told how far it is.

        Returns:
            An events frame (see `model.events`): one row per event that overlaps the range, in order of time, with
            `timestamp`, `end`, `kind`, `service`, `title`, `version`, `severity`, `url`, `source` and attributes.

        Raises:
            UsageError: The options do not go together, there is no such source, or none has events.
            QueryError: The question cannot be read, or was refused.
            SourceError: None of the sources could be asked.
        """
        options = EventsOptions(kinds=kinds, service=service, last=last, start=start, end=end, limit=limit)
        return self._run(self._events.ask(query, options, source=source, progress=progress))

    def events_plan(
        self,
        query: str = "",
        *,
        source: str | None = None,
        kinds: str | Sequence[str] | None = None,
        service: str | Sequence[str] | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        limit: int | None = None,
    ) -> Plan:
        """What `events` with the same options would ask of whom; asks nobody."""
        options = EventsOptions(kinds=kinds, service=service, last=last, start=start, end=end, limit=limit)
        return self._run(self._events.plan(query, options, source=source))

    def deployments(
        self,
        query: str = "",
        *,
        source: str | None = None,
        service: str | Sequence[str] | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """As `events`, of kind `deployment` alone."""
        options = EventsOptions(kinds="deployment", service=service, last=last, start=start, end=end, limit=limit)
        return self._run(self._events.ask(query, options, source=source, progress=no_progress))

    def config_changes(
        self,
        query: str = "",
        *,
        source: str | None = None,
        service: str | Sequence[str] | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """As `events`, of kinds `config_change` and `feature_flag`: what was changed without a deployment."""
        options = EventsOptions(kinds=_CONFIG_CHANGES, service=service, last=last, start=start, end=end, limit=limit)
        return self._run(self._events.ask(query, options, source=source, progress=no_progress))

    def alerts(
        self,
        query: str = "",
        *,
        source: str | None = None,
        service: str | Sequence[str] | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """As `events`, of kind `alert` alone: what fired, and from when to when."""
        options = EventsOptions(kinds="alert", service=service, last=last, start=start, end=end, limit=limit)
        return self._run(self._events.ask(query, options, source=source, progress=no_progress))
