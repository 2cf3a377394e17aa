"""Marks on a time axis: a rule with a letter at each instant, and what the letter means, on every chart over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from obs_magics.display.clock import MS, clock_text
from obs_magics.display.theme import PALETTE
from obs_magics.display.units import count_text
from obs_magics.display.visible import short

if TYPE_CHECKING:
    import pandas as pd

MAX_MARKS = 12
LETTER = 14
"""Pixels that the letters take at the top of the chart."""
LETTERS = "ABCDEFGHIJKL"
_LABEL_LENGTH, _SERVICE_LENGTH = 60, 40
_GREY, _VERMILION = "#808080", PALETTE[1]

_Spec = dict[str, Any]

# Kinds of the events frame: what changed something first, so that it is drawn where there is no room for all.
EVENT_WORDS: dict[str, str] = {
    "deployment": "deployment",
    "config_change": "config change",
    "feature_flag": "flag",
    "incident": "incident",
    "alert": "alert",
    "restart": "restart",
    "scale": "scaling",
    "annotation": "note",
    "traffic": "traffic",
}
"""How the kind of an event is said; the gravest for an investigation first."""
_LAST = len(EVENT_WORDS)
_RANKS = {kind: rank for rank, kind in enumerate(EVENT_WORDS)}
_RINGS = ("alert", "incident")  # they tell of trouble; all others are what somebody or something did
_WIDTH, _CLOSE = 640, 14  # pixels of a chart, and between two rules whose letters would meet
_DASHES = {False: [4, 3], True: [1, 3]}


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant that the reader should see in the picture: a deployment, an onset.

    Args:
        at_ns: Nanoseconds since the epoch.
        label: What it is, in a few words.
        kind: That of an event; empty for anything else.
    """

    at_ns: int
    label: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Pin:
    """A mark as drawn: the letter at its place, and what the letter means."""

    letter: str
    at_ms: int
    said: str
    rings: bool = False


def event_word(kind: str) -> str:
    """The kind of an event in words."""
    return EVENT_WORDS.get(kind, kind.replace("_", " "))


def event_marks(events: pd.DataFrame | None) -> list[Mark]:
    """A mark for each row of an events frame (see `model.events`): "deployment payment-api@v2.4.1: …"."""
    if events is None or events.empty:
        return []
    times = events["timestamp"].astype("datetime64[ns, UTC]").astype("int64")
    columns = (events[name].astype(object) for name in ("kind", "service", "title"))
    return [
        Mark(int(at), _label(str(kind), service if isinstance(service, str) else "", str(title)), str(kind))
        for at, kind, service, title in zip(times, *columns, strict=True)
    ]


def _label(kind: str, service: str, title: str) -> str:
    """Kind, service and title; a service that the title names is not said twice."""
    named = f" {short(service, _SERVICE_LENGTH)}:" if service and service not in title else ""
    return f"{event_word(kind)}{named} {title}"


def pins_of(marks: Sequence[Mark], start_ms: int, end_ms: int, zone: str) -> tuple[tuple[Pin, ...], list[str]]:
    """Marks within the picture, in order of time, and what is said about those that are not drawn.

    Of more than twelve, those that nobody classified and those of the graver kinds are drawn.
    """
    inside = sorted(
        {mark for mark in marks if start_ms <= mark.at_ns // MS <= end_ms},
        key=lambda mark: (mark.at_ns, mark.label, mark.kind),
    )
    ranked = sorted(inside, key=lambda mark: _RANKS.get(mark.kind, _LAST if mark.kind else -1))
    kept = frozenset(ranked[:MAX_MARKS])
    drawn = [mark for mark in inside if mark in kept]
    pins = tuple(
        Pin(letter, mark.at_ns // MS, _said(letter, mark, zone), mark.kind in _RINGS)
        for letter, mark in zip(LETTERS, drawn, strict=False)
    )
    more = len(inside) - len(pins)
    return pins, [f"{count_text(more, 'more mark')} not drawn"] if more > 0 else []


def _said(letter: str, mark: Mark, zone: str) -> str:
    return f"{letter} {clock_text(mark.at_ns // MS, zone, named=False)} {short(mark.label, _LABEL_LENGTH)}"


def pins_text(pins: Sequence[Pin], start_ms: int, end_ms: int, columns: int) -> str:
    """The letters at their places under `columns` characters; where two fall on one, a + stands for both.

    >>> pins_text([Pin("A", 0, ""), Pin("B", 50, "")], 0, 100, 11)
    'A    B'
    """
    row = [" "] * columns
    for pin in pins:
        place = min(columns - 1, (pin.at_ms - start_ms) * columns // max(1, end_ms - start_ms))
        row[place] = pin.letter if row[place] == " " else "+"
    return "".join(row).rstrip()


def pin_layers(pins: Sequence[Pin], span_ms: int, *, shift_ms: int, interactive: bool) -> list[_Spec]:
    """A rule at each mark, and its letter beside it: inside the frame, since what can be zoomed is cut at it.

    Alerts and incidents are dotted and coloured, all else is dashed and grey. The layers bring their own data, so that
    they stand on any chart whose `x` is a time on a UTC scale.

    Args:
        pins: As `pins_of` makes them.
        span_ms: What the chart spans.
        shift_ms: Added to each instant, as the chart does it.
        interactive: Whether the pointer is told what a mark means.
    """
    if not pins:
        return []
    clip = {"clip": True} if interactive else {}  # a still picture cannot be zoomed; Vega numbers its cuts ever onwards
    place = {"field": "x", "type": "temporal"}
    tooltip = {"tooltip": {"field": "said", "type": "nominal"}} if interactive else {}
    layers: list[_Spec] = []
    for rings in (False, True):
        rows = [pin for pin in pins if pin.rings == rings]
        if not rows:
            continue
        data = {"values": [{"x": pin.at_ms + shift_ms, "said": pin.said} for pin in rows]}
        colour = _VERMILION if rings else _GREY
        rule: _Spec = {"type": "rule", "strokeDash": _DASHES[rings], "color": colour, "aria": False, **clip}
        layers.append({"data": data, "mark": rule, "encoding": {"x": place, **tooltip}})
    groups = _together(pins, span_ms)
    data = {"values": [{"x": group[-1].at_ms + shift_ms, **_letters(group)} for group in groups]}
    layers.append({"data": data, "mark": {**_TEXT, **clip}, "encoding": _letter(place, tooltip)})
    return layers


def _together(pins: Sequence[Pin], span_ms: int) -> list[list[Pin]]:
    """Neighbours whose letters would lie on one another share a text, behind the last of their rules."""
    groups: list[list[Pin]] = []
    for pin in pins:
        if groups and (pin.at_ms - groups[-1][-1].at_ms) * _WIDTH < _CLOSE * span_ms:
            groups[-1].append(pin)
        else:
            groups.append([pin])
    return groups


def _letters(group: Sequence[Pin]) -> _Spec:
    return {"letter": "".join(pin.letter for pin in group), "said": " · ".join(pin.said for pin in group)}


_TEXT: _Spec = {
    "type": "text",
    "align": "left",
    "baseline": "top",
    "dx": 3,
    "dy": 1,
    "fontWeight": "bold",
    "aria": False,
}


def _letter(place: _Spec, tooltip: _Spec) -> _Spec:
    return {"x": place, "y": {"value": 0}, "text": {"field": "letter", "type": "nominal"}, **tooltip}
