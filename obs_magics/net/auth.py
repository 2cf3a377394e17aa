"""How a source is told who asks: Basic, Bearer or a header of its own; the values never show themselves.

Example:
    >>> Bearer("s3cret")
    Bearer(token=Secret('**********'))
    >>> Bearer("s3cret").header()[0]
    'Authorization'
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from obs_magics.model.errors import ConfigError

_MASK = "**********"


@runtime_checkable
class HasSecret(Protocol):
    """What pydantic's `SecretStr` and our own `Secret` have in common."""

    def get_secret_value(self) -> str:
        """The value itself."""
        ...


class Secret:
    """A text that is only given to those who ask for it by name; repr, str and format show a mask."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    @classmethod
    def of(cls, value: SecretLike) -> Secret:
        """Wrap a plain text, or what a settings library already wrapped."""
        if isinstance(value, Secret):
            return value
        return cls(value.get_secret_value() if isinstance(value, HasSecret) else value)

    def get_secret_value(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret('{_MASK if self._value else ''}')"

    def __str__(self) -> str:
        return _MASK if self._value else ""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled: it would lie readable in the file")


SecretLike: TypeAlias = str | HasSecret


def header_text(value: SecretLike, *, what: str) -> Secret:
    """A value that may stand in an HTTP header; white space around it (a file's last line break) is taken off.

    Args:
        value: The text, wrapped or not.
        what: How messages call it: ``"the token"``.

    Raises:
        ConfigError: It holds line breaks or other control characters, or what is not ASCII. The value is not shown.
    """
    text = Secret.of(value).get_secret_value().strip()
    if not all(" " <= character <= "~" for character in text):
        raise ConfigError(
            f"{what} holds a character that cannot be sent in a header",
            hint="look for line breaks, quotes or invisible characters that came along when it was copied",
        )
    return Secret(text)


@dataclass(frozen=True, slots=True)
class Basic:
    """A user and a password (``Authorization: Basic …``)."""

    user: str
    password: SecretLike

    def __post_init__(self) -> None:
        object.__setattr__(self, "password", Secret.of(self.password))

    def header(self) -> tuple[str, Secret]:
        """Name and value of the header to send."""
        pair = f"{self.user}:{Secret.of(self.password).get_secret_value()}".encode()
        return "Authorization", Secret(f"Basic {base64.b64encode(pair).decode()}")

    def secrets(self) -> tuple[str, ...]:
        """What must never be shown, plain and as sent."""
        return Secret.of(self.password).get_secret_value(), self.header()[1].get_secret_value().removeprefix("Basic ")


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token (``Authorization: Bearer …``)."""

    token: SecretLike

    def __post_init__(self) -> None:
        object.__setattr__(self, "token", header_text(self.token, what="the token"))

    def header(self) -> tuple[str, Secret]:
        """Name and value of the header to send."""
        return "Authorization", Secret(f"Bearer {Secret.of(self.token).get_secret_value()}")

    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        return (Secret.of(self.token).get_secret_value(),)


@dataclass(frozen=True, slots=True)
class HeaderAuth:
    """A header with a name of the vendor's own (``Api-Key: …``)."""

    name: str
    value: SecretLike

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.strip())
        object.__setattr__(self, "value", header_text(self.value, what=f"the value of the header {self.name}"))

    def header(self) -> tuple[str, Secret]:
        """Name and value of the header to send."""
        return self.name, Secret.of(self.value)

    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        return (Secret.of(self.value).get_secret_value(),)


Auth: TypeAlias = Basic | Bearer | HeaderAuth
