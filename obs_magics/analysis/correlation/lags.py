"""Lagged rank correlation of one series with many, and how sure it is when all of them are autocorrelated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

FEWEST = 24  # points that a pair must share
_DAY_NS = 86_400 * 10**9
_FEWEST_DAYS = 0.75  # of a span in which a daily rhythm can be told from a trend
_HARMONICS = 4  # of the day
_MORE_DAYS = 3.0
_MORE_HARMONICS = 12
_MEMORY = 0.25  # of the points, up to which autocorrelations are added up
_FEWEST_EFFECTIVE = 4.0
_CUT = 5.0  # spreads
_TAILS_TO_SIGMA = 3.29  # between the 5 % and 95 % quantiles of a normal distribution
_STILL = 1e-9  # of a series: less is left of it only by rounding


@dataclass(frozen=True, slots=True)
class Lagged:
    """For each other series: its correlation at the lag at which it is strongest.

    Args:
        correlation: float64, of normal scores; NaN where a series is constant or shares too few points.
        lag: int64, points by which the other series moved later; negative when it moved first.
        p_value: float64, corrected for autocorrelation and for the search over lags.
        points: int64, that both have.
    """

    correlation: Array
    lag: Array
    p_value: Array
    points: Array


def lagged(target: Array, others: Array, step_ns: int, most: int) -> Lagged:
    """Correlate a series with others over lags of up to `most` points.

    1. A quadratic trend and, from 18 hours on, a daily rhythm of up to 4 harmonics (12 from three days on) are taken
       away by least squares, spikes cut before: what all series share because of the hour tells nothing.
    2. What is left becomes ranks, and these normal scores (van der Waerden 1952), so that no spike leads.
    3. Cross-correlations at all lags at once (FFT), each over the points that the lag leaves.
    4. The strongest counts with Student's t for the effective number of points
       n / (1 + 2 Σ (1 - k/n) r1(k) r2(k)) (Bartlett 1946; Pyper & Peterman 1998), and with as many tests as there are
       lags that differ (one per n / n_effective points). What was taken away in 1 counts as lost points where it is
       slow enough to have been among the effective ones.

    Args:
        target: float64, one value per point of an even grid, NaN where there is none.
        others: float64, series × points, likewise.
        step_ns: Distance of two points.
        most: The largest lag, in points.
    """
    from scipy.special import stdtr

    count = len(target)
    if count < FEWEST:
        nothing = np.zeros(len(others), np.int64)
        return Lagged(np.full(len(others), np.nan), nothing, np.ones(len(others)), nothing)
    known = np.isfinite(np.vstack([target, others]))
    shared, cycles = _shared(count, step_ns)
    scores = _scores(np.vstack([target, others]), known, shared)
    points = (known[1:] & known[0]).sum(axis=1)
    most = max(0, min(most, count // 3))
    spectra = np.fft.rfft(scores, 2 * count, axis=1)
    cross = np.fft.irfft(np.conj(spectra[:1]) * spectra[1:], axis=1)
    lags = np.arange(-most, most + 1)
    overlap = np.maximum(count - np.abs(lags), 1) * (points / count)[:, None]
    values = np.clip(cross[:, lags] / np.maximum(overlap, 1), -1.0, 1.0)
    order = np.argsort(np.abs(lags), kind="stable")  # of equals, the shortest lag
    best = order[np.argmax(np.abs(values)[:, order], axis=1)]
    strongest = values[np.arange(len(values)), best]
    effective = _effective(spectra, points)
    effective = effective - (cycles[None, :] <= effective[:, None] / 2).sum(axis=1)
    tests = 1 + 2 * most * effective / np.maximum(points, 1)
    freedom = np.maximum(effective - 2, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        student = np.abs(strongest) * np.sqrt(freedom / np.maximum(1 - strongest**2, 1e-12))
    single = 2 * stdtr(freedom, -student)
    p_value = -np.expm1(tests * np.log1p(-np.minimum(single, 1 - 1e-12)))
    told = (points >= FEWEST) & (np.abs(scores[1:]).max(axis=1) > 0) & bool(np.abs(scores[0]).max() > 0)
    sure = told & (effective > _FEWEST_EFFECTIVE)
    return Lagged(
        np.where(told, strongest, np.nan), np.where(told, lags[best], 0), np.where(sure, p_value, 1.0), points
    )


def discoveries(p_values: Array) -> Array:
    """q-values of Benjamini and Hochberg (1995): the share of false ones among all that are at least as sure."""
    count = len(p_values)
    if not count:
        return p_values
    order = np.argsort(p_values, kind="stable")
    raised = p_values[order] * count / np.arange(1, count + 1)
    q_values = np.empty(count)
    q_values[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return q_values


def _shared(count: int, step_ns: int) -> tuple[Array, Array]:
    """Orthonormal columns that span trend and daily rhythm (points × columns), and the cycles that each makes."""
    place = np.linspace(-1.0, 1.0, count)
    columns = [np.ones(count), place, place**2]
    cycles = [0.0, 0.5, 1.0]
    days = count * step_ns / _DAY_NS
    if days >= _FEWEST_DAYS:
        turns = 2 * math.pi * np.arange(count) * step_ns / _DAY_NS
        most = min(_MORE_HARMONICS if days >= _MORE_DAYS else _HARMONICS, _DAY_NS // (4 * step_ns))
        for harmonic in range(1, int(most) + 1):
            columns += [np.sin(harmonic * turns), np.cos(harmonic * turns)]
            cycles += [harmonic * days] * 2
    basis, _ = np.linalg.qr(np.stack(columns, axis=1))
    return np.asarray(basis), np.array(cycles)


def _scores(values: Array, known: Array, shared: Array) -> Array:
    """Normal scores without what is shared, of variance 1 over the known points, 0 where unknown."""
    cut = _drawn_through(_cut(values, known), known)
    left = cut - (cut @ shared) @ shared.T
    moving = np.abs(left).max(axis=1) > _STILL * np.abs(cut).max(axis=1)
    known = known & moving[:, None]
    scores = _normal(np.where(known, left, np.nan), known)
    # Of series that are mostly one value, ranks follow what was taken away: so it goes once more.
    scores = np.where(known, scores - (scores @ shared) @ shared.T, 0.0)
    power = np.sqrt(np.maximum((scores * scores).sum(axis=1), 1e-12) / np.maximum(known.sum(axis=1), 1))
    flat = power < 1e-5
    return np.where(flat[:, None], 0.0, scores / np.maximum(power, 1e-5)[:, None])


def _cut(values: Array, known: Array) -> Array:
    """Spreads off the median, cut at five so that no spike bends what is taken away; 0 where unknown."""
    filled = np.where(known, values, np.nan)
    some = known.any(axis=1)
    centre, spread = np.zeros((len(values), 1)), np.ones((len(values), 1))
    low, middle, high = np.nanquantile(filled[some], (0.05, 0.5, 0.95), axis=1, keepdims=True)
    reach = np.nanmax(np.abs(filled[some] - middle), axis=1, keepdims=True)
    centre[some], spread[some] = middle, np.where(high > low, (high - low) / _TAILS_TO_SIGMA, reach)
    return np.where(known, np.clip((values - centre) / np.maximum(spread, 1e-300), -_CUT, _CUT), 0.0)


def _drawn_through(values: Array, known: Array) -> Array:
    """Straight lines over what is unknown, as long as there is something to draw between."""
    filled = values.copy()
    places = np.arange(values.shape[1])
    for row in np.flatnonzero(known.any(axis=1) & ~known.all(axis=1)):
        filled[row] = np.interp(places, places[known[row]], values[row, known[row]])
    return filled


def _normal(values: Array, known: Array) -> Array:
    """Ranks (ties shared) as quantiles of a normal distribution, 0 where unknown."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=1, nan_policy="omit")
    counts = np.maximum(known.sum(axis=1, keepdims=True), 1)
    scores = ndtri(np.where(known, (ranks - 0.5) / counts, 0.5))
    return np.where(known, scores - np.where(known, scores, 0.0).sum(axis=1, keepdims=True) / counts, 0.0)


def _effective(spectra: Array, points: Array) -> Array:
    """Effective number of points of the first series with each of the others."""
    correlations = np.fft.irfft(np.abs(spectra) ** 2, axis=1)
    count = correlations.shape[1] // 2
    reach = max(1, int(_MEMORY * count))
    places = np.arange(1, reach + 1)
    weights = 1 - places / count
    own = correlations[:, 1 : reach + 1] / np.maximum(correlations[:, :1], 1e-12) / weights
    products = own[:1] * own[1:] * weights
    total = np.maximum(np.cumsum(products, axis=1).max(axis=1), 0.0)  # past the peak it is noise, or a rhythm
    return np.asarray(np.maximum(points / (1 + 2 * total), 1.0))
