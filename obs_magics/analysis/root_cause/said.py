"""Numbers and metrics as people say them."""

from __future__ import annotations

from obs_magics.analysis.root_cause.inputs import Observations
from obs_magics.display.units import format_value


def lasts(milliseconds: float) -> str:
    """A duration: "283 ms", "2.3 s".

    >>> lasts(2300)
    '2.3 s'
    """
    return format_value(milliseconds / 1000, "s")


def called(given: Observations, metric: str) -> str:
    """What people call a metric; its name where nobody told."""
    return given.titles.get(metric, metric)


def valued(given: Observations, metric: str, service: str, value: float) -> str:
    """A value of a metric, in its unit where that is known."""
    unit = given.units.get((metric, service))
    return f"{value:.4g}" if unit is None else format_value(value, unit)
