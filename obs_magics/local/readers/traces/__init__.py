"""Files of spans that people have, recognised by what is in them: a table of formats, the surest first."""

from __future__ import annotations

from obs_magics.local.readers.base import SpanFormat
from obs_magics.local.readers.traces import json_files, tables

SPAN_FORMATS: tuple[SpanFormat, ...] = (
    SpanFormat("Parquet with spans", tables.is_parquet_spans, tables.read_parquet_spans),
    SpanFormat("OTLP JSON traces (also Tempo's)", json_files.is_otlp, json_files.read_otlp_file),
    SpanFormat("Jaeger JSON", json_files.is_jaeger, json_files.read_jaeger_file),
    SpanFormat("Zipkin v2 JSON", json_files.is_zipkin, json_files.read_zipkin_file),
    SpanFormat("", json_files.is_search, json_files.refuse_search),
)
SPAN_TITLES: tuple[str, ...] = tuple(form.title for form in SPAN_FORMATS if form.title)
"""Those that are read; the others are recognised to say what they are."""
