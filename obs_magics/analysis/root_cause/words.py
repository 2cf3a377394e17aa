"""What the trouble is called, and what a change touches: words that both have in common.

Words are parts of identifiers in lower case, long ones cut to their first letters, so that `expired`, `expiry` and
`tokenExpired` meet. A word that many changes have says little, as in any search (Spärck Jones, 1972).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

_PARTS = re.compile(r"[A-Za-z]+|\d{2,}")
_HUMPS = re.compile(r"([a-z0-9])([A-Z])")
_YEAR = re.compile(r"(?:19|20)\d\d")  # of an instant that a line names, or of a version: it tells nothing
# A socket that was closed is no matter of how many connections there may be.
_SOCKET = re.compile(r"(?i)\bconnection (?:was )?(?:reset|refused|closed|aborted)(?: by (?:remote )?(?:peer|host))?")
_STEM = 5
_OTHERS = 20  # texts that are thought of beside the given ones: among two, no word is rare
_QUOTED = re.compile(r"[\"'`\[“]([A-Za-z_][\w.-]{1,40})[\"'`\]”]")
_QUOTED_WEIGHT = 1.6  # what an error puts in quotes or brackets is its subject
_SERVICE_WEIGHT = 0.2  # what a service's own name counts: where something happens is judged apart from what it is

# Words of every log, metric or program.
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """
        the and for with from into that this are was not has have its of to in on is at by be an or as it no out off
        per all also being above below more than after before over under when where one two set get put func
        function return def class self err ctx context string str int int64 float64 float bool byte bytes var const
        type struct map any new add fix feat chore refactor tests test docs style build perf update bump use main
        pkg services service svc internal src lib github com org www http https api request requests response
        responses req resp error errors failed failure failures failing fail info warn log logs message messages
        exception code status server client handler total count ratio rate pct percent avg min max sum ms sec
        seconds second minutes p50 p90 p95 p99 high low value values data result results line upstream downstream
        elevated observed rising falling critical
        """,
    )
)
# Words too telling to be cut out, though short or common.
_KEPT = frozenset({"nil", "null", "oom", "ttl", "jwt", "tls", "dns", "cpu", "sql", "db", "gc", "io", "ip"})


def words(text: str) -> set[str]:
    """The telling words of a text.

    >>> sorted(words("ErrTokenExpired: jwt token is expired"))
    ['expir', 'jwt', 'token']
    """
    parts = (part.lower() for part in _PARTS.findall(_HUMPS.sub(r"\1 \2", text)))
    return {part[:_STEM] for part in parts if part in _KEPT or (len(part) > 2 and _telling(part))}


def _telling(part: str) -> bool:
    return part not in _COMMON and part != "xx" and not _YEAR.fullmatch(part)


def spelled(text: str) -> dict[str, str]:
    """The telling words of a text as they are written there in full, by how they are compared.

    >>> spelled("ErrTokenExpired")["expir"]
    'expired'
    """
    parts = [part.lower() for part in _PARTS.findall(_HUMPS.sub(r"\1 \2", text))]
    return {part[:_STEM]: part for part in reversed(parts)}


def trouble_words(told: Iterable[tuple[str, float]], services: Collection[str]) -> dict[str, float]:
    """How much each word stands for the trouble: as much as the text that has it, more where it is quoted there.

    Args:
        told: Texts about it (names of metrics, new log lines, alerts) with how much each counts.
        services: Names of services, whose words count less.
    """
    found: dict[str, float] = {}
    for whole, weight in told:
        text = _SOCKET.sub(" ", whole)
        quoted = words(" ".join(_QUOTED.findall(text)))
        for word in words(text):
            told_weight = weight * (_QUOTED_WEIGHT if word in quoted else 1.0)
            found[word] = max(found.get(word, 0.0), told_weight)
    named = {word for service in services for word in words(service)}
    return {word: min(weight, _SERVICE_WEIGHT) if word in named else weight for word, weight in found.items()}


class Rarity:
    """How rare words are among some texts.

    Args:
        texts: The words of each.
    """

    def __init__(self, texts: Sequence[Collection[str]]) -> None:
        self._many = len(texts)
        self._seen: Mapping[str, int] = Counter(word for text in texts for word in text)

    def __call__(self, word: str) -> float:
        """The logarithm of how many texts there are for each that has the word, as if among some more."""
        return math.log((self._many + _OTHERS) / (self._seen.get(word, 0) + 1.5))
