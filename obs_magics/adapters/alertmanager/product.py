"""Is it an Alertmanager that answers, in which version, and how is its cluster?"""

from __future__ import annotations

import msgspec

from obs_magics.model.errors import AuthError, QueryError, RateLimited, SourceError
from obs_magics.net.client import HttpClient

STATUS = "/api/v2/status"


class _Version(msgspec.Struct, frozen=True):
    version: str = ""


class _Cluster(msgspec.Struct, frozen=True):
    status: str = ""
    peers: list[msgspec.Raw] | None = None


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """What it says of itself. Its configuration, which comes with it, holds secrets: it is never read."""

    cluster: _Cluster
    version_info: _Version = _Version()
    uptime: str = ""

    @property
    def title(self) -> str:
        """For people: `Alertmanager 0.25.0`."""
        return f"Alertmanager {self.version_info.version}".strip()

    @property
    def detail(self) -> str:
        """Since when it runs, and how many there are of it."""
        peers = len(self.cluster.peers or ())
        alone = self.cluster.status == "disabled" or peers < 2
        state = "alone" if alone else f"a cluster of {peers:,}, {self.cluster.status}"
        since = f"up since {self.uptime[:19].replace('T', ' ')}, " if self.uptime else ""
        return f"{since}{state}"


async def find_status(client: HttpClient) -> Status:
    """Ask it for its status.

    Raises:
        BadAnswer: This is no Alertmanager.
        SourceError: It could not be asked.
    """
    reply = await client.request("GET", STATUS)
    if reply.is_html:
        raise reply.not_json()
    try:
        return msgspec.json.decode(reply.body, type=Status)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise reply.not_json(str(problem)) from None


async def is_alertmanager(client: HttpClient) -> bool:
    """Is this an Alertmanager? False for foreign servers and for nobody; refused credentials are told.

    Raises:
        AuthError: There is a server, but it wants other credentials.
        RateLimited: There is a server, but it does not answer now.
    """
    try:
        await find_status(client)
    except (AuthError, RateLimited):
        raise
    except (SourceError, QueryError):
        return False
    return True
