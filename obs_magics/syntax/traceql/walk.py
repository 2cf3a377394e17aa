"""What a query is, told from its tree."""

from __future__ import annotations

from obs_magics.syntax.traceql.tree import MetricsOperation, Pipeline


def is_metrics(pipeline: Pipeline) -> bool:
    """Whether a query gives numbers over time, and not spans.

    >>> from obs_magics.syntax.traceql import parse
    >>> is_metrics(parse("{ } | rate()")), is_metrics(parse("{ }"))
    (True, False)
    """
    return pipeline.metrics is not None or isinstance(pipeline.stages[0], MetricsOperation)
