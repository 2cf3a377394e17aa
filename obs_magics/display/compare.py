"""What tells some rows from the others, as a table: for each attribute a pair of bars, the shares of both sides."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd

from obs_magics.display import markup
from obs_magics.display.inline import inline
from obs_magics.display.panel import Section
from obs_magics.display.text import cut
from obs_magics.display.traces import grid, words
from obs_magics.display.traces.grid import Column, numbers
from obs_magics.display.traces.style import STYLE
from obs_magics.display.units import count_text, format_value, plain, round_digits

ROWS, MAX_ROWS = 12, 50
NOTHING_TELLS = "no attribute tells them apart"

_BAR = 10
_ATTRIBUTE, _VALUE, _SAME, _NOTE = 80, 160, 300, 300
_MAX_NOTES = 8
_LEAST_P = 0.001
_THRESHOLDS = ("≥", "<")
_RUNNER_UP = "also "
_INDENT = "    "

_RULES = """\
.obs-magics .obs-tells{overflow-wrap:anywhere;min-width:12em}
.obs-magics .obs-two{width:10em}"""

# How a test is said: before and after the attribute's name, and whether its value follows.
_SAID: dict[str, tuple[str, str, bool]] = {
    "=": ("", " = ", True),
    "≥": ("", " ≥ ", True),
    "<": ("", " < ", True),
    "present": ("has ", "", False),
    "missing": ("no ", "", False),
}


def compare_table(
    table: pd.DataFrame, *, title: str = "What tells these from the others", limit: int = ROWS
) -> Section:
    """The rows of a comparison with the shares of both sides.

    Args:
        table: As the analysis makes it: `attribute`, `test`, `value`, `unit`, `selected_share`, `rest_share`,
            `selected_count`, `rest_count`, `lift`, `p_value`, `rank`, `same_as`; in `attrs["notes"]` what the reader
            must know.
        title: What stands above it.
        limit: At most so many rows, fifty at most.
    """
    shown = table.head(min(max(1, limit), MAX_ROWS))
    head = words.text(title, words.TITLE)
    about = "(share of these, then share of the others)" if len(shown) else f"– {NOTHING_TELLS}"
    columns = _columns(shown) if len(shown) else []
    under = _under(table, len(shown))
    return Section(
        partial(grid.section_html, head, about, columns, under),
        partial(_section_text, head, about, shown, under),
        f"{STYLE}\n{_RULES}",
    )


def _columns(table: pd.DataFrame) -> list[Column]:
    mine, others = (table[name].astype(float).tolist() for name in ("selected_share", "rest_share"))
    pairs = zip(grid.bar(mine), grid.bar(others, "obs-before"), strict=True)
    bars = [markup.element("div", "".join(pair), "obs-two") for pair in pairs]
    said = [f"{words.percent(one)} : {words.percent(other)}" for one, other in zip(mine, others, strict=True)]
    names = [_name_html(row) for row in table.to_dict("records")]
    counts = [f"{one:,} : {other:,}" for one, other in zip(table["selected_count"], table["rest_count"], strict=True)]
    return [
        Column("attribute", names, []),
        Column("these, the others", bars, []),
        numbers("shares", said),
        numbers("rows", counts),
        numbers("times", [_times(lift) for lift in table["lift"]]),
        numbers("p", [_chance(value) for value in table["p_value"]]),
    ]


def _name_html(row: dict[Any, Any]) -> str:
    """The property, and what singles out the same rows."""
    before, between, valued = _said(row)
    value = words.bounded(_value(row), _VALUE) if valued else ""
    name = markup.element("strong", words.bounded(row["attribute"], _ATTRIBUTE))
    what = f"{markup.text(before)}{name}{markup.text(between)}{value}"
    same = row["same_as"]
    if isinstance(same, str):
        alike = inline(same, _SAME).html
        what += markup.element("div", f"the same rows: {alike}", "obs-quiet")
    return markup.element("div", what, "obs-tells")


def _name_text(row: dict[Any, Any]) -> str:
    before, between, valued = _said(row)
    value = words.text(_value(row), _VALUE) if valued else ""
    return f"{before}{words.text(row['attribute'], _ATTRIBUTE)}{between}{value}"


def _value(row: dict[Any, Any]) -> str:
    """What an attribute is tested against: a threshold in its unit, anything else as it stands."""
    if row["test"] in _THRESHOLDS:
        return format_value(float(row["value"]), row["unit"])
    return row["value"] or '""'


def _said(row: dict[Any, Any]) -> tuple[str, str, bool]:
    before, between, valued = _SAID[str(row["test"])]
    return (f"{_RUNNER_UP}{before}" if row["rank"] > 1 else before), between, valued


def _times(lift: float) -> str:
    """How many times as large the share is."""
    if math.isinf(lift):
        return "only these"
    return f"{plain(round_digits(lift, 2))}×"


def _chance(p_value: float) -> str:
    return f"<{_LEAST_P}" if p_value < _LEAST_P else plain(round_digits(p_value, 1))


def _under(table: pd.DataFrame, shown: int) -> list[str]:
    rest = len(table) - shown
    more = [f"and {count_text(rest, 'more row')}"] if rest > 0 else []
    notes = [words.text(note, _NOTE) for note in table.attrs.get("notes", ())]
    left = len(notes) - _MAX_NOTES
    return [*more, *notes[:_MAX_NOTES], *([f"and {count_text(left, 'more note')}"] if left > 0 else [])]


def _section_text(head: str, about: str, table: pd.DataFrame, under: Sequence[str], width: int) -> str:
    """What rows have, below it the bars and figures, and what singles out the same rows."""
    lines = textwrap.wrap(f"{head} {about}", width, subsequent_indent="  ")
    for row in table.to_dict("records"):
        mine, others = float(row["selected_share"]), float(row["rest_share"])
        bars = "  ".join(f"{grid.blocks(one, _BAR)} {words.percent(one):>6}" for one in (mine, others))
        lines += [_name_text(row), f"{_INDENT}{bars}  {_times(row['lift'])}  p {_chance(row['p_value'])}"]
        if isinstance(row["same_as"], str):
            lines.append(f"{_INDENT}the same rows: {words.text(row['same_as'], _SAME)}")
    for note in under:
        lines += textwrap.wrap(note, width, subsequent_indent="  ")
    return "\n".join(cut(line, width) for line in lines)
