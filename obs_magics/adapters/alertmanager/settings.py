"""What the YAML may say about an Alertmanager: what every platform has, an address, and whose alerts matter."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from obs_magics.config.platform import PlatformSettings
from obs_magics.config.types import HttpUrl, Text
from obs_magics.syntax.logql.regexes import regex_problem


def _regex(value: str) -> str:
    if problem := regex_problem(value):
        raise ValueError(f"must be a regular expression (RE2): {problem}")
    return value


class AlertmanagerSettings(PlatformSettings):
    """An Alertmanager, or what speaks its API v2; `url` is the address without ``/api/v2``.

    Grafana's own is below ``/api/alertmanager/grafana``, Mimir's below ``/alertmanager``: both belong to the address.

    Args:
        receiver: Only alerts that are sent to a receiver of this name (a regular expression, anchored).
    """

    url: HttpUrl
    receiver: Annotated[Text, AfterValidator(_regex)] | None = None
