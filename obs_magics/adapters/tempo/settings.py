"""What the YAML may say about a Tempo: what every platform has, how it searches, and the Grafana in front of it."""

from __future__ import annotations

from obs_magics.config.platform import PlatformSettings
from obs_magics.config.types import HttpUrl, Text


class TempoSettings(PlatformSettings):
    """A Tempo; `url` is the address without ``/api``.

    Args:
        most_recent: Ask for the newest traces (``with (most_recent=true)``). Else the server stops at the first ones
            that it finds, which is quicker where it holds much.
        lookup_in_range: Look a trace up by its id in the range of the question alone. That is quicker where a server
            holds months of traces; what is outside of the range is not found.
        grafana_url: Address of a Grafana that has this Tempo as a data source; links then open Explore.
        grafana_datasource: The data source's uid or name there.
    """

    url: HttpUrl
    most_recent: bool = True
    lookup_in_range: bool = False
    grafana_url: HttpUrl | None = None
    grafana_datasource: Text = "tempo"
