"""What did not come from the sources, each reason once; and what they have nothing of in the time asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from obs_magics.model.provenance import Provenance

_NUMBER = re.compile(r" \d+$")


def missing(failed: Sequence[str]) -> list[str]:
    """What did not come, in order; what failed for one and the same reason stands together.

    Args:
        failed: "what: why" for each question that was asked.

    >>> missing(["failing traces: shop: no spans", "traces 1: shop: no spans", "traces 2: shop: no spans"])
    ['failing traces, traces: shop: no spans']
    """
    names: dict[str, list[str]] = {}
    for text in failed:
        name, colon, why = text.partition(": ")
        names.setdefault(why if colon else text, []).append(_NUMBER.sub("", name) if colon else "")
    return [f"{', '.join(dict.fromkeys(whose))}: {why}" if any(whose) else why for why, whose in names.items()]


def outside(questions: Sequence[Provenance]) -> list[str]:
    """Sources that have nothing of the time of an incident, with their own words for it, and what to do.

    Args:
        questions: Where every part of what was gathered comes from.
    """
    asked: dict[str, list[Provenance]] = {}
    for one in questions:
        asked.setdefault(one.source, []).append(one)
    empty = {source: parts for source, parts in asked.items() if not any(one.rows for one in parts)}
    told = []
    for source, parts in empty.items():
        reasons = {one.signal: one.empty_reason for one in reversed(parts) if one.empty_reason}
        words = "; ".join(f"{signal}: {reason}" for signal, reason in reversed(reasons.items()))
        told += [f"{source} has nothing of that time: {words}"] if words else []
    if told and len(empty) == len(asked):
        told.append("no source has anything of that time: name one that their data covers, with --at")
    return told
