"""What every platform entry of the configuration has: address, credentials, TLS, limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote

from pydantic import Field, SecretStr, model_validator

from obs_magics.config.types import (
    FROZEN,
    THAWED,
    TIMEOUT,
    Duration,
    HeaderName,
    HttpUrl,
    Rate,
    Strict,
    Text,
    Verify,
    between,
)

AuthType = Literal["none", "basic", "bearer", "header"]

# Which keys belong to which type: each tuple holds alternatives, one of which is needed.
_NEEDS: Mapping[AuthType, tuple[tuple[str, ...], ...]] = {
    "none": (),
    "basic": (("user",), ("password",)),
    "bearer": (("token", "token_secret"),),
    "header": (("name",), ("value",)),
}


class Auth(Strict):
    """Who asks: nobody in particular, a user with a password, a bearer token, or a header of the platform's own.

    Without `type` the keys that are given say which it is.

    Args:
        type: ``none``, ``basic``, ``bearer`` or ``header``.
        user: For ``basic``.
        password: For ``basic``.
        token: For ``bearer``.
        token_secret: For ``bearer``, instead of `token`: where a secret store keeps it (``vault://…``).
        name: For ``header``: its name (``X-Api-Key``).
        value: For ``header``.
    """

    type: AuthType = "none"
    user: Text | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    token_secret: SecretStr | None = None
    name: HeaderName | None = None
    value: SecretStr | None = None

    @model_validator(mode="before")
    @classmethod
    def _keys_tell_the_type(cls, values: Any) -> Any:
        if not isinstance(values, Mapping) or values.get("type") is not None:
            return values
        for kind, needs in _NEEDS.items():
            if any(values.get(key) is not None for keys in needs for key in keys):
                return {**values, "type": kind}
        return values

    @model_validator(mode="after")
    def _keys_belong_to_the_type(self) -> Self:
        needs = _NEEDS[self.type]
        own = {key for keys in needs for key in keys}
        given = {key for key in type(self).model_fields if key != "type" and getattr(self, key) is not None}
        if given - own:
            raise ValueError(f"{' and '.join(sorted(given - own))} cannot stand with type {self.type}")
        missing = [" or ".join(keys) for keys in needs if not given.intersection(keys)]
        if missing:
            raise ValueError(f"type {self.type} needs {' and '.join(missing)}")
        if {"token", "token_secret"} <= given:
            raise ValueError("token and token_secret are two ways to say the same: leave one out")
        return self


class PlatformSettings(Strict):
    """One entry under ``platforms``; adapters add keys of their own in a subclass.

    A user and a password inside `url` are taken out of it and become `auth`, so that the address can be shown.

    Args:
        enabled: Whether the session may ask it.
        type: Which adapter; the entry's own name when it is not said.
        url: ``http(s)://host[:port][/prefix]``; may hold ``${NAME}``.
        auth: Credentials.
        tenant: Value of the tenant header (``X-Scope-OrgID``), as in Mimir, Loki and Tempo.
        headers: More headers for every request; their values are kept as secrets are.
        verify: Whether to check the server's certificate, or the path of a file with private authorities.
        timeout: Longest wait for an answer.
        environment: What it watches (``production``); shown with the source.
        rate_limit: Requests a second at most; ``300/h`` is understood.
    """

    enabled: bool = True
    type: str = ""
    url: HttpUrl | None = None
    auth: Auth = Auth()
    tenant: Text | None = None
    headers: Annotated[Mapping[HeaderName, SecretStr], FROZEN, THAWED] = Field(
        default_factory=dict, validate_default=True
    )
    verify: Verify = True
    timeout: Annotated[Duration, TIMEOUT, between("100ms", "1h")] = Duration.of("30s")
    environment: Text | None = None
    rate_limit: Rate | None = None

    @model_validator(mode="before")
    @classmethod
    def _credentials_leave_the_address(cls, values: Any) -> Any:
        url = values.get("url") if isinstance(values, Mapping) else None
        if not isinstance(url, str) or values.get("auth") is not None:
            return values
        scheme, separator, rest = url.partition("://")
        credentials, at, host = rest.rpartition("@")
        user, colon, password = credentials.partition(":")
        if not (separator and at and colon and user) or "/" in credentials:
            return values
        auth = {"type": "basic", "user": unquote(user), "password": unquote(password)}
        return {**values, "url": f"{scheme}://{host}", "auth": auth}

    @property
    def timeout_seconds(self) -> float:
        """`timeout` in seconds."""
        return self.timeout.seconds

    @property
    def shown_address(self) -> str:
        """Where it is, as people may see it; adapters that are no servers give something else (a path)."""
        return self.url or ""
