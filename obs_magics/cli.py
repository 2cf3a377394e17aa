"""The command line `obs-magics`, thin over the rooms below."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from obs_magics import __version__
from obs_magics.model.errors import ObsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0 when it did what it says, 1 when not, 130 when interrupted."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ObsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="obs-magics", description="Investigate production incidents in notebooks.")
    parser.add_argument("--version", action="version", version=f"obs-magics {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="run the postmortem notebook on the demo world and write it as a page")
    demo.add_argument("--notebook", type=Path, default=None, help="another notebook to run")
    demo.add_argument("--out", type=Path, default=Path("out"), help="where to write the page (default: %(default)s)")
    demo.set_defaults(run=_demo)
    return parser


def _demo(options: argparse.Namespace) -> int:
    from obs_magics.demo.run import run_notebook

    finished = run_notebook(options.notebook, options.out, say=print)
    print()
    print("What it found:")
    for finding in finished.findings:
        print("\n".join(f"  {line}" for line in finding.splitlines()))
    print()
    report = finished.page.with_name("report.html")
    if report.is_file():
        print(f"The report:    {report}")
    print(f"The page:      {finished.page}")
    print(f"The notebook:  {finished.notebook}")
    print("Go on from there in JupyterLab:  make lab   (or: jupyter lab notebooks/postmortem.ipynb)")
    return 0
