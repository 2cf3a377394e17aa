"""What can be configured about a folder: where it lies, which columns mean what, and what its now is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, model_validator

from obs_magics.config.platform import PlatformSettings
from obs_magics.config.types import COMMA_SEPARATED

TimeUnit = Literal["s", "ms", "us", "ns"]
Columns = Annotated[tuple[str, ...], COMMA_SEPARATED]


def _known_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # unknown, not a plain name, or a folder of names
        raise ValueError("must name a time zone, such as Europe/Berlin") from None
    return zone


Zone = Annotated[str, AfterValidator(_known_zone)]


def local_path(text: str) -> Path:
    """A path as people write it (``~/x``, ``./x``, ``file:///x``), made absolute."""
    if text.lower().startswith("file:"):
        text = unquote(urlsplit(text).path)
    return Path(os.path.expanduser(text)).absolute()  # pathlib's own raises for a user that is not there


class FolderSettings(PlatformSettings):
    """A folder or a file, answered like a platform.

    Args:
        path: Folder or file; may be given as `url` too, as an address is for other platforms.
        now: The folder's own now (ISO 8601, UTC when it names no zone); the time of its last sample when not given.
        timestamp: The column that holds the time; guessed from names and contents when not given.
        time_unit: Of times that are numbers; guessed from their size when not given.
        time_format: Of times in words that are not ISO 8601, as `strptime` has it: ``%d/%m/%Y %H:%M``.
        zone: Of times that name none: ``Europe/Berlin``.
        decimal: What stands before the fraction of numbers in CSV, ``.`` or ``,``; guessed when not given.
        value: The columns that hold numbers. One called `value` keeps the metric's name, any other names a metric.
        metric: The column that holds the metric's name, or, where there is no such column, the name itself.
        labels: The columns that become labels; all that are left when not given.
        version: Whose PromQL: 3 (left-open ranges) or 2.
    """

    path: str | None = None
    now: str | None = None
    timestamp: str | None = None
    time_unit: TimeUnit | None = None
    time_format: str | None = None
    zone: Zone = "UTC"
    decimal: Literal[".", ","] | None = None
    value: Columns | None = None
    metric: str | None = None
    labels: Columns | None = None
    version: Literal[2, 3] = 3

    @model_validator(mode="before")
    @classmethod
    def _address_is_a_path(cls, values: Any) -> Any:
        if not isinstance(values, Mapping) or values.get("path") is not None or values.get("url") is None:
            return values
        return {**{key: value for key, value in values.items() if key != "url"}, "path": str(values["url"])}

    @property
    def shown_address(self) -> str:
        """The path."""
        return self.path or ""
