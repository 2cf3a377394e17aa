"""A statement that would run for hours, and how to stop it once it really runs."""

from __future__ import annotations

import _thread
import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from obs_magics.local.sql import run

LONG = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE (a.range * b.range) % 7 = 3"


def statement_begun(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when the next statement is handed to DuckDB."""
    begun = threading.Event()
    relation = run._relation

    def telling(cursor: Any, text: str) -> Any:
        begun.set()
        return relation(cursor, text)

    monkeypatch.setattr(run, "_relation", telling)
    return begun


@contextlib.contextmanager
def interrupted_when(begun: threading.Event) -> Iterator[None]:
    """Ctrl-C for the main thread as soon as the statement has begun."""

    def interrupt() -> None:
        if begun.wait(60):
            _thread.interrupt_main()

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield
    finally:
        thread.join()
