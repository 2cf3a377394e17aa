"""Bodies of range queries as a Prometheus gives them, made up deterministically."""

from __future__ import annotations

import numpy as np

START, STEP = 1_795_341_600, 15
_SERVICES = ("api-gateway", "cart-service", "checkout-api", "payment-api", "search-service")
_CODES = ("200", "201", "404", "500", "503")
_METHODS = ("GET", "POST", "PUT", "DELETE")
_PODS = 10  # of each service: 5 · 5 · 4 · 10 = 1,000 series


def range_body(series: int = 1_000, points: int = 1_430, seed: int = 7) -> bytes:
    """The body of one answer: `series` series of `points` points each, values with all their digits.

    With the defaults it has 1.43 million points and is about 50 MB long.
    """
    random = np.random.default_rng(seed)
    stamps = [f"[{START + STEP * at}," for at in range(points)]
    found = []
    for number in range(series):
        walk = random.normal(0, 1e-3, points).cumsum() + random.uniform(0.1, 5)
        pairs = ",".join(f'{stamp}"{value!r}"]' for stamp, value in zip(stamps, np.abs(walk).tolist(), strict=True))
        found.append(f'{{"metric":{_labels(number)},"values":[{pairs}]}}')
    result = ",".join(found)
    return f'{{"status":"success","data":{{"resultType":"matrix","result":[{result}]}}}}'.encode()


def _labels(number: int) -> str:
    rest, code = divmod(number, len(_CODES))
    rest, method = divmod(rest, len(_METHODS))
    pod, service = divmod(rest, len(_SERVICES))
    name = _SERVICES[service]
    place = service * _PODS + pod
    return (
        f'{{"__name__":"http_requests_rate","code":"{_CODES[code]}","instance":"10.42.{place // 10}.{place + 40}:8080",'
        f'"job":"shop/{name}","method":"{_METHODS[method]}","namespace":"shop","pod":"{name}-75ec87a17-{place:05x}",'
        f'"service":"{name}"}}'
    )
