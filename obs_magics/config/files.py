"""Finding the configuration file, and reading it as YAML with the line of every key.

Only plain YAML is taken: no tags that make Python objects, no key twice, no aliases that grow without end. Messages
never repeat a line of the file, since it may hold a secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from obs_magics.model.errors import ConfigError, did_you_mean

ROOT = "observability"
VARIABLE = "OBS_MAGICS_CONFIG"
_IN_PROJECT = (Path("obs.yaml"), Path(".amplifier/integrations/observability.yaml"))
_MOST_BYTES = 1 << 20
_MOST_VALUES = 20_000
_DEEPEST = 30
_MERGE = "<<"
_PLAIN_TAGS = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_QUOTED = re.compile(r"""'[^'<]{3,}'|"[^"]{3,}\"""")

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: a file and a line (from 1), or an environment variable."""

    source: str
    line: int | None = None

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"


@dataclass(frozen=True, slots=True)
class Document:
    """What a file (or nothing) says: plain values below ``observability:``, and the place of each by its keys."""

    path: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[Keys, Place] = field(default_factory=dict)

    def place(self, keys: Keys) -> Place | None:
        """Where a value stands, or the nearest thing around it."""
        for length in range(len(keys), -1, -1):
            if keys[:length] in self.places:
                return self.places[keys[:length]]
        return Place(str(self.path)) if self.path else None


def find_file(path: str | Path | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    """The file to read: the one named, else the first that is there; None when there is none.

    Looked for in this order: `path`, ``$OBS_MAGICS_CONFIG``, ``obs.yaml`` and
    ``.amplifier/integrations/observability.yaml`` in the working directory, ``obs.yaml`` in the user's configuration
    directory.

    Raises:
        ConfigError: A file that was named is not there.
    """
    named = path or environ.get(VARIABLE)
    if named:
        return _named_file(Path(named), cwd, "" if path else f" (named by ${VARIABLE})")
    from platformdirs import user_config_path

    places = [*(cwd / relative for relative in _IN_PROJECT), user_config_path("obs_magics", False) / "obs.yaml"]
    return next((place for place in places if os.path.isfile(place)), None)


def read_document(path: Path) -> Document:
    """Read one YAML file.

    Raises:
        ConfigError: Not readable, not YAML, empty, or something else than a mapping under ``observability:``.
    """
    document = read_mapping(path)
    if document is None:
        raise ConfigError("the configuration file is empty", where=str(path), hint=f"start it with {ROOT}:")
    return _below_root(path, document.values, document.places)


def read_mapping(path: Path) -> Document | None:
    """Read one YAML file that holds a mapping, whatever its keys; None when it holds nothing.

    Raises:
        ConfigError: Not readable, not YAML, or something else than a mapping.
    """
    text = _text(path)
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        reader = _Reader(loader, str(path))
        return None if node is None else Document(path, reader.mapping(node, ()), reader.places)
    except yaml.YAMLError as error:
        raise _not_yaml(error, path) from None
    except RecursionError:
        raise ConfigError("the file is nested too deeply", where=str(path)) from None


def _named_file(path: Path, cwd: Path, how: str) -> Path:
    try:
        found = cwd / path.expanduser()
    except RuntimeError:  # ~name of a user who is not there
        found = cwd / path
    if not os.path.exists(found):
        raise ConfigError(f"there is no configuration file {found}{how}", hint="check the path")
    return found


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(f"the configuration file cannot be read: {reason}", where=str(path)) from None
    if len(raw) > _MOST_BYTES:
        raise ConfigError("the configuration file is larger than 1 MiB", where=str(path), hint="is it the right file?")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(
            "the configuration file is not UTF-8 text", where=str(path), hint="save it as UTF-8"
        ) from None


def _not_yaml(error: yaml.YAMLError, path: Path) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "a character that YAML does not allow"
    # Long quoted parts are the file's own words (an alias, a tag), and those may be a secret.
    return ConfigError(
        f"not valid YAML: {_QUOTED.sub('…', problem)}",
        where=str(Place(str(path), mark.line + 1 if mark else None)),
        hint="indent with spaces, write `key: value`, and put text with special characters in quotes",
    )


def _below_root(path: Path, values: Mapping[str, Any], places: Mapping[Keys, Place]) -> Document:
    others = [key for key in values if key != ROOT]
    if others:
        guess = did_you_mean(others[0], [ROOT])
        raise ConfigError(
            f"{others[0]} is not a key that is known at the top of the file",
            where=str(places[others[0],]),
            hint=guess or f"all settings stand below one key, {ROOT}:",
        )
    if not values:
        raise ConfigError("the configuration file holds nothing", where=str(path), hint=f"start it with {ROOT}:")
    content = values[ROOT]
    if not isinstance(content, Mapping):
        what = "nothing" if content is None else f"no mapping but {kind_of(content)}"
        place = places[ROOT,]
        raise ConfigError(f"{ROOT}: holds {what}", where=str(place), hint="write keys below it: `platforms:`")
    below = {keys[1:]: place for keys, place in places.items() if keys[:1] == (ROOT,)}
    return Document(path, content, below)


def kind_of(value: Any) -> str:
    """What people call a value's kind."""
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "a mapping"}
    return kinds.get(type(value), "nothing" if value is None else f"a {type(value).__name__}")


class _Reader:
    """Turns YAML nodes into plain values, and remembers where each stood."""

    def __init__(self, loader: yaml.SafeLoader, source: str) -> None:
        self.places: dict[Keys, Place] = {}
        self._loader = loader
        self._source = source
        self._count = 0

    def mapping(self, node: yaml.Node, keys: Keys) -> dict[str, Any]:
        """A mapping; keys are text whatever YAML 1.1 makes of them (``on``, ``1``)."""
        if not isinstance(node, yaml.MappingNode):
            place = self._place(node)
            raise ConfigError(
                f"the configuration is no mapping but {'a list' if isinstance(node, yaml.SequenceNode) else 'text'}",
                where=str(place),
                hint=f"start it with {ROOT}:",
            )
        self._refuse_duplicates(node)
        values: dict[str, Any] = {}
        for key_node, value_node in sorted(node.value, key=lambda pair: pair[0].value != _MERGE):
            key = self._key(key_node)
            if key == _MERGE:  # `<<: *base`: the keys of another mapping, which those that stand here override
                self._check_size(value_node, keys)
                values |= self.mapping(value_node, keys)
            else:
                self.places[*keys, key] = self._place(key_node)
                values[key] = self._value(value_node, (*keys, key))
        return values

    def _check_size(self, node: yaml.Node, keys: Keys) -> None:
        self._count += 1
        if self._count > _MOST_VALUES or len(keys) > _DEEPEST:
            raise ConfigError("the file says too much", where=str(self._place(node)), hint="do aliases repeat it?")

    def _value(self, node: yaml.Node, keys: Keys) -> Any:
        self._check_size(node, keys)
        if isinstance(node, yaml.CollectionNode) and node.tag not in _PLAIN_TAGS:
            raise ConfigError("a YAML tag (!…) means nothing here", where=str(self._place(node)), hint="leave it out")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, keys)
        if isinstance(node, yaml.SequenceNode):
            items = []
            for number, item in enumerate(node.value):
                self.places[*keys, number] = self._place(item)
                items.append(self._value(item, (*keys, number)))
            return items
        try:
            return self._loader.construct_object(node, deep=True)
        except (ValueError, OverflowError):  # a date such as 2026-13-45 looks like one and is none
            raise ConfigError("a value that YAML takes for a date or number is none", where=str(self._place(node)),
                              hint="put it in quotes") from None  # fmt: skip

    def _refuse_duplicates(self, node: yaml.MappingNode) -> None:
        first: dict[str, yaml.Node] = {}
        for key_node, _ in node.value:
            key = self._key(key_node)
            if key in first:
                line = first[key].start_mark.line + 1
                raise ConfigError(
                    f"the key {key} stands twice, first in line {line}",
                    where=str(self._place(key_node)),
                    hint="keep one of them: the other would be lost",
                )
            first.setdefault(key, key_node)

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise ConfigError("a key is no plain text", where=str(self._place(node)), hint="put `${…}` in quotes")
        return str(node.value)

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._source, node.start_mark.line + 1)
