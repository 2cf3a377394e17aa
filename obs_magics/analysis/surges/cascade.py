"""The order in which services began, for events that lie close together."""

from __future__ import annotations

from collections.abc import Sequence

CLOSE = 120.0  # seconds from one beginning to the next: what spreads by time-outs and retries spreads within minutes


def order(starts: Sequence[float], services: Sequence[int]) -> list[int | None]:
    """For each event, the position of its service in the order in which services began; None for one that is alone.

    Events belong together when each begins within `CLOSE` seconds of one before it. Two services that began at the same
    instant share a position.

    Args:
        starts: Seconds, ascending.
        services: The service of each event.

    >>> order([0.0, 30.0, 40.0, 500.0], [7, 8, 7, 9])
    [1, 2, 1, None]
    """
    positions: list[int | None] = []
    begin = 0
    for end in range(1, len(starts) + 1):
        if end == len(starts) or starts[end] - starts[end - 1] > CLOSE:
            positions += _positions(starts[begin:end], services[begin:end])
            begin = end
    return positions


def _positions(starts: Sequence[float], services: Sequence[int]) -> list[int | None]:
    first: dict[int, float] = {}
    for start, service in zip(starts, services, strict=True):
        first.setdefault(service, start)
    if len(first) == 1:
        return [None] * len(starts)
    ranked = sorted(first.values())
    return [ranked.index(first[service]) + 1 for service in services]
