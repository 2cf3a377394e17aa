"""What differs between vendors on the wire: how long to wait after a refusal, and how they explain an error.

"Reset" means three things: seconds to wait (Datadog, PagerDuty), seconds since the epoch (GitHub, New Relic REST v2),
milliseconds since the epoch (LaunchDarkly). `Retry-After` means two: seconds, or an HTTP date (RFC 9110, 10.2.3).
Each has a ready-made reader here::

    Vendor(retry_delay=first_of(seconds_to_wait("x-ratelimit-reset"), retry_after))
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TypeAlias

from obs_magics.model.errors import ObsError
from obs_magics.net.reply import Reply

Delay: TypeAlias = Callable[[Reply], float | None]
Explain: TypeAlias = Callable[[Reply, str], ObsError | None]
Clock: TypeAlias = Callable[[], float]


def seconds_to_wait(*headers: str) -> Delay:
    """Read the first of these headers as seconds to wait from now (`X-RateLimit-Reset` of Datadog, PagerDuty)."""

    def delay(reply: Reply) -> float | None:
        return _first_number(reply, headers)

    return delay


def epoch_seconds(*headers: str, clock: Clock = time.time) -> Delay:
    """Read the first of these headers as the second since the epoch from which on to ask again (GitHub)."""
    return _until(headers, 1.0, clock)


def epoch_milliseconds(*headers: str, clock: Clock = time.time) -> Delay:
    """Read the first of these headers as the millisecond since the epoch from which on to ask again (LaunchDarkly)."""
    return _until(headers, 1e-3, clock)


def retry_after(reply: Reply, clock: Clock = time.time) -> float | None:
    """`Retry-After`, in seconds or as an HTTP date; None when it is missing or makes no sense."""
    seconds = _first_number(reply, ("retry-after",))
    if seconds is not None:
        return seconds
    moment = _http_date(reply, "retry-after")
    return None if moment is None else max(0.0, moment - _now(reply, clock))


def first_of(*delays: Delay) -> Delay:
    """The first of several readers that finds something."""

    def delay(reply: Reply) -> float | None:
        return next((found for found in (read(reply) for read in delays) if found is not None), None)

    return delay


def explains_nothing(_reply: Reply, _where: str) -> ObsError | None:
    """For vendors whose error bodies say no more than their status."""
    return None


def too_many_requests(reply: Reply) -> bool:
    """HTTP's own way to say "too often"."""
    return reply.status == 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """The hooks of one vendor; the defaults are HTTP's own rules.

    Args:
        retry_delay: Seconds to wait before asking again, read from a refusal; None when it does not say.
        explain: The error that an error body means (`where` is its second argument); None to let the status speak.
        throttled: Was this answer (status 400 and up) a refusal because of too many requests?
    """

    retry_delay: Delay = retry_after
    explain: Explain = explains_nothing
    throttled: Callable[[Reply], bool] = too_many_requests


def _until(headers: tuple[str, ...], unit: float, clock: Clock) -> Delay:
    def delay(reply: Reply) -> float | None:
        moment = _first_number(reply, headers)
        return None if moment is None else max(0.0, moment * unit - _now(reply, clock))

    return delay


def _first_number(reply: Reply, headers: tuple[str, ...]) -> float | None:
    for header in headers:
        text = reply.headers.get(header.lower(), "").strip()
        if not text:
            continue
        try:
            number = float(text)
        except ValueError:
            continue
        if math.isfinite(number) and number >= 0:
            return number
    return None


def _now(reply: Reply, clock: Clock) -> float:
    """The server's own clock, since it set the moment; ours when it does not tell."""
    told = _http_date(reply, "date")
    return clock() if told is None else told


def _http_date(reply: Reply, header: str) -> float | None:
    try:
        moment = parsedate_to_datetime(reply.headers.get(header, ""))
    except (ValueError, TypeError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
