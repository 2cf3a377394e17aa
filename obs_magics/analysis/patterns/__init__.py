"""Patterns of log lines: what the lines say, apart from the values in them.

>>> from obs_magics.analysis.patterns import mine
>>> mine(["GET /a took 3 ms", "GET /b took 12 ms"]).templates
['GET <*> took <*> ms']
"""

from __future__ import annotations

from obs_magics.analysis.patterns.mining import Mined, mine
from obs_magics.analysis.patterns.table import pattern_id, pattern_table
from obs_magics.analysis.patterns.values import wildcard_values

__all__ = ["Mined", "mine", "pattern_id", "pattern_table", "wildcard_values"]
