"""What the magics that ask a source have in common: reading the cell, filling the variable, showing, returning."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from obs_magics.magics.arguments import Arguments, Command, read_query, read_words
from obs_magics.magics.interrupt import in_one_line
from obs_magics.model import provenance
from obs_magics.model.time import format_duration

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.api import Plan
    from obs_magics.magics.context import Context
    from obs_magics.magics.extras import Extras


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in a cell: the options, the question, and whether a `;` asks not to show the frame."""

    arguments: Arguments
    question: str
    quiet: bool


def read_cell(command: Command, line: str, cell: str | None, names: Mapping[str, Any]) -> Typed:
    """Read a magic that takes a query: the rest of the line, or the cell's body; `names` as for `read_query`.

    Raises:
        UsageError: The options are wrong.
    """
    if cell is not None:
        question, quiet = _without_semicolon(cell)
        return Typed(read_words(command, line, names), question, quiet)
    bare, quiet = _without_semicolon(line)
    arguments = read_query(command, bare, names)
    return Typed(arguments, arguments.rest, quiet)


def _without_semicolon(text: str) -> tuple[str, bool]:
    """The text without a `;` at its end, and whether there was one; no query language here ends with one."""
    bare = text.rstrip()
    return (bare[:-1], True) if bare.endswith(";") else (text, False)


def has_text(question: str) -> bool:
    """Whether there is more than space and comments."""
    lines = [line.strip() for line in question.splitlines()]
    return any(line and not line.startswith("#") for line in lines)


def deliver(context: Context, typed: Typed, frame: pd.DataFrame, show: Callable[[], None]) -> pd.DataFrame | None:
    """Fill the variable, show the panel, and give back what the cell returns."""
    target = typed.arguments.target
    if target is not None:
        context.fill(target, frame)
    if not typed.arguments.has("no-plot"):
        kept = f"; the frame is in {target}" if target else ""
        with in_one_line(f"interrupted while drawing{kept}"):
            show()
    # Only with a variable: `x = %obs_metrics up;` would lose what was fetched.
    return None if typed.quiet and target is not None else frame


def conditions(arguments: Arguments, names: Sequence[str]) -> str:
    """Those of these options that were given, as typed, for a next cell."""
    given = [(name, value) for name in names if (value := arguments.text(name)) is not None]
    return " ".join(f"--{name} {shlex.quote(value)}" for name, value in given)


def show_numbers(context: Context, typed: Typed, frame: pd.DataFrame, magic: str) -> bool:
    """Show the panel of metrics where a query for lines or traces gave numbers over time; False where it did not."""
    origin = provenance.of(frame)
    if origin is None or origin.signal != "metrics":
        return False
    from obs_magics.magics.panel import metrics_panel

    panel = metrics_panel(
        frame,
        typed.question.strip(),
        name=typed.arguments.target or "",
        options="",
        zone=context.session.zone,
        magic=magic,
        extras=marked_events(context, typed.arguments, frame),
    )
    context.show(*panel.outputs())
    return True


def marked_events(context: Context, arguments: Arguments, frame: pd.DataFrame) -> Extras:
    """What happened in the time of a frame, where --events asks for it."""
    from obs_magics.magics.extras import NOTHING, with_events

    return with_events(context, frame) if arguments.has("events") and not frame.empty else NOTHING


def plan_text(plan: Plan, facts: Mapping[str, str]) -> str:
    """What would be asked of whom: the answer to ``--dry-run``; `facts` stand between the range and the notes."""
    span = plan.range
    when = f"{span.start:%Y-%m-%d %H:%M:%S} to {span.end:%Y-%m-%d %H:%M:%S} UTC ({format_duration(span.duration_ns)})"
    told = [
        ("source", f"{plan.source} ({plan.platform}, {plan.address})"),
        ("query", plan.native_query.replace("\n", "\n         ")),
        ("range", when),
        *facts.items(),
        *(("note", note) for note in plan.notes),
    ]
    return "\n".join(["Nothing was asked. This would be:", *(f"{name:<9}{value}" for name, value in told)])
