"""`%%obs_sql` and `%obs_sql`: one SQL statement over local tables and frames of the notebook in, a frame out."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from obs_magics.magics.arguments import HELP, Arguments, read_query, read_words
from obs_magics.magics.commands import help_text
from obs_magics.magics.commands_frames import SQL
from obs_magics.magics.interrupt import in_one_line
from obs_magics.magics.sql_variables import expand_sql
from obs_magics.model.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.api import SqlPlan
    from obs_magics.display.panel import Panel
    from obs_magics.magics.context import Context


class _Options(TypedDict):
    source: str | None
    frames: dict[str, pd.DataFrame]
    limit: int | None
    timeout: str | None


def run(context: Context, line: str, cell: str | None, names: Mapping[str, Any]) -> pd.DataFrame | None:
    """Run a statement, fill the variable, say what the reader must know, return the frame.

    Args:
        context: The shell and its session.
        line: What stands behind the magic's name.
        cell: The statement; None for the line form, where it is the rest of the line.
        names: Python's variables, for ``${name}`` and for the frames.

    Raises:
        UsageError: The options are wrong, or there is no statement; nothing was run.
        ObsError: It could not be answered; the variable is left as it was.
        KeyboardInterrupt: The user interrupted; the statement was stopped.
    """
    arguments = read_query(SQL, line, names) if cell is None else read_words(SQL, line, names)
    if arguments.has(HELP.name):
        context.write(help_text(SQL))
        return None
    typed = arguments.rest if cell is None else cell
    if not typed.strip():
        raise UsageError("there is no query", hint="for example: %obs_sql SHOW TABLES")
    with in_one_line("interrupted: the statement was stopped"):
        text = expand_sql(typed, names, zone=context.session.zone).strip()
        options = _options(context, names, arguments)
        if arguments.has("dry-run"):
            context.write(_plan_text(context.session.sql_plan(text, **options)))
            return None
        frame = context.session.sql(text, **options)
    if arguments.target is not None:
        context.fill(arguments.target, frame)
    context.show(*_panel(frame, arguments.target or "SQL").outputs())
    return frame


def notebook_frames(context: Context, names: Mapping[str, Any] | None = None) -> dict[str, pd.DataFrame]:
    """The user's frames by variable; without pandas there are none, and it is not imported to find out."""
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return {}
    hidden = context.shell.user_ns_hidden
    own = list((context.shell.user_ns if names is None else names).items())
    return {name: value for name, value in own if name not in hidden and isinstance(value, pandas.DataFrame)}


def _options(context: Context, names: Mapping[str, Any], arguments: Arguments) -> _Options:
    return {
        "source": arguments.text("source"),
        "frames": notebook_frames(context, names),
        "limit": arguments.number("limit"),
        "timeout": arguments.text("timeout"),
    }


def _panel(frame: pd.DataFrame, name: str) -> Panel:
    from obs_magics.display.panel import Panel, notes_of
    from obs_magics.display.units import count_text
    from obs_magics.model import provenance

    origin = provenance.of(frame)
    if origin is None:
        raise ValueError("only a frame that a session returned says where it comes from")
    size = f"{count_text(len(frame), 'row')}, {count_text(len(frame.columns), 'column')}"
    return Panel(
        headline=f"{name}: {size} from {origin.source} ({origin.platform})",
        notes=notes_of(warnings=origin.warnings, truncated=origin.truncated),
    )


def _plan_text(plan: SqlPlan) -> str:
    """What would be run, and over what."""
    from obs_magics.model.time import format_duration

    address = f", {plan.address}" if plan.address else ""
    names = ", ".join(f"{name} ({what})" for name, what in plan.names.items())
    facts = [
        ("source", f"{plan.source} ({plan.platform}{address})"),
        ("query", plan.query.text.replace("\n", "\n         ")),
        ("names", names or "no table"),
        ("limit", f"{plan.query.limit:,} rows, {format_duration(plan.query.timeout_ns)}"),
    ]
    return "\n".join(["Nothing was run. This would be:", *(f"{name:<9}{value}" for name, value in facts)])
