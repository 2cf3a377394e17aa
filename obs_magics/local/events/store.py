"""The events of a folder: read when they are first asked for, then kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from obs_magics.model.events import Event


class StoredEvents:
    """Events that are read when they are first asked for: how many there are is known before.

    Args:
        count: How many.
        load: Reads them.
    """

    def __init__(self, count: int, load: Callable[[], Sequence[Event]]) -> None:
        self.count = count
        self._load = load
        self._lock = threading.Lock()
        self._events: Sequence[Event] | None = None

    def events(self) -> Sequence[Event]:
        """The events, in any order.

        Raises:
            OSError: The file is gone.
            pyarrow.ArrowException: It is damaged.
        """
        with self._lock:
            if self._events is None:
                self._events = self._load()
            return self._events
