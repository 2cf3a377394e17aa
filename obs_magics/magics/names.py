"""Names for completion, fetched with a deadline: a slow source never holds up typing."""

from __future__ import annotations

import bisect
import logging
from collections.abc import Callable, Hashable, Sequence
from threading import Event, Lock, Thread

from obs_magics.model.errors import ObsError

DEADLINE_SECONDS = 0.3
LIMIT = 500  # IPython hands on no more

_log = logging.getLogger(__name__)


class Names:
    """Remembers the last answer to each question; a question that takes too long goes on in the background.

    Args:
        deadline_seconds: How long `get` waits at most; None for `DEADLINE_SECONDS`.
    """

    def __init__(self, deadline_seconds: float | None = None) -> None:
        self._deadline_seconds = DEADLINE_SECONDS if deadline_seconds is None else deadline_seconds
        self._known: dict[Hashable, Sequence[str]] = {}
        self._running: dict[Hashable, Event] = {}
        self._lock = Lock()

    def get(self, key: Hashable, fetch: Callable[[], Sequence[str]]) -> Sequence[str]:
        """What `fetch` gives, or what it gave last when it does not answer in time, or nothing."""
        with self._lock:
            done = self._running.get(key)
            if done is None:
                done = self._running[key] = Event()
                Thread(target=self._fetch, args=(key, fetch, done), name="obs-completion", daemon=True).start()
        done.wait(self._deadline_seconds)
        return self._known.get(key, ())

    def _fetch(self, key: Hashable, fetch: Callable[[], Sequence[str]], done: Event) -> None:
        try:
            self._known[key] = fetch()
        except ObsError as error:
            _log.debug("no names for completion: %s", error)
        finally:
            with self._lock:
                self._running.pop(key, None)
            done.set()


def ranked(names: Sequence[str], typed: str, limit: int = LIMIT) -> list[str]:
    """The names that fit what is typed: those that begin with it, then those that have it in them, then similar ones.

    Args:
        names: Sorted.
        typed: What is typed so far; case counts only for the order.
        limit: At most this many.
    """
    if not typed:
        return list(names[:limit])
    first = bisect.bisect_left(names, typed)
    found = list(names[first : bisect.bisect_right(names, typed + "\U0010ffff", first)][:limit])
    seen = set(found)
    lowered = typed.lower()
    inside = [name for name in names if lowered in name.lower() and name not in seen] if len(found) < limit else []
    found += sorted(inside, key=lambda name: not name.lower().startswith(lowered))[: limit - len(found)]
    return found or _similar(names, typed)


def _similar(names: Sequence[str], typed: str) -> list[str]:
    from rapidfuzz import fuzz, process

    if len(typed) < 3:
        return []
    long_enough = [name for name in names if len(name) >= len(typed)]
    similar = process.extract(typed, long_enough, scorer=fuzz.partial_ratio, limit=10, score_cutoff=75)
    return [name for name, _, _ in similar]
