"""Moments as documents write them: RFC 3339 to the nanosecond, close relatives of it, and numbers since the epoch."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from obs_magics.model.time import SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_NS = 2**63 - 1
# The offset may lack its colon, the `T` may be a blank, `UTC` may stand for `Z`; git writes a blank before the offset.
_FORM = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)(?:[T ](?P<clock>\d\d:\d\d(?::\d\d)?)(?:[.,](?P<fraction>\d{1,12}))?)?"
    r"\s?(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?",
    re.IGNORECASE | re.ASCII,
)
_NUMBER = re.compile(r"[+-]?\d{1,19}(?:\.\d+)?", re.ASCII)
# Up to which size a number is in seconds, milliseconds, microseconds: each reaches to the year 5138.
_UNITS = ((1e11, SECOND), (1e14, 10**6), (1e17, 10**3))


def moment_ns(value: Any, zone: tzinfo = UTC) -> int | None:
    """Nanoseconds since the epoch; None for what is no time, and for Go's zero time (the year 1).

    Args:
        value: A text, or a number since the epoch whose size tells its unit.
        zone: Of times that name none.

    >>> moment_ns("2026-11-22T14:12:00.000000001Z") - moment_ns(1795356720)
    1
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _of_number(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return _of_number(float(text) if "." in text else int(text))
    found = _FORM.fullmatch(text)
    return None if found is None else _of_text(found, zone)


def _of_number(value: float) -> int | None:
    if not abs(value) < _LAST_NS:  # nor NaN
        return None
    unit = next((unit for limit, unit in _UNITS if abs(value) < limit), 1)
    whole = int(value)
    return whole * unit + round((value - whole) * unit)  # the product would lose digits


def _of_text(found: re.Match[str], zone: tzinfo) -> int | None:
    offset = (found["zone"] or "").upper()
    try:
        moment = datetime.fromisoformat(f"{found['date']}T{found['clock'] or '00:00'}")
        moment = moment.replace(tzinfo=_offset(offset) if offset else zone)
        whole = (moment - _EPOCH) // timedelta(seconds=1) * SECOND
    except (ValueError, OverflowError):  # the 31st of February
        return None
    ns = whole + int((found["fraction"] or "0")[:9].ljust(9, "0"))
    return ns if 0 <= ns < _LAST_NS else None


def _offset(text: str) -> tzinfo:
    if text in ("Z", "UTC"):
        return UTC
    zone = datetime.strptime(text.replace(":", ""), "%z").tzinfo
    assert zone is not None  # noqa: S101 - for the type checker: the form asks for an offset
    return zone
