"""What a person types in a cell. Loading stays light: whatever a magic needs is imported when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from obs_magics.magics.commands import COMPARE, EVENTS, LOGS, MAGICS, METRICS, SQL, TRACES, help_text
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


def _functions(context: Context) -> dict[str, tuple[tuple[str, ...], Callable[..., Any]]]:
    """The magics by name, with the kinds that each is; IPython shows their docstrings for ``%obs_metrics?``."""
    from IPython.core.magic import needs_local_scope, no_var_expand

    def obs(line: str) -> None:
        from obs_magics.magics.obs import run

        run(context, line)

    def obs_metrics(line: str, cell: str | None = None, *, local_ns: Mapping[str, Any] = _NO_LOCALS) -> Any:
        from obs_magics.magics.metrics import run

        return run(context, line, cell, context.names(local_ns))

    def obs_logs(line: str, cell: str | None = None, *, local_ns: Mapping[str, Any] = _NO_LOCALS) -> Any:
        from obs_magics.magics.logs import run

        return run(context, line, cell, context.names(local_ns))

    def obs_traces(line: str, cell: str | None = None, *, local_ns: Mapping[str, Any] = _NO_LOCALS) -> Any:
        from obs_magics.magics.traces import run

        return run(context, line, cell, context.names(local_ns))

    def obs_events(line: str, cell: str | None = None, *, local_ns: Mapping[str, Any] = _NO_LOCALS) -> Any:
        from obs_magics.magics.events import run

        return run(context, line, cell, context.names(local_ns))

    def obs_compare(line: str, *, local_ns: Mapping[str, Any] = _NO_LOCALS) -> Any:
        from obs_magics.magics.compare import run

        return run(context, line, context.names(local_ns))

    def obs_sql(line: str, cell: str | None = None, *, local_ns: Mapping[str, Any] = _NO_LOCALS) -> Any:
        from obs_magics.magics.sql import run

        return run(context, line, cell, context.names(local_ns))

    obs.__doc__ = help_text(MAGICS["obs"])
    obs_metrics.__doc__ = help_text(METRICS)
    obs_logs.__doc__ = help_text(LOGS)
    obs_traces.__doc__ = help_text(TRACES)
    obs_events.__doc__ = help_text(EVENTS)
    obs_compare.__doc__ = help_text(COMPARE)
    obs_sql.__doc__ = help_text(SQL)
    return {
        "obs": ((LINE,), no_var_expand(obs)),
        "obs_metrics": ((LINE, CELL), needs_local_scope(no_var_expand(obs_metrics))),
        "obs_logs": ((LINE, CELL), needs_local_scope(no_var_expand(obs_logs))),
        "obs_traces": ((LINE, CELL), needs_local_scope(no_var_expand(obs_traces))),
        "obs_events": ((LINE, CELL), needs_local_scope(no_var_expand(obs_events))),
        "obs_compare": ((LINE,), needs_local_scope(no_var_expand(obs_compare))),
        "obs_sql": ((LINE, CELL), needs_local_scope(no_var_expand(obs_sql))),
    }


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
