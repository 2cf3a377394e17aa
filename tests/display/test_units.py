"""Numbers with their unit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.display.units import (
    count_text,
    digits_apart,
    format_value,
    plain,
    scale_between,
    seconds_text,
    shown_number,
    times,
)

UNITS = [
    "",
    "s",
    "ms",
    "us",
    "By",
    "By/s",
    "1",
    "%",
    "{request}/s",
    "{pod}",
    "Cel",
    "Hz",
    "1/s",
    "/s",
    "V",
    "req/s",
    "MiBy",
]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.2344, "s", "234 ms"),
        (0.9997, "s", "1 s"),
        (59.99, "s", "1 min"),
        (95, "s", "1.58 min"),
        (7200, "s", "2 h"),
        (0, "s", "0 s"),
        (412, "ms", "412 ms"),
        (1500, "ms", "1.5 s"),
        (3e-12, "s", "0.003 ns"),
        (1.2 * 2**30, "By", "1.2 GiB"),
        (1023, "By", "1,023 B"),
        (1023.9 * 1024, "By", "1 MiB"),
        (2.0, "MiBy", "2 MiB"),
        (1e6, "By/s", "977 KiB/s"),
        (0.123, "1", "12.3 %"),
        (0.05, "%", "0.05 %"),
        (1e308, "1", "1e308"),
        (5, "{request}/s", "5 request/s"),
        (12345, "{request}/s", "12.3k request/s"),
        (3, "{pod}", "3 pod"),
        (3, "req/s", "3 req/s"),
        (1 / 60, "1/s", "0.0167 /s"),
        (2, "/s", "2 /s"),
        (25, "Cel", "25 °C"),
        (2.4e9, "Hz", "2.4 GHz"),
        (0.02, "V", "20 mV"),
        (12345678, "", "12.3M"),
        (1e300, "", "1e300"),
        (-1.5e-9, "", "−1.5e-9"),
        (-3, "", "−3"),
        (-0.0, "", "0"),
        (0.000123456, "", "0.000123"),
        (float("nan"), "s", "NaN"),
        (float("inf"), "s", "∞"),
        (float("-inf"), "By", "−∞"),
    ],
)
def test_a_value_is_written_as_people_say_it(value: float, unit: str, text: str) -> None:
    assert format_value(value, unit) == text


def test_a_narrow_band_far_from_zero_keeps_its_digits_and_has_no_prefix() -> None:
    digits = digits_apart(1.7e9, 1.7e9 + 49)
    assert format_value(1.7e9 + 49, "", digits=digits) == "1,700,000,049"
    assert scale_between(1.7e9, 1.7e9 + 49, "By").suffix == " B"
    assert digits_apart(0, 10) == digits_apart(5, 5) == digits_apart(0, 0) == 3
    assert digits_apart(100, 101) == 4


@given(value=st.floats(), unit=st.sampled_from(UNITS))
def test_any_value_in_any_unit_gives_one_short_line(value: float, unit: str) -> None:
    text = format_value(value, unit)
    assert text
    assert "\n" not in text
    assert len(text) < 40


@given(value=st.floats(1e-6, 1e12), unit=st.sampled_from(["s", "By", "", "Hz"]))
def test_what_is_shown_is_within_half_a_percent_of_the_value(value: float, unit: str) -> None:
    assert math.isclose(shown_number(value, unit), value, rel_tol=0.0051)


def test_a_ratio_is_that_of_the_numbers_shown() -> None:
    assert times(2.3, 0.412, "s") == "5.6×"
    assert times(1, 0, "s") == ""


def test_counts_and_durations() -> None:
    assert [count_text(1, "series", "series"), count_text(1000, "point")] == ["1 series", "1,000 points"]
    assert [seconds_text(90), seconds_text(0.5), seconds_text(86400)] == ["1 min 30 s", "500 ms", "1 d"]
    assert plain(1234.56) == "1,235"
