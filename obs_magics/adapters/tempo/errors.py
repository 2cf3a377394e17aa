"""What a Tempo says when it refuses, as our errors with the way out.

Tempo answers in plain text. The status decides first; 400, 422 and 500 stand for a wrong query, a limit and a mistake
in the configuration alike, so there its words have to be looked at: `_CAUSES` is the whole list.
"""

from __future__ import annotations

import re

from obs_magics.adapters.causes import Cause, find_cause, row
from obs_magics.adapters.loki.errors import place
from obs_magics.adapters.tempo.search import Sent
from obs_magics.model.errors import (
    AuthError,
    LimitExceeded,
    ObsError,
    QueryError,
    SourceTimeout,
    SourceUnavailable,
)
from obs_magics.net.reply import Reply, shown
from obs_magics.net.vendor import Vendor
from obs_magics.syntax.traceql import parse

_NARROW = "narrow it: a service, { resource.service.name = `…` }, a shorter range, or a smaller --limit"
_LOOK = "look at the query; --dry-run shows what is sent"
_IDS = "an id of a trace has up to 32 hex digits: 8d5118091edb4be0453ef2e052b89273"

# Words as recorded from Tempo 3, and in its modules/frontend, modules/querier, pkg/api and pkg/traceql.
_CAUSES: tuple[Cause, ...] = (
    row(
        r"range specified by start and end \(.*\) exceeds",
        "metrics of spans over a shorter range, or over several one by one (24 h are usual); "
        "max_duration stands in the server's query_frontend.metrics",
        LimitExceeded,
    ),
    row(
        r"range specified by start and end exceeds",
        "ask for a shorter range, or for several one by one: --last 168h is the usual limit of a search; "
        "max_duration stands in the server's query_frontend.search",
        LimitExceeded,
    ),
    row(
        r"limit \d+ exceeds max limit",
        "a --limit of at most that; max_result_limit stands in the server's query_frontend.search",
        LimitExceeded,
    ),
    row(
        r"exceeds max size|max size of trace|[tT]race (?:is )?too (?:large|big)|max_bytes_per_trace",
        "the trace is larger than the server gives; max_bytes_per_trace stands in its overrides",
        LimitExceeded,
    ),
    row(r"larger than the max|received message larger|too many bytes|max series", _NARROW, LimitExceeded),
    row(r"context deadline exceeded|timeout exceeded|i/o timeout|timed out", _NARROW, SourceTimeout),
    row(r"no org id", "name the tenant: tenant: in the YAML, or --tenant", AuthError),
    row(r"multiple org IDs|multi-tenant", "one tenant at a time: tenant: in the YAML, or --tenant", AuthError),
    row(r"[tT]enant ID .*(?:contains unsupported|too long)|tenant ID is", "look at tenant: in the YAML", AuthError),
    row(r"trace IDs ", _IDS),
    row(r"not a metrics query", "numbers over time come from a function behind the spans: { … } | rate()"),
    row(r"start must be before end|invalid (?:start|end|step)", "look at the range and the --step"),
    row(r"invalid limit", "look at --limit"),
    row(r"invalid scope", "the scopes are span, resource, event, link, instrumentation and intrinsic"),
    row(
        r"empty ring|too many unhealthy instances|job queue full",
        "the server is starting, ill or busy: ask again later",
        SourceUnavailable,
    ),
    row(r"unexpected \$end|literal not terminated", "something is missing at the marked place"),
    row(r"syntax error: unexpected|parse error at", "look at the marked place"),
    row(r"invalid TraceQL query", "look at the query: what is compared has to have one type"),
)
_PREFIX = re.compile(r"(?:invalid TraceQL query: )?(?:parse error(?: at line \d+, col \d+)?\s*: )?(?:syntax error: )?")
_STATUSES = frozenset({400, 401, 422, 499, 500, 503, 504})


def explain(reply: Reply, where: str) -> ObsError | None:
    """The error that a refusal means; None for what HTTP's status already says well (403, 429, 502 …)."""
    if reply.status not in _STATUSES or reply.is_html:
        return None
    words = reply.body.decode(errors="replace").strip()
    cause = find_cause(_CAUSES, words)
    if not words or (cause is None and reply.status != 400):
        return None
    if reply.status == 400 or (cause is not None and issubclass(cause.kind, QueryError)):
        return refused(words, where=where)
    assert cause is not None  # noqa: S101 - for the type checker
    return cause.kind(f"the server refused ({reply.status}): {shown(words)}", where=where, hint=cause.hint)


def refused(words: str, *, query: str = "", where: str = "") -> ObsError:
    """The error for a query that the server refused in these words.

    Args:
        words: The server's own.
        query: What was asked; lets the error mark the place.
        where: As in `ObsError`.
    """
    cause = find_cause(_CAUSES, words)
    kind, hint = (cause.kind, cause.hint) if cause else (QueryError, _LOOK)
    if issubclass(kind, QueryError):
        position = place(words, query) if query else None
        message = f"the query was refused: {shown(_PREFIX.sub('', words, count=1))}"
        return QueryError(message, query=query, position=position, words=words, where=where, hint=hint)
    return kind(shown(words), where=where, hint=hint)


def located(error: QueryError, sent: Sent) -> ObsError:
    """The same error with the place marked: in what was typed where that stands in what was sent, else in the latter.

    Args:
        error: As `explain` made it.
        sent: The query.
    """
    if not error.words:
        return error
    found = refused(error.words, query=sent.text, where=error.where)
    if isinstance(found, QueryError) and sent.typed and sent.text.startswith(sent.typed):
        found.query = sent.typed
        found.position = None if found.position is None else min(found.position, len(sent.typed))
        found.hint = _hint_of_parser(sent.typed) or found.hint
    return found


def is_about_hint(error: QueryError, sent: Sent) -> bool:
    """Whether the server stumbled over the hint that we put behind the query."""
    position = place(error.words, sent.text)
    return sent.hinted and position is not None and position >= len(sent.bare)


def _hint_of_parser(query: str) -> str:
    """What our own parser advises for a query that it refuses, too; empty where it has no advice."""
    try:
        parse(query)
    except QueryError as error:
        return error.hint
    return ""


VENDOR = Vendor(explain=explain)
"""Tempo: `Retry-After` where a gateway sends one, and its own words. A 500 is not asked again: it took long to come."""
