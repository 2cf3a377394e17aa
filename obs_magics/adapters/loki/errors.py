"""What a Loki says when it refuses, as our errors with the way out.

Loki answers in plain text, gateways in front of it in JSON. The status decides first; 400 and 500 stand for a wrong
query, a limit and a mistake in the configuration alike, so there its words have to be looked at: `_CAUSES` is the whole
list.
"""

from __future__ import annotations

import re

import msgspec

from obs_magics.adapters.causes import Cause, find_cause, row
from obs_magics.adapters.loki.level_filter import Filtered
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
from obs_magics.syntax.logql import parse

_NARROW = 'narrow it: more labels in the selector, {app="…"}, a shorter range, or a line filter |= "…"'
_LOOK = "look at the query; --dry-run shows what is sent"
_SKIP = '| __error__="" behind the parser passes over the lines that it cannot read'
_SERIES = (
    "aggregate, sum by (…) over fewer labels, or topk(10, …); max_query_series is set in the server's limits_config"
)

_TOO_LARGE = re.compile(r"(?:response|message) larger than (?:the )?max|bytes data exceeding the limit")

# Words as recorded from Loki 3, in its pkg/util/validation, pkg/querier/queryrange/limits.go and pkg/logqlmodel, and in
# its documentation (query/troubleshoot-query).
_CAUSES: tuple[Cause, ...] = (
    row(r"max entries limit per query exceeded", "set page_lines: in the YAML to the server's limit", LimitExceeded),
    row(
        r"query time range exceeds the limit|query length exceeds",
        "ask for a shorter range, or for several one by one; max_query_length stands in the server's limits_config",
        LimitExceeded,
    ),
    row(r"maximum (?:number )?of series|max number of series", _SERIES, LimitExceeded),
    row(
        _TOO_LARGE.pattern,
        "a smaller page_lines: in the YAML, or a shorter range; grpc_server_max_send_msg_size is the server's",
        LimitExceeded,
    ),
    row(r"\[interval\] value exceeds limit", "a shorter range in the square brackets, [5m]", LimitExceeded),
    row(
        r"max_query_lookback|data is no longer available",
        "ask for a later range: max_query_lookback in the server's limits_config says how far back it answers",
        LimitExceeded,
    ),
    row(r"exceeded maximum resolution", "use a larger --step or a shorter range", LimitExceeded),
    row(r"too many bytes|too large to execute|max_query_bytes_read", _NARROW, LimitExceeded),
    row(
        r"max streams? matchers|too many chunks|max number of chunks|cardinality limit|limit.* exceeded",
        _NARROW,
        LimitExceeded,
    ),
    row(
        r"context deadline exceeded|timeout exceeded|i/o timeout|timed out|cancell?ed by the client",
        _NARROW,
        SourceTimeout,
    ),
    row(
        r"multiple org IDs present",
        "one tenant at a time, or multi_tenant_queries_enabled in the server's configuration",
        AuthError,
    ),
    row(r"no org id", "name the tenant: tenant: in the YAML, or --tenant", AuthError),
    row(r"[tT]enant ID .* (?:contains unsupported|is too long)|tenant ID is", "look at tenant: in the YAML", AuthError),
    row(
        r"query blocked by policy",
        "who runs the server has blocked queries like this (blocked_queries in its limits_config): ask in another way",
    ),
    row(r"querying is disabled", "max_query_parallelism is 0 in the server's limits_config", SourceUnavailable),
    row(
        r"missing required matchers|less label matchers than required",
        "the server wants more labels in the selector, see its words: required_labels, minimum_labels_number",
    ),
    row(r"invalid aggregation \w+ without unwrap", "| unwrap LABEL before the range: | unwrap duration_ms [5m]"),
    row(r"invalid aggregation \w+ with unwrap", "without unwrap, as lines are counted; or sum_over_time"),
    row(r"is not enabled\. See -|feature .* not enabled", "the server's configuration can turn it on"),
    row(
        r"pipeline error|SampleExtractionErr|JSONParserErr|LogfmtParserErr",
        f"some lines cannot be read by the query's parser or unwrap: {_SKIP}",
    ),
    row(
        r"at least one regexp or equality matcher",
        'a selector needs one label with a value: {app="api"}, or {app=~".+"} for all',
    ),
    row(r"log queries are not supported as an instant query", "lines come from a range: use %%obs_logs"),
    row(r"error parsing regexp", "regular expressions are RE2: no look-around, no back-references; quote with `…`"),
    row(r"unexpected \$end|unterminated|literal not terminated", "something is missing at the marked place"),
    row(r"syntax error: unexpected|unexpected character", "look at the marked place"),
    row(
        r"could not parse '(?:start|end|step)'|end timestamp must not be before|through < from",
        "look at the range and the --step",
    ),
    row(
        r"empty ring|too many unhealthy instances", "the server is starting or ill: ask again later", SourceUnavailable
    ),
)

_POSITION = re.compile(r"parse error at line (\d+), col (\d+): ")
_PREFIX = re.compile(r"parse error(?: at line \d+, col \d+)?\s*: (?:syntax error: )?")
_MOST_LINES = re.compile(r"max_entries_limit_per_query \(\d+ > (\d+)\)|max_entries_limit \(\d+ > (\d+)\)")
_STATUSES = frozenset({400, 401, 413, 422, 499, 500, 503, 504})
_WORDS = ("error", "message", "detail")  # where gateways and proxies that answer in JSON have them


def explain(reply: Reply, where: str) -> ObsError | None:
    """The error that a refusal means; None for what HTTP's status already says well (403, 404, 429, 502 …)."""
    if reply.status not in _STATUSES or reply.is_html:
        return None
    words = _words(reply.body)
    cause = find_cause(_CAUSES, words)
    if cause is None and reply.status != 400:
        return None
    if reply.status == 400 or (cause is not None and issubclass(cause.kind, QueryError)):
        return refused(words, where=where)
    assert cause is not None  # noqa: S101 - for the type checker
    return cause.kind(f"the server refused ({reply.status}): {shown(words)}", where=where, hint=cause.hint)


def _words(body: bytes) -> str:
    """The server's words: all of its answer, or what a JSON object has as its error."""
    words = body.decode(errors="replace").strip()
    if not words.startswith("{"):
        return words
    try:
        told = msgspec.json.decode(words)
    except msgspec.DecodeError:
        return words
    return next((told[name] for name in _WORDS if isinstance(told.get(name), str)), words)


def refused(words: str, *, query: str = "", where: str = "", hint: str = _LOOK) -> ObsError:
    """The error for a query that the server refused in these words.

    Args:
        words: The server's own.
        query: What was asked; lets the error mark the place.
        where: As in `ObsError`.
        hint: The way out when the words are none of those that we know.
    """
    cause = find_cause(_CAUSES, words)
    kind = cause.kind if cause else QueryError
    hint = cause.hint if cause else hint
    if issubclass(kind, QueryError):
        position = place(words, query) if query else None
        said = shown(_PREFIX.sub("", words))
        message = f"the query was refused: {said}"
        return QueryError(message, query=query, position=position, words=words, where=where, hint=hint)
    return kind(shown(words), where=where, hint=hint)


def place(words: str, query: str) -> int | None:
    """The offset that "line 1, col 14" means: both counted from 1, columns in characters (Go's text/scanner)."""
    found = _POSITION.search(words)
    if found is None:
        return None
    line, column = int(found[1]), int(found[2])
    lines = query.split("\n")
    if not 1 <= line <= len(lines) or not 1 <= column <= len(lines[line - 1]) + 1:
        return None
    return sum(len(text) + 1 for text in lines[: line - 1]) + column - 1


def located(error: QueryError, sent: Filtered) -> ObsError:
    """The same error for what a person typed: with the place marked there, though more was sent."""
    if not error.words:
        return error
    found = refused(error.words, query=sent.text, where=error.where, hint=error.hint)
    if isinstance(found, QueryError):
        found.query, found.position = sent.original, sent.original_place(found.position)
        found.hint = _hint_of_parser(sent.original) or found.hint
    return found


def _hint_of_parser(query: str) -> str:
    """What our own parser advises for a query that it refuses, too; empty where it has no advice."""
    try:
        parse(query)
    except QueryError as error:
        return error.hint
    return ""


def most_lines(error: ObsError, asked: int) -> int | None:
    """How many lines to ask for instead: the server's own limit, or half when so many were too large for it.

    Args:
        error: What it said; None for an error of another kind.
        asked: Lines that were asked for.
    """
    found = _MOST_LINES.search(error.message)
    if found:
        return int(found[1] or found[2])
    return asked // 2 if _TOO_LARGE.search(error.message) else None


VENDOR = Vendor(explain=explain)
"""Loki: `Retry-After` where a gateway sends one, and its own words. A 500 is not asked again: it took long to come."""
