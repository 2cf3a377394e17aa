"""What a Jaeger or VictoriaTraces says when it refuses, as our errors with the way out."""

from __future__ import annotations

from typing import Any

import msgspec

from obs_magics.adapters.causes import Cause, find_cause, row
from obs_magics.model.errors import BadAnswer, LimitExceeded, ObsError, QueryError, SourceTimeout
from obs_magics.net.reply import Reply, shown
from obs_magics.net.vendor import Vendor

_SMALLER = "ask for fewer traces (--limit) or a shorter range, or name a service"

# Words as recorded from VictoriaTraces, and in Jaeger's query_parser.go of both APIs.
_CAUSES: tuple[Cause, ...] = (
    row(r"limit should be not higher|search depth must be|exceeds? .*limit", _SMALLER, LimitExceeded),
    row(r"service name is required|parameter 'service' is required", "name the service: --service NAME"),
    row(r"inimum duration|aximum duration|[dD]uration", "look at --min-duration and --max-duration"),
    row(r"\btags?\b|attributes", "look at the attributes that were asked for"),
    row(r"trace[_ ]?[iI][dD]|TraceID|traceID", "an id of a trace has 32 hex digits, or 16 in old systems"),
    row(r"start_?[tT]ime|end_?[tT]ime|startTs|endTs|parse (?:start|end)", "look at the range: --last, --start, --end"),
    row(r"deadline exceeded|context canceled|timed? ?out", _SMALLER, SourceTimeout),
    row(r"not supported", "this server cannot do it; the service map of the traces themselves shows the same"),
)
_LOOK = "look at the conditions; --dry-run shows what is sent"


def words_of(reply: Reply) -> str:
    """What the server says: API v3 and the legacy API have JSON of their own for it, VictoriaTraces plain text."""
    try:
        found: Any = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return reply.first_line()
    if not isinstance(found, dict):
        return reply.first_line()
    listed = found.get("errors")
    inner = listed[0] if isinstance(listed, list) and listed else found.get("error", found)
    said = inner.get("message") or inner.get("msg") if isinstance(inner, dict) else inner
    return shown(str(said)) if said else reply.first_line()


def explain(reply: Reply, where: str) -> ObsError | None:
    """The error that a refusal means; None for what HTTP's status already says well (401, 404, 429, 502 …)."""
    if reply.status not in {400, 422, 500, 501} or reply.is_html:
        return None
    words = words_of(reply)
    if words.startswith("unsupported path requested"):
        hint = "is the URL that of a Jaeger? VictoriaTraces has its API below /select/jaeger"
        return BadAnswer("the server has no Jaeger API at this address", where=where, hint=hint)
    cause = find_cause(_CAUSES, words)
    if cause is None and reply.status not in {400, 422}:
        return None
    kind, hint = (cause.kind, cause.hint) if cause else (QueryError, _LOOK)
    message = f"the question was refused: {words}"
    if issubclass(kind, QueryError):
        return QueryError(message, words=words, where=where, hint=hint)
    return kind(message, where=where, hint=hint)


VENDOR = Vendor(explain=explain)
"""Jaeger: `Retry-After` where a proxy sends one, and its own words."""
