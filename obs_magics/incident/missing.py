"""What did not come from the sources, each reason once."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
