"""Every function of PromQL that works on floats, one table per kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from obs_magics.local.promql.context import Context
from obs_magics.local.promql.functions import (
    elementwise,
    histograms,
    information,
    labelling,
    over_time,
    rates,
    times,
    vectors,
)
from obs_magics.local.promql.values import DuplicateSeries, Value

Function = Callable[[Any, Context], Value]

FUNCTIONS: dict[str, Function] = {
    **elementwise.TABLE,
    **histograms.TABLE,
    **information.TABLE,
    **labelling.TABLE,
    **over_time.TABLE,
    **rates.TABLE,
    **times.TABLE,
    **vectors.TABLE,
}


def call(node: Any, context: Context) -> Value:
    """The value of a `Call`.

    Raises:
        QueryError: The function is not supported, or its result would have two series with the same labels.
    """
    name = str(node.func.name)
    function = FUNCTIONS.get(name)
    if function is None:
        raise context.error(name, f"the function {name} is not supported by the embedded backend")
    try:
        return function(node, context)
    except DuplicateSeries as problem:
        raise context.duplicate(name, problem) from None
