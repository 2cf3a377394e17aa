"""The page `docs/magics.md`: what `--help` says of every magic."""

from __future__ import annotations

import sys
from pathlib import Path

from obs_magics.magics.commands import MAGICS, help_text
from obs_magics.magics.commands_obs import SUBCOMMANDS

WRITTEN = Path("docs") / "magics.md"
_HEAD = """\
# The magics

What `--help` says of each; `%obs help` lists them with an example. Options stand before the query; `--` ends them.

This page is written by `python -m obs_magics.magics.reference`.
"""


def render() -> str:
    """The page as Markdown."""
    commands = [MAGICS["obs"], *SUBCOMMANDS.values(), *(one for name, one in MAGICS.items() if name != "obs")]
    index = "\n".join(f"- [`{one.name}`](#{one.name.lstrip('%').replace(' ', '-')}): {one.summary}" for one in commands)
    sections = [f"## {one.name}\n\n```text\n{help_text(one).rstrip()}\n```\n" for one in commands]
    return "\n".join([_HEAD, index, "", *sections])


def main() -> None:
    """Write the page into the project that stands in the current folder."""
    WRITTEN.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{WRITTEN} is written\n")


if __name__ == "__main__":
    main()
