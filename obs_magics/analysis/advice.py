"""What to look at next, by what was found: a table that anyone can read and add to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """Advice for messages of one kind: `pattern` is searched in what the lines say, in any case of letters."""

    key: str
    pattern: str
    advice: str


@dataclass(frozen=True, slots=True)
class Advice:
    """Advice that applies here: to how many lines, and to which message most of all."""

    key: str
    text: str
    lines: int
    message: str


# In order of how telling they are: a message counts for the first rule that fits.
RULES: tuple[Rule, ...] = (
    Rule(
        "pool_exhausted",
        r"pool\b.*\b(?:exhausted|depleted|full)|(?:exhausted|full)\b.*\bpool"
        r"|(?:unable|failed) to (?:acquire|obtain|get)\b.*\bconnection"
        r"|no (?:idle|free|available) connections?|too many (?:connections|clients)|connection is not available",
        "a connection pool ran out: look for a change of its size, for slow calls that hold connections, and for more"
        " requests at once",
    ),
    Rule(
        "out_of_memory",
        r"out of ?memory|\boom(?:killed|[ -]kill)|java heap space|cannot allocate memory|memoryerror|gc overhead limit",
        "a process ran out of memory: look at its memory and restarts, at the limit it has, and at what was deployed",
    ),
    Rule(
        "disk_full",
        r"no space left on device|\benospc\b|disk (?:is )?full|read-only file system|disk quota exceeded",
        "a disk is full or read-only: look at the free space of that node or volume, and at what grew on it",
    ),
    Rule(
        "file_descriptors",
        r"too many open files|\bemfile\b",
        "a process has no file descriptors left: look for connections or files that are not closed, and at its limit",
    ),
    Rule(
        "name_resolution",
        r"no such host|\benotfound\b|\beai_again\b|name or service not known|name resolution|\bnxdomain\b|unknownhost"
        r"|\blookup \S+ on |getaddrinfo|could not resolve|\bservfail\b",
        "a name does not resolve: look at DNS, and at the name in the configuration that was last changed",
    ),
    Rule(
        "certificate",
        r"certificate|x509|tls handshake|ssl(?:error|handshake| error)|pkix path",
        "a TLS connection is refused: look at when the certificate ends, at its chain, and at the clocks",
    ),
    Rule(
        "rate_limited",
        r"too many requests|rate.?limit|throttl|quota exceeded|status[=: ]+429|\b429 too",
        "somebody limits the rate: look at who calls how often, at retries without pause, and at the quota",
    ),
    Rule(
        "not_authorised",
        r"unauthori[sz]ed|forbidden|permission denied|access denied|invalid (?:token|credentials|api key)"
        r"|token.*expired|authentication failed|failed password",
        "access is refused: look for a token or password that was rotated or ended, and for changed permissions",
    ),
    Rule(
        "lock",
        r"deadlock|lock wait timeout|could not serialize|could not obtain lock",
        "statements wait for each other: look at long transactions and at what writes the same rows",
    ),
    Rule(
        "circuit_open",
        r"circuit ?breaker|circuit is open",
        "a circuit breaker is open: look at the service behind it, which failed before",
    ),
    Rule(
        "unreachable",
        r"connection refused|\beconnrefused\b|connection reset|\beconnreset\b|broken pipe|no route to host"
        r"|host unreachable|upstream connect error|no healthy upstream|bad gateway|service unavailable",
        "a service cannot be reached: look at whether it runs, restarts or was moved, and at what was deployed there",
    ),
    Rule(
        "timeout",
        r"time(?:d)?[ -]?out|deadline exceeded|\betimedout\b",
        "callers gave up waiting: look at the latency of the service that they call before their own",
    ),
    Rule(
        "slow_query",
        r"slow query|duration: .*\bms\b|canceling statement|statement timeout",
        "statements are slow: look at their plans (a missing index?), at locks, and at how much data they read",
    ),
    Rule(
        "unhealthy",
        r"crashloopbackoff|(?:liveness|readiness) probe failed|back-off restarting|evicted",
        "pods do not stay up: look at their last log lines before the restart, at limits, and at the last deployment",
    ),
    Rule(
        "no_leader",
        r"lost leadership|leader election|not (?:the )?leader|no leader|quorum",
        "a cluster has no leader: look at the network between its members, at slow disks, and at members that are gone",
    ),
    Rule(
        "queue",
        r"queue (?:is )?full|backpressure|buffer (?:is )?full|consumer lag|rejectedexecution",
        "work comes in faster than it is done: look at the rate that comes in, and at what slowed the workers",
    ),
    Rule(
        "defect",
        r"nullpointer|nil pointer|null reference|undefined is not|cannot read propert|attributeerror|keyerror|typeerror"
        r"|indexerror|index out of (?:range|bounds)|classcast|panic:|segmentation fault|assertionerror",
        "the program itself fails: look at the stack trace, and at what was deployed just before",
    ),
)
_COMPILED = tuple((rule, re.compile(rule.pattern, re.IGNORECASE | re.ASCII)) for rule in RULES)


def advise(said: Mapping[str, int], *, limit: int = 3) -> list[Advice]:
    """What to look at next.

    Args:
        said: How many lines say what (`analysis.log_text.said_text`).
        limit: At most this much advice, that for most lines first.
    """
    found: dict[str, list[tuple[int, str]]] = {}
    for text, count in said.items():
        rule = next((rule for rule, pattern in _COMPILED if pattern.search(text)), None)
        if rule is not None:
            found.setdefault(rule.key, []).append((count, text))
    advice = [
        Advice(rule.key, rule.advice, sum(count for count, _ in found[rule.key]), _most(found[rule.key]))
        for rule in RULES
        if rule.key in found
    ]
    return sorted(advice, key=lambda one: -one.lines)[:limit]


def _most(messages: list[tuple[int, str]]) -> str:
    """The message that most lines say; of equal ones the first in order of text."""
    return min(messages, key=lambda pair: (-pair[0], pair[1]))[1]
