"""What can be configured about a source of events: a file, a folder of files, a URL, or a git repository."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import BeforeValidator, field_validator, model_validator

from obs_magics.config.platform import PlatformSettings
from obs_magics.config.types import COMMA_SEPARATED
from obs_magics.local.events.git import CONFIG_FILES, Deployments
from obs_magics.local.settings import Zone
from obs_magics.model.errors import QueryError
from obs_magics.model.events import EventKind
from obs_magics.syntax.event_query import event_kind

_OF_SERVERS = ("http://", "https://")
_SECRET = re.compile(r"token|secret|passw|api_?key|signature|\bsig\b|auth", re.IGNORECASE)


def _kind(value: Any) -> Any:
    try:
        return event_kind(value) if isinstance(value, str) else value
    except QueryError as problem:
        raise ValueError(f"{problem.message}; {problem.hint}") from None


class EventsSettings(PlatformSettings):
    """A file of events (JSON, JSON Lines, CSV, Parquet, webhooks), a folder of them, a URL, or a git repository.

    Args:
        path: Where it lies; a path may be given as `url` too, as an address is for other platforms.
        query: Of a URL: what stands behind its ``?``; it may stand in the URL as well.
        kind: Of events that do not say what they are: ``deployment``.
        service: Of events that name none.
        timestamp: The column that holds the time; found out when not given.
        zone: Of times that name none: ``Europe/Berlin``.
        branch: Of a repository: whose log.
        deployments: Of a repository: which commits are deployments (``auto``, ``tags``, ``merges``, ``commits``,
            ``none``); ``auto`` is tags where there are any, else merges.
        config_files: Of a repository: names of files that hold configuration, with ``*``.
    """

    path: str | None = None
    query: str = ""
    kind: Annotated[EventKind | None, BeforeValidator(_kind)] = None
    service: str = ""
    timestamp: str | None = None
    zone: Zone = "UTC"
    branch: str = "HEAD"
    deployments: Deployments = "auto"
    config_files: Annotated[tuple[str, ...], COMMA_SEPARATED] = CONFIG_FILES

    @model_validator(mode="before")
    @classmethod
    def _address_is_a_path(cls, values: Any) -> Any:
        if not isinstance(values, Mapping) or values.get("path") is not None or values.get("url") is None:
            return values
        rest = {key: value for key, value in values.items() if key != "url"}
        address = str(values["url"])
        if not address.lower().startswith(_OF_SERVERS):
            return {**rest, "path": address}
        url, question_mark, query = address.partition("?")
        return {**rest, "url": url, **({"query": query} if question_mark else {})}

    @field_validator("query")
    @classmethod
    def _query_holds_no_secret(cls, query: str) -> str:
        secret = next((name for name, _ in parse_qsl(query) if _SECRET.search(name)), None)
        if secret is not None:
            raise ValueError(f"holds {secret}, which is shown with every answer: put it under auth: or headers:")
        return query

    @property
    def shown_address(self) -> str:
        """The path, or the URL."""
        return self.path or self.url or ""
