"""TraceQL on local data: the evaluator of `syntax.traceql.tree`."""
