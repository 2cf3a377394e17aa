"""What a logs frame says in numbers: how many errors, in which services, what they say, where, and in which order.

Every number can be recounted in the frame: `count` is the lines at the level that the summary is about, a service's
count is its lines of those, and a text's count is that service's lines with this message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.log_text import said_text
from obs_magics.analysis.log_traffic import traffic_shift
from obs_magics.analysis.patterns import mine
from obs_magics.model.frames import STRING_DTYPE
from obs_magics.model.log_summary import LogSummary, SaidOften, ServiceLines, Subject
from obs_magics.model.logs import LEVELS, UNKNOWN, Volume

Array = np.ndarray[Any, Any]

_MOST_SERVICES = 5
_MOST_SAID = 3
_MOST_PATHS = 3
_FEW = 5  # lines: more than this are no mere echo of another service's trouble
_FEW_SHARE = 0.15
_LEAD = 10  # lines of another kind before the first of a cut answer, for that one to be the first
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Where a line names the path of a request: a field, or the request line of an access log. RE2.
_PATH = (
    r"(?:(?:\b|_|\")(?:path|uri|url|route|endpoint|target|request_path|http_route)\"?[=:]\s*\"?"
    r"|\b(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) )(?P<path>/[^\s\"?#,;}\])]*)"
)
_ID = r"/(?:[0-9]+|[0-9a-fA-F]{8,}|[0-9a-fA-F-]{32,}|[a-z]+-[0-9]+)(/|$)"
_PATH_COLUMNS = ("path", "http_route", "http_target", "url_path", "route", "uri", "endpoint")


def summarize_logs(
    frame: pd.DataFrame,
    *,
    total: int | None = None,
    volume: Volume | None = None,
    mined: tuple[Sequence[str], Array] | None = None,
) -> LogSummary:
    """Say in numbers what a logs frame holds.

    Args:
        frame: A logs frame.
        total: Lines in all, as the source counted them.
        volume: Lines over time, as the source counted them, of every level.
        mined: Templates, and the position of its template for each line, where somebody has mined them already.
    """
    subject, rows = _subject(frame)
    chosen = frame.iloc[rows]
    names = np.asarray(chosen["service"].astype(object).where(chosen["service"].notna(), ""), dtype=object)
    times = chosen["timestamp"].astype("int64").to_numpy()
    texts = _texts(chosen["message"]) if mined is None else _said_of(mined[0], mined[1][rows])
    paths = _paths(chosen)
    services = [_service(name, np.flatnonzero(names == name), times, texts, paths) for name in sorted(set(names))]
    if subject != "lines" and _begins_inside(rows, len(frame), total):  # who comes first of all lines says nothing
        services = _in_order_of_onset(services, len(chosen))
    services.sort(key=lambda one: (-one.count, one.service))
    return LogSummary(
        subject=subject,
        count=len(chosen),
        rows=len(frame),
        total=total,
        levels=_levels(frame),
        services=len(services),
        shown=tuple(services[:_MOST_SERVICES]),
        traffic=traffic_shift(volume) if volume else None,
    )


def _subject(frame: pd.DataFrame) -> tuple[Subject, Array]:
    """What the summary is about, and the rows that are."""
    codes = frame["level"].cat.codes.to_numpy()
    subjects: tuple[tuple[Subject, int], ...] = (("errors", LEVELS.index("error")), ("warnings", LEVELS.index("warn")))
    for subject, least in subjects:
        if len(rows := np.flatnonzero(codes >= least)):
            return subject, rows
    return "lines", np.arange(len(frame))


def _begins_inside(rows: Array, count: int, total: int | None) -> bool:
    """Whether the first of these lines were the first: of the newest lines they may be where it was cut."""
    return total is None or total <= count or int(rows[0]) >= _LEAD


def _levels(frame: pd.DataFrame) -> dict[str, int]:
    counts = np.bincount(frame["level"].cat.codes.to_numpy().astype(np.int64) + 1, minlength=len(LEVELS) + 1).tolist()
    named = {level: counts[code + 1] for code, level in reversed(list(enumerate(LEVELS)))} | {UNKNOWN: counts[0]}
    return {level: count for level, count in named.items() if count}


def _texts(messages: pd.Series[Any]) -> Array:
    """What each line says: the text inside its template, so that lines which differ in an id say the same."""
    mined = mine(pa.chunked_array(pa.array(messages, pa.large_string(), from_pandas=True)))
    return _said_of(mined.templates, mined.assignment)


def _said_of(templates: Sequence[str], assignment: Array) -> Array:
    said = {number: said_text(templates[number]) for number in np.unique(assignment).tolist()}
    return np.asarray([said[number] for number in assignment.tolist()], dtype=object)


def _paths(frame: pd.DataFrame) -> Array:
    """The path of the request that each line names; empty where there is none."""
    for column in _PATH_COLUMNS:
        if column in frame.columns:
            given = pa.array(frame[column].astype(object), pa.large_string(), from_pandas=True)
            break
    else:
        messages = pa.array(frame["message"], pa.large_string(), from_pandas=True)
        given = pc.struct_field(pc.extract_regex(messages, _PATH), "path") if len(messages) else messages
    without_ids = pc.replace_substring_regex(given, _ID, r"/<*>\1")
    without_ids = pc.replace_substring_regex(without_ids, _ID, r"/<*>\1")  # neighbours share a slash
    return np.asarray(pc.fill_null(without_ids, "").to_pylist(), dtype=object)


def _service(name: str, rows: Array, times: Array, texts: Array, paths: Array) -> ServiceLines:
    said = _ranked(texts[rows])
    walked = [path for path, _ in _ranked(paths[rows]) if path]
    return ServiceLines(
        service=name,
        count=len(rows),
        said=tuple(_said(text, rows[texts[rows] == text], times) for text, _ in said[:_MOST_SAID]),
        patterns=len(said),
        paths=tuple(walked[:_MOST_PATHS]),
        more_paths=max(0, len(walked) - _MOST_PATHS),
        first=_iso(times[rows].min()),
        last=_iso(times[rows].max()),
    )


def _ranked(values: Array) -> list[tuple[str, int]]:
    """Most frequent first, ties in order of text."""
    return sorted(Counter(values.tolist()).items(), key=lambda pair: (-pair[1], pair[0]))


def _said(text: str, rows: Array, times: Array) -> SaidOften:
    return SaidOften(text=text, count=len(rows), first=_iso(times[rows].min()), last=_iso(times[rows].max()))


def _in_order_of_onset(services: Sequence[ServiceLines], count: int) -> list[ServiceLines]:
    """Say of each service after which other it began, and whether it looks like an echo of another's trouble."""
    ordered = sorted(services, key=lambda one: (one.first, one.service))
    told = list(ordered[:1])
    for earlier, one in pairwise(ordered):
        few = one.count <= _FEW and one.count <= _FEW_SHARE * count
        began_after = earlier.service if earlier.first < one.first else ""
        told.append(replace(one, began_after=began_after, cascade=few and any(_during(one, o) for o in ordered)))
    return told


def _during(one: ServiceLines, other: ServiceLines) -> bool:
    """Whether all lines of one service fall into the trouble of another, greater one."""
    return other.count > one.count and other.first < one.first and one.last <= other.last


def _iso(instant_ns: Any) -> str:
    """ISO 8601 in UTC, to the microsecond."""
    return (_EPOCH + timedelta(microseconds=int(instant_ns) // 1000)).isoformat().replace("+00:00", "Z")


def service_table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per service, most errors first, then most lines: see `frame.obs.summary`."""
    codes = frame["level"].cat.codes.to_numpy()
    named = frame["service"].astype(object)
    counted = pd.DataFrame(
        {
            "service": named.where(named.notna(), None),
            "lines": 1,
            "errors": codes >= LEVELS.index("error"),
            "warnings": codes == LEVELS.index("warn"),
            "timestamp": frame["timestamp"],
        }
    )
    grouped = counted.groupby("service", dropna=False, sort=True)
    table = grouped.agg(
        lines=("lines", "sum"),
        errors=("errors", "sum"),
        warnings=("warnings", "sum"),
        first_seen=("timestamp", "min"),
        last_seen=("timestamp", "max"),
    )
    table["says"] = [_says(frame.iloc[rows]) for rows in grouped.indices.values()]
    table = table.reset_index().astype({"service": STRING_DTYPE, "says": STRING_DTYPE, "lines": np.int64})
    table = table.astype({"errors": np.int64, "warnings": np.int64})
    return table.sort_values(["errors", "lines"], ascending=False, kind="stable", ignore_index=True)


def _says(frame: pd.DataFrame) -> str:
    _, rows = _subject(frame)
    return _ranked(_texts(frame["message"].iloc[rows]))[0][0]
