"""Bodies of Tempo's answers as typed objects."""

from __future__ import annotations

from typing import Any

import msgspec

from obs_magics.model.errors import BadAnswer
from obs_magics.net.reply import Reply
from obs_magics.syntax.spans.documents import mended

_HINT = "does the address name a Tempo?"
_PARTIAL = ("PARTIAL", 1)


class Judged(msgspec.Struct, kw_only=True):
    """What an answer may say of its own completeness: `status` PARTIAL, and why."""

    status: str | int = 0
    message: str = ""

    @property
    def missing(self) -> str:
        """Why the answer is not whole; empty when it is."""
        if self.status not in _PARTIAL:
            return self.message
        return self.message or "the server gives a part of it only"


def decoded(kind: Any, reply: Reply) -> Any:
    """Read the body of an answer.

    Args:
        kind: The type that it has.
        reply: The answer.

    Raises:
        BadAnswer: It is something else.
    """
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except msgspec.ValidationError as error:
        raise other_shape(reply.where, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        why = str(error)
    try:
        return msgspec.json.decode(mended(reply.body), type=kind)
    except msgspec.ValidationError as error:
        raise other_shape(reply.where, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise reply.not_json(why) from None


def other_shape(where: str, why: str) -> BadAnswer:
    """The error for JSON that is not of this API."""
    message = f"the answer does not have the shape of Tempo's API: {why}"
    return BadAnswer(message, where=where, hint=_HINT)
