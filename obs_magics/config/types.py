"""The kinds of values that settings have: durations, addresses, rates, channels; and the strict base of all models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainValidator,
    SerializerFunctionWrapHandler,
    WrapSerializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from obs_magics.model.errors import UsageError
from obs_magics.model.time import SECOND, format_duration, parse_duration

K = TypeVar("K")
V = TypeVar("V")

_RATE = re.compile(r"\s*(?P<count>[0-9]+(?:\.[0-9]+)?)\s*/\s*(?P<unit>s|sec|second|m|min|minute|h|hour)\s*", re.ASCII)
_RATE_SECONDS = {"s": 1, "m": 60, "h": 3600}
_CHANNEL = re.compile(r"[a-z][a-z0-9_-]*:\S.*", re.ASCII)
_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+(?:%\w+)?")  # names (also international ones) and IPv6
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)


class Strict(BaseModel):
    """Base of all settings: unknown keys are errors, values cannot be changed, messages never hold the input.

    A known key with nothing behind it (``auth:``) means its default.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _empty_means_default(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        return {key: value for key, value in values.items() if value is not None or key not in cls.model_fields}


class Duration(int):
    """A length of time in nanoseconds that prints as people write it: ``1h30m``."""

    @classmethod
    def of(cls, text: str) -> Self:
        """From text such as ``1h30m``; raises `UsageError` for any other."""
        return cls(parse_duration(text))

    @property
    def seconds(self) -> float:
        """The same length in seconds."""
        return self / SECOND

    def __str__(self) -> str:
        return format_duration(self)

    def __repr__(self) -> str:
        return f"Duration.of({str(self)!r})"


def _read_duration(value: Any) -> Duration:
    if isinstance(value, Duration):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a duration with its unit, such as 30s or 1h")
    try:
        return Duration.of(value)
    except UsageError as error:
        raise PydanticCustomError("duration", "must be a duration", {"hint": error.hint}) from None


def _read_timeout(value: Any) -> Duration:
    """As other durations; a bare number is in seconds, as every HTTP client has it."""
    if isinstance(value, int | float) and not isinstance(value, bool | Duration):
        return _read_duration(f"{value:f}s")
    return _read_duration(value)


def between(low: str, high: str) -> AfterValidator:
    """Bounds of a duration, both included."""
    least, most = Duration.of(low), Duration.of(high)

    def check(value: Duration) -> Duration:
        if not least <= value <= most:
            raise ValueError(f"must be from {low} to {high}")
        return value

    return AfterValidator(check)


DURATION = PlainValidator(_read_duration)
TIMEOUT = PlainValidator(_read_timeout)


def _plain_text(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    if not value.isprintable():
        raise ValueError("must not hold line breaks or other control characters")
    return value


Text = Annotated[str, AfterValidator(_plain_text)]


def is_late(text: str) -> bool:
    """The text holds ``${NAME}``, so that it is only known when it is used."""
    return "${" in text


def _http_address(value: str) -> str:
    if is_late(value):
        return value
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("must be an address such as http://localhost:9090") from None
    if "@" in value:  # also behind a slash, where a password with a slash puts it
        raise ValueError("must not hold a user or a password: they belong under auth")
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host or "") or port == 0:
        raise ValueError("must begin with http:// or https:// and name a host")
    if parts.query or parts.fragment:
        raise ValueError("must not hold a query: a token belongs under auth or headers, where it is kept secret")
    return value.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(_plain_text), AfterValidator(_http_address)]


def _verify(value: Any) -> bool | str:
    """Whether to check certificates, or the file with private authorities; ``"false"`` in quotes is no file."""
    switch = {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else value
    if isinstance(switch, bool):
        return switch
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError("must be true, false, or the path of a file with certificates")


Verify = Annotated[bool | str, PlainValidator(_verify)]


def _rate(value: Any) -> float:
    """Requests a second, from a number or from ``300/h``."""
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match:
        rate = float(match["count"]) / _RATE_SECONDS[match["unit"][0]]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        rate = float(value)
    else:
        raise ValueError("must be requests a second, or text such as 10/s or 300/h")
    if not 0 < rate <= 10_000:
        raise ValueError("must be more than 0 and at most 10000 requests a second")
    return rate


Rate = Annotated[float, PlainValidator(_rate)]


def _channel(value: str) -> str:
    if "://" in value:
        raise ValueError("must name a channel such as slack:#alerts, not an address (addresses of webhooks are secret)")
    if not _CHANNEL.fullmatch(value):
        raise ValueError("must name a kind and a target, such as slack:#alerts")
    return value


Channel = Annotated[str, AfterValidator(_plain_text), AfterValidator(_channel)]


def _header_name(value: str) -> str:
    if not _HEADER_NAME.fullmatch(value):
        raise ValueError("is no name for a header: it takes letters, digits and hyphens")
    return value


HeaderName = Annotated[str, AfterValidator(_header_name)]


def _frozen(value: Mapping[K, V]) -> Mapping[K, V]:
    """A view that cannot be changed, of a copy that nobody else has."""
    return MappingProxyType(dict(value))


def _as_dict(value: Mapping[K, V], serialize: SerializerFunctionWrapHandler) -> Any:
    """Pydantic serializes dicts only."""
    return serialize(dict(value))


FROZEN = AfterValidator(_frozen)
THAWED = WrapSerializer(_as_dict)


def _split_commas(value: Any) -> Any:
    """``json, csv`` as it comes from an environment variable."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


COMMA_SEPARATED = BeforeValidator(_split_commas)
