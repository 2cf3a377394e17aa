"""Analysis of spans: where the time of traces goes, what fails first, who calls whom, what repeats.

Everything takes a spans frame (`model.spans`) with any number of traces and looks at all of them at once. What needs
the tree of parents and children takes one that is made already as `tree=`: `span_tree(frame)` is half the work.

>>> from obs_magics.analysis.spans import bottlenecks, summarize_traces
>>> bottlenecks(frame, "query")[["service", "query", "share", "average", "since"]]  # doctest: +SKIP
>>> summarize_traces(frame).bottleneck  # doctest: +SKIP
"""

from __future__ import annotations

from obs_magics.analysis.spans.advice import TraceAdvice, advise_traces
from obs_magics.analysis.spans.attributes import attribute, attribute_table, first_attribute
from obs_magics.analysis.spans.bottlenecks import bottlenecks
from obs_magics.analysis.spans.errors import error_origins
from obs_magics.analysis.spans.faults import fan_out, n_plus_one, retries
from obs_magics.analysis.spans.graph import call_graph, services
from obs_magics.analysis.spans.onset import arrival
from obs_magics.analysis.spans.queries import query_template
from obs_magics.analysis.spans.skew import corrected
from obs_magics.analysis.spans.summary import summarize_traces, trace_table
from obs_magics.analysis.spans.timeouts import timeouts
from obs_magics.analysis.spans.times import critical_path, critical_time, self_time
from obs_magics.analysis.spans.tree import SpanTree, span_tree

__all__ = [
    "SpanTree",
    "TraceAdvice",
    "advise_traces",
    "arrival",
    "attribute",
    "attribute_table",
    "bottlenecks",
    "call_graph",
    "corrected",
    "critical_path",
    "critical_time",
    "error_origins",
    "fan_out",
    "first_attribute",
    "n_plus_one",
    "query_template",
    "retries",
    "self_time",
    "services",
    "span_tree",
    "summarize_traces",
    "timeouts",
    "trace_table",
]
