"""How quickly an incident was detected, mitigated and over, in sentences that name the rows they come from."""

from __future__ import annotations

from obs_magics.display.clock import MS, clock_text
from obs_magics.display.units import seconds_text
from obs_magics.display.visible import short
from obs_magics.model.incident import Milestone, Moment, Response

_TOLD: dict[Moment, str] = {
    "detected": "time to detect",
    "mitigated": "time to mitigate",
    "recovered": "time to recover",
}


def response_sentences(response: Response, *, zone: str = "UTC") -> list[str]:
    r"""A sentence without a full stop for each of the three times; what is not known says why.

    >>> from obs_magics.model.incident import Milestone
    >>> told = Milestone(moment="onset", at_ns=0), Milestone(moment="detected", at_ns=360 * 10**9, because="alert: p99")
    >>> more = Milestone(moment="mitigated", because="no change"), Milestone(moment="recovered", because="not over")
    >>> print(*response_sentences(Response((*told, *more))), sep="\n")
    time to detect: 6 min (00:06 UTC, alert: p99)
    time to mitigate: unknown (no change)
    time to recover: unknown (not over)
    """
    return [f"{words}: {_length(response, response.of(moment), zone)}" for moment, words in _TOLD.items()]


def _length(response: Response, one: Milestone, zone: str) -> str:
    because = short(one.because, 160)
    length = response.since_onset(one.moment)
    if length is None or one.at_ns is None:
        return f"unknown ({because})"
    when = clock_text(one.at_ns // MS, zone)
    sign = "" if length.total_seconds() >= 0 else "−"
    return f"{sign}{seconds_text(abs(length.total_seconds()))} ({when}{', ' if because else ''}{because})"
