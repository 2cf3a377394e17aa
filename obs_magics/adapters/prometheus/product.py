"""Which server of the family answers, in which version, and what follows from that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec

from obs_magics.adapters.prometheus.split import Window
from obs_magics.model.errors import BadAnswer, QueryError, SourceError
from obs_magics.net.client import HttpClient
from obs_magics.net.reply import Reply

BUILD_INFO = "/api/v1/status/buildinfo"
_VICTORIA_HEADER = "x-server-hostname"  # every answer of VictoriaMetrics has it, of the others none
_VICTORIA_VERSION = re.compile(rb'^vm_app_version\{[^}]*short_version="v?([^"]*)"', re.MULTILINE)


class _Answer(msgspec.Struct):
    status: str = ""
    data: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """A server's name and version; both empty when it does not tell."""

    name: str = ""
    version: str = ""

    @property
    def title(self) -> str:
        """For people: `Prometheus 2.42.0`."""
        return f"{self.name or 'Prometheus API'} {self.version}".strip()

    @property
    def is_victoria(self) -> bool:
        """VictoriaMetrics differs in a few habits."""
        return self.name == "VictoriaMetrics"

    @property
    def exact_grid(self) -> list[tuple[str, str]]:
        """Parameters without which the server moves start and end to multiples of the step, for its cache's sake."""
        return [("nocache", "1")] if self.is_victoria else []

    @property
    def whole_history(self) -> list[tuple[str, str]]:
        """Parameters without which the server lists only the names of the last day."""
        return [("start", "0")] if self.is_victoria else []

    def link(self, address: str, query: str, window: Window | None, end: str) -> str:
        """The address that opens a query in the server's own page; empty where there is none.

        Args:
            address: The source's.
            query: PromQL.
            window: The range; None for an instant query.
            end: Its last moment, as `2026-11-22 14:25:00` in UTC.
        """
        if self.is_victoria or self.name == "Grafana Mimir":
            return ""
        page = "query" if self.name == "Prometheus" and not self.version.startswith(("1.", "2.")) else "graph"
        parameters = {"g0.expr": query, "g0.tab": "1" if window is None else "0"}
        if window is not None:
            seconds = max(1, (window.end_ms - window.start_ms) // 1000)
            parameters |= {"g0.range_input": f"{seconds}s", "g0.end_input": end}
        parameters["g0.moment_input"] = end
        return f"{address}/{page}?{urlencode(parameters)}"


async def find_product(client: HttpClient) -> Product:
    """Ask the server what it is.

    Raises:
        BadAnswer: This is no server of the family.
        SourceError: It could not be asked.
    """
    reply = await client.request("GET", BUILD_INFO, accept=(404,))
    victoria = _VICTORIA_HEADER in reply.headers
    if reply.status == 404 and not victoria:
        return await _without_build_info(client)
    data = _data_of(reply)
    if victoria:
        return Product("VictoriaMetrics", await _victoria_version(client))
    version = str(data.get("version", "")).partition("+")[0]
    if not version:
        raise BadAnswer("the server does not say what it is", where=client.where)
    # Thanos answers like Prometheus and has never left 0.x; Prometheus left it in 2016, before it had this endpoint.
    name = str(data.get("application") or ("Thanos" if version.startswith("0.") else "Prometheus"))
    return Product(name, version)


def _data_of(reply: Reply) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(reply.body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise reply.not_json(str(error)) from None
    if answer.status != "success" or answer.data is None:
        raise BadAnswer("the answer is not one of the Prometheus API", where=reply.where)
    return answer.data


async def _without_build_info(client: HttpClient) -> Product:
    """Servers and proxies without build information: does the query API answer?"""
    reply = await client.request("POST", "/api/v1/query", form=[("query", "1")], repeatable=True)
    _data_of(reply)
    return Product()


async def _victoria_version(client: HttpClient) -> str:
    """VictoriaMetrics tells its version in its own metrics; behind a cluster's prefix they are not to be had."""
    try:
        reply = await client.request("GET", "/metrics", timeout=5.0)
    except (SourceError, QueryError):
        return ""
    found = _VICTORIA_VERSION.search(reply.body)
    return found[1].decode(errors="replace") if found else ""
