"""Which platforms there are: the adapters built in, those that other packages bring, and those that are planned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points

from obs_magics.config.adapter import Adapter
from obs_magics.config.planned import PLANNED
from obs_magics.model.errors import ConfigError

ENTRY_POINTS = "obs_magics.adapters"


class Registry(Mapping[str, Adapter]):
    """Adapters by type. One that another package brings is imported when it is first asked for.

    Looking such a one up raises `ConfigError` when it does not work; going through all of them passes over it and keeps
    what is wrong in `problems`.
    """

    def __init__(self, known: Iterable[Adapter], plugins: Iterable[EntryPoint]) -> None:
        self._adapters = {adapter.type: adapter for adapter in known}
        self._plugins: dict[str, EntryPoint] = {}
        self._broken: dict[str, ConfigError] = {}
        self._refused: list[str] = []
        for plugin in plugins:
            self._announce(plugin)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with adapters of other packages, as far as it is known by now; each a sentence."""
        return (*self._refused, *(error.message for error in self._broken.values()))

    def __getitem__(self, kind: str) -> Adapter:
        if kind in self._broken:
            raise self._broken[kind]
        plugin = self._plugins.pop(kind, None)
        if plugin is not None:
            try:
                self._adapters[kind] = _load(plugin)
            except ConfigError as error:
                self._adapters.pop(kind, None)
                self._broken[kind] = error
                raise
        return self._adapters[kind]

    def __iter__(self) -> Iterator[str]:
        for kind in list(self._plugins):
            self._try(kind)
        return iter(list(self._adapters))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __contains__(self, kind: object) -> bool:
        return kind in self._adapters or kind in self._plugins or kind in self._broken

    def _announce(self, plugin: EntryPoint) -> None:
        other = self._plugins.get(plugin.name)
        known = self._adapters.get(plugin.name)
        if other is not None or (known is not None and known.open is not None):
            taken_by = f"{other.value}" if other is not None else "obs_magics itself"
            self._refused.append(f"the adapter {plugin.name} of {plugin.value} is not used: {taken_by} has that type")
        else:
            self._plugins[plugin.name] = plugin

    def _try(self, kind: str) -> None:
        try:
            self[kind]
        except ConfigError as error:
            self._broken[kind] = error


def _load(plugin: EntryPoint) -> Adapter:
    hint = "update or uninstall the package that brings it"
    try:
        found = plugin.load()
    except Exception as error:  # a plug-in is foreign code: whatever it raises, the others still have to work
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(f"the adapter {plugin.name} ({plugin.value}) does not load: {reason}", hint=hint) from error
    if not isinstance(found, Adapter) or found.type != plugin.name:
        what = f"an adapter of type {found.type!r}" if isinstance(found, Adapter) else f"a {type(found).__name__}"
        raise ConfigError(f"the adapter {plugin.name} ({plugin.value}) is {what}", hint=hint)
    return found


def load_registry(builtin: Iterable[Adapter] = ()) -> Registry:
    """All adapters: `builtin`, those planned, and those of other packages (entry points ``obs_magics.adapters``).

    An adapter from a package takes the place of a planned one, never of one that is built in. Nothing is imported yet.
    """
    return Registry([*PLANNED, *builtin], entry_points(group=ENTRY_POINTS))
