"""What the YAML may say about a Loki: what every platform has, its limit of lines, and the Grafana in front of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from obs_magics.config.platform import PlatformSettings
from obs_magics.config.types import HttpUrl, Text


class LokiSettings(PlatformSettings):
    """A Loki, or what speaks its API; `url` is the address without ``/loki/api/v1``.

    Args:
        page_lines: Lines asked for at once; more than the server's `max_entries_limit_per_query` are refused by it.
        grafana_url: Address of a Grafana that has this Loki as a data source; links then open Explore.
        grafana_datasource: The data source's uid or name there.
    """

    url: HttpUrl
    page_lines: Annotated[int, Field(ge=1, le=1_000_000)] = 5_000
    grafana_url: HttpUrl | None = None
    grafana_datasource: Text = "loki"
