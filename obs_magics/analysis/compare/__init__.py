"""What tells some rows of a frame from the others: slow spans, failing spans, error lines, series above a threshold.

>>> from obs_magics.analysis.compare import DEFINING, compare, compare_summary, split_spans
>>> mask, what = split_spans(frame, "duration")  # doctest: +SKIP
>>> table = compare(frame[mask], frame[~mask], ignore=DEFINING["duration"])  # doctest: +SKIP
>>> compare_summary(table, selected=what)  # doctest: +SKIP
['slow spans: 92 % have k8s.pod.name=payment-7f, against 31 % of the others']
"""

from __future__ import annotations

from obs_magics.analysis.compare.sentences import compare_summary
from obs_magics.analysis.compare.splits import DEFINING, By, split_spans
from obs_magics.analysis.compare.table import COMPARE_COLUMNS, compare

__all__ = ["COMPARE_COLUMNS", "DEFINING", "By", "compare", "compare_summary", "split_spans"]
