"""Spans as they are written down: OTLP JSON, Jaeger's JSON and Zipkin's, read into columns.

Each format has a module; all of them give `SpanColumns`, whose `frame()` is a spans frame (`model.spans`) and whose
attributes keep their types for whoever asks for those.
"""

from __future__ import annotations

from obs_magics.syntax.spans.attributes import VALUE_TYPES, Attributes, ValueType
from obs_magics.syntax.spans.columns import SpanColumns
from obs_magics.syntax.spans.fold import joined
from obs_magics.syntax.spans.jaeger import read_jaeger
from obs_magics.syntax.spans.otlp import read_otlp, read_otlp_bodies, read_otlp_lines
from obs_magics.syntax.spans.zipkin import read_zipkin

__all__ = [
    "VALUE_TYPES",
    "Attributes",
    "SpanColumns",
    "ValueType",
    "joined",
    "read_jaeger",
    "read_otlp",
    "read_otlp_bodies",
    "read_otlp_lines",
    "read_zipkin",
]
