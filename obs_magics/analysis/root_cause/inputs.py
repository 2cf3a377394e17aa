"""What the engine is given: frames of whatever there is, the windows to compare, and the symptom, where known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True, slots=True)
class Window:
    """From `start_ns` (included) to `end_ns` (not included), nanoseconds since the epoch."""

    start_ns: int
    end_ns: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end_ns - self.start_ns) / 1e9


@dataclass(frozen=True, slots=True)
class Symptom:
    """What people saw: the service, and its metric as far as it is known (empty when it is not)."""

    service: str
    metric: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """Everything that is known around an incident; what there is none of is None or empty.

    Args:
        metrics: A metrics frame with the column `service`, and `instance` where series are told apart by it.
        logs: A logs frame.
        spans: A spans frame.
        calls: Who calls whom, caller first; what the spans say is added.
        events: An events frame: changes, alerts, incidents of providers. Beside its own columns these are read where
            they are there: `id`, `files` (one a line), `diff`, `commit`.
        incident: When it was; None to find the onset.
        references: What is usual; none for all that is outside of the incident.
        symptom: What people saw; None for whatever is unusual.
        alerted_ns: When somebody was told, in nanoseconds since the epoch; None when nobody was.
        units: UCUM by metric and service, for sentences; a metric that is not there is told without a unit.
        titles: What people call a metric, for sentences.
    """

    metrics: pd.DataFrame | None = None
    logs: pd.DataFrame | None = None
    spans: pd.DataFrame | None = None
    calls: Sequence[tuple[str, str]] = field(default=())
    events: pd.DataFrame | None = None
    incident: Window | None = None
    references: Sequence[Window] = field(default=())
    symptom: Symptom | None = None
    alerted_ns: int | None = None
    units: Mapping[tuple[str, str], str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)


def nanoseconds(instants: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """int64 nanoseconds since the epoch of a column of instants."""
    return instants.to_numpy(dtype="datetime64[ns]").view(np.int64)
