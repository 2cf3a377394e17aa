"""What a log file's name and folder tell: the service, and under Kubernetes the namespace, pod and container."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from obs_magics.local.readers.base import File

# /var/log/pods/NAMESPACE_POD_UID/CONTAINER/N.log: https://kubernetes.io/docs/concepts/cluster-administration/logging/
_POD = re.compile(r"/(?P<namespace>[a-z0-9-]+)_(?P<pod>[a-z0-9.-]+)_[0-9a-f-]{32,36}/(?P<container>[a-z0-9.-]+)/[^/]+$")
_CONTAINER = re.compile(r"/(?P<pod>[a-z0-9.-]+)_(?P<namespace>[a-z0-9-]+)_(?P<container>[a-z0-9.-]+)-[0-9a-f]{64}\.log")
_ENDINGS = re.compile(
    r"(?:\.(?:gz|zst|zstd|bz2|xz|zip|log|txt|jsonl?|ndjson|csv|tsv|parquet|out|err|stdout|stderr|\d{1,4})"
    r"|[-_.](?:20\d\d[-_.]?\d\d[-_.]?\d\d(?:[-_T.]?\d\d[-_:.]?\d\d(?:[-_:.]?\d\d)?Z?)?|\d{8,14})"
    r"|[-_.](?:log|logs|json|access|error|stdout|stderr|out))$",
    re.IGNORECASE,
)
_DATE = re.compile(r"(?<!\d)(20\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)")
# Names of files that say what is in them, and not whose it is.
_NOBODY = frozenset({
    "log", "logs", "access", "error", "errors", "stdout", "stderr", "out", "output", "console", "messages", "syslog",
    "journal", "journald", "combined", "current", "all", "export", "query", "result", "results", "answer", "download",
    "data", "main", "debug", "info", "events", "text", "lines", "json", "container", "json-file",
})  # fmt: skip
_CONTAINER_ID = re.compile(r"[0-9a-f]{12}|[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z][\w.-]*")


def place_labels(file: File) -> dict[str, str]:
    """Labels that the path of a file under Kubernetes names."""
    path = file.path.as_posix()
    match = _POD.search(path) or _CONTAINER.search(path)
    return match.groupdict() if match else {}


def service_of(file: File) -> str | None:
    """The service that a file is named after: `payment-api-2026-11-22.log.gz` is payment-api's.

    Of a file with a name like `access.log` the folder's name, when that is part of what was opened.
    """
    *folders, name = file.name.split("/")
    for part in (name, *folders[-1:]):
        bare = _bare(part)
        if bare.lower() not in _NOBODY and _NAME.fullmatch(bare) and not _CONTAINER_ID.fullmatch(bare):
            return bare
    return None


def _bare(name: str) -> str:
    while (shorter := _ENDINGS.sub("", name)) != name and shorter:
        name = shorter
    return name


def file_day(file: File) -> tuple[datetime, str]:
    """The day that a file is of, for lines that do not name theirs, and why: by its name, else by its last change."""
    found = _DATE.search(file.name)
    if found:
        try:
            day = date(*map(int, found.groups()))
        except ValueError:  # a 31st of November
            pass
        else:
            return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC), "as the file's name says"
    changed = datetime.fromtimestamp(file.path.stat().st_mtime, tz=UTC)
    return changed, f"as the file was last changed on {changed:%Y-%m-%d}"
