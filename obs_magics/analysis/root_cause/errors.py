"""Where failing requests begin to fail: the service whose span fails without a failing call below it."""

from __future__ import annotations

import math

import numpy as np

from obs_magics.analysis.root_cause.calls import Requests
from obs_magics.analysis.root_cause.findings import Finding
from obs_magics.analysis.root_cause.statistics import INCIDENT, REFERENCE, g_statistic
from obs_magics.analysis.spans.errors import origin_rows


def error_findings(requests: Requests) -> list[Finding]:
    """Services at which a larger share of requests begins to fail than before."""
    rows = origin_rows(requests.frame, requests.tree)
    if not len(rows):
        return []
    period = requests.period[requests.tree.trace[rows]]
    total = {side: int(np.count_nonzero(requests.period == side)) for side in (INCIDENT, REFERENCE)}
    names = [str(name) for name in requests.frame["service"].cat.categories]
    found = []
    for code in np.unique(requests.service[rows]).tolist():
        if code < 0:
            continue
        own = requests.service[rows] == code
        hits, before = (int(np.count_nonzero(own & (period == side))) for side in (INCIDENT, REFERENCE))
        shares = hits / max(total[INCIDENT], 1), before / max(total[REFERENCE], 1)
        if shares[0] <= shares[1]:
            continue
        g = g_statistic(*(np.array(float(n)) for n in (hits, total[INCIDENT], before, total[REFERENCE])))
        operation = requests.names[requests.operation[rows[own][0]]][1]
        found.append(
            Finding(
                service=names[code],
                signal="errors",
                kind="fails",
                subject=operation,
                surprise=math.log1p(float(g) * (shares[0] - shares[1]) ** 2),
                before=shares[1],
                during=shares[0],
                counts=(total[REFERENCE], total[INCIDENT]),
                details={"example": str(requests.frame["status_message"].iloc[int(rows[own][0])] or "")},
            )
        )
    return found
