"""What a comparison says, as sentences."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from obs_magics.analysis.compare.candidates import Candidate, Test
from obs_magics.model.series import clip

_NAME_LENGTH, _VALUE_LENGTH = 60, 80
_SAME = 3
_NOTHING = "no attribute tells them apart from the others"

# How a test is said of rows, after "92 % have"; and of those that do not pass it.
_PROPERTIES: dict[Test, tuple[str, str]] = {
    "=": ("{name}={value}", "{name}≠{value}"),
    "≥": ("{name} ≥ {value}", "{name} not ≥ {value}"),
    "<": ("{name} < {value}", "{name} not < {value}"),
    "present": ("{name}, whatever its value", "no {name}"),
    "missing": ("no {name}", "{name}, whatever its value"),
}


def property_text(one: Candidate, *, opposite: bool = False) -> str:
    """What rows have: ``k8s.pod.name=payment-7f``, ``payload.size ≥ 2 MiB``, ``no http.route``; or what they have not.

    Args:
        one: What tells.
        opposite: Whether it is said of the rows that do not have it.
    """
    return _PROPERTIES[one.test][opposite].format(
        name=clip(one.attribute, _NAME_LENGTH),
        value=clip(one.said, _VALUE_LENGTH) if one.said else '""',
    )


def row_sentence(one: Candidate, same: Sequence[str] = ()) -> str:
    """How many have it, of these and of the others; without a subject.

    Args:
        one: What tells.
        same: Others that single out the same rows.
    """
    only = "only " if one.effect < 0 and one.shares[0] else ""
    mine, others = map(percent, one.shares)
    more = f", {len(same) - _SAME:,} more" if len(same) > _SAME else ""
    alike = f" (the same rows as {', '.join(same[:_SAME])}{more})" if same else ""
    verb = "have" if one.shares[0] else "has"
    subject = f"{only}{mine}" if one.shares[0] else "none"
    return f"{subject} {verb} {property_text(one)}, against {others} of the others{alike}"


def percent(share: float) -> str:
    """A share in percents; 0 and 100 only where it is none and all.

    >>> percent(0.9204), percent(0.9999), percent(0.034), percent(1.0), percent(0.0001)
    ('92 %', '>99 %', '3.4 %', '100 %', '<0.1 %')
    """
    if share in (0.0, 1.0):
        return f"{share * 100:.0f} %"
    if share < 0.0005:
        return "<0.1 %"
    if share >= 0.995:
        return ">99 %"
    return f"{share * 100:.{1 if share < 0.0995 else 0}f} %"


def compare_summary(table: pd.DataFrame, *, selected: str = "these rows", limit: int = 3) -> list[str]:
    """What tells the selected rows from the others, a sentence each without a full stop, the best first.

    Args:
        table: What `compare` gave.
        selected: What the rows are called: "slow spans".
        limit: At most so many attributes.
    """
    name = clip(selected, 2 * _VALUE_LENGTH)
    best = table["sentence"][table["rank"] == 1]
    told = [f"{name}: {sentence}" for sentence in best.head(max(limit, 1))] or [f"{name}: {_NOTHING}"]
    rest = len(best) - len(told)
    more = [f"and {rest:,} more {'attribute' if rest == 1 else 'attributes'}"] if rest > 0 else []
    return [*told, *more, *table.attrs.get("notes", ())]
