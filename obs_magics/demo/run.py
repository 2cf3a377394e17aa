"""Run a notebook from end to end, saying how far it is, and write it as a page that needs nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from obs_magics.model.errors import ObsError, UsageError

POSTMORTEM = Path("notebooks") / "postmortem.ipynb"
# A code cell with this tag says something worth repeating on the terminal.
FINDING_TAG = "finding"
_CELL_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of a run: the page, the executed notebook, and what the cells tagged `finding` say."""

    page: Path
    notebook: Path
    findings: tuple[str, ...]


def run_notebook(path: Path | None, out: Path, *, say: Callable[[str], None]) -> Finished:
    """Execute a notebook and write it to `out` as a notebook and as a page.

    Args:
        path: The notebook; None is the postmortem.
        out: A folder, made when it is not there.
        say: Is told one line per step.

    Raises:
        UsageError: The notebook is not there, or Jupyter is not installed.
        ObsError: A cell failed; names the cell and what it said.
    """
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
    except ImportError as error:
        raise UsageError(f"{error.name} is not installed", hint="pip install 'obs-magics[lab]'") from None
    source = _find(path)
    notebook = nbformat.read(source, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    started = time.perf_counter()

    def on_start(cell: Any, cell_index: int) -> None:
        if cell.cell_type == "code":
            number = code.index(cell) + 1
            say(f"  [{number}/{len(code)}] {_headline(cell.source)}")

    say(f"running {source} …")
    client = NotebookClient(
        notebook,
        timeout=_CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(source.parent)}},
        on_cell_start=on_start,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise ObsError(f"a cell of {source} failed: {error.ename}: {error.evalue}") from None
    say(f"done in {time.perf_counter() - started:.0f} s")
    return _write(notebook, source.stem, out, [text for cell in code for text in _findings(cell)])


def _find(path: Path | None) -> Path:
    source = path if path is not None else POSTMORTEM
    if not source.is_file():
        raise UsageError(
            f"there is no notebook {source}", hint="run this in a clone of the project, or give --notebook"
        )
    return source


def _headline(source: str) -> str:
    lines = source.strip().splitlines()
    return lines[0] if len(lines) < 2 or not lines[0].startswith("%%") else f"{lines[0]} ⏎ {lines[1]}"


def _findings(cell: Any) -> list[str]:
    if FINDING_TAG not in cell.metadata.get("tags", []):
        return []
    shown = [output for output in cell.outputs if output.output_type == "display_data"]
    texts = [output.data.get("text/plain", "") for output in shown if "text/html" in output.data]
    texts += [output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout"]
    # Tables and the next step, behind a blank line, are for whoever sits before the notebook.
    return [found for text in texts if (found := text.strip().partition("\n\n")[0].partition("\nnext:")[0].strip())]


def _write(notebook: Any, name: str, out: Path, findings: list[str]) -> Finished:
    import nbformat

    from obs_magics.demo.page import notebook_page

    out.mkdir(parents=True, exist_ok=True)
    page, saved = out / f"{name}.html", out / f"{name}.ipynb"
    page.write_text(notebook_page(notebook, title=name), encoding="utf-8")
    nbformat.write(notebook, saved)
    return Finished(page.resolve(), saved.resolve(), tuple(findings))
