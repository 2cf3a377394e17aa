"""How severe an anomaly is, and what kind it is, as icon, word and shade: never by the colour alone."""

from __future__ import annotations

# Icons of WGL4, which every font of a browser has. Severity → icon, opacity of a band.
_SEVERITIES: dict[str, tuple[str, float]] = {
    "critical": ("‼", 0.2),
    "high": ("▲", 0.16),
    "medium": ("●", 0.12),
    "low": ("○", 0.08),
}
SEVEREST_FIRST: tuple[str, ...] = tuple(_SEVERITIES)

KIND_WORDS: dict[str, str] = {
    "spike": "spike",
    "drop": "drop",
    "level_shift": "shift of level",
    "trend_change": "change of trend",
    "seasonality": "rhythm broken",
    "variance": "change of noise",
    "silence": "silence",
    "threshold": "beyond its threshold",
    "correlation_break": "out of step",
    "joint": "several at once",
}
"""How the kind of an anomaly is said."""


def icon(severity: str) -> str:
    """The shape that stands for a severity."""
    return _SEVERITIES[severity][0] if severity in _SEVERITIES else "○"


def mark(severity: str) -> str:
    """Icon and word.

    >>> mark("high")
    '▲ high'
    """
    return f"{icon(severity)} {severity}"


def shade(severity: str) -> float:
    """How opaque a band of this severity is."""
    return _SEVERITIES[severity][1] if severity in _SEVERITIES else _SEVERITIES["low"][1]


def kind_word(kind: str) -> str:
    """The kind in words."""
    return KIND_WORDS.get(kind, kind.replace("_", " "))
