"""What a Prometheus has: metric names, their type, unit and help, labels and values; asked once a minute at most."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, get_args
from urllib.parse import quote as quote_path

import msgspec

from obs_magics.adapters.prometheus.product import Product
from obs_magics.adapters.shared import Shared
from obs_magics.model.catalog import MetricInfo, MetricType, info_from_name
from obs_magics.model.errors import BadAnswer
from obs_magics.model.frames import METRIC_NAME_LABEL
from obs_magics.net.client import HttpClient
from obs_magics.net.reply import Reply

_TYPES = frozenset(get_args(MetricType))
_OTHER_TYPES: dict[str, MetricType] = {"gaugehistogram": "histogram", "info": "gauge", "stateset": "gauge"}
_FAMILY_SUFFIXES = ("_bucket", "_count", "_sum", "_total")
_LEGACY_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:")


class _Metadata(msgspec.Struct):
    type: str = ""
    unit: str = ""
    help: str = ""


class _Names(msgspec.Struct):
    status: str = ""
    data: list[str] | None = None


class _MetadataAnswer(msgspec.Struct):
    status: str = ""
    data: dict[str, list[_Metadata]] | None = None


class _SeriesAnswer(msgspec.Struct):
    status: str = ""
    data: list[dict[str, str]] | None = None


_NAMES = msgspec.json.Decoder(_Names)
_METADATA = msgspec.json.Decoder(_MetadataAnswer)
_SERIES = msgspec.json.Decoder(_SeriesAnswer)


class PrometheusCatalog:
    """The catalog of one source; see `model.catalog.Catalog`.

    Args:
        client: Gives the source's client.
        shared: Where answers are kept.
        product: Which server it is.
    """

    def __init__(
        self,
        client: Callable[[], HttpClient],
        shared: Shared,
        product: Callable[[], Awaitable[Product]],
    ) -> None:
        self._client = client
        self._shared = shared
        self._product = product

    async def metric_names(self) -> Sequence[str]:
        """Every metric name, sorted."""
        return await self.label_values(METRIC_NAME_LABEL)

    async def metric(self, name: str) -> MetricInfo:
        """Type, unit and help of one metric; what the source does not tell is guessed from the name."""
        guess = info_from_name(name)
        known = await self._metadata(name)
        if known is None:
            family = next((name.removesuffix(end) for end in _FAMILY_SUFFIXES if name.endswith(end)), "")
            known = await self._metadata(family) if family else None
        if known is None:
            return guess
        told = known.type if known.type in _TYPES else _OTHER_TYPES.get(known.type, "unknown")
        kind: MetricType = guess.type if told == "unknown" else told  # type: ignore[assignment]
        unit = info_from_name(f"x_{known.unit}").unit or known.unit if known.unit else guess.unit
        return MetricInfo(name, kind, unit, known.help)

    async def label_names(self, metric: str | None = None) -> Sequence[str]:
        """Label names, of one metric or of all; without `__name__`."""
        names = await self._names("/api/v1/labels", metric)
        return [name for name in names if name != METRIC_NAME_LABEL]

    async def label_values(self, label: str, metric: str | None = None) -> Sequence[str]:
        """Values of one label, on one metric or on all."""
        return await self._names(f"/api/v1/label/{path_name(label, await self._product())}/values", metric)

    async def series(self, match: Sequence[str], start: str, end: str, limit: int) -> list[dict[str, str]]:
        """The label sets that match in a range (seconds since the epoch); servers before 3.0 do not know the limit."""
        params = [("match[]", item) for item in match]
        params += [("start", start), ("end", end), ("limit", str(limit))]
        reply = await self._client().request("POST", "/api/v1/series", form=params, repeatable=True)
        return _decoded(_SERIES, reply) or []

    async def _names(self, path: str, metric: str | None) -> list[str]:
        async def ask() -> list[str]:
            params = [("match[]", selector(metric))] if metric else []
            params += (await self._product()).whole_history
            reply = await self._client().request("GET", path, params=params)
            names: list[str] = await asyncio.to_thread(_decoded, _NAMES, reply) or []
            names.sort()
            return names

        found: list[str] = await self._shared.get((path, metric), ask)
        return found

    async def _metadata(self, name: str) -> _Metadata | None:
        async def ask() -> _Metadata | None:
            reply = await self._client().request("GET", "/api/v1/metadata", params=[("metric", name)])
            known = (_decoded(_METADATA, reply) or {}).get(name)
            return known[0] if known else None

        found: _Metadata | None = await self._shared.get(("metadata", name), ask)
        return found


def selector(metric: str) -> str:
    """A selector of one metric, also of one whose name is not a word of PromQL (`http.requests`)."""
    if metric and not metric[0].isdigit() and _LEGACY_NAME.issuperset(metric):
        return metric
    escaped = metric.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{{__name__="{escaped}"}}'


def path_name(label: str, product: Product) -> str:
    """A label's name in a path: as it is, or escaped as Prometheus 3 wants names that are not words (`U__a_2e_b`)."""
    if label and not label[0].isdigit() and _LEGACY_NAME.issuperset(label):
        return label
    if product.is_victoria:
        return quote_path(label, safe="")
    escaped = "".join(
        "__" if letter == "_" else letter if letter in _LEGACY_NAME and not (place == 0 and letter.isdigit())
        else f"_{ord(letter):x}_"
        for place, letter in enumerate(label)
    )  # fmt: skip
    return quote_path(f"U__{escaped}", safe="")


def _decoded(decoder: Any, reply: Reply) -> Any:
    try:
        answer = decoder.decode(reply.body)
    except msgspec.ValidationError as error:
        hint = "does the address name a Prometheus, with the right path prefix?"
        message = f"the answer does not have the shape of this API: {error}"
        raise BadAnswer(message, where=reply.where, hint=hint) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise reply.not_json(str(error)) from None
    if answer.status != "success":
        raise BadAnswer("the answer is not one of the Prometheus API", where=reply.where)
    return answer.data
