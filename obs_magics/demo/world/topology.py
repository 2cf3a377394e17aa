"""Who lives in the demo world: services with their routes, the nodes they run on, and every deploy of the week."""

from __future__ import annotations

from dataclasses import dataclass

NAMESPACE = "shop"
NODES = ("node-1", "node-2", "node-3")


@dataclass(frozen=True, slots=True)
class Route:
    """A route of a service: `rps` requests a second at the busiest hour, latency in seconds when all is well."""

    method: str
    path: str
    rps: float
    median: float
    p99: float


@dataclass(frozen=True, slots=True)
class Service:
    """A service: its language, replicas, first version, routes, memory in MiB and CPU seconds a request."""

    name: str
    language: str
    replicas: int
    version: str
    memory: int
    cpu: float
    routes: tuple[Route, ...]


SERVICES: tuple[Service, ...] = (
    Service(
        "api-gateway", "go", 3, "v1.30.4", 180, 0.004,
        (
            Route("GET", "/api/search", 42, 0.070, 0.42),
            Route("GET", "/api/cart", 38, 0.035, 0.19),
            Route("POST", "/api/checkout", 14, 0.260, 0.88),
            Route("GET", "/api/users/me", 36, 0.022, 0.16),
        ),
    ),
    Service(
        "checkout-api", "python", 3, "v3.8.2", 310, 0.019,
        (Route("POST", "/api/checkout", 14, 0.230, 0.82), Route("GET", "/api/checkout/{id}", 6, 0.031, 0.17)),
    ),
    Service(
        "payment-api", "java", 3, "v2.3.9", 720, 0.012,
        (
            Route("POST", "/api/payments", 16, 0.110, 0.40),
            Route("POST", "/api/refunds", 2.4, 0.105, 0.40),
            Route("GET", "/api/payments/{id}", 9, 0.095, 0.40),
        ),
    ),
    Service(
        "inventory-service", "java", 2, "v2.8.0", 560, 0.006,
        (
            Route("POST", "/api/inventory/reserve", 14, 0.048, 0.23),
            Route("GET", "/api/inventory/{sku}", 30, 0.011, 0.085),
        ),
    ),
    Service(
        "order-service", "java", 2, "v6.2.7", 610, 0.011,
        (Route("POST", "/api/orders", 14, 0.062, 0.31), Route("GET", "/api/orders/{id}", 12, 0.018, 0.12)),
    ),
    Service(
        "user-service", "go", 2, "v3.2.1", 120, 0.003,
        (Route("GET", "/api/users/me", 36, 0.012, 0.085), Route("GET", "/api/users/me/wallet", 5, 0.130, 0.46)),
    ),
    Service(
        "cart-service", "node", 2, "v4.0.9", 210, 0.005,
        (Route("GET", "/api/cart", 38, 0.016, 0.11), Route("POST", "/api/cart/items", 12, 0.024, 0.14)),
    ),
    Service(
        "search-service", "java", 2, "v1.18.6", 690, 0.016,
        (Route("GET", "/api/search", 42, 0.052, 0.36),),
    ),
    Service(
        "recommendation-service", "python", 2, "v5.0.2", 430, 0.021,
        (Route("GET", "/api/recommendations", 34, 0.041, 0.24),),
    ),
    Service(
        "notification-service", "node", 2, "v1.7.3", 160, 0.004,
        (Route("POST", "/internal/notifications", 15, 0.085, 0.47),),
    ),
)  # fmt: skip

SERVICE = {service.name: service for service in SERVICES}


@dataclass(frozen=True, slots=True)
class Deploy:
    """A rolling deploy: from `time` on, one replica after the other."""

    time: str
    service: str
    version: str
    title: str
    by: str = "argo-cd"


DEPLOYS: tuple[Deploy, ...] = (
    Deploy("11-17 10:05", "user-service", "v3.2.2", "Cache avatars"),
    Deploy("11-17 13:00", "api-gateway", "v1.31.0", "HTTP/2 towards services"),
    Deploy("11-18 11:20", "payment-api", "v2.4.0", "Payment method tokens"),
    Deploy("11-18 16:40", "notification-service", "v1.7.4", "Bounce handling"),
    Deploy("11-19 10:10", "inventory-service", "v2.8.1", "Reserve several articles at once"),
    Deploy("11-19 14:30", "search-service", "v1.19.0", "Synonyms"),
    Deploy("11-20 09:45", "cart-service", "v4.1.0", "Cart banner behind a flag"),
    Deploy("11-20 13:20", "checkout-api", "v3.9.0", "Address check"),
    Deploy("11-20 15:15", "order-service", "v6.3.0", "Order export"),
    Deploy("13:58", "recommendation-service", "v5.0.3", "New ranking weights"),
    Deploy("14:12", "payment-api", "v2.4.1", "Currency rounding for refunds"),
    Deploy("14:38", "payment-api", "v2.4.0", "Rollback of v2.4.1", by="on-call"),
)

# The containers of search-service leak; the kernel kills one when it reaches its limit. (service, replica, times)
OUT_OF_MEMORY: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("search-service", 1, ("11-20 15:10:00", "11-21 13:20:00", "11:37:15")),
)

# Who calls whom, databases included.
CALLS: tuple[tuple[str, str], ...] = (
    ("api-gateway", "search-service"),
    ("api-gateway", "cart-service"),
    ("api-gateway", "checkout-api"),
    ("api-gateway", "user-service"),
    ("checkout-api", "inventory-service"),
    ("checkout-api", "payment-api"),
    ("checkout-api", "order-service"),
    ("user-service", "payment-api"),
    ("order-service", "payment-api"),
    ("order-service", "notification-service"),
    ("search-service", "recommendation-service"),
    ("cart-service", "redis"),
    ("recommendation-service", "redis"),
    ("payment-api", "redis"),
    ("payment-api", "postgres"),
    ("inventory-service", "postgres"),
    ("order-service", "postgres"),
    ("user-service", "postgres"),
)

# Connection pools: (service, pool, size of each replica, connections in use per request a second of the replica).
POOLS: tuple[tuple[str, str, int, float], ...] = (
    ("payment-api", "redis", 100, 2.15),
    ("payment-api", "postgres", 30, 0.62),
    ("inventory-service", "postgres", 30, 0.26),
    ("order-service", "postgres", 30, 0.48),
    ("user-service", "postgres", 20, 0.16),
    ("cart-service", "redis", 50, 0.21),
    ("recommendation-service", "redis", 50, 0.34),
)
