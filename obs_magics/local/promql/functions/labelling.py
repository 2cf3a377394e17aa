"""label_replace and label_join."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from obs_magics.local.promql.context import Context
from obs_magics.local.promql.data import Labels
from obs_magics.local.promql.match import anchored
from obs_magics.local.promql.values import Value, Vector, is_label_name, merge_same_labels
from obs_magics.model.errors import QueryError

_TEMPLATE = re.compile(r"\$(?:\$|\{(?P<braced>[^{}]*)\}|(?P<bare>\w+))")


def _label_replace(node: Any, context: Context) -> Value:
    destination, replacement, source, pattern = (context.string(argument) for argument in node.args[1:5])
    _check_name(destination, "destination", "label_replace", context)
    try:
        compiled = anchored(pattern, dot_matches_newline=context.version >= 3)
    except QueryError as problem:
        message = f"invalid regular expression in label_replace(): {pattern}"
        raise context.error("label_replace", message, hint=problem.message) from None

    def replaced(labels: Labels) -> Labels:
        match = compiled.fullmatch(labels.get(source, ""))
        return labels if match is None else _with_label(labels, destination, expand(replacement, match))

    return _relabelled(context.vector(node.args[0], "label_replace"), replaced)


def _label_join(node: Any, context: Context) -> Value:
    destination, separator, *sources = (context.string(argument) for argument in node.args[1:])
    for source in sources:
        _check_name(source, "source", "label_join", context)
    _check_name(destination, "destination", "label_join", context)

    def joined(labels: Labels) -> Labels:
        return _with_label(labels, destination, separator.join(labels.get(source, "") for source in sources))

    return _relabelled(context.vector(node.args[0], "label_join"), joined)


def _relabelled(vector: Vector, change: Callable[[Labels], Labels]) -> Vector:
    return merge_same_labels(Vector([change(labels) for labels in vector.labels], vector.values, vector.present))


def _with_label(labels: Labels, name: str, value: str) -> Labels:
    changed = {**labels, name: value}
    return {key: text for key, text in sorted(changed.items()) if text}


def _check_name(name: str, role: str, function: str, context: Context) -> None:
    if not is_label_name(name, context.version):
        raise context.error(function, f"invalid {role} label name in {function}(): {name}")


def expand(template: str, match: Any) -> str:
    """A replacement with its ``$1``, ``${1}``, ``$name`` filled in, as Go expands it: unknown ones are empty."""

    def group(reference: re.Match[str]) -> str:
        name = reference["braced"] if reference["braced"] is not None else reference["bare"]
        if name is None:
            return "$"
        if name.isdigit():
            return (match.group(int(name)) or "") if int(name) <= match.re.groups else ""
        return (match.group(name) or "") if name in match.re.groupindex else ""

    return _TEMPLATE.sub(group, template)


TABLE: dict[str, Callable[[Any, Context], Value]] = {"label_replace": _label_replace, "label_join": _label_join}
