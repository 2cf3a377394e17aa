"""Functions of templates on times."""

from __future__ import annotations

from typing import Any

from obs_magics.syntax.logql.strings import go_quote
from obs_magics.syntax.logql.template.gotime import GoTime, format_time, parse_time, zone_of
from obs_magics.syntax.logql.template.values import TemplateError, inside

_EPOCHS = {5: 86_400 * 10**9, 10: 10**9, 13: 10**6, 16: 1_000, 19: 1}
"""How many nanoseconds one unit of an epoch has, by how many digits the epoch is written with."""


def date(now_ns: int, layout: str, when: Any) -> str:
    """A time in a layout; an integer counts seconds, and anything else stands for now."""
    if isinstance(when, GoTime):
        return format_time(layout, when)
    is_epoch = isinstance(when, int) and not isinstance(when, bool)
    return format_time(layout, GoTime(int(when) * 10**9 if is_epoch else now_ns))


def to_date(layout: str, text: str) -> GoTime:
    """A text read by a layout, in UTC."""
    return parse_time(layout, text)


def to_date_in_zone(layout: str, zone: str, text: str) -> GoTime:
    """A text read by a layout, in a zone."""
    return parse_time(layout, text, zone_of(zone))


def unix_to_time(epoch: str) -> GoTime:
    """An epoch in days, seconds, milli-, micro- or nanoseconds, told apart by how long it is."""
    unit = _EPOCHS.get(len(epoch))
    try:
        count = int(epoch) if epoch.strip() == epoch and "_" not in epoch else None
    except ValueError:
        count = None
    if count is None or unit is None:
        why = f"strconv.ParseInt: parsing {go_quote(epoch)}: invalid syntax"
        raise TemplateError(f"unable to parse time '{epoch}': {why}")
    return GoTime(count * unit)


def epoch(when: GoTime, unit_ns: int) -> str:
    """Time since 1970 in whole units."""
    return inside(when.ns // unit_ns)
