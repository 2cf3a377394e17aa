"""What the YAML may say about a VictoriaLogs: what every platform has; its tenants are numbers."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from obs_magics.config.platform import PlatformSettings
from obs_magics.config.types import HttpUrl, Text, is_late

_TENANT = re.compile(r"(\d{1,10})(?::(\d{1,10}))?", re.ASCII)


def _number(value: object) -> object:
    """YAML takes `1` for a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _tenant(value: str) -> str:
    if not is_late(value) and not _TENANT.fullmatch(value):
        raise ValueError("must be an account, 1, or an account and a project, 1:2")
    return value


class VictoriaLogsSettings(PlatformSettings):
    """A VictoriaLogs; `url` is the address without ``/select/logsql``.

    Args:
        tenant: Account, or account and project: ``1`` or ``1:2``.
        page_lines: Lines asked for at once.
    """

    url: HttpUrl
    tenant: Annotated[Text, BeforeValidator(_number), AfterValidator(_tenant)] | None = None
    page_lines: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000


def tenant_headers(tenant: str) -> dict[str, str]:
    """The headers that name a tenant.

    >>> tenant_headers("1:2")
    {'AccountID': '1', 'ProjectID': '2'}
    """
    account, _, project = tenant.partition(":")
    return {"AccountID": account, **({"ProjectID": project} if project else {})} if tenant else {}
