"""Grafana's time variables (`$__interval`, `$__rate_interval`, `$__range`) in a query.

They keep the meaning that Grafana's documentation gives them
(https://grafana.com/docs/grafana/latest/dashboards/variables/add-template-variables/#global-variables and, for
`$__rate_interval`, https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/).
"""

from __future__ import annotations

import re

from obs_magics.model.time import SECOND, format_duration

_MILLISECOND = SECOND // 1000
_VARIABLE = re.compile(r"\$(?:__(?P<bare>[a-z_]+)\b|\{__(?P<braced>[a-z_]+)\})")


def rate_interval_ns(step_ns: int, scrape_ns: int) -> int:
    """How far back a rate looks that uses `$__rate_interval`, in nanoseconds."""
    return max(step_ns + scrape_ns, 4 * scrape_ns)


def expand_time_variables(text: str, *, step_ns: int, range_ns: int, scrape_ns: int) -> str:
    """Replace Grafana's time variables; anything else that starts with a dollar stays as it is.

    Args:
        text: The query.
        step_ns: Distance between points: `$__interval`, `$__interval_ms`.
        range_ns: Length of the time range: `$__range`, `$__range_s`, `$__range_ms`.
        scrape_ns: How often the source is scraped. `$__rate_interval` is max(step + scrape, 4 x scrape).

    >>> expand_time_variables("rate(x[$__rate_interval])", step_ns=5 * SECOND, range_ns=0, scrape_ns=15 * SECOND)
    'rate(x[1m])'
    """
    values = {
        "interval": format_duration(step_ns),
        "interval_ms": str(step_ns // _MILLISECOND),
        "rate_interval": format_duration(rate_interval_ns(step_ns, scrape_ns)),
        "range": format_duration(range_ns),
        "range_s": str(range_ns // SECOND),
        "range_ms": str(range_ns // _MILLISECOND),
    }

    def replace(match: re.Match[str]) -> str:
        name = match["bare"] or match["braced"]
        return values.get(name, match[0])

    return _VARIABLE.sub(replace, text)
