"""`%obs`: sources, catalog, settings and help."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from obs_magics.display.table import Table
from obs_magics.magics.arguments import HELP, Arguments, Command, read_words
from obs_magics.magics.catalog import catalog
from obs_magics.magics.commands import MAGICS, help_text
from obs_magics.magics.commands_obs import OBS, SUBCOMMANDS
from obs_magics.magics.connect import connect, demo
from obs_magics.magics.interrupt import in_one_line
from obs_magics.model.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from obs_magics.api import SourceStatus
    from obs_magics.magics.context import Context

COLUMNS = ("name", "platform", "address", "environment", "default", "state")
START = """\
No source yet.
  %obs demo                opens the embedded demo
  %obs connect NAME URL    adds a source
  %obs help                says the rest"""


def run(context: Context, line: str) -> None:
    """Do what a line behind ``%obs`` says; alone it shows the state of things.

    Raises:
        UsageError: There is no such subcommand, or it does not take what was given.
    """
    name, *rest = line.split(maxsplit=1) or [""]
    if not name:
        status(context, Arguments())
    elif name in HELP.flags:
        context.write(help_text(OBS))
    elif name in SUBCOMMANDS:
        with in_one_line("interrupted"):
            _subcommand(context, name, "".join(rest))
    else:
        known = ", ".join(SUBCOMMANDS)
        raise UsageError(f"%obs has no {name!r}", hint=did_you_mean(name, SUBCOMMANDS) or f"it has {known}")


def _subcommand(context: Context, name: str, line: str) -> None:
    arguments = read_words(SUBCOMMANDS[name], line)
    if arguments.has(HELP.name):
        context.write(help_text(SUBCOMMANDS[name]))
    else:
        _DO[name](context, arguments)


def status(context: Context, arguments: Arguments) -> None:
    """``%obs``: the sources, and how to go on."""
    sources(context, arguments)
    default = context.session.default
    if context.session.sources:
        first = f" --source {context.session.sources[0].name}" if default is None else ""
        context.write(f"Ask with `%obs_metrics{first} up`, look around with `%obs catalog{first}`, more: `%obs help`.")


def sources(context: Context, _arguments: Arguments) -> None:
    """``%obs sources``: a table of all sources."""
    known = context.session.sources
    if not known:
        context.write(START)
        return
    rows = [
        (
            source.name,
            source.platform,
            source.address,
            source.environment,
            "yes" if source.is_default else "",
            _state(source),
        )
        for source in known
    ]
    context.show(Table(COLUMNS, rows)._repr_mimebundle_())


def _state(source: SourceStatus) -> str:
    return source.problem or ("ready" if source.enabled else "switched off")


def use(context: Context, arguments: Arguments) -> None:
    """``%obs use NAME``."""
    context.session.use(arguments.words[0])
    context.write(f"{arguments.words[0]} is now the default source")


def config(context: Context, _arguments: Arguments) -> None:
    """``%obs config``: what holds, and where it comes from."""
    from obs_magics.config.show import effective

    loaded = context.session.settings
    caption = str(loaded.path) if loaded.path else "no configuration file, all defaults"
    context.show(Table(("setting", "value", "from"), effective(loaded), caption=caption)._repr_mimebundle_())


def help_(context: Context, arguments: Arguments) -> None:
    """``%obs help [MAGIC]``."""
    if arguments.words:
        context.write(help_text(_command(" ".join(arguments.words))))
        return
    parts = ["Every magic, each with an example. `--help` behind any of them says all about it.", ""]
    for command in [MAGICS["obs"], *SUBCOMMANDS.values(), *(magic for magic in MAGICS.values() if magic is not OBS)]:
        example = command.examples[-1].replace("\n", "\n    ")
        parts += [f"{command.name}: {command.summary}", f"    {example}", ""]
    context.write("\n".join(parts).rstrip())


def _command(name: str) -> Command:
    known = {**SUBCOMMANDS, **MAGICS}
    bare = name.lstrip("%").removeprefix("obs ")
    if bare not in known:
        raise UsageError(
            f"there is no magic {name!r}", hint=did_you_mean(bare, known) or f"there are {', '.join(known)}"
        )
    return known[bare]


_DO: Mapping[str, Callable[[Context, Arguments], None]] = {
    "connect": connect,
    "demo": demo,
    "sources": sources,
    "use": use,
    "catalog": catalog,
    "config": config,
    "help": help_,
}
