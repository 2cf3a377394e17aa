"""What a person types in a cell. Loading stays light: whatever a magic needs is imported when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from obs_magics.magics.commands import MAGICS, help_text
from obs_magics.magics.context import Context

if TYPE_CHECKING:
    from obs_magics.api import Session
    from obs_magics.magics.completion import Completer

LINE, CELL = "line", "cell"
_NO_LOCALS: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class _Registered:
    """What was put on a shell, to be taken off again."""

    context: Context
    matcher: Callable[[Any], Any]


_registered: WeakKeyDictionary[Any, _Registered] = WeakKeyDictionary()


def register(shell: Any, open_session: Callable[[], Session] | None = None) -> None:
    """Put the magics and their completion on an IPython shell; a shell that has them already is left as it is.

    Args:
        shell: An IPython `InteractiveShell`.
        open_session: Makes the session that the magics use; None makes one from the configuration file.
    """
    if shell in _registered:
        return
    context = Context(shell) if open_session is None else Context(shell, open_session)
    for name, (kinds, function) in _functions(context).items():
        for kind in kinds:
            shell.register_magic_function(function, kind, name)
    matcher = _matcher(context)
    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(matcher)
    _registered[shell] = _Registered(context, matcher)


def unregister(shell: Any) -> None:
    """Take the magics and their completion off a shell, and close their session."""
    registered = _registered.pop(shell, None)
    if registered is None:
        return
    for name in MAGICS:
        for kind in (LINE, CELL):
            shell.magics_manager.magics[kind].pop(name, None)
        vars(shell.magics_manager.user_magics).pop(name, None)
    if shell.Completer is not None:
        shell.Completer.custom_matchers.remove(registered.matcher)
    registered.context.close()


# Magic → its module, and whether it takes a body as well as a line.
_MODULES: Mapping[str, tuple[str, bool]] = {
    "obs_metrics": ("metrics", True),
    "obs_logs": ("logs", True),
    "obs_traces": ("traces", True),
    "obs_events": ("events", True),
    "obs_anomalies": ("anomalies", True),
    "obs_correlate": ("correlate", True),
    "obs_compare": ("compare", False),
    "obs_incident": ("incident", False),
    "obs_rca": ("root_cause", False),
    "obs_timeline": ("timeline", True),
    "obs_report": ("report", False),
    "obs_sql": ("sql", True),
}


def _functions(context: Context) -> dict[str, tuple[tuple[str, ...], Callable[..., Any]]]:
    """The magics by name, with the kinds that each is; IPython shows their docstrings for ``%obs_metrics?``."""
    from IPython.core.magic import needs_local_scope, no_var_expand

    def obs(line: str) -> None:
        from obs_magics.magics.obs import run

        run(context, line)

    obs.__doc__ = help_text(MAGICS["obs"])
    made: dict[str, tuple[tuple[str, ...], Callable[..., Any]]] = {"obs": ((LINE,), no_var_expand(obs))}
    for name, (module, has_body) in _MODULES.items():
        function = _cell_magic(context, module) if has_body else _line_magic(context, module)
        function.__name__ = function.__qualname__ = name
        function.__doc__ = help_text(MAGICS[name])
        made[name] = ((LINE, CELL) if has_body else (LINE,)), needs_local_scope(no_var_expand(function))
    return made


def _cell_magic(context: Context, module: str) -> Callable[..., Any]:
    """A magic that takes a line or a cell, whose module is imported when it is first used."""

    def magic(line: str, cell: str | None = None, *, local_ns: Mapping[str, Any] = _NO_LOCALS) -> Any:
        return import_module(f"obs_magics.magics.{module}").run(context, line, cell, context.names(local_ns))

    return magic


def _line_magic(context: Context, module: str) -> Callable[..., Any]:
    """A magic that takes a line alone."""

    def magic(line: str, *, local_ns: Mapping[str, Any] = _NO_LOCALS) -> Any:
        return import_module(f"obs_magics.magics.{module}").run(context, line, context.names(local_ns))

    return magic


def _matcher(context: Context) -> Callable[[Any], Any]:
    """IPython calls this at every completion; what is not ours is told from the text alone, before any import."""
    from IPython.core.completer import context_matcher

    completers: list[Completer] = []

    def obs_magics_matcher(request: Any) -> Any:
        if "%obs" not in request.full_text:
            return {"completions": []}
        from obs_magics.magics.completion import Completer, answer

        if not completers:
            completers.append(Completer(context))
        return answer(completers[0], request)

    matcher: Callable[[Any], Any] = context_matcher(priority=1000, identifier="obs_magics")(obs_magics_matcher)
    return matcher
