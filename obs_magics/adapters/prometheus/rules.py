"""What a Prometheus, or a ruler behind its API, says of alerting rules and of what fires now."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from obs_magics.model.errors import QueryError, SourceError
from obs_magics.net.client import HttpClient
from obs_magics.net.reply import Reply
from obs_magics.syntax.moments import moment_ns

RULES, ALERTS = "/api/v1/rules", "/api/v1/alerts"
T = TypeVar("T")
_log = logging.getLogger(__name__)


class Active(msgspec.Struct, frozen=True, rename="camel"):
    """An alert that is pending or fires: since when its expression holds, and the value that it had last."""

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    state: str = ""
    active_at: str | None = None
    value: str | float = ""


class Rule(msgspec.Struct, frozen=True, rename="camel"):
    """A rule; those that record have no alerts. `duration` is its `for`, in seconds."""

    name: str = ""
    query: str = ""
    type: str = ""
    duration: float = 0.0
    health: str = ""
    last_error: str = ""
    alerts: tuple[Active, ...] | None = None


class _Group(msgspec.Struct, frozen=True):
    rules: tuple[Rule, ...] | None = None


class _Groups(msgspec.Struct, frozen=True):
    groups: tuple[_Group, ...] | None = None


class _Alerts(msgspec.Struct, frozen=True):
    alerts: tuple[Active, ...] | None = None


class _RulesAnswer(msgspec.Struct, frozen=True):
    data: _Groups


class _AlertsAnswer(msgspec.Struct, frozen=True):
    data: _Alerts


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert that fires now, since `since_ns`, by `rule` (None when the server does not tell)."""

    active: Active
    since_ns: int
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a server told.

    Args:
        rules: Its alerting rules; None when it does not tell of rules.
        alerts: What is pending or fires, where it told of that alone.
        problem: Why nothing of all this came; empty when it did.
    """

    rules: tuple[Rule, ...] | None = None
    alerts: tuple[Active, ...] = ()
    problem: str = ""

    def firing(self) -> Iterator[Firing]:
        """All that fires now. An alert fires from when its expression has held for as long as its rule wants."""
        told: list[tuple[Active, Rule | None]] = [(active, None) for active in self.alerts]
        told += [(active, rule) for rule in self.rules or () for active in rule.alerts or ()]
        for active, rule in told:
            since = moment_ns(active.active_at or "")
            if active.state == "firing" and since is not None:
                yield Firing(active, since + round((rule.duration if rule else 0.0) * 1e9), rule)

    def failing(self) -> list[Rule]:
        """Rules that cannot be evaluated."""
        return [rule for rule in self.rules or () if rule.health == "err"]


async def ask_rules(client: HttpClient) -> Loaded:
    """Ask for the alerting rules, or for what fires where a server has no rules to tell; never fails."""
    try:
        reply = await client.request("GET", RULES, params=[("type", "alert")])
        groups = _decoded(reply, _RULES).data.groups or ()
        rules = tuple(rule for group in groups for rule in group.rules or () if rule.type in ("", "alerting"))
        return Loaded(rules)
    except (SourceError, QueryError) as error:
        _log.debug("%s does not tell of rules: %s", client.where, error)
        problem = error.message
    try:
        reply = await client.request("GET", ALERTS)
        return Loaded(None, _decoded(reply, _ALERTS).data.alerts or ())
    except (SourceError, QueryError) as error:
        _log.debug("%s does not tell what fires: %s", client.where, error)
    return Loaded(problem=f"what fires now, and the texts of alerts: {problem}")


_RULES = msgspec.json.Decoder(_RulesAnswer)
_ALERTS = msgspec.json.Decoder(_AlertsAnswer)


def _decoded(reply: Reply, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise reply.not_json(str(problem)) from None
