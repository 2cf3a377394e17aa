"""What a Prometheus, VictoriaMetrics, Mimir or Thanos says when it refuses, as our errors with the way out.

The HTTP status and `errorType` decide first. `execution` (422) stands for a timeout, a limit and a wrong query alike,
so there the server's words have to be looked at: `_CAUSES` is the whole list, each row with where the words come from.
"""

from __future__ import annotations

import re

import msgspec

from obs_magics.adapters.causes import Cause, find_cause, row
from obs_magics.model.errors import (
    BadAnswer,
    LimitExceeded,
    ObsError,
    QueryError,
    SourceTimeout,
    SourceUnavailable,
)
from obs_magics.net.reply import Reply, shown
from obs_magics.net.vendor import Vendor


class _Refusal(msgspec.Struct):
    status: str = ""
    error_type: str = msgspec.field(name="errorType", default="")
    error: str = ""


_NARROW = "narrow it: a label filter, a shorter range, a larger --step, or an aggregation such as sum by (…)"
_LOOK = "look at the query; --dry-run shows what is sent"
_MATCHING = (
    "both sides have several series with the same matching labels: add labels to on(…), or aggregate one side "
    "first, sum by (…)"
)


# Words as recorded from Prometheus 2.42 and 3.12 and VictoriaMetrics 1.79, and in Prometheus' promql/parser/parse.go.
_CAUSES: tuple[Cause, ...] = (
    row(r"too many samples into memory", _NARROW, LimitExceeded),
    row(r"exceeded maximum resolution", "use a larger --step or a shorter range", LimitExceeded),
    row(
        r"too long query", "the server limits the length of a query: use fewer or shorter label filters", LimitExceeded
    ),
    row(r"-search\.max\w+|err-mimir-max|exceeds the limit \(query length", _NARROW, LimitExceeded),
    row(r"context deadline exceeded|query timed out|timeout exceeded", _NARROW, SourceTimeout),
    row(r"many-to-many matching|found duplicate series|duplicate time series", _MATCHING),
    row(r"many-to-one matching must be explicit", "add group_left() or group_right() after on(…)"),
    row(r"one-to-one|same labelset", "dropping the name makes two series equal: keep a label that tells them apart"),
    row(r"got instant vector", "it needs a range in square brackets: metric[5m]"),
    row(r"got range vector", "wrap the range into a function: rate(metric[5m]), avg_over_time(metric[5m])"),
    row(r'expression type "range vector"', "a range query needs one value a step: rate(metric[5m]), or use --instant"),
    row(r'expression type "string"', "a text is not a metric: ask for something with numbers"),
    row(r"at least one non-empty matcher", 'name a metric, or a label with a value: up, or {job="api"}'),
    row(r"no expression found|missing `query` arg", "the query is empty: write PromQL into the cell"),
    row(
        r'invalid parameter "(?:start|end|time|step)"|cannot parse "(?:start|end|time)"',
        "look at the range and the --step",
    ),
    row(r"unclosed|unexpected end of input|unparsed data: \"\"", "a bracket or a quotation mark is not closed"),
    row(r"unexpected character|unexpected identifier|unexpected token", "look at the marked place"),
)

_POSITION = re.compile(r"(\d+):(\d+): parse error")
_PARSE_ERROR = re.compile(r"(?:invalid parameter \"query\": )?(?:\d+:\d+|unknown position): parse error: ")
_UNKNOWN_FUNCTION = re.compile(r"unknown func(?:tion with name)? ")
_UNPARSED = re.compile(r'unparsed data: "((?:[^"\\]|\\.)*)"')
_VM_FRAME = re.compile(r'^error when executing query=".*" for \(time=\d+, step=\d+\): ', re.DOTALL)


def explain(reply: Reply, where: str) -> ObsError | None:
    """The error that a refusal means; None for what HTTP's status already says well (401, 404, 429, 502 …)."""
    if reply.status not in {400, 422, 500, 503}:
        return None
    if b"unsupported path requested" in reply.body[:2000]:  # VictoriaMetrics' way to say 404
        hint = "is a path prefix missing in url:, such as /select/0/prometheus?"
        return BadAnswer("the server has no Prometheus API at this address", where=where, hint=hint)
    refusal = _refusal(reply)
    if refusal is None:
        return None
    said = shown(refusal.error)
    if refusal.error_type in {"timeout", "canceled"}:
        return SourceTimeout(f"the server gave up: {said}", where=where, hint=_NARROW)
    if reply.status in {500, 503}:
        hint = "its own log says why; ask again later"
        return SourceUnavailable(f"the server failed ({reply.status}): {said}", where=where, hint=hint)
    return refused(refusal.error, where=where)


def _refusal(reply: Reply) -> _Refusal | None:
    """The error body of this API, when it is one."""
    try:
        refusal = msgspec.json.decode(reply.body, type=_Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return refusal if refusal.status == "error" and refusal.error else None


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
    said = _VM_FRAME.sub("", _PARSE_ERROR.sub("", words))
    hint = _hint_for_function(words, query) or (cause.hint if cause else hint)
    if issubclass(kind, QueryError):
        message = f"the query was refused: {shown(said)}"
        position, length = _place(words, query)
        return QueryError(message, query=query, position=position, length=length, words=words, where=where, hint=hint)
    return kind(shown(said), where=where, hint=hint)


def located(error: QueryError, query: str) -> ObsError:
    """The same error for a known query: with the place marked, and with functions that may have been meant."""
    if not error.words:
        return error
    return refused(error.words, query=query, where=error.where, hint=error.hint)


def is_final(error: BaseException) -> bool:
    """Would every other part of the same question fail in the same way?"""
    return isinstance(error, QueryError) and ("parse error" in error.words or "unparsed data" in error.words)


def _place(words: str, query: str) -> tuple[int | None, int]:
    """Offset and length of what the server complains about, counted in characters of `query`."""
    offset = _offset(words, query) if query else None
    if offset is None:
        return None, 1
    name = re.match(r"\w+", query[offset:])
    return offset, len(name[0]) if name else 1


def _offset(words: str, query: str) -> int | None:
    """Prometheus gives line and column from 1, counted in bytes; VictoriaMetrics gives the rest it did not read."""
    found = _POSITION.search(words)
    if found:
        line, column = int(found[1]), int(found[2])
        lines = query.encode().split(b"\n")
        if not 1 <= line <= len(lines) or not 1 <= column <= len(lines[line - 1]) + 1:
            return None
        before = b"\n".join([*lines[: line - 1], lines[line - 1][: column - 1]])
        return len(before.decode(errors="ignore"))
    found = _UNPARSED.search(words)
    if found is None:
        return None
    rest = _unquoted(found[1])
    return len(query) - len(rest) if query.endswith(rest) else None


def _unquoted(text: str) -> str:
    """A Go string literal's content, for the escapes that it shares with JSON."""
    try:
        return str(msgspec.json.decode(f'"{text}"'))
    except msgspec.DecodeError:
        return text


def _hint_for_function(words: str, query: str) -> str:
    """Which function may have been meant: our own parser knows them all."""
    if not query or not _UNKNOWN_FUNCTION.search(words):
        return ""
    from obs_magics.syntax.promql import parse

    try:
        parse(query)
    except QueryError as error:
        return error.hint
    return ""


VENDOR = Vendor(explain=explain)
"""Prometheus and its kin: `Retry-After` where a proxy sends one, and their own error bodies."""
