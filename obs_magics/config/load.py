"""From a file and the environment to checked settings.

A variable ``OBS_MAGICS__QUERY__MAX_TIME_RANGE=14d`` stands above the file: two underscores go one level down.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from obs_magics.config.adapter import Adapter
from obs_magics.config.files import Document, Keys, Place, find_file, kind_of, read_document
from obs_magics.config.platform import PlatformSettings
from obs_magics.config.problems import Problem, config_error, dotted, problems_of
from obs_magics.config.settings import Settings
from obs_magics.model.errors import ConfigError, did_you_mean

_PREFIX = "OBS_MAGICS__"
_RESERVED = frozenset({"auto"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """Checked settings, the file they come from (None: defaults only), and where each value stands, by dotted key."""

    settings: Settings
    path: Path | None = None
    origins: Mapping[str, str] = field(default_factory=dict)


def load_settings(
    path: str | Path | None,
    registry: Mapping[str, Adapter],
    *,
    environ: Mapping[str, str] = os.environ,
    cwd: str | Path | None = None,
) -> Loaded:
    """Read and check the configuration. ``${NAME}`` is not resolved here, but when it is used.

    Args:
        path: The file; None looks for one (see `config.files.find_file`).
        registry: The platforms there are.
        environ: The environment.
        cwd: The working directory; None is the process's own.

    Raises:
        ConfigError: The file cannot be read, or holds what it should not. All problems are named at once.
    """
    found = find_file(path, environ, Path(cwd) if cwd is not None else Path.cwd())
    document = _with_environment(read_document(found) if found else Document(), environ)
    platforms, problems = _read_platforms(document, registry)
    try:
        settings = Settings.model_validate({**document.values, "platforms": platforms})
    except ValidationError as error:
        raise config_error([*problems, *problems_of(error, Settings)], document) from None
    if not problems:
        problems = _unknown_output(settings, registry)
    if problems:
        raise config_error(problems, document)
    origins = {dotted(keys): str(place) for keys, place in document.places.items() if keys}
    return Loaded(settings, found, MappingProxyType(origins))


def platform_settings(name: str, values: Any, registry: Mapping[str, Adapter]) -> PlatformSettings:
    """Check one platform's settings that do not come from a file.

    Raises:
        ConfigError: As for a file; the values of secrets are never shown.
    """
    checked = _read_platform(name, values, registry)
    if isinstance(checked, PlatformSettings):
        return checked
    raise config_error(checked, Document())


def _with_environment(document: Document, environ: Mapping[str, str]) -> Document:
    """The document with the variables of the environment laid over it."""
    values, places = _copy(document.values), dict(document.places)
    for variable, text in sorted(environ.items()):
        if not variable.startswith(_PREFIX):
            continue
        keys: Keys = tuple(part.lower() for part in variable.removeprefix(_PREFIX).split("__"))
        below = values
        for key in keys[:-1]:
            if not isinstance(below.get(key), dict):
                below[key] = {}
            below = below[key]
        below[keys[-1]] = text
        places[keys] = Place(f"${variable}")
    return Document(document.path, values, places)


def _copy(value: Any) -> Any:
    return {key: _copy(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def _read_platforms(
    document: Document, registry: Mapping[str, Adapter]
) -> tuple[dict[str, PlatformSettings], list[Problem]]:
    entries = document.values.get("platforms")
    if entries is not None and not isinstance(entries, Mapping):
        return {}, [Problem(("platforms",), f"must be a mapping of names, not {kind_of(entries)}")]
    platforms: dict[str, PlatformSettings] = {}
    problems: list[Problem] = []
    for name, values in (entries or {}).items():
        checked = _read_platform(name, values, registry)
        if isinstance(checked, PlatformSettings):
            platforms[name] = checked
        else:
            problems += checked
    return platforms, problems


def _read_platform(name: str, values: Any, registry: Mapping[str, Adapter]) -> PlatformSettings | list[Problem]:
    keys: Keys = ("platforms", name)
    if values is not None and not isinstance(values, Mapping):
        return [Problem(keys, f"must be a mapping (url: …), not {kind_of(values)}")]
    if name in _RESERVED or not name.isprintable() or name != name.strip() or not name or name.startswith("-"):
        return [Problem(keys, "is not a name for a platform", "choose another: it is typed after --source")]
    given = {key: value for key, value in (values or {}).items() if value is not None or key != "type"}
    kind = given.setdefault("type", name)
    adapter = _adapter((*keys, "type") if values and "type" in values else keys, kind, registry)
    if isinstance(adapter, Problem):
        return [adapter]
    try:
        return adapter.settings.model_validate(given)
    except ValidationError as error:
        return problems_of(error, adapter.settings, keys)


def _adapter(keys: Keys, kind: Any, registry: Mapping[str, Adapter]) -> Adapter | Problem:
    if not isinstance(kind, str):
        return Problem(keys, f"must be text, not {kind_of(kind)}")
    try:
        if kind in registry:
            return registry[kind]
    except ConfigError as error:
        return Problem(keys, error.message, error.hint)
    known = f"the types are {', '.join(sorted(registry))}"
    hint = "; ".join(filter(None, [did_you_mean(kind, registry), known]))
    missing_type = "" if keys[-1] == "type" else ", and the entry names no type"
    return Problem(keys, f"there is no platform type {kind!r}{missing_type}", hint)


def _unknown_output(settings: Settings, registry: Mapping[str, Adapter]) -> list[Problem]:
    """The dashboards' platform is one of the entries, or a type that an entry may get later."""
    name = settings.dashboards.output_platform
    if name is None or name in settings.platforms or name in registry:
        return []
    hint = did_you_mean(name, [*settings.platforms, *registry]) or "name one of the entries under platforms"
    return [Problem(("dashboards", "output_platform"), f"there is no platform {name!r}", hint)]
