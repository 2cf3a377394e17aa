"""The map of services: who calls whom, how often, how it fails, how long it takes."""

from __future__ import annotations

from functools import partial

import pandas as pd

from obs_magics.display import markup
from obs_magics.display.panel import Section
from obs_magics.display.traces import grid, words
from obs_magics.display.traces.grid import Column, numbers
from obs_magics.display.traces.map_edges import Edge, ServiceGraph, graph_of
from obs_magics.display.traces.map_svg import map_svg
from obs_magics.display.traces.style import STYLE
from obs_magics.display.units import count_text

_TABLE_ROWS = 40


def service_map(edges: pd.DataFrame, nodes: pd.DataFrame, *, title: str = "Who calls whom") -> Section:
    """Draw the call graph: services in layers, callers to the left, and a table of the calls.

    Args:
        edges: As the analysis of spans makes it: `caller`, `callee`, `kind`, `calls`, `rate`, `errors`, `error_share`,
            `p95`, and perhaps `network`. The 80 with most calls are drawn.
        nodes: The services: `service`, `calls`, `rate`, `errors`, `error_share`, `p95`. What is called and has no spans
            of its own (databases, queues, addresses) need not be there.
        title: What stands above it.
    """
    graph = graph_of(edges, nodes)
    head = words.text(title, words.TITLE)
    return Section(partial(_html, graph, head), partial(_text, graph, head), STYLE)


def _about(graph: ServiceGraph) -> str:
    if not graph.nodes:
        return "there are no spans"
    services = sum(not node.outside for node in graph.nodes)
    others = len(graph.nodes) - services
    more = f" and {count_text(others, 'thing')} that they call" if others else ""
    left = f"; {count_text(graph.left_out, 'rarer call')} left out" if graph.left_out else ""
    return f"{count_text(services, 'service')}{more}{left}"


def _html(graph: ServiceGraph, head: str) -> str:
    over = f"{markup.text(head)} {words.quiet(markup.text(_about(graph)))}"
    shown = graph.edges[:_TABLE_ROWS]
    more = len(graph.edges) - len(shown)
    under = markup.element("p", f"and {count_text(more, 'more call')}", "obs-quiet") if more else ""
    drawn = markup.element("div", map_svg(graph), "obs-map") if graph.nodes else ""
    table = grid.table_html(_columns(shown)) if shown else ""
    calls = f"<details><summary>{count_text(len(graph.edges), 'call')} as a table</summary>{table}{under}</details>"
    return markup.element(
        "div", markup.element("div", over, "obs-over") + drawn + (calls if shown else ""), "obs-traces"
    )


def _columns(edges: tuple[Edge, ...]) -> list[Column]:
    pairs = [(edge.caller, edge.callee) for edge in edges]
    kinds = [words.text(edge.kind, 20) for edge in edges]
    errors = [edge.failing() or words.NOTHING for edge in edges]
    marked = [f'<span class="obs-error">{markup.text(one)}</span>' if one != words.NOTHING else one for one in errors]
    return [
        *(
            Column(
                name,
                [words.bounded(pair[place]) for pair in pairs],
                [words.text(pair[place]) for pair in pairs],
                "name",
            )
            for place, name in enumerate(("caller", "callee"))
        ),
        Column("kind", [markup.text(kind) for kind in kinds], kinds),
        numbers("rate", [edge.rate_text() for edge in edges]),
        Column("errors", marked, errors, "number"),
        numbers("p95", [words.duration(edge.p95) for edge in edges]),
        numbers("network", [words.duration(edge.network) for edge in edges]),
    ]


def _text(graph: ServiceGraph, head: str, width: int) -> str:
    """Every caller followed by its calls, a line each, indented."""
    about = grid.section_text(head, _about(graph), (), (), width)
    lines: list[str] = []
    names: list[str] = []
    shown: list[Edge | None] = []
    for node in (node for layer in graph.layers for node in layer):
        calls = [edge for edge in graph.edges if edge.caller == node]
        if calls or not any(edge.callee == node for edge in graph.edges):
            names.append(words.text(node))
            shown.append(None)
        names += [f"  → {words.text(edge.callee)}{_kind(edge)}" for edge in calls]
        shown += calls
    figures = [
        numbers("rate", [edge.rate_text() if edge else "" for edge in shown]),
        numbers("errors", [(edge.failing() or words.NOTHING) if edge else "" for edge in shown]),
        numbers("p95", [words.duration(edge.p95) if edge else "" for edge in shown]),
    ]
    if names:
        lines = grid.table_text([Column("calls", names, names, "name"), *figures], width)
    return "\n".join([about, *lines])


def _kind(edge: Edge) -> str:
    return "" if edge.kind == "service" else f" ({words.text(edge.kind, 20)})"
