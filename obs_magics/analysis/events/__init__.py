"""Events: which fit a question, which are one and the same, and what they say together."""

from __future__ import annotations

from obs_magics.analysis.events.choose import Chosen, chosen
from obs_magics.analysis.events.fold import folded
from obs_magics.analysis.events.summary import kind_table, summarize_events

__all__ = ["Chosen", "chosen", "folded", "kind_table", "summarize_events"]
