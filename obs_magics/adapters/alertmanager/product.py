"""Is it an Alertmanager that answers, in which version, and how is its cluster?"""

from __future__ import annotations

import msgspec

from obs_magics.net.client import HttpClient

STATUS = "/api/v2/status"


class _Version(msgspec.Struct, frozen=True):
    version: str = ""


class _Cluster(msgspec.Struct, frozen=True):
    status: str = ""
    peers: list[msgspec.Raw] | None = None


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """What it says of itself. Its configuration, which comes with it, holds secrets: it is kept as bytes, never read.

    Grafana's own has null where it has nothing to say.
    """

    config: msgspec.Raw
    cluster: _Cluster | None = None
    version_info: _Version | None = None
    uptime: str | None = None

    def __repr__(self) -> str:
        return f"Status({self.title}, {self.detail})"

    @property
    def title(self) -> str:
        """For people: `Alertmanager 0.25.0`."""
        return f"Alertmanager {self.version_info.version if self.version_info else ''}".strip()

    @property
    def detail(self) -> str:
        """Since when it runs, and how many there are of it."""
        cluster = self.cluster or _Cluster()
        peers = len(cluster.peers or ())
        alone = cluster.status == "disabled" or peers < 2
        state = "alone" if alone else f"a cluster of {peers:,}, {cluster.status}"
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
