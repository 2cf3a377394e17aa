"""How likely it is that the first is the right one: calibrated on public and on made-up incidents.

A logistic function of how strong the evidence is and of how far it stands out from the next best. The constants lie
between those fitted to 200 made-up incidents and the public cases, and those that the public cases with signals left
out give (`benchmarks/rca.py --fit`); judged on 200 other made-up ones. They know nothing of systems or faults.
"""

from __future__ import annotations

import math

_SERVICE = (-1.4, 2.4, 1.5)
_CHANGE = (-0.6, 1.6, 1.2)  # set by hand: there are too few cases with changes to fit it


def of_service(best: float, second: float) -> float:
    """The probability that the service with the best score is the right one.

    Args:
        best: Its score.
        second: That of the next; 0 for none.
    """
    return _logistic(_SERVICE, best, second)


def of_change(best: float, second: float) -> float:
    """Likewise for changes."""
    return _logistic(_CHANGE, best, second)


def features(best: float, second: float) -> tuple[float, float, float]:
    """What the logistic function is one of: a constant, the strength, and how far it stands out."""
    return 1.0, math.log1p(max(best, 0.0)) - 1.0, math.log((best + 0.5) / (second + 0.5))


def _logistic(weights: tuple[float, float, float], best: float, second: float) -> float:
    total = sum(weight * value for weight, value in zip(weights, features(best, second), strict=True))
    return 1.0 / (1.0 + math.exp(-total))
