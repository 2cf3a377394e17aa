"""The shapes of the demo world's traces: who calls whom in which order, and how long each step takes by itself."""

from __future__ import annotations

from dataclasses import dataclass

from obs_magics.demo.world.story import Points

Steps = tuple["Step", ...]

_INVENTORY_SQL = "SELECT * FROM inventory WHERE sku IN ($1, $2, $3)"


@dataclass(frozen=True, slots=True)
class Step:
    """A span and what it calls, one after the other.

    Args:
        service: Whose span it is.
        operation: Its name.
        kind: server, client, internal, producer or consumer.
        median: Seconds it takes by itself, without what it calls.
        calls: Its children.
        slow: `median` over time where the story makes it longer.
        attributes: Constant attributes, by their names in OpenTelemetry.
        breaks: What its status says when the trace fails here; it and all above it are errors, what follows is not.
    """

    service: str
    operation: str
    kind: str
    median: float
    calls: Steps = ()
    slow: Points = ()
    attributes: tuple[tuple[str, str], ...] = ()
    breaks: str = ""


@dataclass(frozen=True, slots=True)
class Journey:
    """One kind of trace: `per_second` are sampled at the busiest hour; fails as often as `route` of `service` does."""

    name: str
    per_second: float
    root: Step
    fails_like: tuple[str, str] | None = None


def _call(caller: str, callee: str, method: str, path: str, median: float, *calls: Step, slow: Points = ()) -> Step:
    """A client span of the caller around a server span of the callee."""
    attributes = (("http.request.method", method), ("http.route", path))
    server = Step(callee, f"{method} {path}", "server", median, calls, slow, attributes)
    client = (*attributes, ("server.address", f"{callee}.shop.svc"))
    return Step(caller, f"{method} {callee}", "client", 0.0012, (server,), (), client)


def _root(service: str, method: str, path: str, median: float, *calls: Step) -> Step:
    attributes = (("http.request.method", method), ("http.route", path))
    return Step(service, f"{method} {path}", "server", median, calls, (), attributes)


def _sql(service: str, statement: str, median: float, slow: Points = ()) -> Step:
    verb, *words = statement.split()
    table = words[0] if verb == "UPDATE" else words[1] if verb == "INSERT" else words[words.index("FROM") + 1]
    return Step(
        service, f"{verb} {table}", "client", median, (), slow,
        (("db.system.name", "postgresql"), ("db.query.text", statement), ("server.address", "postgres.shop.svc")),
    )  # fmt: skip


def _redis(service: str, command: str, median: float = 0.0011) -> Step:
    return Step(
        service, command.partition(" ")[0], "client", median, (), (),
        (("db.system.name", "redis"), ("db.query.text", command), ("server.address", "redis.shop.svc")),
    )  # fmt: skip


_POOL = Step(
    "payment-api", "redis.pool.acquire", "internal", 0.0006, (),
    (("14:14:45", 0.0006), ("14:15:10", 0.30), ("14:22:30", 0.34), ("14:47:00", 0.34), ("14:49:00", 0.0006)),
    (("db.system.name", "redis"), ("db.client.connection.pool.name", "redis")),
    breaks="Connection pool exhausted",
)  # fmt: skip

_PAY: Steps = (
    _POOL,
    _redis("payment-api", "SET idempotency:? ? NX EX 86400"),
    Step(
        "payment-api", "POST provider", "client", 0.052, (), (),
        (("http.request.method", "POST"), ("server.address", "provider.example.com")),
    ),
    _sql("payment-api", "INSERT INTO payments VALUES ($1, $2, $3, $4)", 0.009),
)  # fmt: skip

_MISSING_INDEX: Points = (("12:39:30", 0.024), ("12:40:30", 4.05), ("12:59:30", 4.05), ("13:00:15", 0.024))
_MANY_ROWS: Points = (("12:39:30", 0.007), ("12:40:30", 1.62), ("12:59:30", 1.62), ("13:00:15", 0.007))
_UNPACKING: Points = (("12:39:30", 0.030), ("12:40:30", 0.36), ("12:59:30", 0.36), ("13:00:15", 0.030))

_CHECKOUT = Step(
    "checkout-api", "POST /api/checkout", "server", 0.030,
    (
        _call("checkout-api", "cart-service", "GET", "/api/cart", 0.008, _redis("cart-service", "HGETALL cart:?")),
        _call(
            "checkout-api", "inventory-service", "POST", "/api/inventory/reserve", 0.007,
            _sql("inventory-service", _INVENTORY_SQL, 0.024, _MISSING_INDEX),
            _sql("inventory-service", "UPDATE inventory SET reserved = reserved + 1 WHERE sku = $1", 0.006),
            slow=_MANY_ROWS,
        ),
        _call("checkout-api", "payment-api", "POST", "/api/payments", 0.014, *_PAY),
        _call(
            "checkout-api", "order-service", "POST", "/api/orders", 0.012,
            _sql("order-service", "INSERT INTO orders VALUES ($1, $2, $3)", 0.012),
            Step("order-service", "publish notifications", "producer", 0.003, (), (), (("messaging.system", "redis"),)),
        ),
    ),
    _UNPACKING,
    (("http.request.method", "POST"), ("http.route", "/api/checkout")),
)  # fmt: skip

JOURNEYS: tuple[Journey, ...] = (
    Journey(
        "checkout", 0.22,
        Step(
            "api-gateway", "POST /api/checkout", "server", 0.006,
            (Step("api-gateway", "POST checkout-api", "client", 0.0015, (_CHECKOUT,), (),
                  (("http.request.method", "POST"), ("server.address", "checkout-api.shop.svc"))),),
            (), (("http.request.method", "POST"), ("http.route", "/api/checkout")),
        ),
        ("payment-api", "/api/payments"),
    ),
    Journey(
        "refund", 0.04,
        _root("order-service", "POST", "/api/orders/{id}/refund", 0.010,
              _call("order-service", "payment-api", "POST", "/api/refunds", 0.013, *_PAY)),
        ("payment-api", "/api/refunds"),
    ),
    Journey(
        "wallet", 0.16,
        _root("api-gateway", "GET", "/api/users/me", 0.004,
              _call("api-gateway", "user-service", "GET", "/api/users/me/wallet", 0.006,
                    _call("user-service", "payment-api", "GET", "/api/payments/{id}", 0.012, _POOL,
                          _redis("payment-api", "GET payment:?"),
                          _sql("payment-api", "SELECT * FROM payments WHERE user_id = $1", 0.062)))),
        ("user-service", "/api/users/me/wallet"),
    ),
    Journey(
        "search", 0.14,
        _root("api-gateway", "GET", "/api/search", 0.005,
              _call("api-gateway", "search-service", "GET", "/api/search", 0.034,
                    _call("search-service", "recommendation-service", "GET", "/api/recommendations", 0.012,
                          _redis("recommendation-service", "ZREVRANGE popular 0 20")))),
    ),
    Journey(
        "cart", 0.10,
        _root("api-gateway", "GET", "/api/cart", 0.004,
              _call("api-gateway", "cart-service", "GET", "/api/cart", 0.010,
                    _redis("cart-service", "HGETALL cart:?"))),
    ),
    Journey(
        "user", 0.08,
        _root("api-gateway", "GET", "/api/users/me", 0.003,
              _call("api-gateway", "user-service", "GET", "/api/users/me", 0.004,
                    _sql("user-service", "SELECT * FROM users WHERE id = $1", 0.003))),
    ),
)  # fmt: skip

# Sent by order-service, worked off later by notification-service in a trace of its own that links back.
MESSAGE = Step(
    "notification-service", "process notifications", "consumer", 0.012,
    (Step("notification-service", "POST mail provider", "client", 0.055, (),
          (("14:05:00", 0.055), ("14:06:00", 0.19), ("14:19:00", 0.19), ("14:20:00", 0.055)),
          (("http.request.method", "POST"), ("server.address", "mail.example.com"))),),
    (), (("messaging.system", "redis"), ("messaging.destination.name", "notifications")),
)  # fmt: skip
