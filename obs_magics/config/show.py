"""The settings in force, each with where it comes from; secrets masked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, SecretStr

from obs_magics.config.files import Keys
from obs_magics.config.load import Loaded
from obs_magics.config.problems import MASK, dotted

DEFAULT = "default"
_ONLY_A_REFERENCE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-[^}]*)?\}")


class Effective(NamedTuple):
    """One setting: dotted key, value as people may see it, and where it stands (``obs.yaml:7``, a variable)."""

    key: str
    value: str
    origin: str


def effective(loaded: Loaded) -> list[Effective]:
    """Every setting in force. What is not set and has no default is left out."""
    return [
        Effective(dotted(keys), _shown(value), _origin(keys, value, loaded.origins))
        for keys, value in _leaves(loaded.settings, ())
    ]


def masked(secret: SecretStr) -> str:
    """A secret as people may see it: the name of its variable, if that is all it is; else a mask of fixed length."""
    match = _ONLY_A_REFERENCE.fullmatch(secret.get_secret_value())
    if not match:
        return MASK
    return f"${{{match['name']}:-…}}" if match["default"] else match[0]


def _leaves(value: Any, keys: Keys) -> Iterator[tuple[Keys, Any]]:
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _leaves(getattr(value, name), (*keys, field.alias or name))
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _leaves(item, (*keys, name))
    elif isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
        for number, item in enumerate(value):
            yield from _leaves(item, (*keys, number))
    elif value is not None:
        yield keys, value


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        return masked(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _origin(keys: Keys, value: Any, origins: Mapping[str, str]) -> str:
    """The place of the key itself, else of what it was taken from, else it is a default."""
    candidates = [keys]
    if keys[-1:] == ("name",) and isinstance(keys[-2], int):  # a plain name in a list, or a list in one variable
        candidates += [keys[:-1], keys[:-2]]
    if keys[-2:-1] == ("auth",) and value != "none":  # the type told by the other keys, or all of it by the address
        candidates += [keys[:-1], (*keys[:-2], "url")]
    if keys[:1] == ("measures",):  # a single query needs no list, and plain text is one
        bare = tuple(key for key in keys if not isinstance(key, int))
        candidates += [bare, *([bare[:-1]] if bare[-1] == "query" else [])]
    return next((origins[key] for key in map(dotted, candidates) if key in origins), DEFAULT)
