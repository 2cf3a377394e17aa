"""Reads OpenMetrics and Prometheus text, with timestamps: one sample a line, `# TYPE`, `# HELP` and `# UNIT` before.

Timestamps are milliseconds in Prometheus text and seconds in OpenMetrics (known by its ``# EOF`` or ``# UNIT``, or by a
fraction). Where that would put them before 1973 or behind 5138, it is the other way round.
Both that and samples without any timestamp, which get the time of the file, are said.

Formats: https://prometheus.io/docs/instrumenting/exposition_formats/ and https://prometheus.io/docs/specs/om/open_metrics_spec/.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from obs_magics.local.block import Rows
from obs_magics.local.readers.base import LATEST_MS, Complaints, File, Mapping, Reading
from obs_magics.model.catalog import MetricInfo, MetricType, info_from_name
from obs_magics.model.frames import METRIC_NAME_LABEL

# name{labels} value [timestamp] [# exemplar]; a value may be a native histogram in braces, as promtool dumps it.
_QUOTED = r'"(?:[^"\\]|\\.)*"'
SAMPLE = re.compile(
    rf"\s*(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)?\s*(?P<labels>\{{(?:[^\"}}]|{_QUOTED})*\}})?"
    r"\s+(?P<value>\{count:[^}]*\}|[^\s{}#]+)(?:\s+(?P<time>[-+0-9.eE]+))?(?:\s+\#\s.*)?\s*"
)
_LABEL = re.compile(rf"\s*(?P<name>[a-zA-Z_][a-zA-Z0-9_.]*|{_QUOTED})\s*(?:=\s*(?P<value>{_QUOTED}))?\s*(?:,|$)")
_SECONDS = 1e11
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}
_ESCAPE = re.compile(r'\\[n"\\]')

_TYPES: dict[str, MetricType] = {
    "counter": "counter",
    "gauge": "gauge",
    "histogram": "histogram",
    "gaugehistogram": "histogram",
    "summary": "summary",
}


def looks_right(file: File) -> bool:
    """Whether there are comments of this kind, or one of the first lines is a sample with a name."""
    lines = file.head.decode("utf-8", "replace").splitlines()[:50]
    if any(re.match(r"# (TYPE|HELP|UNIT) [a-zA-Z_:]", line) for line in lines):
        return True
    samples = [line for line in lines if line.strip() and not line.startswith("#")][:5]
    found = [SAMPLE.fullmatch(line) for line in samples]
    return any(
        match and is_number(match["value"]) and (match["name"] or _names(match["labels"] or "")) for match in found
    )


def _names(labels: str) -> bool:
    """Whether there is a quoted metric name among the labels, as Prometheus 3 writes those with dots."""
    try:
        return METRIC_NAME_LABEL in parse_labels(labels)
    except ValueError:
        return False


def read(file: File, _mapping: Mapping) -> Reading:
    """Read a file of text exposition."""
    complaints = Complaints(file.name)
    parsed = _Parsed()
    seconds = False
    with file.open() as stream:
        for number, raw in enumerate(stream, start=1):
            line = raw.decode("utf-8", "replace")
            if line.startswith("#"):
                seconds |= _comment(parsed, line)
            elif line.strip():
                parsed.take(line, number, complaints)
    rows = parsed.rows(file, seconds or parsed.fractions, complaints)
    return Reading([rows] if len(rows.values) else [], complaints.all, 1)


def _comment(parsed: _Parsed, line: str) -> bool:
    """Take in a comment; tells whether it is one that only OpenMetrics has."""
    words = line.split(None, 3)
    if len(words) >= 2 and words[1] == "EOF":
        return True
    if len(words) < 4 or words[1] not in {"TYPE", "HELP", "UNIT"}:
        return False
    _, kind, name, text = words
    parsed.told.setdefault(name, {})[kind] = text.strip()
    return kind == "UNIT"


def is_number(text: str) -> bool:
    """Whether Go's ParseFloat would read it."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def parse_labels(text: str) -> dict[str, str]:
    """`{job="x", "a.b"="y"}` as a mapping; a quoted name alone is the metric's.

    Raises:
        ValueError: It is not of this form.
    """
    inside = text[1:-1].strip()
    labels: dict[str, str] = {}
    position = 0
    while position < len(inside):
        match = _LABEL.match(inside, position)
        if match is None:
            raise ValueError(f"the labels are wrong at {inside[position : position + 20]!r}")
        name, value = match["name"], match["value"]
        name = _unquoted(name) if name.startswith('"') else name
        if value is None:
            labels[METRIC_NAME_LABEL] = name
        else:
            labels[name] = _unquoted(value)
        position = match.end()
    return labels


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPES[match[0]], text[1:-1])


@dataclass(slots=True)
class _Parsed:
    """Samples as they are read; the labels of each series are parsed once."""

    told: dict[str, dict[str, str]] = field(default_factory=dict)
    fractions: bool = False
    _known: dict[tuple[str, str], int] = field(default_factory=dict)
    _labels: list[dict[str, str]] = field(default_factory=list)
    _series: list[int] = field(default_factory=list)
    _values: list[float] = field(default_factory=list)
    _times: list[str | None] = field(default_factory=list)

    def take(self, line: str, number: int, complaints: Complaints) -> None:
        """Take in a line with a sample, or say what is wrong with it."""
        match = SAMPLE.fullmatch(line)
        if match is None:
            complaints.add("not a sample: name{labels} value timestamp", number)
            return
        name, labels, value, time = match.groups()
        if not is_number(value) or (time and not is_number(time)):
            complaints.add(f"{value if not is_number(value) else time!r} is not a number", number)
            return
        key = (name or "", labels or "")
        if key not in self._known:
            try:
                self._learn(key)
            except ValueError as problem:
                complaints.add(str(problem), number)
                return
        self.fractions |= time is not None and "." in time
        self._series.append(self._known[key])
        self._values.append(float(value))
        self._times.append(time)

    def _learn(self, key: tuple[str, str]) -> None:
        labels = parse_labels(key[1]) if key[1] else {}
        if key[0]:
            labels[METRIC_NAME_LABEL] = key[0]
        if not labels.get(METRIC_NAME_LABEL):
            raise ValueError("the sample has no metric name")
        self._known[key] = len(self._labels)
        self._labels.append(labels)

    def rows(self, file: File, seconds: bool, complaints: Complaints) -> Rows:
        """The samples, with times in milliseconds."""
        bare = [time is None for time in self._times]
        file_ms = int(file.path.stat().st_mtime * 1000)
        if any(bare):
            which = "no sample has a timestamp" if all(bare) else f"{sum(bare):,} samples have no timestamp"
            complaints.add(f"{which}: the file's own time is taken")
        given = np.asarray([math.nan if time is None else float(time) for time in self._times], np.float64)
        largest = float(np.abs(given[~np.isnan(given)]).max(initial=0))
        if largest and seconds != (largest < _SECONDS):
            seconds = not seconds
            complaints.add(f"its timestamps are taken for {'seconds' if seconds else 'milliseconds'}, by their size")
        given = np.round(given * 1000 if seconds else given)
        outside = np.abs(given) > LATEST_MS
        if outside.any():
            complaints.add(f"{outside.sum():,} samples left out: their times are beyond the year 2262")
        keep = np.flatnonzero(~outside)
        times = np.where(np.isnan(given), file_ms, given)
        return Rows(
            self._labels,
            np.asarray(self._series, np.int64)[keep],
            times[keep].astype(np.int64),
            np.asarray(self._values, np.float64)[keep],
            metadata=dict(self._metadata()),
        )

    def _metadata(self) -> Iterator[tuple[str, MetricInfo]]:
        for name, told in self.told.items():
            unit = told.get("UNIT") and info_from_name(f"x_{told['UNIT']}").unit
            kind = _TYPES.get(told.get("TYPE", ""), "unknown")
            yield name, MetricInfo(name, kind, unit or "", _unquoted(f'"{told.get("HELP", "")}"'))
