"""What contributed to an incident: one deterministic engine for whatever evidence there is.

Metrics only; metrics and a call graph; metrics, logs and traces; and changes. `explain` takes frames and gives a
`model.root_cause.RootCauseReport`; `mismatches` computes every number of a report again. How it decides, and how well:
`docs/root-cause.md`.

>>> from obs_magics.analysis.root_cause import Observations, explain
>>> explain(Observations()).conclusion
'not enough evidence'
"""

from __future__ import annotations

from obs_magics.analysis.root_cause.inputs import Observations, Symptom, Window
from obs_magics.analysis.root_cause.measures import mismatches
from obs_magics.analysis.root_cause.periods import Periods
from obs_magics.analysis.root_cause.report import explain

__all__ = ["Observations", "Periods", "Symptom", "Window", "explain", "mismatches"]
