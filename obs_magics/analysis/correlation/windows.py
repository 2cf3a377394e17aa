"""How far back what kind of event is looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta

from obs_magics.model.errors import ConfigError, did_you_mean


@dataclass(frozen=True, slots=True)
class Windows:
    """For each kind of event how long before an onset it may have happened and still count.

    >>> Windows().of("deployment")
    datetime.timedelta(seconds=7200)
    >>> Windows().replaced({"alert": timedelta(minutes=10)}).alert
    datetime.timedelta(seconds=600)
    """

    deployment: timedelta = timedelta(hours=2)
    config_change: timedelta = timedelta(hours=1)
    feature_flag: timedelta = timedelta(hours=1)
    scale: timedelta = timedelta(hours=1)
    restart: timedelta = timedelta(minutes=30)
    alert: timedelta = timedelta(minutes=30)
    incident: timedelta = timedelta(minutes=30)
    annotation: timedelta = timedelta(minutes=30)

    def of(self, kind: str) -> timedelta:
        """The window of a kind of event; nothing for a kind that nobody knows."""
        return getattr(self, kind) if kind in _KINDS else timedelta(0)

    def replaced(self, changes: Mapping[str, timedelta]) -> Windows:
        """The windows with some of them set otherwise.

        Raises:
            ConfigError: There is no such kind, or a window is negative.
        """
        for kind, length in changes.items():
            if kind not in _KINDS:
                hint = did_you_mean(kind, _KINDS) or f"known kinds: {', '.join(_KINDS)}"
                raise ConfigError(f"there is no kind of event called {kind}", hint=hint)
            if length < timedelta(0):
                raise ConfigError(f"the window of {kind} is negative: {length}")
        return replace(self, **changes)

    @property
    def longest(self) -> timedelta:
        """As far back as anything is looked for."""
        return max(self.of(kind) for kind in _KINDS)


_KINDS = tuple(field.name for field in fields(Windows))
