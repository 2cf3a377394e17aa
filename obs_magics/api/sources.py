"""The sources of a session: connecting, health, what each has."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from obs_magics.api.base import Base
from obs_magics.api.faces import Waiting
from obs_magics.model.sources import Health, ProgressListener, no_progress
from obs_magics.session.connect import Access, Connected

_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


class Sources(Base, Waiting):
    """Connects sources, asks whether they are well, and lets go of them."""

    def connect(
        self,
        name: str,
        url: str,
        *,
        type: str | None = None,  # noqa: A002 - the key of the configuration file
        token: str | None = None,
        user: str | None = None,
        password: str | None = None,
        tenant: str | None = None,
        verify: bool | str = True,
        timeout: str | float | None = None,
        options: Mapping[str, Any] = _NO_OPTIONS,
    ) -> Connected:
        """Find out what answers at an address, test it, and make it the default source.

        Args:
            name: What to call it.
            url: A server's address, or the path of a folder or file.
            type: The platform, when it cannot be found out.
            token: A bearer token.
            user: For basic auth, with `password`.
            password: For basic auth.
            tenant: Sent as `X-Scope-OrgID`.
            verify: False trusts any certificate; a path names the CA to trust.
            timeout: Seconds, or text (`30s`).
            options: Keys of the platform's own settings, as in the configuration file. A folder's say which columns of
                its tables mean what: `{"timestamp": "when", "value": ["latency"], "labels": ["host"]}`.

        Raises:
            UsageError: The options do not go together.
            ConfigError: The platform has no such option, or it does not take that value.
            SourceError: Nobody there, wrong credentials, or not a platform that we know.
        """
        access = Access(
            token=token,
            user=user,
            password=password,
            tenant=tenant,
            verify=verify,
            timeout=timeout,
            options=options,
        )
        return self._run(self._connect(name, url, type, access))

    def demo(self, *, progress: ProgressListener = no_progress, hours: int = 6) -> Connected:
        """Connect the demo world as `demo` (built once, then kept); its now is the end of the world."""
        return self._run(self._demo(progress, hours))

    def health(self, name: str | None = None) -> Health:
        """Ask a source whether it is well; raises a `SourceError` when it is not."""
        return self._run(self._core.health(name))

    def close(self) -> None:
        """Close every source; the session can be used again and opens them anew."""
        return self._run(self._close())
