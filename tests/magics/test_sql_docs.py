"""The examples of docs/sql.md run as they stand."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from obs_magics.api import Session
from obs_magics.demo.world.build import build
from obs_magics.magics.commands_frames import SQL

if TYPE_CHECKING:
    from conftest import Shell

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sql.md"


def test_the_examples_of_the_page_run(make_shell: Callable[[], Shell], bare_session: Session, tmp_path: Path) -> None:
    build(tmp_path / "demo", hours=1)
    bare_session.connect("demo", str(tmp_path / "demo"))
    shell = make_shell()
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    cells = [cell.strip() for block in blocks for cell in re.split(r"\n\n(?=\S)", textwrap.dedent(block))]
    assert len(cells) == 7
    for text in [*SQL.examples, *cells]:
        cell = shell.run(text)
        assert cell.error is None, text
        if text.startswith("%"):
            assert len(cell.result), text
    assert isinstance(shell.variables["busy"], pd.DataFrame)
    assert shell.variables["pools"].obs.plot() is not None
