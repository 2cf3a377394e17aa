"""What a VictoriaLogs has: stream fields and their values, all fields, services; asked once a minute at most."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from obs_magics.adapters.log_pages import clock
from obs_magics.adapters.recent import RecentCatalog
from obs_magics.model.errors import BadAnswer
from obs_magics.model.time import SECOND, TimeRange
from obs_magics.net.reply import Reply

API = "/select/logsql"
SERVICE_FIELDS = ("service_name", "service.name", "service", "app", "application", "job", "container")
"""Fields by which lines are told apart by service, best first."""
OWN_FIELDS = frozenset({"_msg", "_stream", "_stream_id", "_time"})
_RECENT_NS = 7 * 86_400 * SECOND
_MOST_VALUES = 10_000

Params = list[tuple[str, str]]


class Hit(msgspec.Struct, frozen=True):
    """A name or a value, and how many lines have it."""

    value: str
    hits: int = 0


class _Hits(msgspec.Struct):
    values: list[Hit] | None


class VictoriaLogsCatalog(RecentCatalog):
    """The catalog of one source; see `model.catalog.LogCatalog`. It looks at the last week."""

    recent_ns = _RECENT_NS

    async def label_names(self) -> Sequence[str]:
        """Fields that a stream filter may use."""
        return await self._recent("stream_field_names")

    async def label_values(self, label: str) -> Sequence[str]:
        """Values of one field of the recent past; empty for a field that is not there."""
        return await self._recent("field_values", label)

    async def field_names(self) -> Sequence[str]:
        """All fields of lines but those that every line has of itself."""
        return [name for name in await self._recent("field_names") if name not in OWN_FIELDS]

    async def services(self) -> Sequence[str]:
        """The services that write logs: the values of the best field for them."""
        field = await self.service_field()
        return await self.label_values(field) if field else []

    async def service_field(self) -> str:
        """The field that tells services apart; empty when there is none."""
        names = {*await self.label_names(), *await self.field_names()}
        return next((name for name in SERVICE_FIELDS if name in names), "")

    async def hits(self, endpoint: str, span: TimeRange, *, query: str = "*", field: str = "") -> list[Hit]:
        """Names or values with how many lines have them, most first.

        Args:
            endpoint: ``field_names``, ``field_values``, ``stream_field_names``, ``stream_field_values``, ``streams``.
            span: The range.
            query: Of which lines.
            field: Whose values.
        """
        params = [("query", query), *between(span)]
        params += [("field", field), ("limit", str(_MOST_VALUES))] if field else []
        return names_of(await self._client().request("GET", f"{API}/{endpoint}", params=params))

    async def _recent(self, endpoint: str, field: str = "") -> list[str]:
        async def ask(span: TimeRange) -> list[str]:
            return sorted(hit.value for hit in await self.hits(endpoint, span, field=field) if hit.value)

        return await self._recently((endpoint, field), ask)


def between(span: TimeRange) -> Params:
    """A range as parameters of the API: start included, end excluded, exact to the nanosecond."""
    return [("start", clock(span.start_ns)), ("end", clock(span.end_ns))]


def names_of(reply: Reply) -> list[Hit]:
    """Read an answer of names or values.

    Raises:
        BadAnswer: It is something else.
    """
    try:
        return msgspec.json.decode(reply.body, type=_Hits).values or []
    except msgspec.ValidationError as error:
        message = f"the answer does not have the shape of this API: {error}"
        raise BadAnswer(message, where=reply.where, hint="does the address name a VictoriaLogs?") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise reply.not_json(str(error)) from None
