"""Who answers at an address, and where its own UI shows a trace or a search."""

from __future__ import annotations

from urllib.parse import urlencode

from obs_magics.adapters.jaeger.search import Search

_VICTORIA = "/select/jaeger"


def product_name(address: str) -> str:
    """Who answers, by the address: the API itself does not tell."""
    return "VictoriaTraces" if address.rstrip("/").endswith(_VICTORIA) else "Jaeger"


def trace_link(address: str, trace_id: str) -> str:
    """One trace; empty where there is no UI."""
    return f"{address.rstrip('/')}/trace/{trace_id}" if product_name(address) == "Jaeger" else ""


def search_link(address: str, search: Search) -> str:
    """A search; the UI takes what the legacy API takes."""
    if product_name(address) != "Jaeger":
        return ""
    return f"{address.rstrip('/')}/search?{urlencode(search.legacy_params())}"
