"""The session's time zone: the one asked for, or the machine's own with its daylight saving rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from obs_magics.model.errors import UsageError

_LOCALTIME = Path("/etc/localtime")
_ZONEINFO = "zoneinfo/"
# Other names of UTC, as machines have them: people know it by this one.
_UTC_NAMES = frozenset({"Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"})


def session_zone(asked: str | None, environ: Mapping[str, str]) -> tzinfo:
    """The zone called `asked`; for None the one of `$TZ`, of `/etc/localtime`, or the machine's present offset.

    Raises:
        UsageError: There is no zone of that name.
    """
    if asked is not None:
        zone = _named(asked)
        if zone is None:
            raise UsageError(f"there is no time zone {asked!r}", hint="use a name such as Europe/Berlin or UTC")
        return zone
    names = [environ.get("TZ", "").removeprefix(":"), _localtime_name()]
    found = (_named(name) for name in names if name)
    fixed = datetime.now().astimezone().tzinfo or UTC
    return next((zone for zone in found if zone is not None), fixed)


def _named(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo("UTC" if name in _UTC_NAMES else name)
    except (KeyError, ValueError, OSError):  # unknown, not a plain name, or a folder of names
        return None


def _localtime_name() -> str:
    try:
        target = str(_LOCALTIME.resolve(strict=True))
    except OSError:
        return ""
    return target.partition(_ZONEINFO)[2]
