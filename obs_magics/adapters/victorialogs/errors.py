"""What a VictoriaLogs says when it refuses, as our errors with the way out; it answers in plain text."""

from __future__ import annotations

import re

from obs_magics.adapters.causes import Cause, find_cause, row
from obs_magics.model.errors import BadAnswer, LimitExceeded, ObsError, QueryError, SourceTimeout
from obs_magics.net.reply import Reply, shown
from obs_magics.net.vendor import Vendor

_NARROW = 'narrow it: a stream filter {app="…"}, more words, a shorter range'
_LOOK = "look at the query; --dry-run shows what is sent"

# Words as recorded from VictoriaLogs 1.x, and in its app/vlselect and lib/logstorage/parser.go.
_CAUSES: tuple[Cause, ...] = (
    row(r"missing query", "the query is empty: * gives all lines"),
    row(r"maxQueryTimeRange|too big time range", "ask for a shorter range", LimitExceeded),
    row(r"maxQueryDuration|deadline exceeded|timeout|canceled", _NARROW, SourceTimeout),
    row(r"-search\.max\w+|-select\.max\w+|memory budget|too many", _NARROW, LimitExceeded),
    row(r"missing filter|missing '\)'|unexpected end|missing closing|missing whitespace", "something is missing"),
    row(r"unknown pipe|unexpected pipe|unexpected token", "look at the pipes: | stats …, | fields …, | sort by (…)"),
    row(r"cannot parse (?:start|end|time|step)|cannot parse duration", "look at the range and the --step"),
    row(r"stats.* pipe|missing `stats`|must contain", "numbers come from a pipe: | stats by (app) count() lines"),
    row(r"cannot (?:compile|parse) regexp|invalid regexp|error parsing regexp", "regular expressions are RE2"),
)
_CONTEXT = re.compile(r"; context: \[(.*?)\]\s*$", re.DOTALL)
_PREFIX = re.compile(r"^cannot parse query \[.*?\]: ", re.DOTALL)


def explain(reply: Reply, where: str) -> ObsError | None:
    """The error that a refusal means; None for what HTTP's status already says well (401, 404, 429, 502 …)."""
    if reply.status not in {400, 422, 500, 503} or reply.is_html:
        return None
    words = reply.body.decode(errors="replace").strip()
    if words.startswith("unsupported path requested"):
        hint = "is the URL that of a VictoriaLogs, without /select/logsql?"
        return BadAnswer("the server has no LogsQL API at this address", where=where, hint=hint)
    return refused(words, where=where) if reply.status in {400, 422} or find_cause(_CAUSES, words) else None


def refused(words: str, *, query: str = "", where: str = "", hint: str = _LOOK) -> ObsError:
    """The error for a query that the server refused in these words; arguments as in `QueryError`."""
    cause = find_cause(_CAUSES, words)
    kind, hint = (cause.kind, cause.hint) if cause else (QueryError, hint)
    said = shown(_CONTEXT.sub("", _PREFIX.sub("", words)))
    if issubclass(kind, QueryError):
        message = f"the query was refused: {said}"
        return QueryError(message, query=query, position=place(words, query), words=words, where=where, hint=hint)
    return kind(said, where=where, hint=hint)


def located(error: QueryError, query: str) -> ObsError:
    """The same error for a known query, with the place marked where the server told one."""
    return refused(error.words, query=query, where=error.where, hint=error.hint)


def place(words: str, query: str) -> int | None:
    """Where the server stopped reading: it quotes what it had read up to there (`context: […]`)."""
    found = _CONTEXT.search(words)
    read = found[1].strip() if found else ""
    if not read or not query or query.count(read) != 1:
        return None
    return min(query.index(read) + len(read), len(query))


VENDOR = Vendor(explain=explain)
"""VictoriaLogs: `Retry-After` where a proxy sends one, and its own words."""
