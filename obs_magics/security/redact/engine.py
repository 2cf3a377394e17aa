"""Redacts blocks with one key and policy, and keeps count."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

import numpy as np

from obs_magics.security.redact.pseudonyms import Pseudonyms
from obs_magics.security.redact.rules import RULES
from obs_magics.security.redact.scan import Scanner

_scanner = lru_cache(maxsize=16)(Scanner)


class Blocks:
    """An engine for columns (see `columns.Engine`).

    Args:
        key: Of the pseudonyms.
        personal: Kinds of personal data to hide.
    """

    def __init__(self, key: bytes, personal: frozenset[str]) -> None:
        self._pseudonyms = Pseudonyms(key)
        self._scanner = _scanner(personal)
        self.sieves = self._scanner.sieves
        self.counts: Counter[str] = Counter()

    def block(self, block: bytes, times: np.ndarray[Any, Any]) -> list[bytes]:
        """Redact records with `END` between them; `times` says how often each of them stands for something."""
        safe, found = self._scanner.redact(block, self._pseudonyms)
        for record, place in found:
            self.counts[RULES[place].kind.name] += int(times[record])
        return safe

    def whole(self, kind: str, value: bytes, times: int) -> bytes:
        """The pseudonym of a value that goes as a whole."""
        self.counts[kind] += times
        return self._pseudonyms.of(kind, value)
