"""Ids of traces and spans in one spelling: lower-case hex, 32 and 16 digits; what is no id is missing."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.loglines.names import squashed
from obs_magics.analysis.loglines.text import Text

TRACE_DIGITS, SPAN_DIGITS = 32, 16
_SHORTEST = 8  # hex digits: Jaeger leaves leading zeros away, but five digits are a port or a year

_HEX = re.compile(r"[0-9a-f]+")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# https://www.w3.org/TR/trace-context/#traceparent-header-field-values
_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}")
# {trace}:{span}:{parent}:{flags}, https://www.jaegertracing.io/docs/latest/client-libraries/#propagation-format
_UBER = re.compile(r"(?P<trace>[0-9a-f]{1,32}):(?P<span>[0-9a-f]{1,16}):[0-9a-f]{1,16}:[0-9a-f]{1,2}")
# https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-traceids
_X_RAY = re.compile(
    r"(?:.*\broot=)?1-(?P<trace>[0-9a-f]{8}-[0-9a-f]{24})(?:;(?:.*;)?parent=(?P<span>[0-9a-f]{16}))?(?:;.*)?"
)
# projects/PROJECT/traces/ID, as Google's structured logs have it
_RESOURCE = re.compile(r"projects/[^/]*/traces/(?P<trace>[0-9a-f]{32})")
_WHOLE_CONTEXTS = (_TRACE_PARENT, _UBER, _RESOURCE, _X_RAY)
_LONGEST = 512
_DECIMAL_DIGITS = 20  # of the largest 64-bit number


def hex_ids(values: Text, digits: int, *, name: str = "") -> pa.Array:
    """The ids of a column.

    Args:
        values: Strings; null where there is none.
        digits: `TRACE_DIGITS` or `SPAN_DIGITS`.
        name: Of the column: Datadog's are decimal.

    Returns:
        Strings of `digits` lower-case hex digits, padded with zeros in front, or null. Those of a `traceparent` and of
        Jaeger's and X-Ray's headers are taken out of them.
    """
    joined = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_dictionary(joined.type):
        return _one_by_one(joined.dictionary, digits, name).take(joined.indices)
    plain = joined.cast(pa.string())
    if _is_decimal(name):
        return _one_by_one(plain, digits, name)
    if _all_done(plain, digits):
        return plain
    simple = pc.match_substring_regex(plain, rf"^[0-9a-fA-F]{{{_SHORTEST},{digits}}}$")
    padded = pc.ascii_lpad(pc.if_else(pc.fill_null(simple, False), pc.ascii_lower(plain), None), digits, "0")
    ids = pc.if_else(pc.match_substring_regex(padded, "[1-9a-f]"), padded, None)
    odd = pc.invert(pc.fill_null(simple, True))
    if not pc.any(odd, min_count=0).as_py():
        return ids
    return pc.replace_with_mask(ids, odd, _one_by_one(plain.filter(odd), digits, name))


def _one_by_one(values: pa.Array, digits: int, name: str) -> pa.Array:
    return pa.array([hex_id(text, digits, name=name) for text in values.to_pylist()], pa.string())


def _all_done(plain: pa.StringArray, digits: int) -> bool:
    """Whether all are as they shall be: true of most columns, and told without looking at each."""
    if plain.null_count == len(plain):
        return True
    lengths = pc.min_max(pc.binary_length(plain)).as_py()
    if lengths["min"] != digits or lengths["max"] != digits:
        return False
    filled = plain.drop_null() if plain.null_count else plain
    start = int(np.frombuffer(filled.buffers()[1], np.int32)[filled.offset])
    letters = np.frombuffer(filled.buffers()[2], np.uint8, count=digits * len(filled), offset=start)
    if not ((letters - ord("0") < 10) | (letters - ord("a") < 6)).all():  # bytes wrap around below zero
        return False
    ids = letters.reshape(-1, digits)
    return bool((ids[ids[:, -1] == ord("0")] != ord("0")).any(axis=1).all())


def hex_id(text: str | None, digits: int, *, name: str = "") -> str | None:
    """One id in hex, None when it is none.

    >>> hex_id("4BF92F35-77B3-4DA6-A3CE-929D0E0E4736", 32)
    '4bf92f3577b34da6a3ce929d0e0e4736'
    >>> hex_id("255", 16, name="dd.span_id")
    '00000000000000ff'
    """
    if not text or len(text) > _LONGEST:
        return None
    low = text.strip(" \t\r\n\"'[]").lower()
    if _is_decimal(name) and len(low) <= _DECIMAL_DIGITS and low.isascii() and low.isdigit():
        return _padded(f"{int(low):x}", digits, shortest=1)
    if _HEX.fullmatch(low):
        return _padded(low, digits, shortest=_SHORTEST)
    if _UUID.fullmatch(low):
        return _padded(low.replace("-", ""), digits, shortest=_SHORTEST)
    part = "trace" if digits == TRACE_DIGITS else "span"
    for form in _WHOLE_CONTEXTS:
        match = form.fullmatch(low)
        if match is not None:
            found = match.groupdict().get(part)
            return _padded(found.replace("-", ""), digits, shortest=1) if found else None
    return None


def _is_decimal(name: str) -> bool:
    """Datadog's ids are 64-bit numbers: https://docs.datadoghq.com/tracing/other_telemetry/connect_logs_and_traces/."""
    return squashed(name) in ("ddtraceid", "ddspanid")


def _padded(text: str, digits: int, *, shortest: int) -> str | None:
    if not shortest <= len(text) <= digits or not text.strip("0"):
        return None
    return text.zfill(digits)
