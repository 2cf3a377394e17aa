"""`%obs_compare` in a real shell, over the demo world."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from obs_magics.api import Session
from obs_magics.magics.commands_frames import COMPARE

if TYPE_CHECKING:
    from conftest import Shell


@pytest.fixture
def shop(make_shell: Callable[[], Shell], bare_session: Session) -> Shell:
    """A shell with the demo world and frames of spans and lines."""
    bare_session.demo()
    shell = make_shell()
    shell.run("%obs_traces slow << --service checkout-api --start 12:30 --end 12:50 --limit 500 --no-plot ;")
    shell.run("%obs_logs lines << --start 14:20 --end 14:30 --limit 3000 --no-plot ;")
    shell.ip.push({"number": 5})
    return shell


def text_of(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_failing_lines_are_told_from_the_others(shop: Shell) -> None:
    cell = shop.run("%obs_compare lines")
    assert cell.error is None
    told = text_of(cell.text)
    assert "error lines: 47 rows against" in told
    first = cell.result.iloc[0]
    lines = shop.variables["lines"]
    failed = lines[lines["level"] >= "error"]
    if first["attribute"] in lines.columns:
        assert first["selected_count"] == (failed[first["attribute"]] == first["value"]).sum()
    assert not {"level"} & set(cell.result["attribute"])


def test_slow_spans_are_told_from_others_of_their_operation(shop: Shell) -> None:
    cell = shop.run("%obs_compare found << slow --threshold 5s")
    assert cell.error is None
    told = text_of(cell.text)
    slow = shop.variables["slow"]
    selected = int((slow["duration"].dt.total_seconds() >= 5).sum())
    assert f"spans of at least 5 s: {selected} rows against {len(slow) - selected:,} others" in told
    assert not {"service", "operation"} & set(shop.variables["found"]["attribute"])


def test_two_frames_are_held_against_each_other(shop: Shell) -> None:
    shop.run("%obs_traces before << --service checkout-api --start 12:00 --end 12:20 --limit 500 --no-plot ;")
    cell = shop.run("%obs_compare slow --with before --no-plot")
    assert cell.error is None
    assert cell.outputs == []
    direct = shop.variables["slow"].obs.compare(shop.variables["before"])
    assert cell.result["attribute"].tolist() == direct["attribute"].tolist()
    assert "effect" in shop.variables["slow"].obs.compare(by="error").columns


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%obs_compare slwo", "did you mean slow?"),
        ("%obs_compare number", "number is no frame"),
        ("%obs_compare", "needs FRAME"),
        ("%obs_compare lines --threshold 2s", "lines of logs have no duration"),
        ("%obs_compare slow --with lines --by error", "keep one of them"),
        ("%obs_compare slow --threshold soon", "soon"),
    ],
)
def test_what_is_wrong_is_said(shop: Shell, line: str, says: str) -> None:
    error = shop.run(line).error
    assert error is not None
    assert says in str(error)


def test_a_frame_that_cannot_be_split_names_the_way_out(shop: Shell) -> None:
    shop.run("import pandas as pd\nplain = pd.DataFrame({'a': [1, 2]})")
    assert "--with OTHER" in str(shop.run("%obs_compare plain").error)


@pytest.mark.parametrize("example", COMPARE.examples)
def test_every_example_of_the_help_works(shop: Shell, example: str) -> None:
    assert shop.run(example).error is None
    assert "--threshold" in shop.run("%obs_compare --help").stdout
