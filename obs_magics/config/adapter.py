"""What an adapter says of itself: how its platform is configured, opened and recognised."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from obs_magics.config.platform import PlatformSettings
from obs_magics.model.sources import Source

SettingsClass: TypeAlias = type[PlatformSettings]


@dataclass(frozen=True, slots=True)
class Adapter:
    """A platform: how it is configured, and how it is opened.

    Args:
        type: What the configuration calls it (``prometheus``).
        title: What people call it (``Prometheus``).
        settings: Its keys in the configuration.
        open: Makes a source from the entry's name and settings, asks nobody yet; None when there is no adapter yet.
        detect: Tells whether this platform answers at a URL; None when it cannot be told.
    """

    type: str
    title: str
    settings: SettingsClass
    open: Callable[[str, Any], Source] | None = None
    detect: Callable[[str, Any], Awaitable[bool]] | None = None
