"""The map of services as a still picture that reads on light and on dark: in the colour of the text around."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from obs_magics.display import markup
from obs_magics.display.text import cut
from obs_magics.display.traces import words
from obs_magics.display.traces.map_edges import Edge, Node, ServiceGraph
from obs_magics.display.traces.style import ERROR_COLOUR, TIME_COLOUR

_WIDE, _HIGH, _ACROSS, _DOWN = 162, 46, 62, 12
_NAME = 24
_THIN, _THICK = 1.2, 5.0
_DASHES: Mapping[str, str] = {"messaging": "6 3", "external": "2 3"}
_MARGIN = 8
_LEAST = 0.75  # of its size, down to which the picture shrinks with its room


@dataclass(frozen=True, slots=True)
class _Place:
    """The left upper corner of a node."""

    x: float
    y: float


def map_svg(graph: ServiceGraph) -> str:
    """The picture; all figures of its calls are in titles and in the table beside it."""
    tall = max(map(len, graph.layers))
    height = tall * (_HIGH + _DOWN) - _DOWN + 2 * _MARGIN
    width = len(graph.layers) * (_WIDE + _ACROSS) - _ACROSS + 2 * _MARGIN
    places = {
        name: _Place(
            _MARGIN + number * (_WIDE + _ACROSS),
            _MARGIN + (place + (tall - len(layer)) / 2) * (_HIGH + _DOWN),
        )
        for number, layer in enumerate(graph.layers)
        for place, name in enumerate(layer)
    }
    edges = [edge for edge in graph.edges if edge.caller != edge.callee]
    leaves = _ports(edges, places, leaving=True)
    enters = _ports(edges, places, leaving=False)
    most = max((edge.calls for edge in edges), default=1)
    order = sorted(range(len(edges)), key=lambda number: edges[number].bad)  # what fails lies on top
    drawn = [_edge(edges[number], leaves[number], enters[number], edges[number].calls / most) for number in order]
    inside = "".join([*drawn, *(_node(node, places[node.name]) for node in graph.nodes)])
    return (
        f'<svg role="img" aria-label="map of services" width="{width:g}" height="{height:g}" '
        f'style="min-width:{_LEAST * width:.0f}px" viewBox="0 0 {width:g} {height:g}" '
        f'font-family="Arial, Helvetica, sans-serif" font-size="11">{inside}</svg>'
    )


def _ports(edges: Sequence[Edge], places: Mapping[str, _Place], *, leaving: bool) -> list[tuple[float, float]]:
    """Where each call leaves its caller, or enters its callee: evenly spread, in the order of the other ends."""
    by_node: dict[str, list[int]] = {}
    for number, edge in enumerate(edges):
        by_node.setdefault(edge.caller if leaving else edge.callee, []).append(number)
    ports = [(0.0, 0.0)] * len(edges)
    for name, numbers in by_node.items():
        others = {number: places[edges[number].callee if leaving else edges[number].caller] for number in numbers}
        numbers.sort(key=lambda number: (others[number].y, others[number].x, edges[number].kind))
        for step, number in enumerate(numbers, start=1):
            y = places[name].y + _HIGH * step / (len(numbers) + 1)
            ports[number] = (places[name].x + (_WIDE if leaving else 0), y)
    return ports


def _edge(edge: Edge, start: tuple[float, float], end: tuple[float, float], share: float) -> str:
    (x1, y1), (x2, y2) = start, end
    bend = max(_ACROSS * 0.6, (x2 - x1) / 2) if x2 > x1 else _ACROSS
    width = _THIN + (_THICK - _THIN) * share**0.5
    colour = ERROR_COLOUR if edge.bad else "currentColor"
    dash = f' stroke-dasharray="{_DASHES[edge.kind]}"' if edge.kind in _DASHES else ""
    path = f"M{x1:g},{y1:g}C{x1 + bend:g},{y1:g} {x2 - bend:g},{y2:g} {x2:g},{y2:g}"
    line = (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:.2g}" '
        f'stroke-opacity="{0.9 if edge.bad else 0.3}"{dash}/>'
    )
    tip = f'<path d="M{x2:g},{y2:g}l-7,-4v8z" fill="{colour}" fill-opacity="{0.9 if edge.bad else 0.55}"/>'
    style = f'fill="{ERROR_COLOUR}" font-weight="600" font-size="9.5" text-anchor="end" class="obs-halo"'
    label = _text(x2 - 8, y2 - 3, edge.failing(), style) if edge.bad else ""
    told = f"{words.text(edge.caller)} → {words.text(edge.callee)}: {edge.rate_text()}"
    title = f"{told}, p95 {words.duration(edge.p95)}{', ' if edge.failing() else ''}{edge.failing()}"
    return f"<g>{markup.element('title', markup.text(title))}{line}{tip}{label}</g>"


def _node(node: Node, place: _Place) -> str:
    colour = ERROR_COLOUR if node.bad else TIME_COLOUR
    dash = ' stroke-dasharray="3 2"' if node.outside else ""
    round_by = _HIGH / 2 if node.outside else 5
    shape = f'x="{place.x:g}" y="{place.y:g}" width="{_WIDE}" height="{_HIGH}" rx="{round_by:g}"'
    box = (
        f'<rect {shape} class="obs-ground" fill="none"/><rect {shape} '
        f'fill="{colour}" fill-opacity="{0.06 if node.outside else 0.14}" stroke="{colour}" '
        f'stroke-width="{2 if node.bad else 1}"{dash}/>'
    )
    middle = place.x + _WIDE / 2
    name = _text(middle, place.y + 20, words.text(node.name, _NAME), 'font-weight="600" text-anchor="middle"')
    said = _text(middle, place.y + 35, node.said, 'font-size="10" fill-opacity=".75" text-anchor="middle"')
    title = f"{words.text(node.name)}: {node.said}"
    return f"<g>{markup.element('title', markup.text(title))}{box}{name}{said}</g>"


def _text(x: float, y: float, said: str, style: str) -> str:
    colour = "" if 'fill="' in style else ' fill="currentColor"'
    return f'<text x="{x:g}" y="{y:g}"{colour} {style}>{markup.text(cut(said, 30))}</text>'
