"""Why an answer is empty: an unknown metric, a label's value that does not exist, or data outside the range.

At most two requests: the metric names (mostly from the catalog's memory), and the series of the query's metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import re2

from obs_magics.adapters.prometheus.catalog import PrometheusCatalog, selector
from obs_magics.adapters.prometheus.split import Window, seconds
from obs_magics.model.errors import did_you_mean
from obs_magics.syntax.promql import tree_of
from obs_magics.syntax.promql_tree import Selection, selections

_MOST_SERIES = 5_000
_SHOWN_VALUES = 5
_LOOK_BACK_MS = 300_000  # how old the newest sample may be that an instant query still sees

_MATCHES: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda value, wanted: value == wanted,
    "!=": lambda value, wanted: value != wanted,
    "=~": lambda value, wanted: bool(re2.fullmatch(wanted, value)),
    "!~": lambda value, wanted: not re2.fullmatch(wanted, value),
}


async def empty_reason(query: str, window: Window, catalog: PrometheusCatalog) -> str:
    """One sentence about why `query` gave nothing; empty when that cannot be told."""
    tree = tree_of(query)
    chosen = [item for item in selections(tree) if item.metric] if tree is not None else []
    if not chosen:
        return ""
    names = set(await catalog.metric_names())
    for item in chosen:
        if item.metric not in names:
            hint = did_you_mean(item.metric, names)
            return f"no metric is called {item.metric}{'; ' + hint if hint else ''}"
    metrics = list(dict.fromkeys(selector(item.metric) for item in chosen))
    start = seconds(window.start_ms - _LOOK_BACK_MS)
    found = await catalog.series(metrics, start, seconds(window.end_ms), _MOST_SERIES)
    reasons = (_reason(item, [labels for labels in found if labels.get("__name__") == item.metric]) for item in chosen)
    told = next((reason for reason in reasons if reason), "")
    return told or "the series exist in this range, but the expression keeps none of their points"


def _reason(item: Selection, series: Sequence[Mapping[str, str]]) -> str:
    if not series:
        return f"{item.metric} exists, but has no data in this range"
    for label, operator, wanted in item.matchers:
        if not any(_MATCHES[operator](labels.get(label, ""), wanted) for labels in series):
            values = sorted({labels[label] for labels in series if label in labels})
            there = _what_there_is(label, operator, wanted, values)
            return f'no series of {item.metric} has {label}{operator}"{wanted}"; {there}'
    if any(_selects(item, labels) for labels in series):
        return ""
    return f"no series of {item.metric} has all of these labels at once"


def _selects(item: Selection, labels: Mapping[str, str]) -> bool:
    return all(_MATCHES[operator](labels.get(label, ""), wanted) for label, operator, wanted in item.matchers)


def _what_there_is(label: str, operator: str, wanted: str, values: Sequence[str]) -> str:
    if not values:
        return f"it has no label {label}"
    near = did_you_mean(wanted, values) if operator == "=" else ""
    shown = ", ".join(values[:_SHOWN_VALUES])
    more = f" and {len(values) - _SHOWN_VALUES} more" if len(values) > _SHOWN_VALUES else ""
    return f"{near or 'it has'} {'there are ' if near else ''}{shown}{more}"
