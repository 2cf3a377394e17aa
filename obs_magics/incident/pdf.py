"""A page as PDF, printed by the Chromium (or Chrome, or Edge) of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from obs_magics.model.errors import ObsError, UsageError

BROWSER_VARIABLE = "OBS_MAGICS_BROWSER"
_BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
_SWITCHES = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-pdf-header-footer",
    "--generate-pdf-document-outline",
)
_SECONDS = 120
_INSTEAD = "print the HTML report instead"


def find_browser() -> str | None:
    """The browser that prints: what ``$OBS_MAGICS_BROWSER`` names, else the first that is on the path."""
    chosen = os.environ.get(BROWSER_VARIABLE)
    return (
        shutil.which(chosen) if chosen else next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    )


def write_pdf(html: str, path: Path) -> None:
    """Print a page that needs nothing from anywhere else.

    Args:
        html: The whole page.
        path: Where to write; what was there is replaced when the printing is done, not before.

    Raises:
        UsageError: There is no browser to print with.
        ObsError: The browser did not print; what it said stands in the message.
    """
    browser = find_browser()
    if browser is None:
        raise UsageError(
            "there is no Chromium or Chrome to print the PDF with",
            hint=f"install one (apt install chromium), or name it in ${BROWSER_VARIABLE};"
            " or open the HTML report in a browser and print it",
        )
    # Helpers of the browser may outlive it for a moment, and write into its profile while that is deleted.
    with tempfile.TemporaryDirectory(prefix="obs-magics-", ignore_cleanup_errors=True) as folder:
        page, printed = Path(folder) / "page.html", Path(folder) / "page.pdf"
        page.write_text(html, encoding="utf-8")
        # As root, which containers often are, Chromium refuses to start with its sandbox; the page is our own.
        sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        switches = [*_SWITCHES, *sandbox, f"--user-data-dir={folder}/profile", f"--print-to-pdf={printed}"]
        said = _run([browser, *switches, page.as_uri()])
        if not printed.is_file() or not printed.read_bytes().startswith(b"%PDF"):
            raise ObsError(f"{browser} wrote no PDF: {said or 'it said nothing'}", hint=_INSTEAD)
        shutil.copyfile(printed, path)


def _run(command: list[str]) -> str:
    """The last line that the browser said."""
    try:
        done = subprocess.run(  # noqa: S603 - a browser of this machine, and arguments of ours alone
            command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise ObsError(f"{command[0]} did not print within {_SECONDS} s", hint=_INSTEAD) from None
    except OSError as problem:
        raise ObsError(f"{command[0]} does not start: {problem.strerror}", hint=_INSTEAD) from None
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return lines[-1] if lines else ""
