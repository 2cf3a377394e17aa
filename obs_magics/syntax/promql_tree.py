"""Walking a PromQL syntax tree: the children of a node, and the selectors of a query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser

# Where a node keeps its parts, in order of reading; a number or a string has none.
_PARTS = ("param", "lhs", "rhs", "expr", "vector_selector", "args")
_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
_NAME = "__name__"


@dataclass(frozen=True, slots=True)
class Selection:
    """A selector as written: the metric (empty when only labels are given), and (label, operator, value) each."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]


def children(node: Any) -> Iterator[Any]:
    """The nodes right below this one."""
    for part in _PARTS:
        value = getattr(node, part, None)
        if isinstance(value, list):
            yield from value
        elif value is not None:
            yield value


def walk(node: Any) -> Iterator[Any]:
    """This node and all below it, in order of reading."""
    waiting = [node]
    while waiting:  # not recursive: a query may be nested deeper than Python's stack
        here = waiting.pop()
        yield here
        waiting += reversed(list(children(here)))


def selection_of(node: Any) -> Selection:
    """What a `VectorSelector` selects."""
    matchers = tuple(
        (str(item.name), _OPERATORS[str(item.op).rpartition(".")[2]], str(item.value))
        for item in node.matchers.matchers
    )
    named = next((value for name, operator, value in matchers if name == _NAME and operator == "="), "")
    return Selection(node.name or named, tuple(item for item in matchers if item[0] != _NAME or item[1] != "="))


def selections(node: Any) -> list[Selection]:
    """All selectors of a query, in order of reading."""
    return [selection_of(item) for item in walk(node) if isinstance(item, promql_parser.VectorSelector)]


def metrics_in(node: Any) -> list[str]:
    """The metric names of a query, each once, in order of reading."""
    return list(dict.fromkeys(item.metric for item in selections(node) if item.metric))
