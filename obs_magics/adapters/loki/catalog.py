"""What a Loki has: labels and values, fields inside of the lines, services; asked once a minute at most."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote as quote_path

import msgspec

from obs_magics.adapters.recent import RecentCatalog
from obs_magics.model.errors import BadAnswer
from obs_magics.model.time import SECOND, TimeRange
from obs_magics.net.reply import Reply

API = "/loki/api/v1"
SERVICE_LABELS = ("service_name", "service", "app", "application", "job", "container")
"""Labels by which lines are told apart by service, best first; Loki 3 makes `service_name` of the others itself."""
_RECENT_NS = 7 * 86_400 * SECOND  # without a range, only the last hours are looked at
_HINT = "does the address name a Loki?"

Params = list[tuple[str, str]]


class _Names(msgspec.Struct):
    """`data` is missing when there is nothing."""

    status: str
    data: list[str] = []


class _SeriesAnswer(msgspec.Struct):
    status: str
    data: list[dict[str, str]] = []


class DetectedField(msgspec.Struct, frozen=True):
    """A field that Loki found inside of lines: its `label`, `type`, about how many values, and who reads it."""

    label: str
    type: str = ""
    cardinality: int = 0
    parsers: tuple[str, ...] | None = None
    json_path: tuple[str, ...] | None = msgspec.field(name="jsonPath", default=None)


class _Fields(msgspec.Struct):
    fields: list[DetectedField] | None = None


class LokiCatalog(RecentCatalog):
    """The catalog of one source; see `model.catalog.LogCatalog`. It looks at the last week."""

    recent_ns = _RECENT_NS

    async def label_names(self) -> Sequence[str]:
        """Names that a stream selector may use."""
        return await self._recently("labels", self.names_in)

    async def label_values(self, label: str) -> Sequence[str]:
        """Values of one label of the recent past; empty for a label that is not there."""
        return await self._recently(("values", label), lambda span: self.values_in(label, span))

    async def field_names(self) -> Sequence[str]:
        """Names found inside the lines, as far as Loki detects them."""

        async def ask() -> list[str]:
            names = await self.label_names()
            if not names:
                return []
            found = await self.detected_fields(everything(names), self._range())
            return sorted({item.label for item in found})

        found: list[str] = await self._shared.get("fields", ask)
        return found

    async def services(self) -> Sequence[str]:
        """The services that write logs: the values of the best label for them."""
        label = await self.service_label()
        return await self.label_values(label) if label else []

    async def service_label(self) -> str:
        """The label that tells services apart; empty when there is none."""
        names = set(await self.label_names())
        return next((label for label in SERVICE_LABELS if label in names), "")

    async def names_in(self, span: TimeRange) -> list[str]:
        """Label names of a range."""
        return await self._names("labels", span)

    async def values_in(self, label: str, span: TimeRange) -> list[str]:
        """Values of a label in a range."""
        return await self._names(_values_path(label), span)

    async def series(self, match: Sequence[str], span: TimeRange) -> list[dict[str, str]]:
        """The label sets of the streams that match, in a range."""
        form = [("match[]", item) for item in match] + between(span)
        reply = await self._client().request("POST", f"{API}/series", form=form, repeatable=True)
        found: list[dict[str, str]] = decoded(_SeriesAnswer, reply).data
        return found

    async def detected_fields(self, query: str, span: TimeRange, limit: int = 1000) -> list[DetectedField]:
        """Fields that Loki finds in a sample of the lines that a query gives; none before Loki 3.1."""
        params = [("query", query), *between(span), ("limit", str(limit))]
        reply = await self._client().request("GET", f"{API}/detected_fields", params=params, accept=(404,))
        return [] if reply.status == 404 else decoded(_Fields, reply).fields or []

    async def _names(self, path: str, span: TimeRange) -> list[str]:
        reply = await self._client().request("GET", f"{API}/{path}", params=between(span))
        return sorted((await asyncio.to_thread(decoded, _Names, reply)).data)


def _values_path(label: str) -> str:
    return f"label/{quote_path(label, safe='')}/values"


def between(span: TimeRange) -> Params:
    """A range as parameters of the API: nanoseconds, whole and in digits."""
    return [("start", str(span.start_ns)), ("end", str(span.end_ns))]


def everything(names: Sequence[str]) -> str:
    """A selector of all streams, as far as Loki takes one: it has to ask for some value of some label."""
    label = next((label for label in SERVICE_LABELS if label in names), names[0] if names else SERVICE_LABELS[0])
    return f'{{{label}=~".+"}}'


def decoded(kind: Any, reply: Reply) -> Any:
    """Read the body of an answer.

    Args:
        kind: The type that it has.
        reply: The answer.

    Raises:
        BadAnswer: It is something else.
    """
    try:
        answer = msgspec.json.decode(reply.body, type=kind)
    except msgspec.ValidationError as error:
        message = f"the answer does not have the shape of Loki's API: {error}"
        raise BadAnswer(message, where=reply.where, hint=_HINT) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise reply.not_json(str(error)) from None
    if getattr(answer, "status", "success") != "success":
        raise BadAnswer("the answer is not one of Loki's API", where=reply.where, hint=_HINT)
    return answer
