"""Metrics that might tell a measure that no row of the table does, by the words of their names."""

from __future__ import annotations

from collections.abc import Collection, Sequence

_WORDS: dict[str, tuple[str, ...]] = {
    "error_rate": ("error", "fail", "5xx", "request", "response"),
    "latency": ("duration", "latency", "seconds_bucket", "time"),
    "throughput": ("request", "call", "operations", "processed", "handled"),
    "saturation": ("pool", "connections", "queue", "limit", "utilization"),
    "cpu_usage": ("cpu",),
    "memory_usage": ("memory", "mem_", "rss"),
    "restarts": ("restart", "start_time"),
    "availability": ("up", "available", "ready", "health"),
}


def nearest_metrics(measure: str, wanted: Sequence[str], names: Collection[str], *, limit: int = 5) -> list[str]:
    """The nearest of what there is, best first.

    Args:
        measure: Key of the measure; one that is not known is looked for by its own words.
        wanted: The names that were looked for.
        names: What there is.
        limit: At most so many.
    """
    from rapidfuzz import fuzz, process

    words = _WORDS.get(measure) or tuple(measure.split("_"))
    related = sorted(name for name in names if any(_holds(name, word) for word in words))
    targets = [name.replace("*_", "") for name in wanted] or list(words)
    scores = process.cdist(related, targets, scorer=fuzz.token_set_ratio).max(axis=1) if related else ()
    ranked = sorted(zip(related, scores, strict=True), key=lambda one: (-one[1], one[0]))
    return [name for name, _ in ranked[:limit]]


def _holds(name: str, word: str) -> bool:
    """Short words count as whole words alone: `up` is not in `updates`."""
    return word in name.lower().split("_") if len(word) < 4 else word in name.lower()
