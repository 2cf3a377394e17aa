"""What was done and what rang: deploys, configuration, flags, restarts, alerts of the week, as an events table."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from obs_magics.demo.world.clock import Axis, at
from obs_magics.demo.world.topology import DEPLOYS, OUT_OF_MEMORY, SERVICE

_CHAT = "https://chat.example.com/archives/shop-incidents"


@dataclass(frozen=True, slots=True)
class Happening:
    """A row of the events table; times as `clock.at` reads them, an empty `end` for what is a moment."""

    time: str
    kind: str
    service: str
    title: str
    end: str = ""
    version: str = ""
    severity: str = ""
    source: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert: from when it was pending, from when it fired, and when it ended (empty: it still fires)."""

    name: str
    service: str
    severity: str
    pending: str
    firing: str
    end: str
    summary: str


ALERTS: tuple[Alert, ...] = (
    Alert(
        "DiskFillsUp", "node-3", "warning", "11-20 06:00", "11-20 06:30", "",
        "Disk of node-3 is more than 80 % full",
    ),
    Alert(
        "ContainerRestarted", "search-service", "warning", "11:37:30", "11:38:00", "11:53:00",
        "A container of search-service was killed for memory",
    ),
    Alert(
        "CheckoutSlow", "checkout-api", "critical", "12:42:00", "12:47:00", "13:04:00",
        "Half of the checkouts take over 5 s",
    ),
    Alert(
        "NotificationQueueGrows", "notification-service", "warning", "14:07:00", "14:12:00", "14:24:00",
        "More than 100 messages wait in the queue",
    ),
    Alert(
        "PaymentLatencyHigh", "payment-api", "critical", "14:16:00", "14:21:00", "14:52:00",
        "p99 of payment-api is above 1 s",
    ),
    Alert(
        "RedisPoolSaturated", "payment-api", "warning", "14:16:30", "14:21:30", "14:50:00",
        "All redis connections of payment-api are in use",
    ),
    Alert(
        "PaymentErrorsHigh", "payment-api", "critical", "14:24:00", "14:26:00", "14:48:00",
        "More than 2 % of payments fail",
    ),
    Alert(
        "CheckoutErrorsHigh", "checkout-api", "critical", "14:24:30", "14:26:30", "14:48:30",
        "More than 2 % of checkouts fail",
    ),
)  # fmt: skip

_HAPPENINGS: tuple[Happening, ...] = (
    Happening("11-20 16:00", "annotation", "", "Weekend: checkout-api is frozen", "11-22 23:59", source="calendar"),
    Happening("10:30", "scale", "recommendation-service", "Memory request 384Mi → 448Mi", source="kubernetes"),
    Happening(
        "12:38", "config_change", "inventory-service", "Migration 0042 drops index inventory_sku_idx", source="flyway",
        attributes={"key": "migration", "old": "0041", "new": "0042", "table": "inventory", "by": "inventory-team"},
    ),
    Happening(
        "12:59:45", "config_change", "inventory-service", "Index inventory_sku_idx created again", source="flyway",
        attributes={"key": "migration", "old": "0042", "new": "0043", "table": "inventory", "by": "on-call"},
    ),
    Happening("13:30", "config_change", "api-gateway", "Certificate of shop.example renewed", source="cert-manager"),
    Happening(
        "14:08", "feature_flag", "cart-service", "Flag new-cart-banner: 10 % → 50 %", source="flags",
        attributes={"key": "new-cart-banner", "old": "10", "new": "50"},
    ),
    Happening("14:10", "annotation", "postgres", "Autovacuum of orders", "14:16:30", source="postgres"),
    Happening(
        "14:13", "config_change", "payment-api", "redis pool: max connections 100 → 20", source="config-service",
        attributes={"key": "redis.pool.max_connections", "old": "100", "new": "20", "by": "platform-team"},
    ),
    Happening(
        "14:14", "annotation", "", "Campaign \"Early Black Friday\" starts (newsletter, 180,000 readers)", "15:20",
        source="marketing", attributes={"expected_traffic": "+40 %"},
    ),
    Happening(
        "14:27", "incident", "payment-api", "Payments slow and failing", "14:55", severity="critical", source="pager",
    ),
    Happening("14:31", "annotation", "payment-api", "Suspect: deploy of v2.4.1, preparing rollback", source="chat"),
    Happening("14:41", "annotation", "payment-api", "Rolled back, no better. Redis itself looks fine.", source="chat"),
    Happening(
        "14:47", "config_change", "payment-api", "redis pool: max connections 20 → 100", source="config-service",
        attributes={"key": "redis.pool.max_connections", "old": "20", "new": "100", "by": "on-call"},
    ),
    Happening("14:52", "annotation", "payment-api", "p99 back to 0.4 s, errors gone", source="chat"),
)  # fmt: skip


def happenings(axis: Axis) -> list[Happening]:
    """All that happened between the beginning of the axis and its end, in order of time."""
    everything = [*_HAPPENINGS, *_deploys(), *_kills(), *_alerts()]
    inside = [one for one in everything if axis.times_ms[0] <= at(one.time) <= axis.end_ms]
    return sorted(inside, key=lambda one: (at(one.time), one.kind, one.title))


def _deploys() -> list[Happening]:
    before = {name: service.version for name, service in SERVICE.items()}
    rows = []
    for deploy in sorted(DEPLOYS, key=lambda deploy: at(deploy.time)):
        rows.append(
            Happening(
                deploy.time,
                "deployment",
                deploy.service,
                f"{deploy.service}@{deploy.version}: {deploy.title}",
                version=deploy.version,
                source="argo-cd",
                attributes={"old": before[deploy.service], "new": deploy.version, "by": deploy.by},
            )
        )
        before[deploy.service] = deploy.version
    return rows


def _kills() -> list[Happening]:
    return [
        Happening(time, "restart", service, f"{service}: container killed (OOMKilled)", source="kubernetes")
        for service, _, times in OUT_OF_MEMORY
        for time in times
    ]


def _alerts() -> list[Happening]:
    return [
        Happening(
            alert.firing,
            "alert",
            alert.service,
            alert.summary,
            end=alert.end,
            severity=alert.severity,
            source="alertmanager",
            attributes={"alertname": alert.name, "pending_since": alert.pending},
        )
        for alert in ALERTS
    ]


def events_table(axis: Axis) -> pa.Table:
    """The events frame of `model`, as Arrow: timestamps in nanoseconds UTC, attributes as a map."""
    rows = happenings(axis)
    instant = pa.timestamp("ns", tz="UTC")
    return pa.table(
        {
            "timestamp": pa.array([at(row.time) * 1_000_000 for row in rows], instant),
            "end": pa.array([at(row.end) * 1_000_000 if row.end else None for row in rows], instant),
            "kind": pa.array([row.kind for row in rows]),
            "service": pa.array([row.service or None for row in rows], pa.string()),
            "title": pa.array([row.title for row in rows]),
            "version": pa.array([row.version or None for row in rows], pa.string()),
            "severity": pa.array([row.severity or None for row in rows], pa.string()),
            "url": pa.array([_CHAT if row.source == "chat" else None for row in rows], pa.string()),
            "source": pa.array([row.source for row in rows]),
            "attributes": pa.array([list(row.attributes.items()) for row in rows], pa.map_(pa.string(), pa.string())),
        }
    )
