"""The address that opens a query or a trace in Grafana's Explore, where the settings name a Grafana."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from obs_magics.model.time import MILLISECOND

if TYPE_CHECKING:
    from obs_magics.model.time import TimeRange


def explore_link(grafana: str | None, datasource: str, query: str, span: TimeRange) -> str:
    """Grafana 9.5 and later read `panes`: https://grafana.com/docs/grafana/latest/explore/get-started-with-explore/.

    Args:
        grafana: Its address; None for none.
        datasource: The data source's uid or name.
        query: TraceQL, or the id of a trace, which is taken there as well.
        span: The range.
    """
    if not grafana:
        return ""
    pane = {
        "datasource": datasource,
        "queries": [{"refId": "A", "query": query, "queryType": "traceql"}],
        "range": {"from": str(span.start_ns // MILLISECOND), "to": str(-(-span.end_ns // MILLISECOND))},
    }
    panes = json.dumps({"obs": pane}, separators=(",", ":"))
    return f"{grafana.rstrip('/')}/explore?{urlencode({'schemaVersion': '1', 'panes': panes})}"
