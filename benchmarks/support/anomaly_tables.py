"""What benchmarks/anomaly.py found, to read; and which aims hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from support.anomaly_peers import METHODS

_F1_AIMS = {"nab": (0.50, 0.437), "aiops": (0.72, 0.669)}  # aim, floor
_FALSE_A_DAY = {"low": 0.1, "medium": 0.3, "high": 2.0}
_WORST_A_DAY = 5.0
_LOW_PRECISION, _HIGH_RECALL, _KIND_RECALL = 0.75, 0.85, 0.85
_VUS = 0.45
_HARM = 0.05
_CPU, _MEMORY = 15.0, 1024.0
_HEAD = f"{'':<34}{'F1':>8}{'prec.':>8}{'recall':>8}{'false/d':>9}{'worst/d':>9}{'VUS-PR':>8}"


def of_set(name: str, result: Mapping[str, Any]) -> str:
    """One set: ours at each sensitivity, then the peers, then what harm costs."""
    ours = result["sets"][name]
    lines = [f"{name:<34}{_HEAD[34:]}"]
    lines += [
        _row(f"  {level}", ours[level], ours.get("vus_pr") if level == "medium" else None) for level in _FALSE_A_DAY
    ]
    for method, told in result["peers"].get(name, {}).items():
        title = f"  {METHODS[method]}"
        lines.append(f"{title}: {told['missing']}" if "missing" in told else _row(title, told, told.get("vus_pr")))
    for kind, told in ours["medium"].get("kinds", {}).items():
        lines.append(f"    last 24 h, {kind:<22}{told['recall']:>24.3f}{told['false']:>9.3f}")
    harmed = result["harmed"].get(name)
    if harmed:
        lines.append("  " + " · ".join(f"{how} {f1:.3f}" for how, f1 in harmed.items()))
    return "\n".join(lines)


def _row(title: str, told: Mapping[str, float], vus: float | None) -> str:
    shown = "" if vus is None else f"{vus:>8.3f}"
    return (
        f"{title:<34}{told['f1']:>8.3f}{told['precision']:>8.3f}{told['recall']:>8.3f}"
        f"{told['false_a_day']:>9.3f}{told['worst_a_day']:>9.2f}{shown}"
    )


def of_all(result: Mapping[str, Any]) -> str:
    """Speed, and the aims."""
    speed = result["speed"]
    lines = [
        f"{speed['series']:,} series of {speed['points']:,} points: {speed['cpu_seconds']:.1f} CPU-s, "
        f"peak {speed['peak_mb']:,.0f} MB (of which the frame and Python {speed['frame_mb']:,.0f}), "
        f"{speed['events']:,} events"
    ]
    each = speed["forest_each"]
    lines.append(
        f"  an isolation forest for each: {each['missing']}"
        if "missing" in each
        else f"  an isolation forest for each, reckoned: {each['seconds']:,.0f} CPU-s"
    )
    return "\n".join([*lines, *_verdicts(result)])


def _verdicts(result: Mapping[str, Any]) -> list[str]:
    sets = {name: told for name, told in result["sets"].items() if not name.startswith("mv_")}
    lines = []
    for name, told in sets.items():
        if name in _F1_AIMS:
            aim, floor = _F1_AIMS[name]
            lines.append(_verdict(f"{name}: F1 (floor {floor})", told["medium"]["f1"], aim))
        for level, most in _FALSE_A_DAY.items():
            lines.append(_verdict(f"{name}: {level}, false alarms a day", told[level]["false_a_day"], most, most=True))
        lines.append(_verdict(f"{name}: worst series", told["medium"]["worst_a_day"], _WORST_A_DAY, most=True))
        lines.append(_verdict(f"{name}: high, recall", told["high"]["recall"], _HIGH_RECALL))
        for kind, own in told["medium"].get("kinds", {}).items():
            if kind != "none":
                lines.append(_verdict(f"{name}: {kind}, recall", own["recall"], _KIND_RECALL))
        harmed = result["harmed"].get(name, {})
        whole = harmed.get("as it is", math.nan)
        lines += [
            _verdict(f"{name}: {how}, F1 lost", whole - f1, _HARM, most=True)
            for how, f1 in harmed.items()
            if how != "as it is"
        ]
    low = [told["low"] for told in sets.values()]
    if low:
        hits, false = (sum(told[count] for told in low) for count in ("hits", "false"))
        lines.append(_verdict("low, precision of all sets together", hits / max(1, hits + false), _LOW_PRECISION))
    ranked = [told["vus_pr"] for told in sets.values() if "vus_pr" in told]
    if ranked:
        lines.append(_verdict("mean VUS-PR", sum(ranked) / len(ranked), _VUS))
    lines.append(_verdict("CPU seconds", result["speed"]["cpu_seconds"], _CPU, most=True))
    lines.append(_verdict("peak MB", result["speed"]["peak_mb"], _MEMORY, most=True))
    return lines


def _verdict(what: str, value: float, aim: float, *, most: bool = False) -> str:
    holds = value <= aim if most else value >= aim
    return f"  {'holds' if holds else 'FAILS'} {what}: {value:,.3f} (aim {'≤' if most else '≥'} {aim:,g})"
