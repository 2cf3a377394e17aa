"""An interrupt by the user, shown in one line instead of a wall of frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Interrupted(KeyboardInterrupt):
    """The user stopped a cell; the text says what became of it."""

    def _render_traceback_(self) -> list[str]:
        """IPython's own hook."""
        return [str(self)]


@contextmanager
def in_one_line(text: str) -> Iterator[None]:
    """Say `text` when the user interrupts what is done inside."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(text) from None
