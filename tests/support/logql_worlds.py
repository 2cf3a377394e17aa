"""Small worlds of log lines and queries that have something to find in them, as hypothesis strategies."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa
from hypothesis import strategies as st

from obs_magics.local.logs.store import LogStore, store_of_tables
from support.logql_reference import Entry

SECOND = 10**9
START = 1_795_341_600 * SECOND  # 2026-11-22 10:00 UTC

_words = st.sampled_from(("ok", "slow", "Pool exhausted", "10.0.0.7", "fe80::1", "5", "1.50", "250ms", "2KB", "", "é"))
_keys = st.sampled_from(("msg", "status", "took", "size", "addr", "level", "trace_id", "http.code", "5xx"))
_scalars = st.one_of(_words, st.integers(-5, 600), st.booleans(), st.none())
_objects = st.dictionaries(
    _keys, st.one_of(_scalars, _scalars, st.dictionaries(_keys, _words, max_size=2)), min_size=2, max_size=6
)


def _as_logfmt(fields: dict[str, object]) -> str:
    return " ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in fields.items())


_packed = st.builds(
    lambda entry, fields: json.dumps({"_entry": entry, **fields}), _words, st.dictionaries(_keys, _words)
)
texts = st.one_of(
    _objects.map(lambda value: json.dumps(value, ensure_ascii=False)),
    st.dictionaries(_keys, _words, min_size=2, max_size=6).map(_as_logfmt),
    st.builds("GET {} {} took {}".format, _words, _words, _words),
    _packed,
    st.sampled_from(
        ("", "plain text", "\x1b[31mred\x1b[0m ok", "[1, 2]", "a= b c==d msg=x", 'broken "quote', "  status=500")
    ),
)
streams = st.fixed_dictionaries(
    {"app": st.sampled_from(("api", "web"))},
    optional={"level": st.sampled_from(("info", "error")), "service": st.sampled_from(("shop", "till"))},
)
metadata = st.fixed_dictionaries(
    {}, optional={"trace_id": st.sampled_from(("t1", "t2")), "size": st.sampled_from(("1KB", "x"))}
)
entries = st.lists(
    st.builds(Entry, st.integers(0, 240).map(lambda second: START + second * SECOND), texts, streams, metadata),
    min_size=4,
    max_size=16,
).map(lambda found: sorted(found, key=lambda entry: entry.time))


def store_of(found: Sequence[Entry]) -> LogStore:
    """The same lines as a store."""
    columns: dict[str, pa.Array] = {
        "timestamp": pa.array([entry.time for entry in found], pa.timestamp("ns", tz="UTC")),
        "message": pa.array([entry.line for entry in found], pa.string()),
    }
    for name in sorted({name for entry in found for name in entry.stream}):
        columns[name] = pa.array([entry.stream.get(name) for entry in found], pa.string()).dictionary_encode()
    for name in sorted({name for entry in found for name in entry.metadata}):
        columns[name] = pa.array([entry.metadata.get(name) for entry in found], pa.string())
    return store_of_tables([pa.table(columns)])


# Queries, as text: what is written is what is tested ----------------------------------------------------------------

_selectors = st.sampled_from(
    ('{app="api"}', '{app=~".+"}', '{app=~".+"}', '{app=~"api|web", level!="info"}', '{service_name=~".+"}',
     '{detected_level="unknown"}', '{app=~".+", trace_id=""}')
)  # fmt: skip
_names = st.sampled_from(
    ("msg", "status", "took", "size", "addr", "level", "level_extracted", "trace_id", "trace_id_extracted", "http_code",
     "_5xx", "app", "nope", "service_name", "msg_status")
)  # fmt: skip
_quoted = st.sampled_from(("ok", "slow", "exhausted", "GET", "", "500", "é", "info")).map(json.dumps)
_regexes = st.sampled_from(("(?i)pool", "[0-9]+", "^$", "ok|slow", "s.*w", ".+")).map(json.dumps)
_line_filters = st.one_of(
    st.builds("{} {}".format, st.sampled_from(("|=", "!=")), _quoted),
    st.builds("{} {} or {}".format, st.sampled_from(("|=", "!=")), _quoted, _quoted),
    st.builds("{} {}".format, st.sampled_from(("|~", "!~")), _regexes),
    st.builds(
        "{} {}".format, st.sampled_from(("|>", "!>")), st.sampled_from(('"GET <_>"', '"<_>took <_>"', '"<_>ok"', '""'))
    ),
    st.sampled_from(('|= ip("10.0.0.0/8")', '!= ip("fe80::1")', '|= ip("10.0.0.1-10.0.0.9") or "ok"')),
)
_texts_of_labels = st.one_of(
    st.builds("{}{}{}".format, _names, st.sampled_from(("=", "!=")), _quoted),
    st.builds("{}{}{}".format, _names, st.sampled_from(("=~", "!~")), _regexes),
    st.sampled_from(('__error__=""', '__error__!=""', '__error__=~"JSON.*"')),
)
_numbers = st.builds(
    "{} {} {}".format, _names, st.sampled_from(("==", "!=", ">", ">=", "<", "<=")),
    st.sampled_from(("5", "1.5", "200", "100ms", "1s", "1KB", "3B")),
)  # fmt: skip
_addresses = st.builds('{} {} ip("10.0.0.0/8")'.format, st.sampled_from(("addr", "msg")), st.sampled_from(("=", "!=")))
_conditions = st.one_of(_texts_of_labels, _numbers, _addresses)
label_filters = st.one_of(
    _conditions,
    st.builds("({} {} {})".format, _conditions, st.sampled_from(("and", "or")), _conditions),
    st.builds("({} or {}), {}".format, _conditions, _conditions, _conditions),
).map(lambda text: f"| {text}")
_templates = st.sampled_from(
    ("{{.msg}}", "{{.status}} {{.took | ToUpper}}", "{{__line__ | trunc 4}}", "x", "{{if .msg}}m{{else}}n{{end}}",
     "{{.__error__}}")
)  # fmt: skip
_drops = st.one_of(
    _names, st.builds('{}="{}"'.format, _names, st.sampled_from(("ok", "info", "t1", ""))), st.just("__error__")
)
_parsers = st.sampled_from(
    (
        "| json",
        '| json m="msg", deep="msg.status", level="status"',
        "| logfmt",
        "| logfmt --strict",
        "| logfmt --keep-empty",
        '| logfmt m="msg", level="status"',
        '| regexp "(?P<verb>[A-Z]+) (?P<msg>[^ ]*)"',
        '| regexp "(took) (?P<took>.*)"',
        '| pattern "GET <msg> <status> took <took>"',
        '| pattern "<_> <msg>"',
        "| unpack",
        "| decolorize",
    )
)
_formats = st.one_of(
    _templates.map(lambda text: f"| line_format `{text}`"),
    st.builds("| label_format {}=`{}`".format, st.sampled_from(("msg", "new", "level", "size")), _templates),
    st.builds("| label_format new={}, other=`{}`".format, _names, _templates),
    st.lists(_drops, min_size=1, max_size=3).map(lambda names: f"| drop {', '.join(names)}"),
    st.lists(_drops, min_size=1, max_size=3).map(lambda names: f"| keep {', '.join(names)}"),
)
_stages = st.tuples(
    st.one_of(st.just(""), _line_filters),
    _parsers,
    st.one_of(_parsers, _formats, label_filters),
    st.one_of(st.just(""), _formats, label_filters, _line_filters),
    st.one_of(st.just(""), label_filters, _formats),
).map(" ".join)
log_queries = st.builds(
    "{} {}".format, _selectors, st.one_of(_stages, _stages, _line_filters, label_filters, st.just(""))
)

_by = st.sampled_from(("", " by (app)", " by (level, msg)", " by (service_name)", " without (msg, level)", " by ()"))
_offsets = st.sampled_from(("", " offset 30s", " offset -1m"))
_ranges = st.sampled_from(("[30s]", "[1m]", "[2m]", "[7s]"))
_counted = st.builds(
    "{}({} {}{})".format,
    st.sampled_from(("count_over_time", "rate", "bytes_over_time", "bytes_rate", "absent_over_time")),
    log_queries, _ranges, _offsets,
)  # fmt: skip
_wrapped = st.builds(
    "{}({} | unwrap {} {} {}{})".format, st.just("{op}"), log_queries,
    st.sampled_from(("status", "took", "duration(took)", "bytes(size)", "msg")),
    st.sampled_from(("", '| __error__=""', '| __error__="" | status != "5"')), _ranges, _offsets,
)  # fmt: skip
_grouped = st.builds(
    lambda text, op, by: text.replace("{op}(", op[0], 1) + (by if op[1] else ""),
    _wrapped,
    st.sampled_from(
        (("avg_over_time(", True), ("min_over_time(", True), ("max_over_time(", True), ("stddev_over_time(", True),
         ("stdvar_over_time(", True), ("quantile_over_time(0.9, ", True), ("first_over_time(", True),
         ("last_over_time(", True), ("sum_over_time(", False), ("rate(", False))
    ),
    _by,
)  # fmt: skip
_simple = st.one_of(_counted, _grouped)
_aggregated = st.builds(
    "{}{}({})".format,
    st.sampled_from(("sum", "avg", "min", "max", "count", "stddev", "stdvar", "sort")),
    st.just(""),
    _simple,
)
_aggregated_by = st.builds(
    "{}{} ({})".format, st.sampled_from(("sum", "avg", "min", "max", "count", "stddev", "stdvar")),
    st.sampled_from((" by (app)", " by (level, msg)", " without (app)", " by (status)")), _simple,
)  # fmt: skip
_vectors = st.one_of(_simple, _aggregated, _aggregated_by, st.just("vector(2)"))
_operators = st.sampled_from(("+", "-", "*", "/", "%", "^", ">", ">= bool", "!=", "== bool"))
_summed = st.builds("sum by (app) ({})".format, _simple)
metric_queries = st.one_of(
    _vectors,
    st.builds("({}) {} {}".format, _vectors, _operators, st.sampled_from(("2", "0", "1.5"))),
    st.builds("{} {} ({})".format, st.sampled_from(("2", "0")), _operators, _vectors),
    st.builds("({}) {} ({})".format, _summed, _operators, _summed),
    st.builds("({}) {} on (app) ({})".format, _summed, _operators, _summed),
    st.builds("({}) {} ({})".format, _summed, st.sampled_from(("and", "or", "unless")), _summed),
)
