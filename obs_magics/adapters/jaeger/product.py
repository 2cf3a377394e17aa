"""Is it a Jaeger that answers, and by which API?"""

from __future__ import annotations

from obs_magics.adapters.jaeger.api import find_api
from obs_magics.model.errors import AuthError, QueryError, RateLimited, SourceError
from obs_magics.net.client import HttpClient

_VICTORIA = "/select/jaeger"


def product_name(address: str) -> str:
    """Who answers, by the address: the API itself does not tell."""
    return "VictoriaTraces" if address.rstrip("/").endswith(_VICTORIA) else "Jaeger"


async def is_jaeger(client: HttpClient) -> bool:
    """Is this a Jaeger? False for foreign servers and for nobody; refused credentials are told.

    Raises:
        AuthError: There is a server, but it wants other credentials.
        RateLimited: There is a server, but it does not answer now.
    """
    try:
        await find_api(client)
    except (AuthError, RateLimited):
        raise
    except (SourceError, QueryError):
        return False
    return True
