"""Measures that the configuration adds: queries of one's own, asked before those of the table.

::

    measures:
      error_rate:
        - query: sum(rate(shop_failures_total{app="$service"}[$__rate_interval])) / sum(rate(shop_total{app="$service"}[$__rate_interval]))
          service: checkout-*
      queue_depth:
        - {query: 'max(queue_depth{service="$service"})', unit: "{message}", bad: up}
"""  # noqa: E501 - one line, as it is written

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator

from obs_magics.config.types import FROZEN, THAWED, Strict, Text

_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_OURS = re.compile(r"\$(?:metric|selector|failed|by|window)\b")


def _promql(value: str) -> str:
    """PromQL with `$service`, `$quantile` and Grafana's time variables in it."""
    from obs_magics.model.errors import QueryError
    from obs_magics.model.time import MINUTE, SECOND
    from obs_magics.syntax.grafana import expand_time_variables
    from obs_magics.syntax.promql import parse

    if place := _OURS.search(value):
        raise ValueError(f"must name its metrics and labels: {place[0]} is for the table of the package")
    text = expand_time_variables(value, step_ns=MINUTE, range_ns=MINUTE, scrape_ns=15 * SECOND)
    try:
        parse(text.replace("$service", "x").replace("$quantile", "0.5"))
    except QueryError as problem:
        raise ValueError(f"must be PromQL: {problem.message}") from None
    return value.strip()


class MeasureQuery(Strict):
    """One way of answering a measure.

    Args:
        query: PromQL; `$service` stands for the name of the service, `$quantile` for the quantile of a latency.
        name: As it is shown; the measure's own name when it is not said.
        service: For which services: a name, or a pattern with `*`.
        unit: UCUM (`s`, `By`, `1`, `%`); the measure's own when it is not said.
        bad: Which way is bad: `up`, `down` or `either`; as the measure has it when it is not said.
    """

    query: Annotated[str, AfterValidator(_promql)]
    name: Text | None = None
    service: Text = "*"
    unit: Text | None = None
    bad: Literal["up", "down", "either"] | None = None


def _several(value: Any) -> Any:
    """A single query needs no list; plain text is a query."""
    if isinstance(value, str):
        return [{"query": value}]
    return [value] if isinstance(value, Mapping) else value


def _measure_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("is no name for a measure: it takes small letters, digits and _")
    return value


Measures = Annotated[
    Mapping[
        Annotated[str, AfterValidator(_measure_name)], Annotated[tuple[MeasureQuery, ...], BeforeValidator(_several)]
    ],
    FROZEN,
    THAWED,
]
