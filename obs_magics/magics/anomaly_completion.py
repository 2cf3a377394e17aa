"""Completion inside a question about anomalies: measures, frames of the notebook, options behind a name, PromQL."""

from __future__ import annotations

import re

from obs_magics.magics.arguments import HELP, Command
from obs_magics.magics.names import ranked
from obs_magics.magics.query_completion import Found, QueryCompleter, frame_names, starting

# As in `language.measures`, which completion has no other need of (a test holds them together).
MEASURES = (
    "error_rate",
    "latency_p50",
    "latency_p90",
    "latency_p95",
    "latency_p99",
    "latency_p999",
    "throughput",
    "saturation",
    "cpu_usage",
    "memory_usage",
    "restarts",
    "availability",
)
WORDS = ("errors", "latency", "traffic", "p50", "p95", "p99", "cpu", "memory")
"""What else people call them."""
_NAME = re.compile(r"\s*(?P<typed>[\w:.]*)\Z")
_BEHIND = re.compile(r"\s*[^\W\d][\w:.]*\s+(?P<typed>-[\w-]*|)\Z")
_PATTERN = re.compile(r"(?:\A|,)(?:(?P<name>\w+)=)?(?P<typed>[^,=]*)\Z")
_PARTS = ("metric=", "service=", "series=", "kind=")
_KINDS = (
    "spike", "drop", "level_shift", "trend_change", "seasonality", "variance", "silence", "threshold",
    "correlation_break", "joint",
)  # fmt: skip


class AnomaliesCompleter(QueryCompleter):
    """Completes in a question that is a measure, a frame, or a query."""

    def complete(self, query: str, position: int) -> Found:
        """What fits at `position` in a question, finished or not."""
        found = _NAME.match(query[:position])
        if found is None:
            return super().complete(query, position)
        typed = found["typed"]
        known = super().complete(query, position) if typed else Found("")
        own = [*starting((*MEASURES, *WORDS), typed), *frame_names(self._context, typed)]
        return Found(typed, [*own, *(name for name in known.names if name not in own)], known.type or "value")

    def flags_behind(self, command: Command, query: str, position: int) -> Found | None:
        """Options behind a plain name, which may stand there; None elsewhere."""
        found = _BEHIND.match(query[:position])
        if found is None or not found["typed"]:
            return None
        return Found(found["typed"], starting([*command.flags(), *HELP.flags], found["typed"]), "option")

    def pattern(self, typed: str, services: list[str]) -> list[str]:
        """What can stand in a pattern of `--ignore`, whole words that replace what is typed."""
        found = _PATTERN.search(typed)
        if found is None:
            return []
        head = typed[: found.start("typed")]
        values = {"metric": MEASURES, "kind": _KINDS, "service": tuple(services)}
        names = _PARTS if found["name"] is None else values.get(found["name"], ())
        return [f"{head}{name}" for name in ranked(sorted(names), found["typed"])]
