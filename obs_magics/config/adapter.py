"""What an adapter says of itself: how its platform is configured, opened and recognised."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from obs_magics.config.platform import PlatformSettings
from obs_magics.model.errors import AuthError, QueryError, RateLimited, SourceError
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
        detect: Tells whether this platform answers at a URL (see `by_health`); None when it cannot be told.
    """

    type: str
    title: str
    settings: SettingsClass
    open: Callable[[str, Any], Source] | None = None
    detect: Callable[[str, Any], Awaitable[bool]] | None = None


def by_health(open_source: Callable[[str, Any], Source]) -> Callable[[str, Any], Awaitable[bool]]:
    """How most adapters `detect` their platform: a source that is well is one of theirs.

    The function says False for foreign servers and for nobody, and raises `AuthError` (there is a server, but it wants
    other credentials, or a tenant) and `RateLimited` (there is one, but it does not answer now).

    Args:
        open_source: Makes the source whose health is asked.
    """

    async def detect(name: str, settings: Any) -> bool:
        source = open_source(name, settings)
        try:
            await source.health()
        except (AuthError, RateLimited):
            raise
        except (SourceError, QueryError):
            return False
        finally:
            await source.close()
        return True

    return detect
