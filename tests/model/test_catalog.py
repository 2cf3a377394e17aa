"""Type and unit, guessed from a name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.model.catalog import MetricInfo, info_from_name


@pytest.mark.parametrize(
    ("name", "kind", "unit"),
    [
        ("http_requests_total", "counter", ""),
        ("node_network_receive_bytes_total", "counter", "By"),
        ("process_cpu_seconds_total", "counter", "s"),
        ("http_request_duration_seconds", "unknown", "s"),
        ("http_request_duration_seconds_bucket", "histogram", ""),
        ("http_request_duration_seconds_count", "unknown", ""),
        ("http_request_duration_seconds_sum", "unknown", "s"),
        ("node_memory_used_bytes", "unknown", "By"),
        ("cache_hit_ratio", "unknown", "1"),
        ("room_celsius", "unknown", "Cel"),
        ("up", "unknown", ""),
        ("total", "counter", ""),
        ("sum", "unknown", ""),
        ("", "unknown", ""),
    ],
)
def test_names_that_follow_the_conventions(name: str, kind: str, unit: str) -> None:
    assert info_from_name(name) == MetricInfo(name, kind, unit)  # type: ignore[arg-type]


@given(st.text())
def test_any_name_has_an_answer(name: str) -> None:
    assert info_from_name(name).name == name
