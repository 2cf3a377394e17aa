"""LogQL on local data: the evaluator of `syntax.logql.tree`."""
