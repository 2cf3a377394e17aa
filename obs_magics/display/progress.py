"""One line that says how far a question is: silent below one second, and gone when the answer is there."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Protocol, Self

from obs_magics.display.text import columns_of, cut, safe
from obs_magics.model.series import one_line
from obs_magics.model.sources import Progress

SWITCH = "OBS_MAGICS_PROGRESS"
_OFF = frozenset({"off", "0", "no", "false"})
_SILENT_SECONDS = 1.0
_PAUSE_SECONDS = 0.2
_WIDTH = 78
_BAR = 20
_WAITING = Progress(0, 0, note="waiting for the answer")


class TextStream(Protocol):
    """Where the line is written; `sys.stderr` is one."""

    def write(self, text: str, /) -> object:
        """Write a text."""
        ...

    def flush(self) -> object:
        """Bring it to the reader."""
        ...

    def isatty(self) -> bool:
        """Whether a person sits at the other end."""
        ...


class ProgressLine:
    """A `ProgressListener` that keeps one line up to date; use it as a context manager, so that the line goes away.

    The line counts the seconds by itself, so that a question of a single part does not look stuck. Nothing is written
    to a file or a pipe; a terminal and a notebook kernel's stream both know the carriage return.

    `OBS_MAGICS_PROGRESS=off` in the environment silences it, for notebooks that are run by machines and compared.

    Args:
        stream: Where to write; None for `sys.stderr`, in a notebook's kernel `sys.stdout`, as it is at that time.
        clock: Seconds that only go forward.
        tick_seconds: How often the line counts on by itself.
        clear: Called when a line that was shown goes away, where taking its text away leaves a trace.
    """

    def __init__(
        self,
        stream: TextStream | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        tick_seconds: float = _PAUSE_SECONDS,
        clear: Callable[[], object] | None = None,
    ) -> None:
        self._given = stream
        self._silenced = os.environ.get(SWITCH, "").strip().lower() in _OFF
        self._clock = clock
        self._tick_seconds = tick_seconds
        self._clear = clear
        self._start = clock()
        self._last = float("-inf")
        self._shown = 0
        self._progress = _WAITING
        self._lock = Lock()
        self._ended = Event()

    def __call__(self, progress: Progress) -> None:
        """Take note of progress; may be called from any thread."""
        self._progress = progress
        self._show()

    def __enter__(self) -> Self:
        self._start = self._clock()
        self._last = float("-inf")
        self._progress = _WAITING
        self._ended = Event()
        Thread(target=self._tick, args=(self._ended,), name="obs-magics-progress", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the line away."""
        with self._lock:
            self._ended.set()
            if self._shown:
                self._write("")
                self._stream.write("\r")
                self._stream.flush()
                if self._clear is not None:
                    self._clear()

    def _tick(self, ended: Event) -> None:
        while not ended.wait(self._tick_seconds):
            self._show()

    def _show(self) -> None:
        now = self._clock()
        with self._lock:
            early = now - self._start < _SILENT_SECONDS or now - self._last < _PAUSE_SECONDS
            if early or self._ended.is_set() or self._silenced or not _is_seen(self._stream):
                return
            self._last = now
            self._write(safe(cut(progress_text(self._progress, now - self._start), _WIDTH)))

    @property
    def _stream(self) -> TextStream:
        if self._given is not None:
            return self._given
        # A notebook shows stderr in red, as if something had gone wrong.
        return sys.stdout if _is_of_a_kernel(sys.stdout) else sys.stderr

    def _write(self, line: str) -> None:
        width = columns_of(line)
        self._stream.write(f"\r{line}{' ' * (self._shown - width)}")
        self._stream.flush()
        self._shown = width


def progress_text(progress: Progress, seconds: float) -> str:
    """Progress in a line.

    >>> progress_text(Progress(3, 8, 1200, "prom"), 4.2)
    '███████▌············ 3 of 8 parts · 1,200 rows · 4 s · prom'
    """
    parts = [f"{int(seconds)} s"]
    if progress.rows:
        parts.insert(0, f"{progress.rows:,} {'row' if progress.rows == 1 else 'rows'}")
    if progress.total > 0:
        parts.insert(0, f"{_bar(progress.done / progress.total)} {progress.done} of {progress.total} parts")
    if progress.note:
        parts.append(one_line(progress.note))
    return " · ".join(parts)


def _bar(share: float) -> str:
    eighths = round(min(max(share, 0.0), 1.0) * _BAR * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[rest]).ljust(_BAR, "·")


def _is_seen(stream: TextStream) -> bool:
    """Whether somebody sees the stream: a terminal, or the stream of a notebook's kernel (which is no terminal)."""
    return stream.isatty() or _is_of_a_kernel(stream)


def _is_of_a_kernel(stream: TextStream) -> bool:
    return type(stream).__module__.partition(".")[0] == "ipykernel"
