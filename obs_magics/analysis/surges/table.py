"""Surges of a logs frame: codes for what the frame holds, `detect`, and a frame of what it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.patterns import mine, pattern_id
from obs_magics.analysis.surges.events import Found, detect
from obs_magics.model.durations import parse_duration
from obs_magics.model.errors import UsageError
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE
from obs_magics.model.logs import LEVEL_DTYPE

Array = np.ndarray[Any, Any]
Patterns = tuple[pd.DataFrame, Array]

_NO_BASELINE = "give lines of the normal time, a duration such as 30m, or leave it out"


@dataclass(frozen=True, slots=True)
class _Coded:
    """The lines of the baseline and the frame, in order of time.

    Args:
        times_ns: Those of a baseline frame are moved to end where the frame begins.
        levels: Positions in `LEVELS`, -1 where unknown.
        services: Positions in `names`, -1 where missing.
        names: Of services, sorted.
        patterns: Positions in `templates`.
        ids: Of patterns.
        templates: Likewise.
    """

    times_ns: Array
    levels: Array
    services: Array
    names: list[str]
    patterns: Array
    ids: list[str]
    templates: list[str]


def surges(
    frame: pd.DataFrame,
    *,
    baseline: pd.DataFrame | str | None = None,
    patterns: Patterns | None = None,
    span_ns: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """New, surging, dropped and vanished patterns of a logs frame, each in each service; see `docs/surges.md`.

    >>> surges(frame, baseline="30m")  # doctest: +SKIP

    Args:
        frame: A logs frame (`model.logs`).
        baseline: The normal time: another logs frame from before or after, or how much of this one from its first line
            on (`30m`). None: each stretch of the frame is held against all of the frame but itself, and no event begins
            in its first tenth.
        patterns: Of `frame`, as `pattern_table` gives them; None to mine them here.
        span_ns: From when to when lines were asked for, in nanoseconds since the epoch: that there was none at first
            tells that a pattern is new. None: from the first line to the last.

    Returns:
        One row an event, the earliest first: `kind` (`new`, `surge`, `drop`, `vanished`) · `pattern` (its id) ·
        `template` · `service` · `level` (the most severe of the pattern in that service) · `start` and `end` (of the
        first and last line; of a drop, of the silence) · `count` of lines between, both included · `expected` lines ·
        `factor` (infinite when nothing was expected) · `p_value` (of such an event of that pattern by chance) ·
        `cascade` (position of the service in the order in which services began; missing when alone).

    Raises:
        UsageError: The baseline is no duration, is empty or as long as the frame, or overlaps it.
    """
    if frame.empty:
        return _table([], None)
    times_ns = _times(frame)
    until: int | None = None
    if isinstance(baseline, pd.DataFrame):
        before, until = _baseline_times(baseline, times_ns), int(times_ns.min())
        coded = _coded([baseline, frame], np.concatenate([before, times_ns]), patterns)
    else:
        if baseline is not None:
            until = _until(baseline, times_ns)
        coded = _coded([frame], times_ns, patterns)
    if isinstance(baseline, pd.DataFrame) and span_ns is not None:
        span_ns = (int(coded.times_ns[0]), span_ns[1])  # the baseline is what comes before
    found = detect(
        coded.patterns,
        coded.services,
        coded.times_ns,
        levels=coded.levels,
        baseline_until_ns=until,
        span_ns=span_ns,
    )
    return _table(found, coded)


def _times(frame: pd.DataFrame) -> Array:
    return frame["timestamp"].astype(TIMESTAMP_DTYPE).astype(np.int64).to_numpy()


def _until(duration: str, times_ns: Array) -> int:
    """Where a baseline of that length ends, from the first line on."""
    first, last = int(times_ns.min()), int(times_ns.max())
    until = first + parse_duration(duration)
    if not first < until < last:
        raise UsageError(
            f"a baseline of {duration} leaves nothing of the lines to look at, which take {(last - first) / 1e9:.0f} s",
            hint="give a shorter one, or fetch more lines",
        )
    return until


def _baseline_times(baseline: pd.DataFrame, times_ns: Array) -> Array:
    """When the lines of a baseline would have come, had it ended where the frame begins."""
    if baseline.empty:
        raise UsageError("the baseline holds no lines", hint=_NO_BASELINE)
    own = _times(baseline)
    first, last = int(own.min()), int(own.max())
    if first == last:
        raise UsageError("all lines of the baseline have one time, which tells no rate", hint=_NO_BASELINE)
    if last >= times_ns.min() and first <= times_ns.max():
        raise UsageError(
            "the baseline overlaps the lines to look at",
            hint="ask for two ranges apart, or give how much of the lines is the baseline (30m)",
        )
    return own + (int(times_ns.min()) - 1 - last)


def _coded(frames: Sequence[pd.DataFrame], times_ns: Array, patterns: Patterns | None) -> _Coded:
    order = np.argsort(times_ns, kind="stable")
    services, names = _services(frames)
    codes, ids, templates = _patterns(frames, patterns)
    levels = np.concatenate([frame["level"].astype(LEVEL_DTYPE).cat.codes.to_numpy() for frame in frames])
    return _Coded(times_ns[order], levels[order], services[order], names, codes[order], ids, templates)


def _services(frames: Sequence[pd.DataFrame]) -> tuple[Array, list[str]]:
    """The service of each line as a position among their sorted names, whatever the order of categories."""
    columns = [frame["service"].astype("category") for frame in frames]
    names = sorted({str(name) for column in columns for name in column.cat.categories})
    place = {name: position for position, name in enumerate(names)}
    coded = []
    for column in columns:
        known = np.array([*(place[str(name)] for name in column.cat.categories), -1], dtype=np.int64)
        coded.append(known[column.cat.codes.to_numpy()])
    return np.concatenate(coded), names


def _patterns(frames: Sequence[pd.DataFrame], given: Patterns | None) -> tuple[Array, list[str], list[str]]:
    """The pattern of each line, with ids and templates.

    With a baseline frame, both are mined together: only then is a pattern the same in both. Those that are in `given`
    keep their name from there.
    """
    if given is not None and len(frames) == 1:
        table, codes = given
        return (
            np.asarray(codes, dtype=np.int64),
            [str(one) for one in table["id"]],
            [str(one) for one in table["template"]],
        )
    messages = pd.concat([frame["message"] for frame in frames], ignore_index=True).astype(STRING_DTYPE)
    mined = mine(messages.array.__arrow_array__())  # type: ignore[attr-defined]  # pandas' own protocol
    codes, templates = mined.assignment.astype(np.int64), list(mined.templates)
    ids = [pattern_id(template) for template in templates]
    if given is not None:
        table, own = given
        for code, called in _called(codes[len(codes) - len(own) :], np.asarray(own, dtype=np.int64)).items():
            ids[code], templates[code] = str(table["id"].iloc[called]), str(table["template"].iloc[called])
    return codes, ids, templates


def _called(codes: Array, own: Array) -> dict[int, int]:
    """For each code the one of the other coding that most of its lines have; the smaller of equals."""
    pairs, counts = np.unique(np.stack([codes, own], axis=1), axis=0, return_counts=True)
    ranked = pairs[np.lexsort((-pairs[:, 1], counts))]
    return {int(code): int(called) for code, called in ranked}


def _table(found: Sequence[Found], coded: _Coded | None) -> pd.DataFrame:
    names = coded.names if coded else []
    starts = pd.DatetimeIndex([one.start_ns for one in found], dtype=TIMESTAMP_DTYPE)
    return pd.DataFrame(
        {
            "kind": pd.Series([one.kind for one in found], dtype=STRING_DTYPE),
            "pattern": pd.Series([coded.ids[one.pattern] for one in found] if coded else [], dtype=STRING_DTYPE),
            "template": pd.Series([coded.templates[one.pattern] for one in found] if coded else [], dtype=STRING_DTYPE),
            "service": pd.Series(
                [names[one.service] if one.service >= 0 else None for one in found], dtype=STRING_DTYPE
            ),
            "level": pd.Categorical.from_codes(
                [_level(one, coded) for one in found] if coded else [], dtype=LEVEL_DTYPE
            ),
            "start": starts,
            "end": pd.DatetimeIndex([one.end_ns for one in found], dtype=TIMESTAMP_DTYPE),
            "count": np.array([one.count for one in found], dtype=np.int64),
            "expected": np.array([one.expected for one in found], dtype=np.float64),
            "factor": np.array([one.factor for one in found], dtype=np.float64),
            "p_value": np.array([one.p_value for one in found], dtype=np.float64),
            "cascade": pd.array([one.cascade for one in found], dtype="Int64"),
        }
    )


def _level(one: Found, coded: _Coded) -> int:
    return int(coded.levels[(coded.patterns == one.pattern) & (coded.services == one.service)].max(initial=-1))
