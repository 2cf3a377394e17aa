"""Platforms that the configuration may name already, though this version has no adapter for them yet."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, SecretStr

from obs_magics.config.adapter import Adapter
from obs_magics.config.platform import PlatformSettings
from obs_magics.config.types import HttpUrl, Text, is_late

_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}", re.ASCII)


def _host(value: str) -> str:
    if not is_late(value) and not _HOST.fullmatch(value):
        raise ValueError("must be a host such as datadoghq.com or datadoghq.eu, without https://")
    return value


def _account(value: object) -> object:
    """Account numbers come from YAML as numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class ServerSettings(PlatformSettings):
    """A platform that is nothing but a server at an address."""

    url: HttpUrl


class DatadogSettings(PlatformSettings):
    """Datadog: `site` is the region's host."""

    api_key: SecretStr
    app_key: SecretStr
    site: Annotated[str, AfterValidator(_host)] = "datadoghq.com"


class GrafanaSettings(ServerSettings):
    """Grafana: a service account's `token`, or an `api_key` of older versions."""

    api_key: SecretStr | None = None
    token: SecretStr | None = None


class NewRelicSettings(PlatformSettings):
    """New Relic: a user key, the account that is asked, and where it is kept (US, EU, JP)."""

    api_key: SecretStr
    account_id: Annotated[str, BeforeValidator(_account)]
    region: Literal["US", "EU", "JP"] = "US"


class CloudWatchSettings(PlatformSettings):
    """CloudWatch: credentials come from the profile, or from where AWS's own tools take them."""

    region: Text | None = None
    profile: Text | None = None


PLANNED: tuple[Adapter, ...] = (
    Adapter("datadog", "Datadog", DatadogSettings),
    Adapter("grafana", "Grafana", GrafanaSettings),
    Adapter("newrelic", "New Relic", NewRelicSettings),
    Adapter("cloudwatch", "CloudWatch", CloudWatchSettings),
)
