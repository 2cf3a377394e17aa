"""Which anomalies the project ignores."""

from __future__ import annotations

from datetime import UTC, datetime

from obs_magics.api.base import Base
from obs_magics.config.ignore import Ignored, add_ignored, checked_entry, read_ignored, remove_ignored
from obs_magics.model.time import SECOND, parse_instant
from obs_magics.session.plan import When


class Ignoring(Base):
    """Keeps the list of what is ignored; asks no source."""

    def ignore(
        self,
        *,
        reason: str,
        metric: str = "",
        service: str = "",
        series: str = "",
        kind: str = "",
        start: When | None = None,
        end: When | None = None,
        by: str = "",
        at: str = "",
    ) -> Ignored:
        """Ignore anomalies from now on: those that match every pattern and lie in the window; asks no source.

        What is ignored is kept in a file of the project, counted, and told with every answer.

        Args:
            reason: Why.
            metric: A measure or the name of a metric; `*` stands for any letters, here and below.
            service: Its name.
            series: As the anomalies frame calls it.
            kind: Of anomaly: `spike`, `level_shift`, …
            start: From when, as in `metrics`.
            end: Until when.
            by: Who decided it.
            at: When it was decided, in the decider's own words.

        Returns:
            The entry; its `id` is for `unignore`.

        Raises:
            UsageError: It would ignore everything, or a time is not understood.
            ConfigError: The file cannot be read or written.
        """
        moments = {name: self._moment(value) for name, value in (("start", start), ("end", end))}
        patterns = {"metric": metric, "service": service, "series": series, "kind": kind}
        return add_ignored(
            self._anomalies.ignore_file, checked_entry(**patterns, **moments, reason=reason, by=by, at=at)
        )

    def ignored(self) -> tuple[Ignored, ...]:
        """What the project ignores, in the order of its file.

        Raises:
            ConfigError: The file cannot be read, or an entry makes no sense.
        """
        return read_ignored(self._anomalies.ignore_file)

    def unignore(self, id: str) -> Ignored:  # noqa: A002 - what the entry calls it
        """Take an entry out again, by its id; gives it back.

        Raises:
            UsageError: There is no such entry.
        """
        return remove_ignored(self._anomalies.ignore_file, id)

    def _moment(self, value: When | None) -> datetime | None:
        """A time as people write it, relative to the default source's now where it has one of its own."""
        if value is None:
            return None
        now_ns = self._core.now_ns()
        return datetime.fromtimestamp(parse_instant(value, now_ns=now_ns, zone=self.zone) / SECOND, UTC)
