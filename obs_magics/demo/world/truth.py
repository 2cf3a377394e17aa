"""The truth about the demo world, for machines: what happened when, what caused what, and what is innocent."""

from __future__ import annotations

from typing import Any

from obs_magics.demo.world import story
from obs_magics.demo.world.clock import NOW, at, iso

TRUTH_FILE = "truth.json"


def _when(*times: str) -> dict[str, str]:
    return dict(zip(("start", "end"), (iso(at(time)) for time in times), strict=False))


def truth(hours: int) -> dict[str, Any]:
    """Everything that an investigation of the demo world should find, as JSON."""
    return {
        "now": iso(at(NOW)),
        "hours": hours,
        "incidents": [_slow_checkout(), _failing_payments()],
        "innocent": _innocent(),
    }


def _slow_checkout() -> dict[str, Any]:
    return {
        "id": "checkout-slow",
        "service": "checkout-api",
        **_when("12:40:00", "13:00:00"),
        "symptom": "requests to /api/checkout take over 5 s",
        "cause": {
            "service": "inventory-service",
            "kind": "config_change",
            "time": iso(at("12:38")),
            "title": "Migration 0042 drops index inventory_sku_idx",
            "statement": "SELECT * FROM inventory WHERE sku IN (…)",
            "rows_scanned": 2_000_000,
        },
        "path": ["api-gateway", "checkout-api", "inventory-service", "postgres"],
    }


def _failing_payments() -> dict[str, Any]:
    return {
        "id": "payments-fail",
        "service": "payment-api",
        **_when("14:15:00", "14:50:00"),
        "worst": _when("14:23:00", "14:28:00"),
        "symptom": "p99 of payment-api 0.4 → 2.3 s, then errors on /api/payments and /api/refunds",
        "p99_seconds": {"before": 0.4, "during": 2.3},
        "cause": {
            "service": "payment-api",
            "kind": "config_change",
            "time": iso(at("14:13")),
            "title": "redis pool: max connections 100 → 20",
            "key": "redis.pool.max_connections",
            "old": story.POOL_SIZES[0],
            "new": story.POOL_SIZES[1],
        },
        "contributing": [{"kind": "traffic", **_when("14:14:00", "15:20:00"), "factor": 1.4}],
        "cascade": [
            {"service": "payment-api", **_when("14:23:00"), "message": "Connection pool exhausted"},
            {"service": "user-service", **_when("14:24:20"), "message": "Connection timeout after 30s"},
            {"service": "order-service", **_when("14:25:40"), "message": "Unable to acquire connection"},
        ],
        "error_lines": {
            **_when("14:00:00", "14:30:00"),
            "payment-api": 32,
            "user-service": 12,
            "order-service": 3,
        },
        "mitigation": {"time": iso(at("14:47")), "title": "redis pool: max connections 20 → 100"},
        "recovered": iso(at("14:50")),
    }


def _innocent() -> list[dict[str, Any]]:
    return [
        {"kind": "deployment", "service": "payment-api", "version": "v2.4.1", "time": iso(at("14:12")),
         "because": "v2.4.0 is as slow after the rollback of 14:38; p99 recovers only with the pool at 14:47"},
        {"kind": "deployment", "service": "recommendation-service", "version": "v5.0.3", "time": iso(at("13:58")),
         "because": "its latency and errors do not change"},
        {"kind": "feature_flag", "service": "cart-service", "time": iso(at("14:08")),
         "because": "cart-service is not on the way of a payment and does not change"},
        {"kind": "rate_limit", "service": "notification-service", **_when("14:05:00", "14:20:00"),
         "because": "the mail provider's limit; ends while payments get worse, and nobody waits for mail"},
        {"kind": "restart", "service": "search-service", "time": iso(at("11:37:15")),
         "because": "a leak: killed for memory once a day, hours before"},
        {"kind": "cpu", "service": "node-2", "because": "the hourly report at half past; every hour of the week"},
        {"kind": "alert", "service": "node-3", "because": "its disk has been over 80 % full for days"},
        {"kind": "maintenance", "service": "postgres", **_when("14:10:00", "14:16:30"),
         "because": "autovacuum; commits and latency of the other services do not change"},
        {"kind": "config_change", "service": "api-gateway", "time": iso(at("13:30")),
         "because": "a certificate renewed; no effect"},
    ]  # fmt: skip
