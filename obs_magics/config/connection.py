"""The one place where a platform's settings become a connection: secrets are looked up here, when first needed."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import SecretStr

from obs_magics.config.platform import Auth, PlatformSettings
from obs_magics.config.secrets import resolve
from obs_magics.model.errors import ConfigError
from obs_magics.net.auth import Auth as Credentials
from obs_magics.net.auth import Basic, Bearer, HeaderAuth
from obs_magics.net.connection import Connection


def address_of(name: str, settings: PlatformSettings) -> str:
    """The address as shown to people, before anything is looked up.

    Raises:
        ConfigError: The entry has no `url`.
    """
    if not settings.url:
        raise ConfigError(f"the platform {name} has no url", hint=f"add url: http://… under {name} in the YAML")
    return settings.shown_address


def connection_of(name: str, settings: PlatformSettings, environ: Mapping[str, str] | None = None) -> Connection:
    """Build the connection of one platform.

    Args:
        name: The entry's name.
        settings: The entry.
        environ: Where `${NAME}` is looked up; None for the process's environment.

    Raises:
        ConfigError: The address is missing or wrong, or a secret is not where the configuration says.
    """
    environ = os.environ if environ is None else environ
    return Connection(
        name=name,
        base_url=resolve(address_of(name, settings), environ).get_secret_value(),
        auth=_credentials(settings.auth, environ),
        headers={key: resolve(value, environ) for key, value in settings.headers.items()},
        tenant=resolve(settings.tenant, environ).get_secret_value() if settings.tenant else "",
        verify=settings.verify,
        timeout_seconds=settings.timeout_seconds,
        rate_limit=settings.rate_limit,
    )


def _credentials(auth: Auth, environ: Mapping[str, str]) -> Credentials | None:
    """What the model guarantees for each type is there; an empty text stands for what it does not ask for."""
    found = {key: resolve(value, environ) for key, value in _given(auth).items()}
    if auth.type == "basic":
        return Basic(found["user"].get_secret_value(), found["password"])
    if auth.type == "bearer":
        return Bearer(found["token"] if "token" in found else found["token_secret"])
    if auth.type == "header":
        return HeaderAuth(found["name"].get_secret_value(), found["value"])
    return None


def _given(auth: Auth) -> dict[str, str | SecretStr]:
    keys = ("user", "password", "token", "token_secret", "name", "value")
    return {key: value for key in keys if (value := getattr(auth, key)) is not None}
