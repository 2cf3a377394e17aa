"""Which other series moved with one: lagged, by ranks, without shared trend and daily rhythm, many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.anomaly.joint_entities import measured
from obs_magics.analysis.correlation.lags import discoveries, lagged
from obs_magics.model.errors import UsageError, did_you_mean
from obs_magics.model.frames import STRING_DTYPE, categories, free_column
from obs_magics.model.series import Series, selector, short_names, split_series

Array = np.ndarray[Any, Any]
Target = str | Mapping[str, str] | pd.DataFrame

COLUMNS = ("series", "metric", "service", "correlation", "lag", "p_value", "q_value", "points", "moves")
MOVES_DTYPE = pd.CategoricalDtype(pd.Index(["with", "against"], dtype=STRING_DTYPE))
DEFAULT_LAG = timedelta(minutes=10)
SURE = 0.05  # the largest q-value that is shown
_MOST_POINTS = 20_000  # of the common grid
_CHUNK = 512  # series at a time


def correlate(
    frame: pd.DataFrame,
    target: Target,
    *,
    max_lag: timedelta = DEFAULT_LAG,
    limit: int | None = 20,
    alpha: float = SURE,
) -> pd.DataFrame:
    """Find the series that moved with one, surest first.

    How they are compared, and what is taken away first: `lags.lagged`. Then q-values over all series (Benjamini and
    Hochberg): of those shown at `alpha` = 0.05, one in twenty is expected to be there by chance. Raw counters count
    with their rate. All series meet on the grid of the target.

    Args:
        frame: A metrics frame. The target itself is left out.
        target: The series to explain: by its short name, its selector, or its metric's name when that is unique; by
            its labels (`metric` among them); or a metrics frame of one series, which `frame` need not hold.
        max_lag: How far apart two moves may be.
        limit: How many to show; None for all.
        alpha: The largest q-value shown; 1 shows every series.

    Returns:
        `series` (string), `metric`, `service` (category), `correlation` (float64, -1 to 1), `lag` (timedelta64[ns]:
        negative, it moved before the target), `p_value`, `q_value` (float64), `points` (int64, shared ones), `moves`
        (category: with, against), and one category column per other label.

    Raises:
        UsageError: There is no such series, there are several, or `max_lag` is negative.
    """
    if max_lag < timedelta(0):
        raise UsageError(f"max_lag is negative: {max_lag}", hint="it counts in both directions: give its size")
    series = split_series(frame)
    names = short_names(series)
    chosen = pick(series, names, target)
    rest = [(one, name) for one, name in zip(series, names, strict=True) if one.identity != chosen.identity]
    step, first, count = _grid(chosen)
    goal = _cells(chosen, step, first, count)
    most = int(max_lag / timedelta(microseconds=max(step // 1000, 1)))
    parts = [
        lagged(goal, np.stack([_cells(one, step, first, count) for one, _ in rest[begin : begin + _CHUNK]]), step, most)
        for begin in range(0, len(rest), _CHUNK)
    ]
    values = {
        name: np.concatenate([np.empty(0), *(getattr(part, name) for part in parts)])
        for name in ("correlation", "lag", "p_value", "points")
    }
    told = np.flatnonzero(np.isfinite(values["correlation"]))
    q_values = discoveries(values["p_value"][told])
    order = np.lexsort((-np.abs(values["correlation"][told]), values["p_value"][told], q_values))
    order = order[q_values[order] <= alpha][:limit]
    return _frame(
        [rest[number] for number in told[order]],
        {name: one[told[order]] for name, one in values.items()},
        q_values[order],
        step,
    )


def pick(series: Sequence[Series], names: Sequence[str], target: Target) -> Series:
    """The series that is meant.

    Raises:
        UsageError: There is none, or there are several.
    """
    if isinstance(target, pd.DataFrame):
        own = split_series(target)
        if len(own) != 1:
            raise UsageError(f"the target holds {len(own)} series", hint="pick one of them, by name or by labels")
        return own[0]
    if isinstance(target, Mapping):
        found = [one for one in series if all(one.identity.get(name) == value for name, value in target.items())]
        said = selector(target)
    else:
        found, said = _called(series, names, target), target
    if len(found) == 1:
        return found[0]
    if found:
        few = ", ".join(selector(one.identity) for one in found[:3])
        raise UsageError(f"{said} is {len(found)} series: {few}, …", hint="name one of them with all of its labels")
    raise UsageError(f"there is no series {said} in the frame", hint=did_you_mean(said, names))


def _called(series: Sequence[Series], names: Sequence[str], target: str) -> list[Series]:
    for called in (names, [selector(one.identity) for one in series], [one.metric for one in series]):
        found = [one for one, name in zip(series, called, strict=True) if name == target]
        if found:
            return found
    return []


def _grid(one: Series) -> tuple[int, int, int]:
    """Step, first instant and number of cells."""
    if len(one.timestamps_ns) < 2:
        return 1, int(one.timestamps_ns[0]) if len(one.timestamps_ns) else 0, 1
    first, last = int(one.timestamps_ns[0]), int(one.timestamps_ns[-1])
    step = max(1, int(np.median(np.diff(one.timestamps_ns))), -(-(last - first) // _MOST_POINTS))
    return step, first, (last - first + step // 2) // step + 1


def _cells(one: Series, step: int, first: int, count: int) -> Array:
    """A series on the grid: the last value of a cell; what is coarser than the grid is drawn through."""
    times, values = measured(one)
    cells = np.full(count, np.nan)
    if not len(times):
        return cells
    places = (times - first + step // 2) // step
    inside = (places >= 0) & (places < count)
    cells[places[inside]] = values[inside]
    spacing = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    if spacing > 1.5 * step:
        empty = np.flatnonzero(np.isnan(cells))
        instants = first + step * empty
        after = np.clip(np.searchsorted(times, instants), 1, len(times) - 1)
        near = (times[after] - times[after - 1] <= 2 * spacing) & (instants >= times[0]) & (instants <= times[-1])
        cells[empty[near]] = np.interp(instants[near], times, values)
    return cells


def _frame(
    found: Sequence[tuple[Series, str]], values: Mapping[str, Array], q_values: Array, step: int
) -> pd.DataFrame:
    data: dict[str, Any] = {
        "series": pd.array([name for _, name in found], dtype=STRING_DTYPE),
        "metric": categories([one.metric or None for one, _ in found]),
        "service": categories([one.labels.get("service") for one, _ in found]),
        "correlation": values["correlation"],
        "lag": (values["lag"].astype(np.int64) * step).astype("timedelta64[ns]"),
        "p_value": values["p_value"],
        "q_value": q_values,
        "points": values["points"].astype(np.int64),
        "moves": pd.Categorical(np.where(values["correlation"] < 0, "against", "with"), dtype=MOVES_DTYPE),
    }
    for name in sorted({name for one, _ in found for name in one.labels} - {"service"}):
        data[free_column(name, frozenset(COLUMNS))] = categories([one.labels.get(name) for one, _ in found])
    return pd.DataFrame(data)
