"""Where everything stands in the picture: lanes of as many lines as their labels need to stand apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from obs_magics.display.clock import MS, clock_text
from obs_magics.display.text import columns_of
from obs_magics.display.timeline.rows import INCIDENT, MOMENT_WORDS, Item, Pictured, in_order, since
from obs_magics.display.visible import short

WIDTH = 720
LINE = 19  # pixels between two lines
_LETTER = 5.7  # pixels of a character of a label, on average
_GAP, _MARK = 10, 9  # between neighbours; from a mark to its label
_LABEL, _LANE = 62, 24  # characters
_AIR = 0.35  # of a line, between two lanes


@dataclass(frozen=True, slots=True)
class Placed:
    """A mark with its label.

    Args:
        shape: What it is: of `WHATS`, `milestone`, or `earlier` for what lies before the picture.
        x_ms: Where its mark stands, milliseconds since the epoch.
        end_ms: Where the bar below its label ends; None for no bar.
        y: Its line, from the top.
        label: What stands beside it.
        left: Whether the label stands to the left.
        told: All of it, for a pointer and for who cannot see.
        strong: Whether the label stands out.
    """

    shape: str
    x_ms: int
    end_ms: int | None
    y: float
    label: str
    left: bool
    told: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane, its name, and from which line to which it reaches."""

    name: str
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Layout:
    """The picture, its height in lines."""

    lanes: tuple[Lane, ...]
    placed: tuple[Placed, ...]
    lines: float


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is to be placed: its mark, and from where to where its label and bar reach, in pixels."""

    shape: str
    x_ms: int
    end_ms: int | None
    label: str
    left: bool
    told: str
    low: float
    high: float
    strong: bool


def laid_out(picture: Pictured) -> Layout:
    """Place every item: each in the first line of its lane in which it overlaps nothing."""
    lanes: list[Lane] = []
    placed: list[Placed] = []
    top = 0.0
    wishes = [(INCIDENT, [_moment(picture, number) for number in range(len(picture.milestones))])]
    wishes += [
        (short(name, _LANE), [_wish(picture, one) for one in picture.items if one.lane == name])
        for name in picture.lanes
    ]
    for name, own in wishes:
        if not own:
            continue
        lines = _packed(own)
        placed += [
            Placed(one.shape, one.x_ms, one.end_ms, top + line + 0.5, one.label, one.left, one.told, one.strong)
            for one, line in zip(own, lines, strict=True)
        ]
        bottom = top + max(lines) + 1
        lanes.append(Lane(name, top, bottom))
        top = bottom + _AIR
    return Layout(tuple(lanes), tuple(placed), top - _AIR)


def _packed(wishes: Sequence[_Wish]) -> list[int]:
    """The line of each, in their order."""
    taken: list[list[tuple[float, float]]] = []
    lines = []
    for one in wishes:
        line = next(
            (
                number
                for number, others in enumerate(taken)
                if all(one.high + _GAP <= low or one.low >= high + _GAP for low, high in others)
            ),
            len(taken),
        )
        if line == len(taken):
            taken.append([])
        taken[line].append((one.low, one.high))
        lines.append(line)
    return lines


def _wish(picture: Pictured, item: Item) -> _Wish:
    early = item.at_ns < picture.start_ns
    at_ns = max(item.at_ns, picture.start_ns)
    end_ns = item.end_ns if item.end_ns is not None and item.end_ns > at_ns else None
    when = clock_text(item.at_ns // MS, picture.zone, named=False, day=_other_day(picture, item))
    what = (
        item.word
        if item.what in {"change", "alert", "first_error"} and not item.said(12).lower().startswith(item.word)
        else ""
    )
    said = item.said(_LABEL)
    label = short(" ".join(part for part in (when, what, said) if part), _LABEL + 8)
    told = _told(picture, item)
    shape = "earlier" if early else item.what
    strong = item.what in {"onset", "recovery"}
    end_ms = None if end_ns is None else min(end_ns, picture.end_ns) // MS
    return _sized(picture, shape, x_ms=at_ns // MS, end_ms=end_ms, label=label, told=told, strong=strong)


def _told(picture: Pictured, item: Item) -> str:
    when = clock_text(item.at_ns // MS, picture.zone, day=True)
    until = "" if item.end_ns is None else f" until {clock_text(item.end_ns // MS, picture.zone, named=False)}"
    until = ", still going on" if item.ongoing else until
    return f"{when}{until} · {item.word} · {short(item.lane, 80)}: {item.said(300)}"


def _moment(picture: Pictured, number: int) -> _Wish:
    one = in_order(picture.milestones)[number]
    at_ns, onset = one.at_ns or 0, picture.onset_ns
    when = clock_text(at_ns // MS, picture.zone, named=False)
    distance = "" if onset is None or one.moment == "onset" else f" ({since(at_ns, onset)})"
    label = f"{MOMENT_WORDS[one.moment]} {when}{distance}"
    told = f"{label}: {short(one.because, 200)}"
    return _sized(picture, "milestone", x_ms=at_ns // MS, end_ms=None, label=label, told=told, strong=True)


def _sized(
    picture: Pictured, shape: str, *, x_ms: int, end_ms: int | None, label: str, told: str, strong: bool
) -> _Wish:
    """With its label to the right, or to the left where it would not end within the picture."""
    start, span = picture.start_ns // MS, max((picture.end_ns - picture.start_ns) // MS, 1)
    x = (x_ms - start) * WIDTH / span
    wide = columns_of(label) * _LETTER * (1.06 if strong else 1) + _MARK
    left = x + wide > WIDTH and x - wide >= 0
    low, high = (x - wide, x + _MARK) if left else (x - _MARK, x + wide)
    if end_ms is not None:
        high = max(high, (end_ms - start) * WIDTH / span)
    return _Wish(shape, x_ms, end_ms, label, left, told, low, high, strong)


def _other_day(picture: Pictured, item: Item) -> bool:
    return abs(item.at_ns - picture.start_ns) > 20 * 3_600_000_000_000
