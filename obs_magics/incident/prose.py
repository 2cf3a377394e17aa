"""What people wrote in a notebook, section by section, for the report: Markdown under headings that it knows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from obs_magics.model.errors import UsageError

NOTES = "notes"
_ASKS = ("%obs_", "%%obs_")  # not `%obs connect`, which may hold a password
# Which section of the report a heading belongs to: the forms of Google's SRE book, Atlassian, Howie and PagerDuty.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "summary": ("summary", "executive summary", "overview", "tl;dr", "what happened"),
    "impact": ("impact", "customer impact", "business impact", "effect"),
    "detection": ("detection", "how we noticed", "response"),
    "timeline": ("timeline", "recovery timeline", "chronology"),
    "factors": (
        "contributing factors", "root cause", "root causes", "root cause analysis", "causes", "cause", "trigger",
    ),
    "ruled_out": ("ruled out", "what was ruled out", "not the cause"),
    "actions": ("actions", "action items", "corrective actions", "follow-ups", "follow-up", "next steps", "to do"),
    "lessons": (
        "lessons", "lessons learned", "learnings", "what went well", "what went wrong", "where we got lucky",
        "what we learned", "themes",
    ),
}  # fmt: skip
_SECTION_OF = {heading: key for key, headings in HEADINGS.items() for heading in headings}
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t#]*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Written:
    """What people wrote.

    Args:
        title: The notebook's first heading of the first level; empty when there is none.
        sections: Markdown by the section of the report; `notes` for what stands under no heading that it knows.
        cells: The cells that asked something: what begins with a magic of ours.
    """

    title: str = ""
    sections: Mapping[str, str] = field(default_factory=dict)
    cells: tuple[str, ...] = ()


def read_notebook(path: Path) -> Written:
    """What people wrote and asked in the cells of a notebook file, as it was last saved.

    Raises:
        UsageError: There is no such file, or it is no notebook.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        cells = [(cell["cell_type"], "".join(cell["source"])) for cell in data["cells"]]
    except OSError as problem:
        raise UsageError(f"the notebook cannot be read: {problem.strerror}", where=str(path)) from problem
    except (ValueError, KeyError, TypeError) as problem:
        raise UsageError("this is no notebook (nbformat 4)", where=str(path), hint="name an .ipynb file") from problem
    asked = tuple(text.strip() for kind, text in cells if kind == "code" and text.lstrip().startswith(_ASKS))
    return replace(written("\n\n".join(text for kind, text in cells if kind == "markdown")), cells=asked)


def written(markdown: str) -> Written:
    """Markdown sorted into the sections of the report; text stays as it is.

    A heading that the report knows begins its section and is left out, since the report has one; what stands under
    another heading stays where it stood, with that heading.
    """
    title, key = "", NOTES
    level = 0  # of the heading that began the section
    found: dict[str, list[str]] = {}
    for line, heading in _lines(markdown):
        if heading is not None:
            depth, text = heading
            if depth == 1 and not title:
                title, key, level = text, NOTES, 1
                continue
            known = _SECTION_OF.get(text.strip(" :").lower())
            if known is not None:
                key, level = known, depth
                found.setdefault(key, [])
                continue
            if depth <= level:  # a heading beside the one that began the section
                key, level = NOTES, depth
        found.setdefault(key, []).append(line)
    sections = {name: text for name, lines in found.items() if (text := "\n".join(lines).strip("\n"))}
    return Written(title, {name: text for name, text in sections.items() if text.strip()})


def _lines(markdown: str) -> Iterator[tuple[str, tuple[int, str] | None]]:
    """Each line, with depth and text where it is a heading; in a block of code none is."""
    fence = ""
    for line in markdown.split("\n"):
        mark = _FENCE.match(line)
        if mark is not None:
            run = mark[1]
            if not fence:
                fence = run
            elif run[0] == fence[0] and len(run) >= len(fence) and not line.strip().strip(run[0]):
                fence = ""
        heading = None if fence or mark else _HEADING.match(line)
        yield line, (len(heading[1]), heading[2]) if heading else None
