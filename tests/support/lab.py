"""A JupyterLab of the tests' own on the loopback, and a notebook in it as a person in front of Chromium sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import nbformat

from support.servers import free_port, stop

CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_START_SECONDS = 120.0  # on a machine that has much else to do
_LOOPBACK = "127.0.0.1"

# Nothing is fetched from elsewhere, every cell is drawn, and no pop-up stands in the way.
_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
    "notebook-extension/tracker": {"windowingMode": "none"},
    "docmanager-extension/plugin": {"autosave": False},
    "completer-extension/manager": {"autoCompletion": False, "providerTimeout": 60_000},
}
# Names for completion are waited for, however busy the machine: what comes at the second Tab is not what is tried here.
_PATIENCE = """\
from obs_magics.magics import names

names.DEADLINE_SECONDS = 60.0
del names
"""
_VARIABLES_OF_THE_MACHINE = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "OBS_MAGICS_CONFIG")


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address, and the folder it serves."""

    address: str
    folder: Path

    def write(self, name: str, cells: Sequence[str]) -> None:
        """Put a notebook of code cells into the folder."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.folder / name)


@contextmanager
def running_lab(home: Path, cache: Path) -> Iterator[Lab]:
    """Start a JupyterLab that knows nothing of the user's own, and stop it with all its kernels.

    Args:
        home: An empty folder for its settings, its notebooks and its log.
        cache: Where the demo world is kept.
    """
    folder, settings = home / "notebooks", home / "settings"
    folder.mkdir()
    for name, values in _SETTINGS.items():
        file = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    startup = home / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "patience.py").write_text(_PATIENCE)
    lab = Lab(f"http://{_LOOPBACK}:{free_port()}", folder)
    with (home / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            _command(lab, settings, home), env=_environment(home, cache), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_it_answers(process, lab.address, home / "lab.log")
            yield lab
        finally:
            stop(process)


def _command(lab: Lab, settings: Path, home: Path) -> list[str]:
    options = {
        "ServerApp.ip": _LOOPBACK,
        "ServerApp.port": urlsplit(lab.address).port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": lab.folder,
        "ServerApp.allow_root": True,
        "IdentityProvider.token": "",
        "LabApp.open_browser": False,
        "LabApp.expose_app_in_browser": True,
        "LabApp.extension_manager": "readonly",
        "LabApp.user_settings_dir": settings,
        "LabApp.workspaces_dir": home / "workspaces",
    }
    return [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]


def _environment(home: Path, cache: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name.upper() not in _VARIABLES_OF_THE_MACHINE}
    own = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "XDG_CONFIG_HOME": "xdg",
    }
    folders = {name: str(home / folder) for name, folder in own.items()}
    return {**kept, **folders, "OBS_MAGICS_CACHE": str(cache), "TZ": "UTC", "NO_PROXY": "*"}


def _wait_until_it_answers(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < give_up:
        try:
            with urlopen(f"{address}/api", timeout=10):
                return
        except OSError:  # urllib's own errors and timeouts are such
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


@dataclass
class Notebook:
    """A notebook open in a browser's page, and every address that the page asked for."""

    page: Any
    asked: list[str] = field(default_factory=list)

    @classmethod
    def opened(cls, page: Any, lab: Lab, name: str, *, kernel: bool = True) -> Notebook:
        """Open a notebook with nothing else beside it, and wait until its kernel is idle if it is to have one."""
        notebook = cls(page)
        page.on("request", lambda request: notebook.asked.append(request.url))
        page.goto(f"{lab.address}/lab/tree/{name}?reset")
        page.wait_for_function(_HAS_KERNEL if kernel else _HAS_CELLS)
        return notebook

    def strangers(self) -> list[str]:
        """What was asked of anybody but this machine."""
        return [url for url in self.asked if urlsplit(url).hostname not in {_LOOPBACK, "", None}]

    def run_all(self) -> None:
        """Run every cell, and wait until the last has ended."""
        self.page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")

    def run(self, number: int, *, wait: bool = True) -> None:
        """Run one cell."""
        self.page.evaluate(_RUN, [number, wait])

    def interrupt(self) -> None:
        """What the stop button does."""
        self.page.evaluate("() => jupyterapp.commands.execute('notebook:interrupt-kernel')")

    def wait_until_idle(self) -> None:
        """Wait until the kernel has done all that it was asked."""
        self.page.wait_for_function(_HAS_KERNEL)

    def save(self) -> None:
        """Save, and wait until it is on the disk."""
        self.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")

    def theme(self, name: str) -> None:
        """Switch JupyterLab's theme: "JupyterLab Light", "JupyterLab Dark"."""
        self.page.evaluate("(theme) => jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
        self.page.wait_for_function(_HAS_THEME, arg=name)

    def cell(self, number: int) -> Any:
        """A cell by its place."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(number)

    def said(self, number: int) -> str:
        """What stands under a cell, as text."""
        return str(self.cell(number).locator(".jp-OutputArea").inner_text()).strip()

    def source(self, number: int) -> str:
        """What a cell holds."""
        return str(self.page.evaluate(f"(number) => {_CELLS}[number].model.sharedModel.getSource()", number))

    def put(self, number: int, before: str, after: str = "") -> None:
        """Fill a cell, and put the cursor behind `before`."""
        self.page.evaluate(_PUT, [number, before, after])

    def completions(self) -> list[str]:
        """What Tab offers at the cursor."""
        self.page.keyboard.press("Tab")
        offered = self.page.locator(".jp-Completer code.jp-Completer-match")
        offered.first.wait_for()
        return [str(text).strip() for text in offered.all_inner_texts()]

    def accept(self) -> None:
        """Take the first of what is offered."""
        self.page.keyboard.press("Enter")
        self.page.locator(".jp-Completer code.jp-Completer-match").first.wait_for(state="hidden")

    def kernel(self) -> str | None:
        """The name of the notebook's kernel; None when it has none."""
        name = self.page.evaluate(f"() => {_PANEL}.sessionContext.session?.kernel?.name ?? null")
        return None if name is None else str(name)

    def colours(self, number: int) -> dict[str, int]:
        """How many pixels of each colour the chart under a cell has, but for those of its legend."""
        return dict(self.page.evaluate(_COLOURS, number))

    def time_axis(self, number: int) -> str:
        """The picture of the time axis of the chart under a cell, to be compared."""
        return str(self.page.evaluate(_TIME_AXIS, number))


def until(notebook: Notebook, holds: Callable[[], bool], *, seconds: float = 60) -> None:
    """Wait for what the page does on its own time."""
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, f"it did not come within {seconds:g} s"
        notebook.page.wait_for_timeout(50)


_PANEL = "jupyterapp.shell.currentWidget"
_CELLS = "jupyterapp.shell.currentWidget.content.widgets"
_HAS_CELLS = f"() => window.jupyterapp && {_PANEL}?.context?.isReady && {_CELLS}.length > 0"
_HAS_KERNEL = f"{_HAS_CELLS} && {_PANEL}.sessionContext.session?.kernel?.status === 'idle'"
# Lab hides itself for one frame after the new style sheet has come.
_HAS_THEME = """(theme) => document.body.dataset.jpThemeName === theme
    && document.getElementById('main').getBoundingClientRect().height > 0"""
_RUN = f"""async ([number, wait]) => {{
    {_PANEL}.content.activeCellIndex = number;
    const done = jupyterapp.commands.execute('notebook:run-cell');
    if (wait) await done;
}}"""
_PUT = f"""async ([number, before, after]) => {{
    const notebook = {_PANEL}.content;
    notebook.activeCellIndex = number;
    const cell = notebook.activeCell;
    cell.model.sharedModel.setSource(before + after);
    notebook.mode = 'edit';
    cell.editor.focus();
    cell.editor.setCursorPosition(cell.editor.getPositionAt(before.length));
}}"""
_CANVAS = f"{_CELLS}[number].node.querySelector('canvas')"
_COLOURS = f"""(number) => {{
    const canvas = {_CANVAS};
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width * 0.8, canvas.height).data;
    const found = {{}};
    for (let i = 0; i < pixels.length; i += 4) {{
        if (pixels[i + 3] < 255) continue;
        const colour = '#' + [...pixels.slice(i, i + 3)].map((part) => part.toString(16).padStart(2, '0')).join('');
        found[colour] = (found[colour] ?? 0) + 1;
    }}
    return found;
}}"""
_TIME_AXIS = f"""(number) => {{
    const canvas = {_CANVAS};
    return [...canvas.getContext('2d').getImageData(0, canvas.height - 36, canvas.width, 36).data].join();
}}"""
