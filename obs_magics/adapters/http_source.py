"""What every source over HTTP has: a name, an address, and one client, made when it is first asked."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from obs_magics.adapters.shared import Shared
from obs_magics.config.connection import address_of, connection_of
from obs_magics.config.platform import PlatformSettings
from obs_magics.net.client import HttpClient
from obs_magics.net.vendor import Vendor

S = TypeVar("S", bound=PlatformSettings)


class HttpSource(Generic[S]):
    """The part of a source that is the same on every platform; what it can be asked for is its own.

    Args:
        name: As the user calls it.
        settings: Its entry in the configuration; secrets in it are looked up when it is first asked.

    Raises:
        ConfigError: The entry has no `url`.
    """

    vendor: ClassVar[Vendor]

    def __init__(self, name: str, settings: S) -> None:
        self.name = name
        self.address = address_of(name, settings)
        self._settings = settings
        self._shared = Shared()
        self._opened: HttpClient | None = None

    @property
    def _client(self) -> HttpClient:
        if self._opened is None:
            self._opened = self._make_client()
        return self._opened

    def _make_client(self) -> HttpClient:
        return HttpClient(connection_of(self.name, self._settings), self.vendor)

    def now_ns(self) -> int | None:
        """None: its now is the clock's."""
        return None

    async def close(self) -> None:
        """Let go of the connections."""
        await self._shared.close()
        if self._opened is not None:
            await self._opened.close()
