"""The way in: a redactor with a key and a policy, for a text, a column or a frame.

redactor = Redactor(new_key(), pii=EXPORT)
safe = redactor.frame(logs)
print(redactor.report)       # hidden: 3 AWS access keys, 12 e-mail addresses
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import pandas as pd

from obs_magics.security.redact.columns import redact_column
from obs_magics.security.redact.engine import Blocks
from obs_magics.security.redact.frames import redact_frame, redact_series
from obs_magics.security.redact.rules import KINDS, PERSONAL_KINDS

SCREEN: frozenset[str] = frozenset()
"""The policy for one's own screen: secrets go, personal data stays."""
EXPORT: frozenset[str] = PERSONAL_KINDS
"""The policy for whatever leaves: capsules, exports, language models, notifications."""

Column = TypeVar("Column")
_ONCE = np.ones(1, np.int64)


@dataclass(frozen=True, slots=True)
class Report:
    """What was hidden.

    Args:
        counts: How often, by the kind's name; in order of the name, none with 0.
    """

    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All together."""
        return sum(self.counts.values())

    @property
    def secrets(self) -> int:
        """Those that are secrets."""
        return sum(count for name, count in self.counts.items() if not KINDS[name].personal)

    def __str__(self) -> str:
        if not self.counts:
            return "nothing hidden"
        in_order = sorted(self.counts.items(), key=lambda item: (KINDS[item[0]].personal, -item[1], item[0]))
        return "hidden: " + ", ".join(KINDS[name].counted(count) for name, count in in_order)


class Redactor:
    """Hides secrets always, and the personal data that a policy names.

    Args:
        key: At least 16 bytes (`new_key`). Under one key equal values get equal pseudonyms, in every column and frame.
        pii: Kinds of personal data to hide (`SCREEN`, `EXPORT`, or names of `PERSONAL_KINDS`); True for all, False for
            none.

    Raises:
        ValueError: The key is too short, or there is no such kind.
    """

    def __init__(self, key: bytes, *, pii: bool | Collection[str] = SCREEN) -> None:
        chosen = (EXPORT if pii else SCREEN) if isinstance(pii, bool) else frozenset(pii)
        unknown = sorted(chosen - PERSONAL_KINDS)
        if unknown:
            raise ValueError(
                f"no such personal data: {', '.join(unknown)}; there are {', '.join(sorted(PERSONAL_KINDS))}"
            )
        self.pii = chosen
        self._engine = Blocks(key, chosen)

    def __repr__(self) -> str:
        return f"Redactor(key=…, pii={sorted(self.pii)})"

    @property
    def report(self) -> Report:
        """What was hidden since the redactor was made."""
        counts = self._engine.counts
        return Report(MappingProxyType({name: counts[name] for name in sorted(counts) if counts[name]}))

    def text(self, text: str) -> str:
        """A text without what has to go; everything else stays byte for byte."""
        record = text.encode("utf-8", "surrogatepass")
        return self._engine.block(record, _ONCE)[0].decode("utf-8", "surrogatepass")

    def column(self, values: Column) -> Column:
        """A column without what has to go: the same kind, type, nulls and index; what is no text stays as it is.

        Args:
            values: Strings, categories or dictionaries of strings, or lists of strings.
        """
        if isinstance(values, pd.Series):
            return redact_series(values, self._engine)  # type: ignore[return-value]
        safe: Column = redact_column(values, self._engine)
        return safe

    def frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A frame without what has to go; the frame that was given stays as it is.

        Every column of strings or categories is looked at, its name too: all of `db_password` goes. Times, levels and
        numbers are untouched, and so are ids in hex. Categories are redacted once each.
        """
        return redact_frame(frame, self._engine)
