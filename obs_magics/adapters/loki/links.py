"""The address that opens a query in Grafana's Explore, where the settings name a Grafana."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from obs_magics.model.time import TimeRange

_MILLISECOND = 1_000_000


def explore_link(grafana: str | None, datasource: str, query: str, span: TimeRange) -> str:
    """Grafana 9.5 and later read `panes`: https://grafana.com/docs/grafana/latest/explore/get-started-with-explore/."""
    if not grafana:
        return ""
    pane = {
        "datasource": datasource,
        "queries": [{"refId": "A", "expr": query, "queryType": "range"}],
        "range": {"from": str(span.start_ns // _MILLISECOND), "to": str(-(-span.end_ns // _MILLISECOND))},
    }
    panes = json.dumps({"obs": pane}, separators=(",", ":"))
    return f"{grafana.rstrip('/')}/explore?{urlencode({'schemaVersion': '1', 'panes': panes})}"
