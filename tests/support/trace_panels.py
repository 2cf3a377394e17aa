"""Traces as the display gets them: a slow checkout, a very long one, and one that nobody wrote in good faith."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pandas as pd

from obs_magics.analysis.spans import critical_path
from obs_magics.display.panel import Section
from obs_magics.display.traces.waterfall import waterfall
from support.span_worlds import frame, span

QUERY = "SELECT * FROM inventory WHERE sku IN ($1, $2)"


def shown(trace: pd.DataFrame, **options: Any) -> Section:
    """The waterfall with its critical path."""
    return waterfall(trace, critical=critical_path(trace), **options)


def checkout() -> pd.DataFrame:
    """A checkout of 7.2 s that waits 5.8 s for the inventory."""
    return frame(
        span("1", None, 0, 7200, service="checkout-api", kind="server", operation="POST /api/checkout"),
        span("2", "1", 1200, 7000, service="inventory", kind="server", operation="POST /reserve"),
        span("3", "2", 2600, 6700, service="inventory", kind="client", operation="SELECT", attributes={"query": QUERY}),
        span("4", "1", 7000, 7200, service="payment", operation="charge", status="error", message="card declined"),
        span("5", "4", 7010, 7190, service="payment", operation="POST", status="error", message="card declined"),
        span("6", "1", 300, 900, service="mail", kind="producer", operation="send"),
    )


def long_trace() -> pd.DataFrame:
    """About three thousand spans: loops in loops, a deep chain, a few failures."""
    spans = [
        span("root", None, 0, 7200, service="checkout-api", operation="POST /api/checkout"),
        span("ca", "root", 20, 300, service="cart", operation="GET /cart"),
        *(span(f"a{n:x}", "ca", 30 + n, 30.5 + n, service="cart", operation="redis GET") for n in range(214)),
        span("b0", "root", 320, 6200, service="inventory", operation="POST /reserve"),
    ]
    stock: dict[str, Any] = {"service": "inventory"}
    for number in range(900):
        begin, item = 330 + 6.4 * number, f"c{number:04x}"
        bad: dict[str, Any] = (
            {"status": "error", "message": f"deadlock in process {number}"} if number in {300, 301, 505} else {}
        )
        spans += [
            span(item, "b0", begin, begin + 6, operation="reserve item", **stock),
            span(f"d{number:04x}", item, begin + 0.5, begin + 5, operation="SELECT", **stock, **bad),
            span(f"e{number:04x}", item, begin + 5, begin + 5.8, operation="redis SET", **stock),
        ]
    spans.append(span("f0", "root", 6250, 7150, service="payment", status="error", message="card declined"))
    chain = ("f0", *(f"f{n:x}" for n in range(1, 41)))
    spans += [
        span(below, above, 6260 + n, 7140 - n, service="payment", operation=f"middleware {n % 7}")
        for n, (above, below) in enumerate(pairwise(chain))
    ]
    return frame(*spans)


def hostile_trace(text: str) -> pd.DataFrame:
    """Every text of a trace is this one; enough spans of it that some are folded."""
    stored = text.encode("utf-8", "replace").decode()  # Arrow takes no lone surrogates
    attributes = {f"{number}{stored[:300]}": stored[:5000] for number in range(50)}
    event = {"timestamp": None, "name": stored, "attributes": [(stored, stored)]}
    first = span(
        "1", None, 0, 100, service=stored, operation=stored, status="error", message=stored,
        attributes=attributes, events=[event] * 10,
    )  # fmt: skip
    others = [
        span(f"{n:x}", "1", n, n + 5, service=stored, operation=f"{n}{stored[:2000]}", status="error", message=stored)
        for n in range(2, 80)
    ]
    return frame(first, *others)
