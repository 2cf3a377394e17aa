"""Measures: what people ask of a service (`error_rate`, `latency_p99`, …), and the query that gives it.

`find_measure` reads a name, `Resolver` asks a catalog and gives the query. The table of metric names is data:
`table_requests`, `table_backends`, `table_resources`; a configuration adds rows of its own before it.
"""

from obs_magics.language.measures.resolve import Resolved, Resolver
from obs_magics.language.measures.rows import Row
from obs_magics.language.measures.table import TABLE
from obs_magics.language.measures.vocabulary import (
    DEFAULT_SCAN,
    MEASURES,
    RED,
    USE,
    Direction,
    Measure,
    find_measure,
    measure_named,
    measure_names,
)

__all__ = [
    "DEFAULT_SCAN",
    "MEASURES",
    "RED",
    "TABLE",
    "USE",
    "Direction",
    "Measure",
    "Resolved",
    "Resolver",
    "Row",
    "find_measure",
    "measure_named",
    "measure_names",
]
