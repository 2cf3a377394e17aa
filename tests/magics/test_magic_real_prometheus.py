"""The magics against a real Prometheus: names completed, frames drawn, errors marked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from IPython.core.completer import provisionalcompleter
from support import servers

from obs_magics.model.errors import QueryError

if TYPE_CHECKING:
    from conftest import Shell


def openmetrics(now: int) -> str:
    """Two services over half an hour and the next one, a point a minute: however long the server takes to start."""
    lines = ["# HELP requests Requests.", "# TYPE requests counter"]
    for service, pace in (("cart", 60), ('pay "x"', 120)):
        escaped = service.replace('"', '\\"')
        lines += [
            f'requests_total{{service="{escaped}"}} {pace * minute} {now - (30 - minute) * 60}' for minute in range(61)
        ]
    return "\n".join([*lines, "# EOF", ""])


@pytest.mark.real
def test_from_a_cell_to_a_chart(bare_shell: Shell, prometheus_binary: str) -> None:
    with servers.prometheus(openmetrics(int(time.time()))) as address:
        assert bare_shell.run(f"%obs connect prom {address}").error is None
        bare_shell.variables["service"] = 'pay "x"'
        query = 'rate(requests_total{service="${service}"}[5m])'
        cell = bare_shell.run(f"%%obs_metrics r << --last 10m --step 1m\n{query}")
        assert cell.error is None
        assert bare_shell.variables["r"]["value"].iloc[-1] == pytest.approx(2)
        assert "r: 1 series" in cell.outputs[-1].data["text/plain"]
        before = next(line for line in cell.outputs[-1].data["text/plain"].splitlines() if "r_before" in line)
        assert bare_shell.run(f"{before.strip()}\n{query}").error is None

        refused = bare_shell.run("%obs_metrics sum(rate(requests_total[5m])")
        assert isinstance(refused.error, QueryError)
        assert "^" in refused.stdout
        cell = '%%obs_metrics\nrate(requests_total{service="pay'
        with provisionalcompleter():
            found = [one.text for one in bare_shell.ip.Completer.completions(cell, len(cell))]
        assert found == ['pay \\"x\\"']
        bare_shell.session.close()
