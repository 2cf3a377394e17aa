"""A page as PDF: printed by a real Chromium; a browser that is not there or fails is named, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import missing

from obs_magics.incident.pdf import BROWSER_VARIABLE, find_browser, write_pdf
from obs_magics.model.errors import ObsError, UsageError

_PAGE = "<!doctype html><title>Report</title><h1>Payments failed</h1>"


def _browser(folder: Path, script: str) -> str:
    program = folder / "browser"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_a_page_is_printed(tmp_path: Path) -> None:
    if find_browser() is None:
        missing("chromium", "apt-get install chromium")
    target = tmp_path / "report.pdf"
    write_pdf(_PAGE, target)
    printed = target.read_bytes()
    assert printed.startswith(b"%PDF")
    assert b"/Title (Report)" in printed


def test_without_a_browser_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BROWSER_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="no Chromium or Chrome") as caught:
        write_pdf(_PAGE, tmp_path / "report.pdf")
    assert "print" in str(caught.value)


@pytest.mark.parametrize("script", ["echo 'cannot open display' >&2; exit 1", "exit 0"])
def test_a_browser_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setenv(BROWSER_VARIABLE, _browser(tmp_path, script))
    target = tmp_path / "report.pdf"
    target.write_bytes(b"before")
    with pytest.raises(ObsError, match=r"wrote no PDF: (cannot open display|it said nothing)"):
        write_pdf(_PAGE, target)
    assert target.read_bytes() == b"before"


def test_a_browser_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BROWSER_VARIABLE, _browser(tmp_path, "exec sleep 60"))
    monkeypatch.setattr("obs_magics.incident.pdf._SECONDS", 0.2)
    with pytest.raises(ObsError, match="did not print within"):
        write_pdf(_PAGE, tmp_path / "report.pdf")


def test_what_is_no_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = Path(_browser(tmp_path, ""))
    program.write_bytes(b"\x7fELF not really")
    monkeypatch.setenv(BROWSER_VARIABLE, str(program))
    with pytest.raises(ObsError, match="does not start"):
        write_pdf(_PAGE, tmp_path / "report.pdf")
