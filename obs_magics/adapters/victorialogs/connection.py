"""The client of a VictoriaLogs: its tenant goes into headers of its own."""

from __future__ import annotations

from dataclasses import replace

from obs_magics.adapters.victorialogs.errors import VENDOR
from obs_magics.adapters.victorialogs.settings import VictoriaLogsSettings, tenant_headers
from obs_magics.config.connection import connection_of
from obs_magics.net.client import HttpClient


def open_client(name: str, settings: VictoriaLogsSettings) -> HttpClient:
    """Make the client of one configuration entry.

    Raises:
        ConfigError: The address is wrong, or a secret is not where the configuration says.
    """
    connection = connection_of(name, settings)
    headers = {**connection.headers, **tenant_headers(connection.tenant)}
    return HttpClient(replace(connection, tenant="", headers=headers), VENDOR)
