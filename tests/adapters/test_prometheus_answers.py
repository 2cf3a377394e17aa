"""Bodies of the query API as frames: every shape, to the bit, and nothing made up from a damaged body."""

from __future__ import annotations

import json
import math
import struct
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from obs_magics.adapters.prometheus import points
from obs_magics.adapters.prometheus.answers import Series, parse_answer
from obs_magics.model.errors import BadAnswer, ObsError, QueryError
from obs_magics.model.frames import check_metrics

NAMES = st.text(alphabet="abz_", min_size=1, max_size=4)
LABELS = st.dictionaries(NAMES, st.text(max_size=8), max_size=3)
VALUES = st.floats() | st.sampled_from([math.inf, -math.inf, math.nan, -0.0, 5e-324, 1e300, 2.0**53, 0.1])
SECONDS_MS = st.integers(1_000_000_000, 9_223_372_035).map(lambda second: second * 1000)
ANY_MS = st.integers(-(10**12), 9_223_372_035_999) | SECONDS_MS | st.sampled_from([0, 1, 999, -1, 1_000_000_000_000])


def go_float(value: float) -> str:
    """As Go's strconv.FormatFloat(v, 'f', -1, 64) and its kin write it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value).removesuffix(".0")


def go_time(milliseconds: int, *, padded: bool) -> str:
    """Prometheus pads a fraction to three digits, VictoriaMetrics drops its zeros."""
    sign, whole, rest = "-" if milliseconds < 0 else "", *divmod(abs(milliseconds), 1000)
    fraction = f".{rest:03d}" if rest else ""
    return f"{sign}{whole}{fraction if padded else fraction.rstrip('0')}"


def body_of(series: list[dict[str, Any]], *, kind: str = "matrix", padded: bool = True, space: str = "") -> bytes:
    """Serialise as the servers do; `space` is put where JSON allows it."""

    def pair(point: tuple[int, float]) -> str:
        return f'[{go_time(point[0], padded=padded)},{space}"{go_float(point[1])}"]'

    found = []
    for item in series:
        listed = f",{space}".join(map(pair, item["points"]))
        text = f'"value":{pair(item["points"][0])}' if kind == "vector" else f'"values":[{space}{listed}]'
        found.append(f'{{"metric":{json.dumps(item["labels"])},{space}{text}}}')
    result = f",{space}".join(found)
    return f'{{"status":"success","data":{{"resultType":"{kind}","result":[{result}]}}}}'.encode()


def naive(body: bytes) -> list[tuple[dict[str, str], list[tuple[int, float]]]]:
    """The same, slowly, with the standard library alone."""
    found = []
    for item in json.loads(body, parse_float=str, parse_int=str)["data"]["result"]:
        pairs = item["values"] if "values" in item else [item["value"]]
        found.append((item["metric"], [(exact_ns(time), float(value)) for time, value in pairs]))
    return found


def exact_ns(text: str) -> int:
    return int(Fraction(text) * 10**9)


def bits(value: float) -> bytes:
    return b"NaN" if math.isnan(value) else struct.pack("<d", value)


def assert_same(series: Series, expected: list[tuple[dict[str, str], list[tuple[int, float]]]]) -> None:
    assert series.labels == [labels for labels, _ in expected]
    assert series.counts.tolist() == [len(pairs) for _, pairs in expected]
    assert series.timestamps_ns.tolist() == [time for _, pairs in expected for time, _ in pairs]
    assert list(map(bits, series.values.tolist())) == [bits(value) for _, pairs in expected for _, value in pairs]
    check_metrics(series.frame())


def some_series(times: st.SearchStrategy[int], **size: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    point = st.tuples(times, VALUES)
    return st.lists(st.fixed_dictionaries({"labels": LABELS, "points": st.lists(point, **size)}), max_size=5)


@given(some_series(ANY_MS, max_size=6), st.booleans(), st.sampled_from(["", "", " ", "\n\t"]))
def test_any_matrix_is_read_as_a_naive_parser_reads_it(series: Any, padded: bool, space: str) -> None:
    body = body_of(series, padded=padded, space=space)
    assert_same(parse_answer(body), naive(body))


@given(some_series(ANY_MS, min_size=1, max_size=1), st.booleans(), st.sampled_from(["", " "]))
def test_any_vector_is_read_as_a_naive_parser_reads_it(series: Any, padded: bool, space: str) -> None:
    body = body_of(series, kind="vector", padded=padded, space=space)
    assert_same(parse_answer(body), naive(body))


@given(some_series(SECONDS_MS, min_size=1, max_size=30))
def test_whole_seconds_never_need_the_slow_way(series: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(points, "_read_slowly", lambda *_: pytest.fail("read slowly"))
        assert_same(parse_answer(body := body_of(series)), naive(body))


@given(some_series(st.integers(10**12, 9_223_372_035_999), min_size=1, max_size=30), st.booleans())
def test_milliseconds_never_need_the_slow_way(series: Any, padded: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(points, "_read_slowly", lambda *_: pytest.fail("read slowly"))
        assert_same(parse_answer(body := body_of(series, padded=padded)), naive(body))


def test_long_series_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "_BLOCK", 200)
    long = [(1_795_356_000_000 + 15_000 * at, at / 7) for at in range(100)]
    series = [{"labels": {"a": str(size)}, "points": long[:size]} for size in (1, 100, 2, 50, 3, 7)]
    for kind in ("matrix", "vector"):
        body = body_of(series, kind=kind)
        assert_same(parse_answer(body), naive(body))


def test_a_long_series_with_spaces_is_read_slowly_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "_BLOCK", 200)
    body = body_of([{"labels": {}, "points": [(at * 1000, at / 3) for at in range(100)]}], space=" ")
    assert_same(parse_answer(body), naive(body))


def test_bodies_beyond_arrows_offsets_are_read_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "_LONGEST", 10)
    body = body_of([{"labels": {}, "points": [(1_795_356_000_000, 1.5)]}])
    assert_same(parse_answer(body), naive(body))


def test_a_range_over_a_change_of_the_leading_digits() -> None:
    body = body_of([{"labels": {}, "points": [(1_799_999_990_000 + 5_000 * at, 1.0) for at in range(6)]}])
    assert_same(parse_answer(body), naive(body))


WHOLE = body_of(
    [
        {
            "labels": {"__name__": "up", "x": 'a"b\\"],[1,"é'},
            "points": [(1_795_356_000_000 + 15_000 * at, at / 3) for at in range(4)],
        },
        {"labels": {"x": ""}, "points": [(1_795_356_000_250, math.inf), (1_795_356_000_500, math.nan)]},
    ]
)  # fmt: skip


@given(st.integers(0, len(WHOLE) - 1))
@example(0)
@example(len(WHOLE) - 1)
def test_a_body_cut_off_anywhere_is_a_bad_answer(length: int) -> None:
    with pytest.raises(BadAnswer):
        parse_answer(WHOLE[:length])


@settings(max_examples=250)
@given(st.integers(0, len(WHOLE) - 1), st.sampled_from(list(b'0",[]{}:.-+ eN\\n\xff')))
def test_a_damaged_byte_gives_an_error_or_what_a_naive_parser_reads(place: int, byte: int) -> None:
    body = WHOLE[:place] + bytes([byte]) + WHOLE[place + 1 :]
    try:
        series = parse_answer(body)
    except ObsError:
        return
    assert_same(series, naive(body))


VECTOR = '{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{}},{}}}]}}}}'
MATRIX = VECTOR.replace("vector", "matrix")


@pytest.mark.parametrize(
    "points_text",
    [
        '"values":[[1795356000,"1",5]]',
        '"values":[[1795356000,"1","2"]]',
        '"values":[[1795356000,"1"],[1795356015]]',
        '"values":[[1795356000,"1"],[1795356015,2]]',
        '"values":[["1795356000","1"]]',
        '"values":[[null,"1"]]',
        '"values":[[1795356000,"one"]]',
        '"values":[[1795356000,""]]',
        '"values":[[1795356000,"1 "]]',
        '"values":[[1e40,"1"]]',
        '"values":{"1795356000":"1"}',
        '"values":"[1795356000]"',
        '"values":null',
        '"values":[[1795356000,"1"],"x"]',
        '"value":[1795356000,"1"]',
        '"histograms":[[1795356000,{"count":"1"}]]',
        '"histograms":[[1795356000,{"count":"x","sum":"1"}]]',
        '"metric2":{}',
    ],
)
def test_points_of_another_shape_are_a_bad_answer(points_text: str) -> None:
    with pytest.raises(BadAnswer):
        parse_answer(MATRIX.format(points_text).encode())


@pytest.mark.parametrize(
    ("time", "nanoseconds"),
    [
        ("1795356000", 1_795_356_000 * 10**9),
        ("1795356000.3", 1_795_356_000_300_000_000),
        ("1795443116.340", 1_795_443_116_340_000_000),
        ("1795443116.123456789", 1_795_443_116_123_456_789),
        ("1.795356e9", 1_795_356_000 * 10**9),
        ("0", 0),
        ("-1.5", -1_500_000_000),
        ("9999999999", 0),
        ("12345678901", 0),
    ],
)
def test_times_are_exact_to_the_nanosecond(time: str, nanoseconds: int) -> None:
    body = MATRIX.format(f'"values":[[{time},"1"]]').encode()
    if not nanoseconds and time != "0":
        with pytest.raises(BadAnswer):
            parse_answer(body)
    else:
        assert parse_answer(body).timestamps_ns.tolist() == [nanoseconds]


def test_a_scalar_is_one_row_without_labels() -> None:
    body = b'{"status":"success","data":{"resultType":"scalar","result":[1795357500.25,"+Inf"]},"infos":["i"]}'
    series = parse_answer(body)
    frame = series.frame()
    assert frame["value"].tolist() == [math.inf]
    assert frame["metric"].isna().all()
    assert series.timestamps_ns.tolist() == [1_795_357_500_250_000_000]
    assert series.infos == ("i",)


def test_a_text_is_an_error_that_says_so() -> None:
    with pytest.raises(QueryError, match="gives a text") as caught:
        parse_answer(b'{"status":"success","data":{"resultType":"string","result":[1795357500,"hello"]}}')
    assert caught.value.words == "hello"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the answer is empty"),
        (b" ", "the answer is empty"),
        (b"{", "not whole JSON"),
        (b"<html>", "not whole JSON"),
        (b"[]", "shape"),
        (b"null", "shape"),
        (b'{"status":"success"}', "no result"),
        (b'{"status":"success","data":null}', "no result"),
        (b'{"status":"success","data":{}}', "no result"),
        (b'{"status":"success","data":[]}', "shape"),
        (b'{"data":{"resultType":"matrix","result":[]}}', "result of the type"),
        (b'{"status":"success","data":{"resultType":"streams","result":[]}}', "streams"),
        (b'{"status":"success","data":{"resultType":"matrix","result":[1]}}', "shape"),
        (b'{"status":"success","data":{"resultType":"scalar","result":[1]}}', "shape"),
        (b'{"status":"success","data":{"resultType":"scalar","result":[1,"x"]}}', "not a number"),
        (b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":1},"values":[]}]}}', "shape"),
        (
            b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"\xff"},"values":[]}]}}',
            "UTF-8|utf-8|unicode",
        ),
    ],
)
def test_bodies_that_are_no_answer(body: bytes, message: str) -> None:
    with pytest.raises(BadAnswer, match=message):
        parse_answer(body)


def test_a_refusal_in_a_good_answer_is_still_a_refusal() -> None:
    with pytest.raises(QueryError, match="nope"):
        parse_answer(b'{"status":"error","errorType":"execution","error":"nope"}')


@pytest.mark.parametrize("result", ["[]", "null"])
def test_nothing_is_an_empty_frame_with_the_right_columns(result: str) -> None:
    body = f'{{"status":"success","data":{{"resultType":"matrix","result":{result}}},"warnings":["w"]}}'.encode()
    series = parse_answer(body)
    check_metrics(frame := series.frame())
    assert len(frame) == 0
    assert series.warnings == ("w",)


def test_a_series_without_points_stays_without_rows() -> None:
    body = b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"1"},"values":[]}]}}'
    series = parse_answer(body)
    assert series.counts.tolist() == [0]


def test_a_part_of_a_cluster_that_did_not_answer_is_known() -> None:
    assert parse_answer(
        b'{"status":"success","isPartial":true,"data":{"resultType":"matrix","result":[]},"stats":{}}'
    ).partial


HISTOGRAM = '{"count":"3","sum":"+Inf","buckets":[[0,"0.1","0.25","1"],[3,"-0.5","+Inf","2"]]}'


def test_floats_and_histograms_of_one_series_stand_in_order_of_time() -> None:
    text = (
        f'"values":[[1795356000,"1"],[1795356030,"2"]],"histograms":[[1795356015,{HISTOGRAM}],[1795356045,{HISTOGRAM}]]'
    )
    series = parse_answer(MATRIX.format(text).encode())
    frame = series.frame()
    assert np.diff(series.timestamps_ns).tolist() == [15 * 10**9] * 3
    assert frame["value"].fillna(-1).tolist() == [1, -1, 2, -1]
    assert series.histograms is not None
    assert series.histograms.to_pylist()[0] is None
    assert series.histograms.to_pylist()[1] == {
        "count": 3.0,
        "sum": math.inf,
        "buckets": [
            {"rule": 0, "lower": 0.1, "upper": 0.25, "count": 1.0},
            {"rule": 3, "lower": -0.5, "upper": math.inf, "count": 2.0},
        ],
    }


def test_a_vector_may_mix_floats_and_histograms() -> None:
    text = f'"value":[1795356000,"1"]}},{{"metric":{{"h":"1"}},"histogram":[1795356000.5,{HISTOGRAM}]'
    series = parse_answer(VECTOR.format(text).encode())
    assert series.counts.tolist() == [1, 1]
    assert series.histograms is not None
    assert series.histograms.is_valid().to_pylist() == [False, True]
    assert series.first(1).histograms.to_pylist() == [None]  # type: ignore[union-attr]


def test_a_histogram_without_buckets() -> None:
    series = parse_answer(VECTOR.format('"histogram":[1,{"count":"0","sum":"0"}]').encode())
    assert series.histograms is not None
    assert series.histograms.to_pylist() == [{"count": 0.0, "sum": 0.0, "buckets": []}]
