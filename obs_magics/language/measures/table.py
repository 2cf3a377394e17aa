"""The whole table: of the rows of a measure, the first that fits a service is taken."""

from __future__ import annotations

from obs_magics.language.measures.rows import Row
from obs_magics.language.measures.table_backends import BACKENDS
from obs_magics.language.measures.table_requests import REQUESTS
from obs_magics.language.measures.table_resources import RESOURCES

TABLE: tuple[Row, ...] = (*REQUESTS, *BACKENDS, *RESOURCES)
