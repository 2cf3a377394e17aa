"""What stands in place of a hidden value: `<email:3f9a0c12de45>`, the same for the same value under one key.

The digits are the beginning of an HMAC-SHA256 (RFC 2104) of the value. Without the key nobody can try values against
them, and they tell neither length nor beginning of the value. 48 bits: among a million different values, two share a
pseudonym with a probability of 0.2 %.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable

LEAST_KEY = 16
DIGITS = 12
_MOST_REMEMBERED = 100_000


def new_key() -> bytes:
    """A key for one capsule or session: 32 random bytes, to be kept with whatever shall stay joinable."""
    return secrets.token_bytes(32)


def pseudonym_pattern(kinds: Iterable[str]) -> re.Pattern[bytes]:
    """Finds pseudonyms of these kinds, to leave them alone."""
    names = "|".join(sorted(kinds))
    return re.compile(f"<(?:{names}):[0-9a-f]{{{DIGITS}}}>".encode("ascii"))


class Pseudonyms:
    """Pseudonyms under one key.

    Args:
        key: At least 16 bytes; see `new_key`.

    Raises:
        ValueError: The key is too short to keep anything secret.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < LEAST_KEY:
            raise ValueError(f"a key of {len(key)} bytes is too short: at least {LEAST_KEY}, better new_key()")
        self._key = bytes(key)
        self._known: dict[bytes, str] = {}

    def __repr__(self) -> str:
        return "Pseudonyms(key=…)"

    def of(self, kind: str, value: bytes) -> bytes:
        """The pseudonym of a value; its digits do not depend on the kind."""
        digits = self._known.get(value)
        if digits is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            digits = self._known[value] = hmac.digest(self._key, value, "sha256").hex()[:DIGITS]
        return f"<{kind}:{digits}>".encode("ascii")
