"""One JupyterLab and one Chromium for all that is tried in them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from conftest import missing
from support.lab import CHROMIUM_FLAGS, Lab, Notebook, running_lab, until


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab that has nothing but our notebooks; the demo world is built when first asked for."""
    if find_spec("jupyterlab") is None:
        missing("jupyterlab", "pip install 'obs-magics[lab]'")
    with running_lab(tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("cache")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium. Playwright's loop lives in this thread: it must end with the module, before any async test."""
    chromium = shutil.which("chromium")
    if chromium is None:
        missing("chromium", "apt-get install chromium")
    if find_spec("playwright") is None:
        missing("playwright", "pip install 'obs-magics[test]'")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        yield running
        running.close()


@pytest.fixture(scope="module")
def open_notebook(lab: Lab, browser: Any) -> Iterator[Callable[..., Notebook]]:
    """Opens a notebook of the Lab's folder in a page of its own."""
    context = browser.new_context(viewport={"width": 1300, "height": 1600})
    context.set_default_timeout(90_000)

    def open_(name: str, *, kernel: bool = True) -> Notebook:
        return Notebook.opened(context.new_page(), lab, name, kernel=kernel)

    yield open_
    context.close()


@pytest.fixture(scope="module")
def chart(lab: Lab, open_notebook: Callable[..., Notebook]) -> Notebook:
    """A notebook that was run from end to end, with a chart under its last cell, and saved."""
    lab.write("chart.ipynb", ["%load_ext obs_magics", "%obs demo", CHART])
    notebook = open_notebook("chart.ipynb")
    notebook.run_all()
    notebook.cell(2).locator("canvas").wait_for()
    until(notebook, lambda: len(notebook.colours(2)) > 2)  # it is there before it is drawn
    notebook.save()
    return notebook


CHART = """\
%%obs_metrics errors << --start 14:00 --end 15:30
sum by (service) (rate(http_requests_total{code=~"5..", service=~"payment-api|user-service"}[2m]))"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: pytest keeps those of the last three runs."""
    return tmp_path_factory.mktemp("pictures")
