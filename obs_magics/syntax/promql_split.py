"""A PromQL query in parts: the same question about some of the series each, which together give the whole answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import promql_parser

from obs_magics.syntax.promql import is_metric_name, quote, tree_of
from obs_magics.syntax.promql_tokens import Token, tokens_of
from obs_magics.syntax.promql_tree import Selection, selections, walk

# What looks at all series at once, so that parts of them would give another answer.
_WHOLE = frozenset({"absent", "absent_over_time", "scalar"})
_RANKING = frozenset({"topk", "bottomk", "limitk", "limit_ratio", "count_values"})
_LISTS = frozenset({"by", "without"})
_META = re.compile(r"[.+*?()|\[\]{}^$\\]")


def only_selection(text: str) -> Selection | None:
    """The selector of a query that reads one selector alone and keeps its series apart; None for any other.

    >>> only_selection("rate(http_requests_total[5m])").metric, only_selection("a / b")
    ('http_requests_total', None)
    """
    tree = tree_of(text)
    if tree is None:
        return None
    found = selections(tree)
    return found[0] if len(found) == 1 and not any(_mixes(node) for node in walk(tree)) else None


def kept_labels(text: str) -> frozenset[str] | None:
    """The labels by which a query aggregates; None when it does not aggregate, and keeps them all.

    >>> sorted(kept_labels("sum by (pod, route) (rate(x[5m]))")), kept_labels("rate(x[5m])")
    (['pod', 'route'], None)
    """
    kept: frozenset[str] | None = None
    for node in walk(tree_of(text)):
        if isinstance(node, promql_parser.AggregateExpr):
            modifier = node.modifier
            by = modifier if modifier is not None and modifier.type == promql_parser.AggModifierType.By else None
            labels: frozenset[str] = frozenset() if by is None else frozenset(by.labels)
            kept = labels if kept is None else kept & labels
    return kept


def selector_text(found: Selection) -> str:
    """A selector as it is written.

    >>> selector_text(Selection("up", (("job", "=", "a"),)))
    'up{job="a"}'
    """
    matchers = [f'{label_text(name)}{operator}"{quote(value)}"' for name, operator, value in found.matchers]
    plain = is_metric_name(found.metric)
    if found.metric and not plain:
        matchers.insert(0, f'__name__="{quote(found.metric)}"')
    return (found.metric if plain else "") + (f"{{{','.join(matchers)}}}" if matchers else "")


def one_of(label: str, values: Sequence[str]) -> str:
    r"""The matcher of a label that has one of these values; an empty value stands for a label that is missing.

    >>> one_of("pod", ["a.b", ""])
    'pod=~"a\\\\.b|"'
    """
    pattern = "|".join(_META.sub(lambda match: "\\" + match[0], value) for value in values)
    return f'{label_text(label)}=~"{quote(pattern)}"'


def label_text(label: str) -> str:
    """A label's name as it stands in a query: in quotes when it is no word of PromQL (`service.name`)."""
    return label if is_metric_name(label) and ":" not in label else f'"{quote(label)}"'


def with_values(text: str, metric: str, label: str, values: Sequence[str]) -> str:
    """The query about series of its one selector that have one of these values of a label.

    Args:
        text: The query; Grafana's variables may still be in it.
        metric: The name of its selector.
        label: The label.
        values: Its values.

    >>> with_values("rate(x[$__rate_interval])", "x", "pod", ["a", "b"]), with_values('x{job="j"}', "x", "pod", ["a"])
    ('rate(x{pod=~"a|b"}[$__rate_interval])', 'x{pod=~"a",job="j"}')
    """
    matcher = one_of(label, values)
    place, in_braces = _place(text, metric)
    return f"{text[:place]}{matcher},{text[place:]}" if in_braces else f"{text[:place]}{{{matcher}}}{text[place:]}"


def _mixes(node: Any) -> bool:
    """Whether a node makes one series of several, beyond what its `by` keeps apart."""
    if isinstance(node, promql_parser.Call):
        return node.func.name in _WHOLE
    return isinstance(node, promql_parser.AggregateExpr) and str(node.op) in _RANKING


def _place(text: str, metric: str) -> tuple[int, bool]:
    """Where a matcher goes: behind the brace of the selector, or behind its name when it has none."""
    tokens = tokens_of(text)
    in_list = False  # of labels: by (…)
    for number, token in enumerate(tokens):
        in_list = (in_list and token.text != ")") or token.text in _LISTS
        if token.text == "{" and text[token.start - 1 : token.start] != "$":  # ${__rate_interval} is a variable
            return token.end, True
        if token.text == metric and not in_list and _following(tokens, number) not in {"(", "by", "without", "{"}:
            return token.end, False
    raise ValueError(f"the query has no selector of {metric}")


def _following(tokens: Sequence[Token], number: int) -> str:
    return tokens[number + 1].text if number + 1 < len(tokens) else ""
