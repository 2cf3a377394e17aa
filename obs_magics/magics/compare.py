"""`%obs_compare`: which attributes tell slow or failing rows from the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from obs_magics.analysis.compare import DEFINING, By, compare, compare_summary, split_spans
from obs_magics.display.compare import compare_table
from obs_magics.display.panel import Panel
from obs_magics.display.units import count_text
from obs_magics.magics.arguments import HELP, Arguments, read_words
from obs_magics.magics.commands import help_text
from obs_magics.magics.commands_frames import COMPARE
from obs_magics.model.durations import parse_duration
from obs_magics.model.errors import UsageError, did_you_mean
from obs_magics.model.logs import LEVELS

if TYPE_CHECKING:
    from obs_magics.magics.context import Context

_LIMIT = 20
_LEVEL_LABELS = ("level", "detected_level", "severity")
_STATUS_CODES = ("http.response.status_code", "http.status_code", "rpc.grpc.status_code")
_WITHIN = ("service", "operation")


def run(context: Context, line: str, names: Mapping[str, Any]) -> pd.DataFrame | None:
    """Split a frame of the notebook, or take two, and say what tells the sides apart.

    Args:
        context: The shell and its session.
        line: What stands behind the magic's name.
        names: Python's variables, among which the frames are.

    Raises:
        UsageError: There is no such frame, or it cannot be split so.
    """
    arguments = read_words(COMPARE, line.rstrip().removesuffix(";"), names)
    if arguments.has(HELP.name):
        context.write(help_text(COMPARE))
        return None
    frame = _frame(names, arguments.words[0])
    sides = _sides(frame, arguments, names)
    selected, rest, called = sides.selected, sides.rest, sides.called
    table = compare(
        selected, rest, ignore=sides.defining, within=sides.within, limit=arguments.number("limit") or _LIMIT
    )
    if arguments.target is not None:
        context.fill(arguments.target, table)
    if not arguments.has("no-plot"):
        rows = f"{count_text(len(selected), 'row')} against {count_text(len(rest), 'other')}"
        panel = Panel(
            headline=f"{called}: {rows}",
            sentences=compare_summary(table, selected=called),
            sections=[compare_table(table)],
        )
        context.show(*panel.outputs())
    return table


def _frame(names: Mapping[str, Any], name: str) -> pd.DataFrame:
    value = names.get(name)
    if isinstance(value, pd.DataFrame):
        return value
    frames = [key for key, one in names.items() if isinstance(one, pd.DataFrame) and not key.startswith("_")]
    what = f"{name} is no frame" if value is not None else f"there is no frame called {name!r}"
    known = f"there are {', '.join(sorted(frames))}" if frames else "fetch one: slow << …"
    raise UsageError(what, hint=did_you_mean(name, frames) or known)


@dataclass(frozen=True, slots=True)
class _Sides:
    """The selected rows and the others.

    Args:
        selected: The rows that are asked about.
        rest: Those they are held against.
        called: What the selected are called.
        defining: Attributes by which they were selected: that these tell them says nothing.
        within: Columns by which the others are weighted to the mix of the selected.
    """

    selected: pd.DataFrame
    rest: pd.DataFrame
    called: str
    defining: tuple[str, ...] = ()
    within: tuple[str, ...] = ()


def _sides(frame: pd.DataFrame, arguments: Arguments, names: Mapping[str, Any]) -> _Sides:
    other, by, threshold = arguments.text("with"), arguments.text("by"), arguments.text("threshold")
    name = arguments.words[0]
    if other is not None:
        if by or threshold:
            raise UsageError("--with names the other side, and --by and --threshold split one", hint="keep one of them")
        return _Sides(frame, _frame(names, other), name)
    if "span_id" in frame.columns and "duration" in frame.columns:
        return _of_spans(frame, "error" if by == "error" else "duration", threshold)
    if "level" in frame.columns and "message" in frame.columns:
        if by == "duration" or threshold:
            raise UsageError("lines of logs have no duration", hint="they are split by error; or name two: --with")
        failed = frame["level"].cat.codes >= LEVELS.index("error")
        return _Sides(frame[failed], frame[~failed], "error lines", _LEVEL_LABELS)
    raise UsageError(f"{name} has neither spans nor log lines to split", hint="name two frames: --with OTHER")


def _of_spans(frame: pd.DataFrame, by: By, threshold: str | None) -> _Sides:
    limit = None if threshold is None else pd.Timedelta(parse_duration(threshold), unit="ns")
    mask, called = split_spans(frame, by, threshold=limit)
    within = () if threshold is None else _WITHIN  # slow by nature is not what is asked for
    defining = (*DEFINING[by], *(_STATUS_CODES if by == "error" else ()))
    return _Sides(frame[mask], frame[~mask], called, defining, within)
