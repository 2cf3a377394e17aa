"""The count model: a negative binomial, and how many of many small p-values may be believed.

Lines of a pattern do not arrive like rain drops: a busy minute is busy for all of its seconds. A negative binomial has
mean `expected` and variance `expected + expected² / shape`; a shape of infinity is Poisson's law.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def surprise(count: Any, expected: Any, shape: Any) -> Any:
    """Chernoff's exponent of a count: the tail from it outwards has a probability of at most ``exp(-surprise)``.

    It is also half the deviance of the negative binomial (McCullagh and Nelder, Generalized Linear Models, table 2.1
    for the general form). All three may be arrays.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(np.asarray(count) > 0, count * np.log(count / expected), 0.0)
    return own - (count + shape) * np.log((count + shape) / (expected + shape))


def tail_above(count: float, expected: float, shape: float) -> float:
    """Probability of `count` lines or more."""
    from scipy import special

    if count <= 0:
        return 1.0
    return float(special.betainc(count, shape, expected / (expected + shape)))


def tail_below(count: float, expected: float, shape: float) -> float:
    """Probability of `count` lines or fewer."""
    from scipy import special

    return float(special.betainc(shape, count + 1.0, shape / (expected + shape)))


def longer_gap(gap: float, mean: float, regularity: float) -> float:
    """Probability that a gap between two beats is longer, when gaps follow a gamma distribution.

    Args:
        gap: In any unit.
        mean: Of the gaps, in the same unit.
        regularity: The distribution's shape, mean² / variance: 1 for arrivals at random, large for a clock.
    """
    from scipy import special

    return float(special.gammaincc(regularity, regularity * gap / mean))


def believed(p_values: Array, tests: int, rate: float) -> Array:
    """Which p-values to believe so that of those believed a share of `rate` at most is wrong, on average.

    Benjamini and Hochberg, Controlling the False Discovery Rate, J. R. Stat. Soc. B 57 (1995).

    Args:
        p_values: Those that are small enough to matter.
        tests: How many tests were made in all, those that came to nothing included.
        rate: The false discovery rate.

    Returns:
        A mask.
    """
    order = np.argsort(p_values, kind="stable")
    allowed = rate * np.arange(1, len(order) + 1) / max(tests, len(order), 1)
    passed = np.flatnonzero(p_values[order] <= allowed)
    mask = np.zeros(len(p_values), dtype=bool)
    mask[order[: passed[-1] + 1 if len(passed) else 0]] = True
    return mask
