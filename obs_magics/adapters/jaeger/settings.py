"""What the YAML may say about a Jaeger: what every platform has, and how many services are searched at once."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from obs_magics.config.platform import PlatformSettings
from obs_magics.config.types import HttpUrl


class JaegerSettings(PlatformSettings):
    """A Jaeger, or what speaks its API; `url` is the address without ``/api``.

    VictoriaTraces has the API below ``/select/jaeger``, which belongs to the address.

    Args:
        most_services: A search that names no service asks for one service after the other, at most so many.
    """

    url: HttpUrl
    most_services: Annotated[int, Field(ge=1, le=1_000)] = 50
