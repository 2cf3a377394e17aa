"""From a row of the table to a query: its places filled in."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from obs_magics.syntax.promql import is_metric_name, quote
from obs_magics.syntax.promql_split import label_text

WINDOW = "$__rate_interval"

_SELECTION = re.compile(r"(?P<name>\$metric(?:_bucket|_count|_sum)?|[a-zA-Z_:][a-zA-Z0-9_:]*)\{(?P<inside>[^{}]*)\}")
_OWN_EQUAL = re.compile(r'(?P<label>[a-zA-Z_]\w*)="(?P<value>[^"$]*)"')
_UNEQUAL = re.compile(r'(?P<label>[a-zA-Z_]\w*)!="[^"]*"')
_BY = re.compile(r" by \((?P<labels>[^()]*)\) ")


def filled(
    query: str,
    *,
    metric: str = "",
    selector: str = "",
    service: str = "",
    failed: str = "",
    by: Sequence[str] = (),
    quantile: str = "",
    labels: Collection[str] | None = None,
) -> str:
    """The query of a row.

    Args:
        query: With the places of `rows`.
        metric: Stands for `$metric`.
        selector: Matchers of the service; empty for all services.
        service: Its name.
        failed: Matcher of failed requests.
        by: Labels to group by.
        quantile: As text: `0.99`.
        labels: What the metric is labelled with; matchers that only keep out empty values of another label are left
            out. None: not known.
    """
    text = query.replace("$selector", selector).replace("$failed", failed).replace("$quantile", quantile)
    text = _SELECTION.sub(lambda match: _selection(match["name"], match["inside"], metric, labels), text)
    text = _BY.sub(lambda match: _grouping(match["labels"], by), text)
    return text.replace("$window", WINDOW).replace("$service", quote(service))


def own_matchers(query: str, metric: str = "$metric") -> list[tuple[str, str]]:
    """The matchers (label, value) that a row brings with it for a metric, and without which it finds nothing."""
    inside = (match["inside"] for match in _SELECTION.finditer(query) if match["name"].startswith(metric))
    return [(match["label"], match["value"]) for text in inside for match in _OWN_EQUAL.finditer(text)]


def other_metrics(query: str) -> list[str]:
    """Metrics that a row names beside `$metric`, in order of first appearance."""
    names = (match["name"] for match in _SELECTION.finditer(query))
    return list(dict.fromkeys(name for name in names if not name.startswith("$")))


def _selection(name: str, inside: str, metric: str, labels: Collection[str] | None) -> str:
    whole = name.replace("$metric", metric)
    matchers = [part for part in _split(inside) if part and _counts(part, inside, labels)]
    if not is_metric_name(whole):
        matchers.insert(0, f'__name__="{quote(whole)}"')
        whole = ""
    return whole + (f"{{{','.join(matchers)}}}" if matchers else "")


def _counts(matcher: str, inside: str, labels: Collection[str] | None) -> bool:
    """Whether a matcher does something: one that only keeps values out does not, beside one that names the values.

    On a metric without its label it would even keep out everything: a missing label is an empty one.
    """
    unequal = _UNEQUAL.fullmatch(matcher)
    if unequal is None:
        return True
    label = unequal["label"]
    named = re.search(rf'(?:^|,){label}=[~"]', inside) is not None
    return not named and (labels is None or label in labels)


def _split(inside: str) -> list[str]:
    """Matchers between commas that stand outside of quotes."""
    return [part.strip() for part in re.findall(r'(?:"(?:[^"\\]|\\.)*"|[^,"])+', inside)]


def _grouping(labels: str, by: Sequence[str]) -> str:
    own = [label.strip() for label in labels.split(",")]
    whole = list(dict.fromkeys([*(map(label_text, by) if "$by" in own else ()), *(one for one in own if one != "$by")]))
    return f" by ({', '.join(whole)}) " if whole else ""
