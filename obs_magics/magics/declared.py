"""Which incident is meant: a variable that holds one, or the last that was declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from obs_magics.model.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from obs_magics.incident.enriched import Enriched
    from obs_magics.incident.investigate import Investigation
    from obs_magics.magics.context import Context


def incident_called(
    name: str, names: Mapping[str, Any], *, last: Enriched | None = None, also: Iterable[str] = ()
) -> Enriched:
    """The incident that a variable holds, or that what it holds was found in.

    Args:
        name: Of the variable, or the service of the last incident.
        names: Python's variables.
        last: The incident that was declared last.
        also: What else could have been meant.

    Raises:
        UsageError: There is no such variable, or it holds something else.
    """
    found = value_called(name, names, last=last, also=also)
    from obs_magics.incident.enriched import Enriched

    return found if isinstance(found, Enriched) else found.enriched


def value_called(
    name: str, names: Mapping[str, Any], *, last: Enriched | None = None, also: Iterable[str] = ()
) -> Enriched | Investigation:
    """What `%obs_incident` or `%obs_rca` put into a variable; see `incident_called`."""
    value = names.get(name)
    found = as_incident(value)
    if found is not None:
        return found
    if last is not None and last.service == name:
        return last
    known = sorted(key for key, one in names.items() if not key.startswith("_") and as_incident(one) is not None)
    what = f"{name} is no incident" if value is not None else f"there is no incident called {name!r}"
    there = f"there are {', '.join(known)}" if known else "declare one: inc << … with %obs_incident"
    there = f"name nothing for the last one, of {last.service}" if last is not None and not known else there
    raise UsageError(what, hint=did_you_mean(name, [*known, *also]) or there)


def as_incident(value: object) -> Enriched | Investigation | None:
    """The value, where it is an incident or what was found in one."""
    from obs_magics.incident.enriched import Enriched
    from obs_magics.incident.investigate import Investigation

    return value if isinstance(value, Enriched | Investigation) else None


def last_declared(context: Context) -> Enriched:
    """The incident that was declared last.

    Raises:
        UsageError: None was.
    """
    if context.case.enriched is None:
        raise UsageError(
            "no incident was declared yet", hint="%obs_incident SERVICE --at 14:15, or %obs_rca SERVICE --at 14:15"
        )
    return context.case.enriched
