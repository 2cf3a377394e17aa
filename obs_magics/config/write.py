"""The YAML to keep for a source that was connected by hand; secrets become the names of variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import BaseModel, SecretStr

from obs_magics.config.files import ROOT
from obs_magics.config.platform import PlatformSettings
from obs_magics.config.types import Duration

_REFERENCE = re.compile(r"(\$\{[A-Za-z_][A-Za-z0-9_]*)(?::-[^}]*)?\}")


def platform_yaml(name: str, settings: PlatformSettings) -> str:
    """What to write into ``obs.yaml``, so that the source is there next time.

    Only what differs from the defaults is written. Each secret becomes ``${NAME_TOKEN}``, the name of an environment
    variable to set; its value is never written.
    """
    values = _changed(settings, (name,))
    if values.get("type") in {"", name}:
        del values["type"]
    entry = {ROOT: {"platforms": {name: {"enabled": settings.enabled, **values}}}}
    return yaml.safe_dump(entry, sort_keys=False, allow_unicode=True, width=1000)


def variable_name(*words: str) -> str:
    """The name of an environment variable: ``PROM_TOKEN`` for ``prom`` and ``token``."""
    name = re.sub(r"[^A-Z0-9]+", "_", "_".join(words).upper()).strip("_")
    return name if re.match(r"[A-Z]", name) else f"OBS_{name}"


def _changed(model: BaseModel, words: tuple[str, ...]) -> dict[str, Any]:
    """The fields of a model that differ from their defaults."""
    values: dict[str, Any] = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if value != field.get_default(call_default_factory=True):
            # `auth` says nothing more about a token: the variable is PROM_TOKEN, not PROM_AUTH_TOKEN.
            values[name] = _plain(value, words if isinstance(value, BaseModel | Mapping) else (*words, name))
    return values


def _plain(value: Any, words: tuple[str, ...]) -> Any:
    if isinstance(value, SecretStr):
        return _placeholder(value.get_secret_value(), words)
    if isinstance(value, BaseModel):
        return _changed(value, words)
    if isinstance(value, Mapping):
        return {key: _plain(item, (*words, key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, (*words, str(number))) for number, item in enumerate(value, start=1)]
    return str(value) if isinstance(value, Duration) or not isinstance(value, bool | int | float | None) else value


def _placeholder(text: str, words: tuple[str, ...]) -> str:
    if text.startswith("vault://"):
        return text
    reference = _REFERENCE.fullmatch(text)  # a default behind it may be the secret itself
    return f"{reference[1]}}}" if reference else f"${{{variable_name(*words)}}}"
