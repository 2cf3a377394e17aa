"""What an Alertmanager says when it refuses, as our errors with the way out.

Its bodies are a bare JSON string (its own checks), ``{"code": 601, "message": "…"}`` (the framework's), or empty.
"""

from __future__ import annotations

from typing import Any

import msgspec

from obs_magics.model.errors import BadAnswer, ObsError, QueryError, SourceUnavailable
from obs_magics.net.reply import Reply, shown
from obs_magics.net.vendor import Vendor

_HINTS = (
    ("receiver", "look at receiver: of this source in the YAML: it is a regular expression (RE2)"),
    ("filter", 'conditions are written name="value", name!="value", name=~"regex" or name!~"regex"'),
    ("matcher", 'conditions are written name="value", name!="value", name=~"regex" or name!~"regex"'),
)
_LOOK = "look at the conditions; --dry-run shows what is asked"


def words_of(reply: Reply) -> str:
    """What the server says, whichever of its forms it takes."""
    try:
        found: Any = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return reply.first_line()
    if isinstance(found, dict):
        found = found.get("message")
    return shown(found) if isinstance(found, str) else reply.first_line()


def explain(reply: Reply, where: str) -> ObsError | None:
    """The error that a refusal means; None for what HTTP's status already says well (401, 404, 429, 502 …)."""
    if reply.is_html or reply.status not in {400, 404, 405, 422, 500}:
        return None
    words = words_of(reply)
    if reply.status in {404, 405}:
        said = f": {words}" if words else ""
        hint = "is the address that of an Alertmanager, without /api/v2? Versions before 0.16 have no API v2"
        return BadAnswer(f"the server has nothing of the kind ({reply.status}){said}", where=where, hint=hint)
    if reply.status == 500:
        return SourceUnavailable(f"the server failed (500): {words}", where=where, hint="its own log says why")
    hint = next((hint for word, hint in _HINTS if word in words), _LOOK)
    return QueryError(f"the question was refused: {words}", words=words, where=where, hint=hint)


VENDOR = Vendor(explain=explain)
"""Alertmanager: `Retry-After` where a proxy sends one, and its own words."""
