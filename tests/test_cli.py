"""The command line, as a person would call it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from obs_magics import __version__
from obs_magics.cli import main
from obs_magics.demo import run as run_module


def notebook(path: Path, *cells: str) -> Path:
    made = new_notebook(cells=[new_markdown_cell("# A <b>title</b>"), *(new_code_cell(cell) for cell in cells)])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for cell in made.cells[1:]:
        cell.metadata["tags"] = ["finding"]
    nbformat.write(made, path)
    return path


def test_it_says_its_version_and_its_commands() -> None:
    done = subprocess.run([sys.executable, "-m", "obs_magics", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"obs-magics {__version__}"
    done = subprocess.run([sys.executable, "-m", "obs_magics", "--help"], capture_output=True, text=True, check=True)
    assert "demo" in done.stdout


def test_a_notebook_becomes_a_page_that_needs_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = notebook(
        tmp_path / "one.ipynb",
        "%load_ext obs_magics",
        "%obs demo",
        "%%obs_metrics load << --last 10m\nsum(rate(http_requests_total[5m]))",
        "print('it is', '<script>alert(1)</script>')",
    )
    assert main(["demo", "--notebook", str(source), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "[3/4] %%obs_metrics load << --last 10m ⏎ sum(rate(http_requests_total[5m]))" in said
    assert "load: 1 series" in said
    assert "next:" not in said
    page = (tmp_path / "out" / "one.html").read_text()
    assert "data:image/svg+xml" in page
    for loaded in ("<script", ' src="http', "<link", "@import", "url(http"):
        assert loaded not in page
    assert "&lt;script&gt;" in page
    assert json.loads((tmp_path / "out" / "one.ipynb").read_text())["nbformat"] == 4


def test_a_cell_that_fails_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = notebook(tmp_path / "bad.ipynb", "1 / 0")
    assert main(["demo", "--notebook", str(source), "--out", str(tmp_path)]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_notebook_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--notebook", str(tmp_path / "none.ipynb")]) == 1
    assert "none.ipynb" in capsys.readouterr().err


def test_without_jupyter_it_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nbclient", None)
    assert main(["demo", "--notebook", str(tmp_path / "none.ipynb")]) == 1
    assert "obs-magics[lab]" in capsys.readouterr().err


def test_an_interrupt_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "run_notebook", interrupted)
    assert main(["demo"]) == 130
    assert "interrupted" in capsys.readouterr().err
