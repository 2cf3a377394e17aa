"""Which instants belong to the incident, which to what is usual, and which to neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from obs_magics.analysis.root_cause.inputs import Window
from obs_magics.analysis.root_cause.statistics import INCIDENT, NEITHER, REFERENCE

Array = np.ndarray[Any, Any]

_GUARD_SHARE = 0.25  # of the incident's length
_MOST_GUARD_NS = 60 * 1_000_000_000  # people note when an incident began to the minute
_LEAST_LEFT = 0.2  # of the reference that has to remain


@dataclass(frozen=True, slots=True)
class Periods:
    """The incident, and what is usual.

    Args:
        incident: When it was.
        references: What is usual; none for everything outside of the incident.
    """

    incident: Window
    references: Sequence[Window] = ()

    def of(self, instants: Array) -> Array:
        """INCIDENT, REFERENCE or NEITHER for each instant.

        What lies just outside of the incident is left out, for its bounds are never exact; unless there is hardly
        anything else to compare with.

        Args:
            instants: int64 nanoseconds since the epoch.
        """
        start, end = self.incident.start_ns, self.incident.end_ns
        guard = min(int(_GUARD_SHARE * (end - start)), _MOST_GUARD_NS)
        found = np.full(len(instants), REFERENCE, dtype=np.int8)
        if self.references:
            found[:] = NEITHER
            for window in self.references:
                found[(instants >= window.start_ns) & (instants < window.end_ns)] = REFERENCE
        near = (instants >= start - guard) & (instants < end + guard)
        usual = found == REFERENCE
        if np.count_nonzero(usual & ~near) >= _LEAST_LEFT * np.count_nonzero(usual):
            found[near] = NEITHER
        found[(instants >= start) & (instants < end)] = INCIDENT
        return found
