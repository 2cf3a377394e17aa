"""What helps against what was found, now and for good: a table that anyone can read and add to.

The keys of `analysis.advice` (what lines of logs say) are keys here too; what only changes, metrics or traces can tell
stands beside them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remedy:
    """What helps against one kind of trouble.

    Args:
        key: Its short name.
        title: What it is called.
        signs: A pattern that is searched in what was found (titles and keys of changes, messages, names of metrics,
            statements), in any case of letters.
        now: What eases it at once.
        prevent: What keeps it from coming back, each an action that somebody can own.
    """

    key: str
    title: str
    signs: str
    now: str
    prevent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """A remedy that applies here, and the words in which its sign was found."""

    remedy: Remedy
    because: str


# In order of how telling the signs are: what is found counts for the first that fits.
REMEDIES: tuple[Remedy, ...] = (
    Remedy(
        "missing_index",
        "Missing index or full scan",
        r"(?:drop|delet|remov)\w* +(?:the +)?index|missing[ _-]index"
        r"|seq(?:uential)?[ _-]?scan|seq_tup_read|full (?:table )?scan",
        "create the index again (concurrently), or send the query to a replica until it is there",
        (
            "check migrations for dropped indexes and changed plans before they run (EXPLAIN on data of real size)",
            "alert on rows read per row returned, and on the slowest statements",
        ),
    ),
    Remedy(
        "n_plus_one",
        "N+1 queries",
        r"n ?\+ ?1|repeated (?:statement|query|call)s?|queries per request",
        "put the batch query or the cache of the version before back",
        (
            "count statements per request in tests, and fail when they grow with the data",
            "alert on calls per request between services and to databases",
        ),
    ),
    Remedy(
        "pool_exhausted",
        "Connection pool exhausted",
        r"pool\b|pool_|hikari|max[ _.-]?connections|unable to acquire|too many (?:connections|clients)|maxclients",
        "give the pool its size back, and shed load or shorten timeouts so that waiting requests end early",
        (
            "alert on waiting for a connection and on the share of the pool in use, before requests fail",
            "derive the size from peak traffic times how long a call holds a connection, and load-test changes of it",
            "fail fast: bound the wait for a connection well below the callers' timeouts",
        ),
    ),
    Remedy(
        "out_of_memory",
        "Out of memory",
        r"out of ?memory|\boom|heap space|memory[ _](?:limit|leak|working_set)|memoryerror|memory (?:grows|saturat)",
        "restart what is affected with more memory, or roll back what made it grow",
        (
            "alert on memory as a share of its limit with the time until it is reached",
            "find the leak with a heap profile of a process that ran for long",
            "set requests and limits from what was measured under load",
        ),
    ),
    Remedy(
        "disk_full",
        "Disk full",
        r"no space left|enospc|disk[ _](?:full|usage|space|quota)|filesystem_(?:avail|free)",
        "free or add space, and stop what writes",
        ("alert on the time until the disk is full", "rotate and expire what grows; give it a volume of its own"),
    ),
    Remedy(
        "retry_storm",
        "Retries that multiply load",
        r"retry|retries|thundering herd|stampede",
        "switch retries off or lower them, and let the callee recover under less load",
        (
            "retry with exponential back-off, jitter and a budget, at one layer only",
            "add circuit breakers, and count retries apart from first tries",
        ),
    ),
    Remedy(
        "cache",
        "Cache no longer helps",
        r"cache|\bttl\b|evict|keyspace_misses|hit ratio",
        "put the expiry or the size of before back, and warm the cache",
        (
            "alert on the hit ratio",
            "spread expiries with jitter, and let one request fill an entry while the others wait",
        ),
    ),
    Remedy(
        "certificate",
        "Certificate",
        r"certificate|x509|\btls\b|\bssl\b|pkix",
        "renew or put back the certificate, and its chain",
        ("alert weeks before certificates end, as they are served", "renew by machine, and test the renewal"),
    ),
    Remedy(
        "name_resolution",
        "DNS",
        r"\bdns\b|no such host|enotfound|eai_again|name resolution|nxdomain|coredns|servfail"
        r"|getaddrinfo|\blookup \S+ on |could not resolve",
        "correct the name or the record; restart what caches the old answer",
        ("monitor resolution from where the callers run", "keep timeouts of records short before they change"),
    ),
    Remedy(
        "quota",
        "Quota or rate limit",
        r"quota|rate.?limit|throttl|too many requests|\b429\b|provisioned|capacity unit",
        "ask for more quota, or slow the callers down",
        ("alert on the share of each quota in use", "queue or shed what can wait before the limit does it for you"),
    ),
    Remedy(
        "not_authorised",
        "Credentials or permissions",
        r"unauthori[sz]ed|forbidden|permission denied|access denied|credential|\bjwt\b|token|secret rotat|api key",
        "put the credentials or the permission back",
        ("rotate with an overlap in which old and new are valid", "try a changed permission with one instance first"),
    ),
    Remedy(
        "cpu",
        "Not enough CPU",
        r"\bcpu\b|cpu_|throttled_periods|load average|node_load",
        "add instances, or move away what competes for the same node",
        ("alert on CPU throttling", "set requests so that the scheduler keeps noisy neighbours apart"),
    ),
    Remedy(
        "lock",
        "Lock contention",
        r"deadlock|lock[ _](?:wait|timeout)|pg_locks|could not serialize|contention",
        "end the long transaction that holds the locks",
        ("bound how long a statement waits for a lock", "keep transactions short, and take locks in one order"),
    ),
    Remedy(
        "schema",
        "Schema and code do not fit",
        r"migration|schema|column .* does not exist|relation .* does not exist|no such table|unknown column|mapping",
        "roll back the migration, or roll forward the code that needs it",
        ("change schemas in steps that old and new code both understand", "run migrations on a copy before"),
    ),
    Remedy(
        "defect",
        "Defect in a release",
        r"nullpointer|nil pointer|null reference|attributeerror|keyerror|typeerror|panic|exception|segmentation fault",
        "roll back to the version before",
        (
            "add a test with the request that failed",
            "release to a few instances first, and stop by machine when their errors rise",
        ),
    ),
    Remedy(
        "provider",
        "Provider outside",
        r"\bprovider|third[ -]party|upstream (?:outage|provider)|status[ _-]?(?:page|feed)|vendor",
        "switch to another provider or to a reduced service, and tell users",
        (
            "put timeouts and a circuit breaker around every call that leaves the house",
            "decide beforehand what still works without the provider",
        ),
    ),
    Remedy(
        "network",
        "Network",
        r"network|packet loss|connection (?:refused|reset)|econn|no route to host|unreachable|latency between",
        "take the path or the node that is affected out of use",
        ("measure latency and loss between services, apart from their own time", "spread instances over zones"),
    ),
    Remedy(
        "feature_flag",
        "Feature flag",
        r"feature[ _-]?flag|\bflag\b|rollout|experiment",
        "switch the flag off",
        ("raise flags in steps, with a look at errors and latency after each", "show flags on dashboards"),
    ),
    Remedy(
        "traffic",
        "More traffic than planned",
        r"traffic|campaign|requests per second|throughput|load spike|newsletter|times as many requests",
        "add capacity, or shed what matters least",
        ("tell on-call of campaigns, and load-test for them", "scale by what saturates first"),
    ),
    Remedy(
        "bad_config",
        "Change of configuration",
        r"config|setting|parameter|limit|timeout",
        "put the value of before back",
        (
            "review and roll out configuration like code: one instance first, with a way back",
            "check values against bounds that are known to work",
        ),
    ),
    Remedy(
        "deployment",
        "Release",
        r"deploy|release|rollback|version",
        "roll back to the version before",
        ("release to a few instances first, and compare them with the others by machine",),
    ),
)
_COMPILED = tuple((remedy, re.compile(remedy.signs, re.IGNORECASE | re.ASCII)) for remedy in REMEDIES)


# What was changed is told by the change itself: a line that says "timeout" is no sign of a change of configuration.
_OF_CHANGES = frozenset({"feature_flag", "bad_config", "deployment"})


def remedies(found: Sequence[str], *, lines: Sequence[str] = (), limit: int = 3) -> list[Applied]:
    """What helps against what was found.

    Args:
        found: What was found in words, the weightiest first: the title of a change, a message, a metric.
        lines: Error lines, which count for less, and do not tell of changes.
        limit: At most this many remedies.
    """
    applied: dict[str, Applied] = {}
    for text, of_changes in [*((text, True) for text in found), *((text, False) for text in lines)]:
        remedy = next((remedy for remedy, signs in _COMPILED if signs.search(text)), None)
        if remedy is not None and (of_changes or remedy.key not in _OF_CHANGES):
            applied.setdefault(remedy.key, Applied(remedy, text))
    return list(applied.values())[:limit]
