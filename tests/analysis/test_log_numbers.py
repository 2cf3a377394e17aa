"""Volume, traffic and advice of logs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.analysis.advice import RULES, advise
from obs_magics.analysis.log_traffic import traffic_shift
from obs_magics.analysis.log_volume import observed, volume_of
from obs_magics.model.frames import categories
from obs_magics.model.logs import LEVELS, Volume, empty_logs, logs_frame
from obs_magics.model.time import MINUTE, SECOND, TimeRange

START = 1_795_356_000 * SECOND


def lines(times: list[int], levels: list[int]) -> pd.DataFrame:
    return logs_frame(
        np.asarray(times, np.int64),
        pa.array(["x"] * len(times), pa.string()),
        level_codes=np.asarray(levels, np.int8),
        service=categories([None] * len(times)),
        labels={},
    )


@given(
    st.lists(
        st.tuples(st.integers(START, START + 90 * MINUTE), st.integers(-1, len(LEVELS) - 1)), min_size=1, max_size=50
    )
)
def test_every_line_is_counted_in_its_bar(drawn: list[tuple[int, int]]) -> None:
    drawn.sort()
    frame = lines([time for time, _ in drawn], [level for _, level in drawn])
    volume = volume_of(frame)
    assert volume.total == len(drawn)
    assert max(map(len, volume.counts.values())) <= 61
    for level, counts in volume.counts.items():
        for bar, count in enumerate(counts):
            begin = volume.start_ns + bar * volume.step_ns
            code = -1 if level == "unknown" else LEVELS.index(level)  # type: ignore[arg-type]
            assert count == sum(begin <= time < begin + volume.step_ns and one == code for time, one in drawn)
    assert Volume.from_dict(volume.to_dict()) == volume


def test_the_bars_cover_the_range_asked_for() -> None:
    span = TimeRange(START + 7 * SECOND, START + 30 * MINUTE)
    volume = volume_of(empty_logs(), span=span, step_ns=MINUTE)
    assert (volume.start_ns, volume.total) == (START, 0)


def test_what_is_observed_begins_with_the_first_line_of_any_level() -> None:
    volume = Volume(START, MINUTE, {"error": (0, 0, 0, 4), "info": (0, 0, 5, 5)})
    assert observed((START + 5, START + 9 * MINUTE), volume) == (START + 2 * MINUTE, START + 9 * MINUTE)
    nothing = Volume(START, MINUTE, {"error": (0, 0)})
    assert observed((5, 9), nothing) == observed((5, 9), None) == (5, 9)


def bars(*counts: int) -> Volume:
    return Volume(START, 30 * SECOND, {"info": counts})


def test_more_lines_for_good_are_a_shift() -> None:
    shift = traffic_shift(bars(*[90, 110, 100, 95, 105] * 4, *[140, 150, 135, 145, 141] * 4))
    assert shift is not None
    assert (round(shift.factor, 1), shift.since) == (1.4, "2026-11-22T14:10:00Z")


@pytest.mark.parametrize(
    "counts",
    [
        [100, 110, 90, 105, 95] * 8,  # nothing happens
        [100] * 18 + [900] * 2 + [100] * 20,  # a burst that ends
        [100, 140] * 20,  # to and fro
        [0] * 40,
        [],
        [5],
        [0] * 20 + [50] * 20,  # from nothing: no factor
    ],
)
def test_no_shift(counts: list[int]) -> None:
    assert traffic_shift(bars(*counts)) is None
    assert traffic_shift(Volume(START, SECOND, {})) is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Connection pool exhausted", "pool_exhausted"),
        ("Unable to acquire connection", "pool_exhausted"),
        ("Connection timeout after <*>", "timeout"),
        ("context deadline exceeded", "timeout"),
        ("java.lang.OutOfMemoryError: Java heap space", "out_of_memory"),
        ("write /data: no space left on device", "disk_full"),
        ("dial tcp: lookup db: no such host", "name_resolution"),
        ("lookup smtp.example on <*>: read udp <*>><*>: i/o timeout", "name_resolution"),
        ("x509: certificate has expired", "certificate"),
        ("429 Too Many Requests", "rate_limited"),
        ("Failed password for root", "not_authorised"),
        ("deadlock detected", "lock"),
        ("connect ECONNREFUSED 10.0.0.1:6379", "unreachable"),
        ("duration: 4443.196 ms  plan", "slow_query"),
        ("Readiness probe failed: HTTP 503", "unhealthy"),
        ("etcdserver: no leader", "no_leader"),
        ("RejectedExecutionException", "queue"),
        ("panic: runtime error: index out of range", "defect"),
        ("CircuitBreaker 'stock' is OPEN", "circuit_open"),
        ("accept: too many open files", "file_descriptors"),
    ],
)
def test_each_kind_has_its_advice(text: str, key: str) -> None:
    (advice,) = advise({text: 3})
    assert (advice.key, advice.lines, advice.message) == (key, 3, text)


def test_advice_for_most_lines_comes_first() -> None:
    found = advise({"timed out": 2, "deadline exceeded": 2, "pool is full": 9, "all is well": 1000, "OOMKilled": 1})
    assert [(one.key, one.lines, one.message) for one in found] == [
        ("pool_exhausted", 9, "pool is full"),
        ("timeout", 4, "deadline exceeded"),
        ("out_of_memory", 1, "OOMKilled"),
    ]
    assert [one.key for one in advise({"timed out": 2, "pool is full": 9}, limit=1)] == ["pool_exhausted"]
    assert len({rule.key for rule in RULES}) == len(RULES)
