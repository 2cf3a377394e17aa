"""Faults: what each does to a world, what it makes services log, and which change may be behind it.

The effect is written into a `State` with a strength between 0 and 1 by instant. The names of things (a pool, a host, a
query) are drawn once per world, so that messages and changes can speak of the same thing, or of another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from support.rca_worlds.graph import Edge
from support.rca_worlds.state import State

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Strength:
    """When and how much: `now` from 0 to 1 by instant, and a size from 1 (just felt) to 3."""

    now: Array
    size: float


Effect = Callable[[State, int, Strength], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """A sort of fault.

    Args:
        effect: What it does at a node.
        places: Kinds of nodes at which it may happen.
        errors: What the node logs when a request fails, one of them; `{}` names as in `changes`.
        warnings: What it logs besides, now and then.
        changes: Keys of `changes.CAUSES` that may be behind it; empty when no change is.
        always: Whether a change is always behind it.
        slow: How the strength grows: over a minute, or slowly.
    """

    effect: Effect
    places: tuple[str, ...] = ("service",)
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    always: bool = False
    slow: bool = False


def _cpu(state: State, at: int, how: Strength) -> None:
    state.own[:, at] *= 1 + how.now * (1 + 2 * how.size)
    state.cpu_more[:, at] += how.now * 0.35 * how.size


def _oom(state: State, at: int, how: Strength) -> None:
    """Memory fills, the kernel kills, the next one fills again; requests fail while it starts."""
    period = 36  # instants, three minutes
    since = np.cumsum(how.now > 0)
    tooth = (since % period) / period * (how.now > 0)
    state.memory[:, at] *= 1 + tooth * (0.6 + 0.5 * how.size)
    dead = (how.now > 0) & (since % period < 6) & (since > period / 2)
    state.fails[dead, at] = 0.6
    state.own[:, at] *= 1 + tooth * how.size
    state.shown["restarts", at] = np.cumsum(np.diff(dead.astype(float), prepend=0.0) > 0).astype(float)
    state.shown["gc", at] = tooth * 0.4


def _pool(state: State, at: int, how: Strength) -> None:
    state.own[:, at] += how.now * 150 * how.size
    state.fails[:, at] += how.now * 0.04 * how.size
    state.shown["pool_used", at] = how.now
    state.shown["pool_waiting", at] = how.now * 12 * how.size


def _lock(state: State, at: int, how: Strength) -> None:
    state.own[:, at] += how.now * 60 * how.size
    state.shown["locks", at] = how.now * 20 * how.size
    state.shown["clients", at] = how.now * 15 * how.size
    state.shown["slow", at] = how.now * 2 * how.size


def _index(state: State, at: int, how: Strength) -> None:
    state.own[:, at] += how.now * 40 * how.size
    state.cpu_more[:, at] += how.now * 0.3 * how.size
    state.shown["rows", at] = how.now * 40 * how.size
    state.shown["slow", at] = how.now * 3 * how.size
    state.shown["clients", at] = how.now * 8 * how.size


def _delay(state: State, at: int, how: Strength) -> None:
    for number, edge in enumerate(state.graph.edges):
        if at in {edge.caller, edge.callee}:
            state.gap[:, number] += how.now * 40 * how.size


def _loss(state: State, at: int, how: Strength) -> None:
    for number, edge in enumerate(state.graph.edges):
        if at in {edge.caller, edge.callee}:
            state.gap[:, number] += how.now * 25 * how.size
    state.fails[:, at] += how.now * 0.03 * how.size
    state.shown["retransmits", at] = how.now * 30 * how.size


def _failing(state: State, at: int, how: Strength) -> None:
    state.fails[:, at] += how.now * 0.12 * how.size


def _outside(state: State, at: int, how: Strength) -> None:
    state.fails[:, at] += how.now * 0.1 * how.size
    state.own[:, at] *= 1 + how.now * how.size


def _slower(state: State, at: int, how: Strength) -> None:
    state.own[:, at] *= 1 + how.now * (1.5 + 1.5 * how.size)
    state.cpu_more[:, at] += how.now * 0.05 * how.size


def _full(state: State, at: int, how: Strength) -> None:
    state.shown["disk", at] = how.now
    state.fails[:, at] += np.maximum(how.now - 0.5, 0) * 0.25 * how.size
    state.own[:, at] *= 1 + how.now * how.size


def _retries(state: State, at: int, how: Strength) -> None:
    """The node repeats calls that are slow; what it calls most cannot bear that."""
    edge = _most_called(state, at)
    if edge is None:
        return
    number = state.graph.edges.index(edge)
    state.repeats[:, number] *= 1 + how.now * (1 + how.size)
    state.own[:, edge.callee] *= 1 + how.now * how.size
    state.cpu_more[:, edge.callee] += how.now * 0.15 * how.size


def _most_called(state: State, at: int) -> Edge | None:
    return max(state.graph.callees(at), key=lambda edge: (edge.calls, -edge.callee), default=None)


def _neighbour(state: State, at: int, how: Strength) -> None:
    state.own[:, at] *= 1 + how.now * (0.8 + how.size)
    state.shown["throttled", at] = how.now * 0.4 * how.size


def _surge(state: State, at: int, how: Strength) -> None:
    state.entry *= 1 + how.now * (0.5 + 0.7 * how.size)
    state.own[:, at] *= 1 + how.now * (1 + 2 * how.size)
    state.cpu_more[:, at] += how.now * 0.25


def _nothing(_state: State, _at: int, _how: Strength) -> None:
    """Nobody did anything."""


_ANY = ("service", "gateway")
_STORED = ("db",)

FAULTS: Mapping[str, Fault] = {
    "cpu hog": Fault(_cpu, warnings=("worker busy for {number} ms",)),
    "memory leak": Fault(
        _oom,
        errors=("upstream connect error: connection refused", "java.lang.OutOfMemoryError: Java heap space"),
        changes=("leak",),
        warnings=("GC overhead: heap usage {number}%",),
    ),
    "pool exhausted": Fault(
        _pool,
        errors=(
            "could not acquire connection from pool: timeout after {number} ms (pool {thing} size {few})",
            "HikariPool-1 - Connection is not available, request timed out after {number}ms",
        ),
        changes=("pool",),
    ),
    "lock": Fault(
        _lock,
        _STORED,
        errors=("ERROR: canceling statement due to lock timeout on relation {thing}",),
        warnings=("slow query: {number} ms UPDATE {thing} SET state = ?",),
        changes=("batch",),
    ),
    "missing index": Fault(
        _index,
        _STORED,
        warnings=("slow query: {number} ms SELECT * FROM {thing} WHERE {field} = ?",),
        changes=("index",),
        always=True,
    ),
    "network delay": Fault(_delay),
    "packet loss": Fault(_loss, errors=("read tcp: connection reset by peer",)),
    "dependency error": Fault(
        _outside,
        errors=(
            "POST https://api.{partner}.com/v1/{thing}: 503 Service Unavailable",
            "{partner} client: upstream returned 502 Bad Gateway",
        ),
    ),
    "bad config": Fault(
        _failing,
        errors=("request rejected: {field} limit {few} reached", "deadline exceeded after {few} ms calling {thing}"),
        changes=("limit", "timeout"),
        always=True,
    ),
    "bad deploy": Fault(
        _failing,
        _ANY,
        errors=(
            "NullPointerException: Cannot invoke {thing}.{field}() because value is null",
            "panic: invalid memory address in {thing}Handler.{field}",
            "KeyError: '{field}'",
        ),
        changes=("code",),
        always=True,
    ),
    "slow deploy": Fault(_slower, _ANY, changes=("slow_code",), always=True),
    "feature flag": Fault(
        _failing,
        errors=("{thing} pipeline: cannot render {field}: unsupported variant", "TypeError: {field} is not iterable"),
        changes=("flag",),
        always=True,
    ),
    "DNS": Fault(
        _failing, errors=("dial tcp: lookup {thing}.internal.example: no such host", "getaddrinfo EAI_AGAIN {thing}")
    ),
    "certificate": Fault(
        _failing,
        errors=(
            "x509: certificate has expired or is not yet valid: {partner}.example",
            "SSLHandshakeException: PKIX path validation failed: validity check failed",
        ),
    ),
    "disk full": Fault(
        _full, ("service", "db", "queue"), errors=("write /var/lib/{thing}: no space left on device",), slow=True
    ),
    "quota": Fault(
        _outside,
        errors=(
            "https://{partner}.googleapis.com/{thing}: 429 RESOURCE_EXHAUSTED quota exceeded",
            "ThrottlingException: Rate exceeded for {thing}",
        ),
    ),
    "retry storm": Fault(
        _retries, ("service", "gateway"), warnings=("retrying call, attempt {few}",), changes=("retry",), always=True
    ),
    "noisy neighbour": Fault(_neighbour),
    "traffic surge": Fault(_surge, warnings=("queue of requests is {number} long",)),
    "nothing": Fault(_nothing),
}
"""By name. `nothing` is a quiet time in which somebody asks all the same."""
