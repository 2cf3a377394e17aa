"""Is it a VictoriaLogs that answers, and in which version?"""

from __future__ import annotations

import re

from obs_magics.adapters.victorialogs.catalog import API, between, names_of
from obs_magics.model.errors import QueryError, SourceError
from obs_magics.model.time import SECOND, TimeRange
from obs_magics.net.client import HttpClient

_VERSION = re.compile(rb'^vm_app_version\{[^}]*short_version="v?([^"]*)"', re.MULTILINE)


async def find_version(client: HttpClient) -> str:
    """Ask the server for its version; empty when it does not tell (behind a cluster's prefix, or a proxy).

    Raises:
        BadAnswer: This is no VictoriaLogs.
        SourceError: It could not be asked.
    """
    params = [("query", "*"), *between(TimeRange(0, SECOND))]  # a second of 1970 costs nothing
    names_of(await client.request("GET", f"{API}/field_names", params=params))
    try:
        reply = await client.request("GET", "/metrics", timeout=5.0)
    except (SourceError, QueryError):
        return ""
    found = _VERSION.search(reply.body)
    return found[1].decode(errors="replace") if found else ""
