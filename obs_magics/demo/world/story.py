"""The story of the day in curves: what traffic, latency, errors and saturation do, and when.

============  ==========================================================================================================
12:38         a migration drops the index on `inventory.sku` (inventory-service)
12:40–13:00   checkout takes over 5 s: `SELECT * FROM inventory WHERE sku IN (…)` scans 2 million rows
14:12         deploy payment-api v2.4.1 (innocent)
14:13         redis pool of payment-api 100 → 20 (the cause)
14:14–15:20   a campaign brings 40 % more traffic (contributes: with 100 connections it does no harm)
14:15         p99 of payment-api 0.4 → 2.3 s: requests wait for a connection
14:23–14:28   waiting requests run out of time: "Connection pool exhausted", then errors in user- and order-service
14:38         rollback of v2.4.1: nothing gets better
14:47         redis pool 20 → 100; p99 is normal again at 14:50, while the campaign goes on
============  ==========================================================================================================

Red herrings: a deploy of recommendation-service at 13:58, a feature flag of cart-service at 14:08, e-mail provider
limits at 14:05–14:20, search-service killed for memory at 11:37, an hourly job on node-2, a full disk on node-3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from obs_magics.demo.world.clock import HOUR_MS, at, curve
from obs_magics.demo.world.topology import Route, Service

Array = np.ndarray[Any, Any]
Points = tuple[tuple[str, float], ...]

CAMPAIGN: Points = (("14:14:00", 1.0), ("14:14:30", 1.4), ("15:20:00", 1.4), ("15:35:00", 1.0))
RETRIES: Points = (("14:16:00", 1.0), ("14:18:00", 1.04), ("14:23:00", 1.08), ("14:46:00", 1.05), ("14:49:00", 1.0))

POOL_SMALL = ("14:13:00", "14:47:00")
POOL_SIZES = (100, 20)
STARVED: Points = (
    ("14:14:45", 0.0), ("14:15:15", 0.6), ("14:22:30", 0.7), ("14:23:00", 1.0), ("14:28:00", 1.0), ("14:28:30", 0.7),
    ("14:47:00", 0.7), ("14:49:00", 0.0),
)  # fmt: skip

# Latency off its usual: (service, route) → (median, p99) in seconds over time. Outside the curve: as usual.
_SLOW: dict[tuple[str, str], tuple[Points, Points]] = {
    ("payment-api", "*"): (
        (("14:14:45", 0.0), ("14:15:10", 0.34), ("14:47:00", 0.34), ("14:49:30", 0.0)),
        (("14:14:45", 0.40), ("14:15:10", 2.30), ("14:47:00", 2.30), ("14:50:00", 0.40)),
    ),
    ("checkout-api", "/api/checkout"): (
        (
            ("12:39:30", 0.0), ("12:40:30", 6.1), ("12:59:30", 6.1), ("13:00:15", 0.0),
            ("14:14:45", 0.0), ("14:15:15", 0.62), ("14:47:00", 0.62), ("14:49:30", 0.0),
        ),
        (
            ("12:39:30", 0.82), ("12:40:30", 9.3), ("12:59:30", 9.3), ("13:00:15", 0.82),
            ("14:14:45", 0.82), ("14:15:15", 2.9), ("14:47:00", 2.9), ("14:50:00", 0.82),
        ),
    ),
    ("api-gateway", "/api/checkout"): (
        (
            ("12:39:30", 0.0), ("12:40:30", 6.2), ("12:59:30", 6.2), ("13:00:15", 0.0),
            ("14:14:45", 0.0), ("14:15:15", 0.66), ("14:47:00", 0.66), ("14:49:30", 0.0),
        ),
        (
            ("12:39:30", 0.88), ("12:40:30", 9.5), ("12:59:30", 9.5), ("13:00:15", 0.88),
            ("14:14:45", 0.88), ("14:15:15", 3.0), ("14:47:00", 3.0), ("14:50:00", 0.88),
        ),
    ),
    ("inventory-service", "/api/inventory/reserve"): (
        (("12:39:30", 0.0), ("12:40:30", 5.6), ("12:59:30", 5.6), ("13:00:15", 0.0)),
        (("12:39:30", 0.23), ("12:40:30", 8.7), ("12:59:30", 8.7), ("13:00:15", 0.23)),
    ),
    ("user-service", "/api/users/me/wallet"): (
        (("14:15:00", 0.0), ("14:16:00", 0.41), ("14:47:00", 0.41), ("14:50:00", 0.0)),
        (("14:15:00", 0.46), ("14:16:00", 2.5), ("14:47:00", 2.5), ("14:50:00", 0.46)),
    ),
    ("order-service", "/api/orders"): (
        (("14:22:00", 0.0), ("14:24:00", 0.12), ("14:47:00", 0.12), ("14:50:00", 0.0)),
        (("14:22:00", 0.31), ("14:24:00", 0.74), ("14:47:00", 0.74), ("14:50:00", 0.31)),
    ),
    ("notification-service", "*"): (
        (("14:05:00", 0.0), ("14:06:00", 0.14), ("14:19:00", 0.14), ("14:20:00", 0.0)),
        (("14:05:00", 0.47), ("14:06:00", 0.93), ("14:19:00", 0.93), ("14:20:00", 0.47)),
    ),
}  # fmt: skip

# Share of requests that end in 5xx over time; everywhere else `_USUAL_ERRORS`.
_USUAL_ERRORS = 0.0008
_ERRORS: dict[tuple[str, str], Points] = {
    ("payment-api", "/api/payments"): (
        ("14:15:00", 0.0008), ("14:16:00", 0.006), ("14:22:45", 0.009), ("14:23:00", 0.12), ("14:28:00", 0.12),
        ("14:28:15", 0.035), ("14:47:00", 0.030), ("14:49:30", 0.0008),
    ),
    ("checkout-api", "/api/checkout"): (
        ("14:16:00", 0.0008), ("14:17:00", 0.005), ("14:22:50", 0.007), ("14:23:10", 0.105), ("14:28:05", 0.105),
        ("14:28:20", 0.030), ("14:47:00", 0.026), ("14:49:30", 0.0008),
    ),
    ("api-gateway", "/api/checkout"): (
        ("14:16:00", 0.0008), ("14:17:00", 0.005), ("14:22:50", 0.007), ("14:23:15", 0.105), ("14:28:10", 0.105),
        ("14:28:25", 0.030), ("14:47:00", 0.026), ("14:49:30", 0.0008),
    ),
    ("user-service", "/api/users/me/wallet"): (
        ("14:24:20", 0.0008), ("14:24:50", 0.075), ("14:28:30", 0.075), ("14:29:30", 0.018), ("14:47:00", 0.015),
        ("14:49:30", 0.0008),
    ),
    ("order-service", "/api/orders"): (
        ("14:25:40", 0.0008), ("14:26:10", 0.016), ("14:28:20", 0.016), ("14:29:00", 0.003), ("14:47:00", 0.003),
        ("14:49:30", 0.0008),
    ),
    ("notification-service", "/internal/notifications"): (
        ("14:05:00", 0.0008), ("14:05:30", 0.02), ("14:19:30", 0.02), ("14:20:00", 0.0008),
    ),
}  # fmt: skip
_ERRORS["payment-api", "/api/refunds"] = _ERRORS["payment-api", "/api/payments"]

INDEX_MISSING: Points = (("12:38:30", 0.0), ("12:40:00", 1.0), ("12:59:45", 1.0), ("13:00:00", 0.0))
PROVIDER_LIMITS: Points = (("14:05:00", 0.0), ("14:05:30", 1.0), ("14:19:30", 1.0), ("14:20:00", 0.0))
VACUUM: Points = (("14:10:00", 0.0), ("14:10:30", 1.0), ("14:16:00", 1.0), ("14:16:30", 0.0))


def traffic(service: Service, times_ms: Array) -> Array:
    """What the campaign and retries make of the usual traffic of a service, as a factor."""
    factor = curve(times_ms, CAMPAIGN)
    return factor * curve(times_ms, RETRIES) if service.name == "payment-api" else factor


def latency(service: Service, route: Route, times_ms: Array) -> tuple[Array, Array]:
    """Median and 99th percentile of a route in seconds over time."""
    median, p99 = np.full(len(times_ms), route.median), np.full(len(times_ms), route.p99)
    slow = _SLOW.get((service.name, route.path)) or _SLOW.get((service.name, "*"))
    if slow is None:
        return median, p99
    return np.maximum(median, curve(times_ms, slow[0])), np.maximum(p99, curve(times_ms, slow[1]))


def errors(service: Service, route: Route, times_ms: Array) -> Array:
    """Share of the requests of a route that end in 5xx over time."""
    points = _ERRORS.get((service.name, route.path))
    return np.full(len(times_ms), _USUAL_ERRORS) if points is None else curve(times_ms, points)


def pool_size(service: str, pool: str, size: int, times_ms: Array) -> Array:
    """Connections a replica may open over time."""
    sizes = np.full(len(times_ms), float(size))
    if (service, pool) == ("payment-api", "redis"):
        small = (times_ms >= at(POOL_SMALL[0])) & (times_ms < at(POOL_SMALL[1]))
        sizes[small] = POOL_SIZES[1]
    return sizes


def hourly_job(times_ms: Array) -> Array:
    """1 while the hourly report runs on node-2 (half past, for four minutes), else 0."""
    since = (times_ms - HOUR_MS // 2) % HOUR_MS
    return ((since >= 0) & (since < 4 * 60_000)).astype(float)
