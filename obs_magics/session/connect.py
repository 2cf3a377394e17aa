"""`connect`: find out what answers at an address, test it, and say what to keep in the configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from obs_magics.config.adapter import Adapter
from obs_magics.config.connection import connection_of
from obs_magics.config.load import platform_settings
from obs_magics.config.platform import PlatformSettings
from obs_magics.config.write import platform_yaml
from obs_magics.local.settings import local_path
from obs_magics.model.errors import ConfigError, SourceUnavailable, UsageError, did_you_mean
from obs_magics.model.sources import Health
from obs_magics.net.client import HttpClient
from obs_magics.net.statuses import by_status, words_of
from obs_magics.net.tasks import together

FOLDER = "folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to get in, and what else the platform should know.

    Args:
        token: A bearer token; not together with `user`.
        user: For basic auth, with `password`.
        password: For basic auth.
        tenant: For sources with several tenants.
        verify: False trusts any certificate; a path names the CA to trust.
        timeout: Seconds, or text (`30s`).
        options: Keys of the platform's own settings, as they stand in the configuration; checked like those.
    """

    token: str | None = None
    user: str | None = None
    password: str | None = None
    tenant: str | None = None
    verify: bool | str = True
    timeout: str | float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A source that was found and is well; `yaml` is what to keep in the configuration file."""

    name: str
    platform: str
    address: str
    health: Health
    yaml: str


def settings_for(
    name: str, adapter: Adapter, target: str, access: Access, registry: Mapping[str, Adapter]
) -> PlatformSettings:
    """The settings that a connection typed by hand amounts to, checked like those of a file."""
    if access.token is not None and (access.user is not None or access.password is not None):
        raise UsageError("a token and a user with a password are two ways to get in", hint="give one of them")
    if access.password is not None and access.user is None:
        raise UsageError("a password needs a user", hint="add --user NAME")
    values: dict[str, Any] = {
        "type": adapter.type,
        "url": target,
        "tenant": access.tenant,
        "verify": access.verify,
        "timeout": access.timeout,
    }
    if access.token is not None:
        values["auth"] = {"type": "bearer", "token": access.token}
    elif access.user is not None:
        values["auth"] = {"type": "basic", "user": access.user, "password": access.password or ""}
    if twice := sorted({"auth", *values}.intersection(access.options)):
        raise UsageError(f"{' and '.join(twice)} cannot stand among the options", hint="connect has arguments for that")
    values.update(access.options)
    return platform_settings(name, {key: value for key, value in values.items() if value is not None}, registry)


async def find_adapter(
    name: str, target: str, kind: str | None, access: Access, registry: Mapping[str, Adapter]
) -> tuple[Adapter, PlatformSettings]:
    """Which platform answers at `target`: the named one, a folder or file, or the first that knows itself again."""
    if kind is not None:
        if kind not in registry:
            raise ConfigError(f"there is no platform type {kind!r}", hint=_known(kind, registry))
        return registry[kind], settings_for(name, registry[kind], target, access, registry)
    if "://" not in target or target.lower().startswith("file:"):
        if not local_path(target).exists():
            raise UsageError(
                f"there is no file or folder {target}", hint="a server's address starts with http:// or https://"
            )
        return registry[FOLDER], settings_for(name, registry[FOLDER], target, access, registry)
    candidates = [adapter for adapter in registry.values() if adapter.detect and adapter.open]
    settings = [settings_for(name, adapter, target, access, registry) for adapter in candidates]
    found = await together(
        adapter.detect(name, given) for adapter, given in zip(candidates, settings, strict=True) if adapter.detect
    )
    for adapter, given, fits in zip(candidates, settings, found, strict=True):
        if fits:
            return adapter, given
    said = await _anybody(name, settings)
    raise SourceUnavailable(
        f"something answers there, but no platform that this version knows{said}",
        where=target,
        hint=f"check the address and its path, or name the platform with --type; {_known('', registry)}",
    )


async def _anybody(name: str, settings: Sequence[PlatformSettings]) -> str:
    """Raise what is wrong when nobody answers at all, or a server that fails; else what somebody said, in brackets."""
    said = ""
    for given in settings[:1]:
        client = HttpClient(connection_of(name, given))
        try:
            reply = await client.request("GET", "/", accept=set(range(400, 600)))
        finally:
            await client.close()
        if reply.status >= 500:
            raise by_status(reply, client.where)
        said = f" ({reply.status} at its front page: {words_of(reply)})" if reply.is_html or reply.status >= 400 else ""
    return said


def connected(name: str, adapter: Adapter, settings: PlatformSettings, address: str, health: Health) -> Connected:
    """What `connect` gives back."""
    return Connected(
        name=name, platform=adapter.type, address=address, health=health, yaml=platform_yaml(name, settings)
    )


def _known(kind: str, registry: Mapping[str, Adapter]) -> str:
    ready = sorted(adapter.type for adapter in registry.values() if adapter.open)
    return (did_you_mean(kind, ready) if kind else "") or f"the types are: {', '.join(ready)}"
