"""New, surging, dropped and vanished log patterns, with onset times and the order in which services began.

`surges` takes and gives frames; `detect` does the same on arrays. How, and with what limits: `docs/surges.md`.
"""

from __future__ import annotations

from obs_magics.analysis.surges.events import FALSE_DISCOVERY_RATE, Found, Kind, detect
from obs_magics.analysis.surges.table import surges

__all__ = ["FALSE_DISCOVERY_RATE", "Found", "Kind", "detect", "surges"]
