"""Stack traces that came line by line, folded into their first line.

What each line could be is told by patterns (`shapes`); whether it continues the one before it, by going through those
stretches of a stream where any could. A line is folded only into what stands directly before it in its own stream, not
later than a second; what opens with a time or a level of its own is never folded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.loglines.bodies import infer_levels
from obs_magics.analysis.loglines.shapes import Shape, shapes_of
from obs_magics.analysis.loglines.text import Text
from obs_magics.model.logs import LEVELS

Array = np.ndarray[Any, Any]

_GAP_NS = 1_000_000_000
_BAD = LEVELS.index("warn")

_OPENERS = (
    Shape.INDENTED, Shape.FRAME, Shape.TRACEBACK, Shape.PANIC, Shape.CHAIN, Shape.DETAIL, Shape.JAVA_LEVEL,
    Shape.EXCEPTION,
)  # fmt: skip
_GO = (Shape.GO_CALL, Shape.FRAME, Shape.INDENTED)


def fold_stacks(
    timestamps_ns: Array,
    messages: Text,
    streams: Array,
    *,
    levels: Array | None = None,
) -> tuple[Array, Text]:
    """Fold the lines of a stack trace, and other continuation lines, into the line that they continue.

    Traces of Java, Python, Go, Node, .NET, Ruby and PHP, indented lines, PostgreSQL's DETAIL and the like, and the
    second line of `java.util.logging`.

    Args:
        timestamps_ns: int64, ascending.
        messages: Strings.
        streams: int, one per line: lines of different streams are never folded together.
        levels: Positions in `LEVELS` or -1; inferred from the text when not given. A trace that begins with a line of
            its own ("Traceback …") belongs to the line before it when that is a warning or worse.

    Returns:
        The numbers of the lines that are kept, ascending, and their messages: the folded ones joined with a line break.
    """
    heads = stack_heads(timestamps_ns, messages, streams, levels=levels)
    return joined_lines(messages, heads)


def stack_heads(timestamps_ns: Array, messages: Text, streams: Array, *, levels: Array | None = None) -> Array:
    """For each line the number of the line that it belongs to: its own, unless it continues another.

    Args:
        timestamps_ns: As for `fold_stacks`, like the others.
        messages: Strings.
        streams: int, one per line.
        levels: Positions in `LEVELS` or -1.
    """
    size = len(messages)
    heads = np.arange(size)
    shapes = shapes_of(messages)
    openers = np.isin(shapes, _OPENERS)
    if not openers.any():
        return heads
    order = np.argsort(streams, kind="stable")
    firsts, times = np.ones(size, bool), timestamps_ns[order]
    firsts[1:] = (np.diff(streams[order]) != 0) | (np.diff(times) > _GAP_NS)
    known = infer_levels(messages) if levels is None else levels
    places = _Walk(shapes[order].tolist(), firsts.tolist(), (known[order] >= _BAD).tolist()).places(openers[order])
    heads[order] = order[places]
    return heads


@dataclass(frozen=True, slots=True)
class _Walk:
    """A walk through lines in the order of streams and times.

    Args:
        shapes: What each could be.
        firsts: Whether nothing stands directly before it.
        bad: Whether it is a warning or worse.
    """

    shapes: list[int]
    firsts: list[bool]
    bad: list[bool]

    def places(self, openers: Array) -> Array:
        """For each line the place of its head, going on from each opener as long as lines continue."""
        places = np.arange(len(self.shapes))
        done = 0  # what lies before needs no second look
        for start in np.flatnonzero(openers).tolist():
            if start >= done:
                done = self._follow(start, places)
        return places

    def _follow(self, start: int, places: Array) -> int:
        """Go on from an opener up to the next line that stands for itself; gives back the place behind that."""
        head, block = start - 1, int(Shape.PLAIN)  # the line before was no opener, or has been looked at: it is a head
        for place in range(start, len(self.shapes)):
            left = self._continues(place, head, block)
            if left is None:
                head, block = place, self._opens(place)
                if block == Shape.PLAIN:
                    return place + 1
            else:
                places[place], block = head, left
        return len(self.shapes)

    def _opens(self, place: int) -> int:
        """In which block a head puts the lines after it."""
        shape = self.shapes[place]
        return shape if shape in (Shape.TRACEBACK, Shape.PANIC) else Shape.PLAIN

    def _continues(self, place: int, head: int, block: int) -> int | None:
        """The block that a line leaves behind when it continues the line at `head`; None when it does not."""
        if place == 0 or self.firsts[place]:
            return None
        shape = self.shapes[place]
        if shape in (Shape.INDENTED, Shape.FRAME):
            return block if block in (Shape.TRACEBACK, Shape.PANIC) else int(Shape.FRAME)
        if block in _IN_BLOCK:
            left = _IN_BLOCK[Shape(block)](self, place)
            if left is not None:
                return left
        if shape == Shape.TRACEBACK and self.bad[head]:
            return int(Shape.TRACEBACK)
        return int(Shape.FRAME) if self._is_addition(place, head) else None

    def _in_panic(self, place: int) -> int | None:
        """What Go writes after `panic:`, goroutines and their calls with empty lines between."""
        goes_on = self.shapes[place] in _GO or self._blank_before(place, _GO)
        return int(Shape.PANIC) if goes_on else None

    def _in_traceback(self, place: int) -> int | None:
        """The line behind Python's frames names the exception."""
        return int(Shape.FRAME) if self.shapes[place] in (Shape.EXCEPTION, Shape.NAMED) else None

    def _in_chain(self, place: int) -> int | None:
        """Between two tracebacks of Python that belong together."""
        shape = self.shapes[place]
        return shape if shape == Shape.TRACEBACK else int(Shape.CHAIN) if shape == Shape.BLANK else None

    def _after_frames(self, place: int) -> int | None:
        shape = self.shapes[place]
        if shape == Shape.CHAIN:
            return shape
        return int(Shape.FRAME) if shape == Shape.CLOSER or self._blank_before(place, (Shape.CHAIN,)) else None

    def _is_addition(self, place: int, head: int) -> bool:
        """Whether a line says more about the one before without being part of a trace, or begins one that does."""
        shape = self.shapes[place]
        return (
            (shape == Shape.DETAIL and self.shapes[head] in (Shape.POSTGRES, Shape.DETAIL))
            or (shape == Shape.JAVA_LEVEL and self.shapes[place - 1] == Shape.JAVA_HEADER)
            or (shape == Shape.EXCEPTION and self.bad[head] and self._next_is(place, (Shape.FRAME,)))
        )

    def _blank_before(self, place: int, shapes: tuple[Shape, ...]) -> bool:
        """Whether it is an empty line, and the next is one of these."""
        return self.shapes[place] == Shape.BLANK and self._next_is(place, shapes)

    def _next_is(self, place: int, shapes: tuple[Shape, ...]) -> bool:
        after = place + 1
        return after < len(self.shapes) and not self.firsts[after] and self.shapes[after] in shapes


_IN_BLOCK: dict[Shape, Callable[[_Walk, int], int | None]] = {
    Shape.PANIC: _Walk._in_panic,
    Shape.TRACEBACK: _Walk._in_traceback,
    Shape.CHAIN: _Walk._in_chain,
    Shape.FRAME: _Walk._after_frames,
}


def joined_lines(messages: Text, heads: Array, *, separator: str = "\n") -> tuple[Array, Text]:
    """The numbers of the lines that stand for themselves, and their messages with those that belong to them behind.

    Args:
        messages: Strings.
        heads: As `stack_heads` gives them.
        separator: What stands between them.
    """
    folded = heads != np.arange(len(heads))
    kept = np.flatnonzero(~folded)
    if not folded.any():
        return kept, messages
    grown = np.zeros(len(heads), bool)
    grown[heads[folded]] = True
    rows = np.flatnonzero(folded | grown)
    rows = rows[np.argsort(heads[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(heads[rows], prepend=-1))
    texts = [text or "" for text in messages.take(pa.array(rows)).to_pylist()]
    groups = [separator.join(texts[start:end]) for start, end in zip(starts, [*starts[1:], len(rows)], strict=True)]
    alone = messages.take(pa.array(kept)).cast(pa.large_string())
    return kept, pc.replace_with_mask(alone, pa.array(grown[kept]), pa.array(groups, pa.large_string()))
